/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How curves are looked at, shared by charts that belong together: which part of x is shown, where the read-out stands,
 * smoothing, scale and clipping. No widget in it: zooming and panning are plain arithmetic.
 *
 * Properties (read-write, notify): smooth, log-scale, clip-outliers. Read-only: zoomed.
 * Signals: ::changed (the drawing differs), ::cursor-moved. Thread-safety: one thread.
 */
#pragma once

#include "lk-chart.h"

G_BEGIN_DECLS

#define LK_TYPE_PLOT (lk_plot_get_type ())
G_DECLARE_FINAL_TYPE (LkPlot, lk_plot, LK, PLOT, GObject)

LkPlot *lk_plot_new (void);

/* The whole of x, which grows while a run works. While nothing is zoomed all of it is shown. */
void lk_plot_set_extent (LkPlot *self, double begin, double end);
/* What is shown. */
void lk_plot_get_range (LkPlot *self, double *begin, double *end);
gboolean lk_plot_is_zoomed (LkPlot *self);

/* @factor < 1 comes closer, > 1 goes away; @x stays where it is on the screen. At least two steps stay in view; all of
 * it in view ends the zoom. */
void lk_plot_zoom (LkPlot *self, double x, double factor);
/* Moves what is shown by @share of its width, not beyond the ends. */
void lk_plot_pan (LkPlot *self, double share);
/* Everything again. */
void lk_plot_reset (LkPlot *self);

/* NaN takes the read-out away. */
void lk_plot_set_cursor (LkPlot *self, double x);
double lk_plot_get_cursor (LkPlot *self);

/* Puts range, cursor, smoothing, scale and clipping in @spec. */
void lk_plot_apply (LkPlot *self, LkChartSpec *spec);

G_END_DECLS
