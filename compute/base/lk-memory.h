/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a limit of address space must leave beside all that is planned: for rows, JSON, checkpoints being written and read back. Where
 * one of these many small pieces cannot be had, GLib ends the process. */
#define LK_MEMORY_RESERVE (G_GUINT64_CONSTANT (64) << 20)

/* Bytes that this process may still take without swapping: the least of what the system has available, what the control groups
 * it is in (version 2) leave it, and, less @mappings that will take address space without being touched, what its limit of
 * address space (RLIMIT_AS) leaves it beside the reserve. G_MAXUINT64 where the system says none of it. Any thread. */
guint64 lk_memory_available (guint64 mappings);

/* Address space that the stacks of @n new threads take. */
guint64 lk_memory_of_threads (guint n);

G_END_DECLS
