/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that this process may still take without swapping: the least of what the system has available, what the control groups
 * it is in (version 2) leave it, and, less @mappings that will take address space without being touched, what its limit of
 * address space (RLIMIT_AS) leaves it. G_MAXUINT64 where the system says none of it. Any thread. */
guint64 lk_memory_available (guint64 mappings);

G_END_DECLS
