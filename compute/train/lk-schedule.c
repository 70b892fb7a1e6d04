/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-schedule.h"

#include <math.h>

static double
lk_schedule_cosine (double p)
{
  return 0.5 * (1.0 + cos (G_PI * p));
}

static double
lk_schedule_linear (double p)
{
  return MAX (0.0, 1.0 - p);
}

static double
lk_schedule_constant (double p)
{
  return 1.0;
}

const char *const lk_schedule_names[] = { "cosine", "linear", "constant", NULL };

static double (*const schedules[]) (double p)
    = { lk_schedule_cosine, lk_schedule_linear, lk_schedule_constant };

gint64
lk_schedule_warmup (double warmup, gint64 steps)
{
  return warmup < 1 ? (gint64) ceil (warmup * (double) steps) : (gint64) warmup;
}

double
lk_schedule_multiplier (const char *name, gint64 step, gint64 steps, gint64 warmup)
{
  double p = MIN (1.0, (double) (step - warmup) / (double) MAX (1, steps - warmup));

  if (step < warmup)
    return (double) step / (double) MAX (1, warmup);
  for (guint i = 0; lk_schedule_names[i]; i++)
    if (g_str_equal (lk_schedule_names[i], name))
      return schedules[i](p);
  g_return_val_if_reached (1.0);
}
