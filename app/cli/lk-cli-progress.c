/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Before so much time nothing can be said of the rest. */
#define SETTLED_SECONDS 2

char *
lk_cli_time_in_words (double seconds)
{
  if (seconds < 90)
    return g_strdup_printf ("%d s", (int) ceil (seconds));
  if (seconds < 90 * 60)
    return g_strdup_printf ("%d min", (int) ceil (seconds / 60));
  return g_strdup_printf ("%d h %d min", (int) (seconds / 3600), (int) fmod (seconds / 60, 60));
}

void
lk_cli_progress_tell (LkCliProgress *self, double fraction, const char *format, ...)
{
  g_autofree char *text = NULL, *left = NULL;
  gint64 now = g_get_monotonic_time ();
  double seconds;
  va_list args;

  if (self->begun == 0)
    self->begun = now;
  if (!isatty (STDERR_FILENO))
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  seconds = (double) (now - self->begun) / G_USEC_PER_SEC;
  if (seconds >= SETTLED_SECONDS && fraction > 0 && fraction < 1)
    left = lk_cli_time_in_words (seconds / fraction * (1 - fraction));
  fprintf (stderr, "\r%s%s%s%s\033[K", text, left ? " · " : "", left ? left : "", left ? " left" : "");
}

void
lk_cli_progress_end (LkCliProgress *self)
{
  self->begun = 0;
  if (isatty (STDERR_FILENO))
    fputs ("\r\033[K", stderr);
}
