/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the plot stands in a chart of a given size. Margins are as wide as the texts in them, so the axes are made
 * first, with a guess of the room they get.
 */
#include "lk-chart-private.h"

#include <math.h>

#define MARGIN 12.0
#define GAP 6.0
#define CLIP_SAMPLES 1024
#define CLIP_QUANTILE 0.98

typedef struct
{
  double x0, x1, y0, y1, positive;
  gboolean any;
} Range;

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Halves whose least value is positive need no look inside, nor do those without a positive one. */
static double
smallest_positive (LkSeries *series, guint begin, guint end)
{
  LkExtent extent = lk_series_extent (series, begin, end);
  double least = INFINITY;

  if (extent.min > 0)
    return extent.min;
  if (!(extent.max > 0))
    return INFINITY;
  if (end - begin > 64)
    {
      guint middle = begin + (end - begin) / 2;

      return MIN (smallest_positive (series, begin, middle), smallest_positive (series, middle, end));
    }
  for (guint i = begin; i < end; i++)
    {
      double y = lk_series_get_y (series, i);

      if (y > 0)
        least = MIN (least, y);
    }
  return least;
}

/* The points of the part that is shown, and one more on either side, to which the line goes on. */
static void
lk_chart_get_visible (const LkChartSpec *spec, LkSeries *series, guint *begin, guint *end)
{
  *begin = 0;
  *end = lk_series_get_n_points (series);
  if (!spec->has_range)
    return;
  *begin = lk_series_find (series, spec->range_begin);
  *begin -= *begin > 0;
  *end = MIN (*end, lk_series_find (series, spec->range_end) + 1);
}

static void
range_add (Range *range, const LkChartSpec *spec, const LkChartLine *line)
{
  guint n = lk_series_get_n_points (line->series), begin, end;
  LkExtent extent;

  if (n == 0)
    return;
  lk_chart_get_visible (spec, line->series, &begin, &end);
  extent = lk_series_extent (line->series, begin, end);
  range->x0 = MIN (range->x0, lk_series_get_x (line->series, 0));
  range->x1 = MAX (range->x1, lk_series_get_x (line->series, n - 1));
  range->any = TRUE;
  range->y0 = MIN (range->y0, extent.min);
  range->y1 = MAX (range->y1, extent.max);
  if (spec->log_scale)
    range->positive = MIN (range->positive, smallest_positive (line->series, begin, end));
}

/* The quantile of at most CLIP_SAMPLES evenly chosen points of each line; the strong line is always shown whole. */
static double
clipped_top (const LkChartSpec *spec, double top)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
  double strong = -INFINITY, quantile;

  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      guint begin, end, stride;
      gint64 last = lk_series_last_finite (_lk_chart_strong_series (spec, line));

      if (last >= 0)
        strong = MAX (strong, lk_series_get_y (_lk_chart_strong_series (spec, line), (guint) last));
      lk_chart_get_visible (spec, line->series, &begin, &end);
      stride = (end - begin) / CLIP_SAMPLES + 1;
      for (guint i = begin; i < end; i += stride)
        {
          double y = lk_series_get_y (line->series, i);

          if (isfinite (y))
            g_array_append_val (values, y);
        }
    }
  if (values->len < 20)
    return top;
  qsort (values->data, values->len, sizeof (double), compare_doubles);
  quantile = g_array_index (values, double, (guint) (CLIP_QUANTILE * (values->len - 1)));
  return MIN (top, MAX (quantile, strong));
}

static double
text_width (cairo_t *cr, const char *text, double *height)
{
  g_autoptr (PangoLayout) layout = _lk_chart_text (cr, text, LK_CHART_SMALL);
  double width;

  _lk_chart_text_size (layout, &width, height);
  return width;
}

static double
widest_tick (cairo_t *cr, const LkAxis *axis)
{
  double widest = 0;

  for (guint i = 0; i < axis->n_ticks; i++)
    widest = MAX (widest, text_width (cr, axis->labels[i], NULL));
  return widest;
}

static double
widest_end_label (cairo_t *cr, const LkChartSpec *spec, const LkChartGeometry *geometry)
{
  double widest = 0;

  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      g_autofree char *label = NULL;

      if (lk_series_get_n_points (line->series) == 0)
        continue;
      label = _lk_chart_end_label (geometry, spec, line);
      widest = MAX (widest, text_width (cr, label, NULL));
    }
  return widest;
}

void
lk_chart_get_geometry (cairo_t *cr, const LkChartSpec *spec, double width, double height, LkChartGeometry *geometry)
{
  Range range = { INFINITY, -INFINITY, INFINITY, -INFINITY, INFINITY, FALSE };
  LkAxisFlags flags = LK_AXIS_ROUND_OUT | (spec->log_scale ? LK_AXIS_LOG : 0);
  double line_height, top, bottom, left, right;

  for (guint l = 0; l < spec->lines->len; l++)
    range_add (&range, spec, &g_array_index (spec->lines, LkChartLine, l));
  if (!range.any)
    range.x0 = 0, range.x1 = 1;
  if (spec->has_range)
    range.x0 = spec->range_begin, range.x1 = spec->range_end;
  if (range.y0 > range.y1)
    range.y0 = 0, range.y1 = 1;
  if (spec->clip_outliers)
    range.y1 = MAX (range.y0, clipped_top (spec, range.y1));

  text_width (cr, "0", &line_height);
  top = MARGIN + (spec->title != NULL ? line_height * 1.3 + GAP : 0) + (spec->y_label != NULL ? line_height + GAP : 0);
  bottom = MARGIN + line_height + GAP + (spec->x_label != NULL ? line_height : 0);
  lk_axis_init (&geometry->y_axis, range.y0, range.y1, range.positive,
                (guint) CLAMP ((height - top - bottom) / 40, 2, 10), flags);
  left = MARGIN + widest_tick (cr, &geometry->y_axis) + GAP;
  right = MARGIN + GAP + widest_end_label (cr, spec, geometry);
  if (right > width * 0.4) /* no room for labels beside the lines */
    right = MARGIN;
  geometry->x = left;
  geometry->y = top;
  geometry->width = MAX (1, width - left - right);
  geometry->height = MAX (1, height - top - bottom);
  lk_axis_init (&geometry->x_axis, range.x0, range.x1, NAN, (guint) CLAMP (geometry->width / 80, 2, 10), LK_AXIS_WHOLE);
}
