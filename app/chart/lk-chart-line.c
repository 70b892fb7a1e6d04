/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One line. Where several points share a column of pixels, the column is drawn from its least to its greatest value, so
 * that no peak is lost and the cost is that of the picture, not of the data.
 */
#include "lk-chart-private.h"

#include <math.h>

#define MARK 3.0
#define MAX_DOTS 60
#define MAX_POINTS_A_COLUMN 1 /* above, columns are drawn instead of points */

typedef struct
{
  const LkChartPen *pen;
  const LkChartGeometry *geometry;
  gboolean open;       /* a line is under way */
  double end_x, end_y; /* its last point */
  gboolean lone;       /* it has one point so far */
} Stroke;

static double
place_x (const LkChartGeometry *g, double x)
{
  return g->x + lk_axis_map (&g->x_axis, x) * g->width;
}

/* FALSE: the value has no place on the axis. Far outside values are brought near, Cairo's numbers have 24 bits. */
static gboolean
place_y (const LkChartGeometry *g, double y, double *out)
{
  double place = lk_axis_map (&g->y_axis, y);

  if (!isfinite (y) || isnan (place))
    return FALSE;
  *out = g->y + (1 - CLAMP (place, -2, 3)) * g->height;
  return TRUE;
}

static void
stroke_end (Stroke *self)
{
  /* a point alone between gaps would have no length */
  if (self->open && self->lone)
    {
      cairo_new_sub_path (self->pen->cr);
      cairo_arc (self->pen->cr, self->end_x, self->end_y, 0.75, 0, 2 * G_PI);
    }
  self->open = FALSE;
}

static void
stroke_to (Stroke *self, double x, double y)
{
  if (self->open)
    {
      cairo_line_to (self->pen->cr, x, y);
      self->lone = FALSE;
    }
  else
    {
      cairo_move_to (self->pen->cr, x, y);
      self->lone = TRUE;
    }
  self->open = TRUE;
  self->end_x = x;
  self->end_y = y;
}

/* A cross at the foot of the plot: here was a value that is not a number. */
static void
mark_bad (const LkChartPen *pen, const LkChartGeometry *g, double x)
{
  cairo_t *cr = pen->cr;
  double y = g->y + g->height - MARK - 1;

  cairo_save (cr);
  _lk_chart_set_colour (cr, pen->alarm, 1);
  cairo_set_dash (cr, NULL, 0, 0);
  cairo_set_line_width (cr, 1.5);
  cairo_move_to (cr, x - MARK, y - MARK);
  cairo_line_to (cr, x + MARK, y + MARK);
  cairo_move_to (cr, x - MARK, y + MARK);
  cairo_line_to (cr, x + MARK, y - MARK);
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* A small triangle at the upper edge: the line goes on above. */
static void
mark_above (const LkChartPen *pen, const LkChartGeometry *g, double x, LkChartColour colour)
{
  cairo_t *cr = pen->cr;

  cairo_save (cr);
  _lk_chart_set_colour (cr, colour, 1);
  cairo_move_to (cr, x, g->y + 1);
  cairo_line_to (cr, x - MARK, g->y + 2 * MARK);
  cairo_line_to (cr, x + MARK, g->y + 2 * MARK);
  cairo_close_path (cr);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
path_by_points (Stroke *stroke, LkSeries *series, guint begin, guint end)
{
  for (guint i = begin; i < end; i++)
    {
      double y;

      if (place_y (stroke->geometry, lk_series_get_y (series, i), &y))
        stroke_to (stroke, place_x (stroke->geometry, lk_series_get_x (series, i)), y);
      else
        stroke_end (stroke);
    }
  stroke_end (stroke);
}

/* From the least to the greatest value of each column, and on to where the line came from, as rectangles on whole pixels:
 * a stroke through so many points costs Cairo hundreds of milliseconds, these a few. */
static void
boxes_by_columns (const Stroke *stroke, LkSeries *series, const LkColumn *columns, guint n, double line_width)
{
  const LkChartGeometry *g = stroke->geometry;
  double before = NAN; /* where the line left the last column */

  for (guint c = 0; c < n; c++)
    {
      const LkColumn *column = &columns[c];
      double x = floor (g->x + g->width * c / n), right = floor (g->x + g->width * (c + 1) / n);
      double top, bottom, last;

      if (column->last < column->first)
        continue;
      if (column->extent.bad > 0)
        before = NAN;
      if (!place_y (g, column->extent.max, &top))
        continue;
      /* a logarithmic axis has no place for what is not positive; the mark at the foot says so */
      if (!place_y (g, column->extent.min, &bottom))
        bottom = top;
      if (!isnan (before))
        {
          top = MIN (top, before);
          bottom = MAX (bottom, before);
        }
      before = place_y (g, lk_series_get_y (series, (guint) column->last), &last) ? last : NAN;
      if (bottom - top < line_width)
        top = (top + bottom - line_width) / 2;
      top = round (top);
      bottom = MAX (round (bottom), top + ceil (line_width));
      cairo_rectangle (stroke->pen->cr, x, top, right - x, bottom - top);
    }
}

static void
draw_marks (const LkChartPen *pen, const LkChartGeometry *g, const LkColumn *columns, guint n, LkChartColour colour)
{
  for (guint c = 0; c < n; c++)
    {
      double x = g->x + g->width * (c + 0.5) / n;
      const LkExtent *extent = &columns[c].extent;

      if (columns[c].last < columns[c].first)
        continue;
      if (extent->bad > 0 || (g->y_axis.log && extent->min <= 0))
        mark_bad (pen, g, x);
      if (extent->max > g->y_axis.max + (g->y_axis.max - g->y_axis.min) * 1e-9)
        mark_above (pen, g, x, colour);
    }
}

static void
draw_dots (const LkChartPen *pen, const LkChartGeometry *g, LkSeries *series, guint begin, guint end)
{
  for (guint i = begin; i < end; i++)
    {
      double y;

      if (!place_y (g, lk_series_get_y (series, i), &y))
        continue;
      cairo_arc (pen->cr, place_x (g, lk_series_get_x (series, i)), y, 2.5, 0, 2 * G_PI);
      cairo_fill (pen->cr);
    }
}

void
_lk_chart_draw_series (const LkChartPen *pen, const LkChartGeometry *g, LkSeries *series, const LkChartLine *line,
                       gboolean strong)
{
  static const double dashes[] = { 6, 3 };
  cairo_t *cr = pen->cr;
  Stroke stroke = { .pen = pen, .geometry = g };
  LkChartColour colour = _lk_chart_line_colour (pen->spec->dark, line->colour);
  guint n = (guint) CLAMP (g->width, 1, 8192);
  guint begin = lk_series_find (series, g->x_axis.min), end = lk_series_find (series, g->x_axis.max);
  g_autofree LkColumn *columns = g_new (LkColumn, n);

  /* the line comes from the left and goes on to the right of what is shown */
  begin -= begin > 0;
  end = MIN (end + 1, lk_series_get_n_points (series));

  lk_series_decimate (series, g->x_axis.min, g->x_axis.max, n, columns);
  cairo_save (cr);
  cairo_rectangle (cr, g->x - 2, g->y, g->width + 4, g->height + 1);
  cairo_clip (cr);
  _lk_chart_set_colour (cr, colour, strong ? 1 : 0.3);
  cairo_set_line_width (cr, strong ? line->width : 1);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  if (line->dashed && strong)
    cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  cairo_new_path (cr);
  if (end - begin <= MAX_POINTS_A_COLUMN * n)
    {
      path_by_points (&stroke, series, begin, end);
      cairo_stroke (cr);
    }
  else
    {
      boxes_by_columns (&stroke, series, columns, n, strong ? line->width : 1);
      cairo_fill (cr);
    }
  if (line->dots && strong && end - begin <= MAX_DOTS)
    draw_dots (pen, g, series, begin, end);
  draw_marks (pen, g, columns, n, colour);
  cairo_restore (cr);
}

void
lk_chart_draw_sparkline (cairo_t *cr, LkSeries *series, gboolean dark, double width, double height)
{
  LkChartSpec spec = { .dark = dark };
  LkChartLine line = { .width = 1.25 };
  LkChartGeometry geometry = { .x = 2, .y = 2, .width = MAX (1, width - 4), .height = MAX (1, height - 4) };
  LkChartPen pen;
  guint n = lk_series_get_n_points (series);
  LkExtent extent = lk_series_extent (series, 0, n);

  if (n == 0 || extent.min > extent.max)
    return;
  _lk_chart_pen_init (&pen, cr, &spec);
  lk_axis_init (&geometry.x_axis, lk_series_get_x (series, 0), lk_series_get_x (series, n - 1), NAN, 2, LK_AXIS_WHOLE);
  lk_axis_init (&geometry.y_axis, extent.min, extent.max, NAN, 2, 0);
  _lk_chart_draw_series (&pen, &geometry, series, &line, TRUE);
}
