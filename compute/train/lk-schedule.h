/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Learning-rate schedules: multipliers by optimizer step, as torch's LambdaLR uses them (the first step of a
 * warm-up has rate 0).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* NULL-terminated. */
extern const char *const lk_schedule_names[];

/* Steps of warm-up for @steps in all; @warmup below 1 is a share of them, rounded up. */
gint64 lk_schedule_warmup (double warmup, gint64 steps);
/* The multiplier of step @step (from 0). @name is one of lk_schedule_names. */
double lk_schedule_multiplier (const char *name, gint64 step, gint64 steps, gint64 warmup);

G_END_DECLS
