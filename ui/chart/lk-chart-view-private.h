/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of LkChartView: lk-chart-view.c draws, lk-chart-view-input.c listens to pointer and keyboard.
 */
#pragma once

#include "lk-chart-view.h"
#include "lk-run-chart.h"

enum
{
  LK_CHART_TRAINING,
  LK_CHART_HELD_OUT,
  LK_CHART_OTHER,
  LK_CHART_N_SERIES
};

struct _LkChartView
{
  GtkWidget parent_instance;

  LkPlot *plot;
  LkSeries *series[LK_CHART_N_SERIES];
  gulong changed[LK_CHART_N_SERIES];
  LkRunChart chart; /* what LK_CHART_OTHER is */
  GPtrArray *lines, *labels; /* of several runs; NULL: none */
  GdkTexture *picture;       /* all but the read-out; NULL: to be drawn */
  LkChartGeometry geometry;  /* of the picture */
  guint describe_source;
  double dragged; /* pixels of a drag that the plot has followed */
};

/* @spec is uninitialised. */
void _lk_chart_view_build_spec (LkChartView *self, LkChartSpec *spec);
/* The series whose points the read-out steps through: the one with most of them; NULL without any. */
LkSeries *_lk_chart_view_get_dense_series (LkChartView *self);
void _lk_chart_view_listen (LkChartView *self);
