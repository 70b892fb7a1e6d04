/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the chart share: text, colours, and the line that is shown (the points, or their average).
 */
#pragma once

#include <pango/pangocairo.h>

#include "lk-chart.h"

typedef struct
{
  double r, g, b;
} LkChartColour;

typedef enum
{
  LK_CHART_SMALL,
  LK_CHART_TITLE,
} LkChartTextSize;

typedef struct
{
  const LkChartSpec *spec;
  cairo_t *cr;
  LkChartColour text, grid, background, alarm;
} LkChartPen;

void _lk_chart_pen_init (LkChartPen *pen, cairo_t *cr, const LkChartSpec *spec);
LkChartColour _lk_chart_line_colour (gboolean dark, guint index);
void _lk_chart_set_colour (cairo_t *cr, LkChartColour colour, double alpha);

/* Figures of equal width, so that numbers do not tremble. (transfer full) */
PangoLayout *_lk_chart_text (cairo_t *cr, const char *text, LkChartTextSize size);
void _lk_chart_text_size (PangoLayout *layout, double *width, double *height);

/* The series drawn strongly: the average where the line is smoothed, else the points. */
LkSeries *_lk_chart_strong_series (const LkChartSpec *spec, const LkChartLine *line);
/* "1.31" with the digits of the y axis. */
char *_lk_chart_end_label (const LkChartGeometry *geometry, const LkChartSpec *spec, const LkChartLine *line);

void _lk_chart_draw_series (const LkChartPen *pen, const LkChartGeometry *geometry, LkSeries *series, const LkChartLine *line,
                            gboolean strong);
