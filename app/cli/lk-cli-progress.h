/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How far a command is, on a line of its own on the terminal, with the time left.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 begun; /* monotonic; 0: not yet */
} LkCliProgress;

/* "40 s", "3 min", "2 h 5 min". (transfer full) */
char *lk_cli_time_in_words (double seconds);
/* Nothing where standard error is no terminal. @fraction from 0 to 1 of the work since the first call. */
void lk_cli_progress_tell (LkCliProgress *self, double fraction, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* Empties the line; the next call begins anew. */
void lk_cli_progress_end (LkCliProgress *self);

G_END_DECLS
