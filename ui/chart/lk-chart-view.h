/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Curves with an LkPlot for how they are looked at. The drawing is app/chart's; this adds the pointer (hover reads out,
 * dragging moves, the wheel with Control zooms, a double click shows all), the keyboard (Left and Right move the
 * read-out, with Control by a tenth, Home and End to the ends, + and − zoom, Shift with Left and Right moves what is shown,
 * 0 shows all, Escape takes the read-out away) and words for those who do not see it. What does not move is
 * drawn once and kept as a picture.
 *
 * Properties: plot (LkPlot, may be shared), training and held-out (LkSeries: the losses of a run), series (another of
 * its curves; chart says which: "learning-rate", "gradient-norm", "speed"); all series may be NULL.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-plot.h"

G_BEGIN_DECLS

#define LK_TYPE_CHART_VIEW (lk_chart_view_get_type ())
G_DECLARE_FINAL_TYPE (LkChartView, lk_chart_view, LK, CHART_VIEW, GtkWidget)

GtkWidget *lk_chart_view_new (void);
/* Curves of several runs over each other: label and series of each, at most LK_CHART_N_COLOURS told apart by colour, the
 * rest by dashes. Replaces what was shown. */
void lk_chart_view_set_lines (LkChartView *self, GPtrArray *labels, GPtrArray *series);

G_END_DECLS
