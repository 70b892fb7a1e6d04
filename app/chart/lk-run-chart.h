/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The curves of a run over its steps, from its folder or at hand: losses, learning rate, gradient norm, speed.
 */
#pragma once

#include "lk-chart.h"

G_BEGIN_DECLS

/* What one chart shows. */
typedef enum
{
  LK_RUN_CHART_LOSS, /* training and held-out together */
  LK_RUN_CHART_LEARNING_RATE,
  LK_RUN_CHART_GRADIENT_NORM,
  LK_RUN_CHART_SPEED,
  LK_RUN_N_CHARTS
} LkRunChart;

/* "loss", "learning-rate", "gradient-norm", "speed". */
const char *lk_run_chart_get_name (LkRunChart chart);
/* FALSE: no chart has that name. */
gboolean lk_run_chart_from_name (const char *name, LkRunChart *chart);

typedef struct
{
  LkSeries *training, *held_out, *learning_rate, *gradient_norm, *speed;
  guint damaged_lines; /* lines that are no JSON objects and were left out: a worker killed while writing leaves one */
} LkRunCurves;

/* Reads @path, an events.jsonl, line by line. Steps that a resumed run did again replace the earlier ones. A last line
 * without its end is still being written and is left out. A loss that is null or missing is a point that is not a number. */
gboolean lk_run_curves_load (LkRunCurves *self, const char *path, GError **error);
void lk_run_curves_clear (LkRunCurves *self);

/* All of them as comma-separated values (RFC 4180) with every digit, a step a line, written whole or not at all. What is no
 * number, or was not measured at that step, is an empty field. */
gboolean lk_run_curves_write_csv (const LkRunCurves *self, const char *path, GError **error);

/* The events.jsonl of @path, a run folder or that file itself, and the run's name. Both (transfer full). */
char *lk_run_chart_find_events (const char *path, char **name);

/* Fills @spec, as lk_chart_spec_init() leaves it, with @chart, axis labels and the best held-out point. @path is a
 * run folder or an events.jsonl; the title is the run's name. *damaged_lines may be NULL. */
gboolean lk_chart_spec_from_events (LkChartSpec *spec, const char *path, LkRunChart chart, guint *damaged_lines,
                                    GError **error);
/* The same from curves at hand; either may be NULL or empty. */
void lk_chart_spec_set_curves (LkChartSpec *spec, LkSeries *training, LkSeries *held_out);
/* One of the other charts: @series under the words for @chart. */
void lk_chart_spec_set_curve (LkChartSpec *spec, LkRunChart chart, LkSeries *series);
/* Any of them; missing series are left out. */
void lk_chart_spec_set_run (LkChartSpec *spec, LkRunChart chart, const LkRunCurves *curves);

G_END_DECLS
