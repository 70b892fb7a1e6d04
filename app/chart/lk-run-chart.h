/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The curves of a run, from its folder: training and held-out loss over the steps.
 */
#pragma once

#include "lk-chart.h"

G_BEGIN_DECLS

typedef struct
{
  LkSeries *training, *held_out;
  guint damaged_lines; /* lines that are no JSON objects and were left out: a worker killed while writing leaves one */
} LkRunCurves;

/* Reads @path, an events.jsonl, line by line. Steps that a resumed run did again replace the earlier ones. A last line
 * without its end is still being written and is left out. A loss that is null or missing is a point that is not a number. */
gboolean lk_run_curves_load (LkRunCurves *self, const char *path, GError **error);
void lk_run_curves_clear (LkRunCurves *self);

/* Fills @spec, as lk_chart_spec_init() leaves it, with both curves, axis labels and the best held-out point. @path is a
 * run folder or an events.jsonl; the title is the run's name. *damaged_lines may be NULL. */
gboolean lk_chart_spec_from_events (LkChartSpec *spec, const char *path, guint *damaged_lines, GError **error);
/* The same from curves at hand; either may be NULL or empty. */
void lk_chart_spec_set_curves (LkChartSpec *spec, LkSeries *training, LkSeries *held_out);

G_END_DECLS
