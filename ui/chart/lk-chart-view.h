/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The live chart of a run: training and held-out loss. The drawing is app/chart's; this adds the pointer, the keyboard
 * (Left and Right move the read-out, Home and End to the ends, Escape takes it away) and words for those who do not see it.
 *
 * Properties: training, held-out (LkSeries, may be NULL), smoothing (double, 0 to 0.999), log-scale, clip-outliers.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-chart.h"

G_BEGIN_DECLS

#define LK_TYPE_CHART_VIEW (lk_chart_view_get_type ())
G_DECLARE_FINAL_TYPE (LkChartView, lk_chart_view, LK, CHART_VIEW, GtkWidget)

GtkWidget *lk_chart_view_new (void);
/* What the window shows, as a chart of its own with @title, for lk_chart_export(). @spec is uninitialised. */
void lk_chart_view_get_spec (LkChartView *self, const char *title, LkChartSpec *spec);

G_END_DECLS
