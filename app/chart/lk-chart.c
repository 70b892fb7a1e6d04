/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

void
lk_chart_spec_init (LkChartSpec *self)
{
  *self = (LkChartSpec){ 0 };
  self->lines = g_array_new (FALSE, TRUE, sizeof (LkChartLine));
}

void
lk_chart_spec_clear (LkChartSpec *self)
{
  for (guint l = 0; self->lines != NULL && l < self->lines->len; l++)
    {
      LkChartLine *line = &g_array_index (self->lines, LkChartLine, l);

      g_object_unref (line->series);
      g_free (line->label);
    }
  g_clear_pointer (&self->lines, g_array_unref);
  g_clear_pointer (&self->title, g_free);
  g_clear_pointer (&self->x_label, g_free);
  g_clear_pointer (&self->y_label, g_free);
  g_clear_pointer (&self->best_label, g_free);
}

LkChartLine *
lk_chart_spec_add (LkChartSpec *self, LkSeries *series, const char *label)
{
  LkChartLine line = {
    .series = g_object_ref (series),
    .label = g_strdup (label),
    .colour = self->lines->len,
    .width = 1.5,
  };

  g_array_append_val (self->lines, line);
  return &g_array_index (self->lines, LkChartLine, self->lines->len - 1);
}

void
lk_chart_spec_set_best (LkChartSpec *self, double x, double y, const char *label)
{
  self->has_best = isfinite (x) && isfinite (y);
  self->best_x = x;
  self->best_y = y;
  g_free (self->best_label);
  self->best_label = label != NULL ? g_strdup (label) : g_strdup_printf (_ ("best %.3g at step %.0f"), y, x);
}

double
lk_chart_get_smoothing (double steps)
{
  /* in powers of two, because each new weight computes the whole curve anew */
  return steps >= 60 ? 1 - exp2 (-floor (log2 (steps / 30))) : 0;
}

static double
x_of (const LkChartGeometry *g, double x)
{
  return g->x + lk_axis_map (&g->x_axis, x) * g->width;
}

static double
y_of (const LkChartGeometry *g, double y)
{
  return g->y + (1 - CLAMP (lk_axis_map (&g->y_axis, y), 0, 1)) * g->height;
}

/* @align: 0 the text begins at x, 0.5 it is centred, 1 it ends there. @y is its top. */
static void
show_text (const LkChartPen *pen, const char *text, LkChartTextSize size, double x, double y, double align, double alpha)
{
  g_autoptr (PangoLayout) layout = _lk_chart_text (pen->cr, text, size);
  double width;

  _lk_chart_text_size (layout, &width, NULL);
  _lk_chart_set_colour (pen->cr, pen->text, alpha);
  cairo_move_to (pen->cr, x - width * align, y);
  pango_cairo_show_layout (pen->cr, layout);
}

static void
draw_y_grid (const LkChartPen *pen, const LkChartGeometry *g, double line_height)
{
  cairo_t *cr = pen->cr;

  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < g->y_axis.n_ticks; i++)
    {
      /* on whole pixels, or a thin line is a grey blur */
      double y = floor (y_of (g, g->y_axis.ticks[i])) + 0.5;

      _lk_chart_set_colour (cr, pen->grid, i == 0 ? 0.25 : 0.1);
      cairo_move_to (cr, g->x, y);
      cairo_line_to (cr, g->x + g->width, y);
      cairo_stroke (cr);
      show_text (pen, g->y_axis.labels[i], LK_CHART_SMALL, g->x - 6, y - line_height / 2, 1, 0.75);
    }
}

static void
draw_x_ticks (const LkChartPen *pen, const LkChartGeometry *g)
{
  cairo_t *cr = pen->cr;

  for (guint i = 0; i < g->x_axis.n_ticks; i++)
    {
      double x = floor (x_of (g, g->x_axis.ticks[i])) + 0.5;

      _lk_chart_set_colour (cr, pen->grid, 0.25);
      cairo_move_to (cr, x, g->y + g->height);
      cairo_line_to (cr, x, g->y + g->height + 4);
      cairo_stroke (cr);
      show_text (pen, g->x_axis.labels[i], LK_CHART_SMALL, x, g->y + g->height + 5, 0.5, 0.75);
    }
}

typedef struct
{
  char *text;
  double y; /* of its middle */
  guint colour;
} EndLabel;

static int
compare_labels (const void *a, const void *b)
{
  const EndLabel *x = a, *y = b;
  return (x->y > y->y) - (x->y < y->y);
}

/* Labels that would cover one another move apart, downwards; then the lot moves up if it left the plot. */
static void
spread (EndLabel *labels, guint n, double height, double bottom)
{
  for (guint i = 1; i < n; i++)
    labels[i].y = MAX (labels[i].y, labels[i - 1].y + height);
  if (n > 0 && labels[n - 1].y > bottom)
    {
      labels[n - 1].y = bottom;
      for (guint i = n - 1; i > 0; i--)
        labels[i - 1].y = MIN (labels[i - 1].y, labels[i].y - height);
    }
}

static void
draw_end_labels (const LkChartPen *pen, const LkChartGeometry *g, double width, double line_height)
{
  const LkChartSpec *spec = pen->spec;
  g_autofree EndLabel *labels = g_new0 (EndLabel, spec->lines->len + 1);
  guint n = 0;

  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *strong = _lk_chart_strong_series (spec, line);
      gint64 last = lk_series_last_finite (strong);
      double y = last >= 0 ? lk_axis_map (&g->y_axis, lk_series_get_y (strong, (guint) last)) : NAN;

      if (lk_series_get_n_points (line->series) == 0)
        continue;
      labels[n].text = _lk_chart_end_label (g, spec, line);
      labels[n].y = g->y + g->height * (isnan (y) ? 1 : 1 - CLAMP (y, 0, 1));
      labels[n++].colour = line->colour;
    }
  qsort (labels, n, sizeof *labels, compare_labels);
  spread (labels, n, line_height, g->y + g->height - line_height / 2);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (PangoLayout) layout = _lk_chart_text (pen->cr, labels[i].text, LK_CHART_SMALL);
      double text_width;

      _lk_chart_text_size (layout, &text_width, NULL);
      _lk_chart_set_colour (pen->cr, _lk_chart_line_colour (spec->dark, labels[i].colour), 1);
      cairo_move_to (pen->cr, MIN (g->x + g->width + 6, width - text_width - 2), labels[i].y - line_height / 2);
      pango_cairo_show_layout (pen->cr, layout);
      g_free (labels[i].text);
    }
}

static void
ring (const LkChartPen *pen, double x, double y, LkChartColour colour, double radius)
{
  cairo_arc (pen->cr, x, y, radius, 0, 2 * G_PI);
  _lk_chart_set_colour (pen->cr, pen->background, 1);
  cairo_fill_preserve (pen->cr);
  _lk_chart_set_colour (pen->cr, colour, 1);
  cairo_set_line_width (pen->cr, 2);
  cairo_stroke (pen->cr);
}

static void
draw_best (const LkChartPen *pen, const LkChartGeometry *g, double line_height)
{
  double x = x_of (g, pen->spec->best_x), y = y_of (g, pen->spec->best_y);
  gboolean below = y - line_height - 8 < g->y;
  double align = x > g->x + g->width * 0.75 ? 1 : x < g->x + g->width * 0.25 ? 0 : 0.5;

  ring (pen, x, y, pen->text, 4);
  /* under the curve there is room: a falling curve has its best point at the bottom */
  if (pen->spec->best_label != NULL)
    show_text (pen, pen->spec->best_label, LK_CHART_SMALL, x, below ? y + 8 : y - line_height - 8, align, 0.9);
}

static void
draw_cursor (const LkChartPen *pen, const LkChartGeometry *g)
{
  const LkChartSpec *spec = pen->spec;
  double x = floor (x_of (g, spec->cursor_x)) + 0.5;

  if (x < g->x - 1 || x > g->x + g->width + 1)
    return;
  _lk_chart_set_colour (pen->cr, pen->text, 0.4);
  cairo_set_line_width (pen->cr, 1);
  cairo_move_to (pen->cr, x, g->y);
  cairo_line_to (pen->cr, x, g->y + g->height);
  cairo_stroke (pen->cr);
  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *strong = _lk_chart_strong_series (spec, line);
      gint64 i = lk_series_nearest (strong, spec->cursor_x);

      if (i >= 0 && isfinite (lk_series_get_y (strong, (guint) i)))
        ring (pen, x_of (g, lk_series_get_x (strong, (guint) i)), y_of (g, lk_series_get_y (strong, (guint) i)),
              _lk_chart_line_colour (spec->dark, line->colour), 3.5);
    }
}

static void
draw_titles (const LkChartPen *pen, const LkChartGeometry *g, double height, double line_height)
{
  const LkChartSpec *spec = pen->spec;

  if (spec->title != NULL)
    show_text (pen, spec->title, LK_CHART_TITLE, 12, 12, 0, 1);
  if (spec->y_label != NULL)
    show_text (pen, spec->y_label, LK_CHART_SMALL, 12, g->y - line_height - 6, 0, 0.75);
  if (spec->x_label != NULL)
    show_text (pen, spec->x_label, LK_CHART_SMALL, g->x + g->width / 2, height - line_height - 6, 0.5, 0.75);
}

void
lk_chart_draw_cursor (cairo_t *cr, const LkChartSpec *spec, const LkChartGeometry *geometry)
{
  LkChartPen pen;

  if (!spec->has_cursor)
    return;
  _lk_chart_pen_init (&pen, cr, spec);
  cairo_save (cr);
  draw_cursor (&pen, geometry);
  cairo_restore (cr);
}

void
lk_chart_draw (cairo_t *cr, const LkChartSpec *spec, double width, double height)
{
  LkChartGeometry geometry;

  if (!(width >= 1) || !(height >= 1))
    return;
  lk_chart_get_geometry (cr, spec, width, height, &geometry);
  lk_chart_draw_within (cr, spec, &geometry, width, height);
}

void
lk_chart_draw_within (cairo_t *cr, const LkChartSpec *spec, const LkChartGeometry *geometry, double width, double height)
{
  LkChartPen pen;
  double line_height;
  g_autoptr (PangoLayout) probe = NULL;

  _lk_chart_pen_init (&pen, cr, spec);
  cairo_save (cr);
  if (spec->background)
    {
      _lk_chart_set_colour (cr, pen.background, 1);
      cairo_rectangle (cr, 0, 0, width, height);
      cairo_fill (cr);
    }
  probe = _lk_chart_text (cr, "0", LK_CHART_SMALL);
  _lk_chart_text_size (probe, NULL, &line_height);
  draw_titles (&pen, geometry, height, line_height);
  draw_y_grid (&pen, geometry, line_height);
  draw_x_ticks (&pen, geometry);
  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *strong = _lk_chart_strong_series (spec, line);

      if (strong != line->series)
        _lk_chart_draw_series (&pen, geometry, line->series, line, FALSE);
      _lk_chart_draw_series (&pen, geometry, strong, line, TRUE);
    }
  if (spec->has_cursor)
    draw_cursor (&pen, geometry);
  if (spec->has_best && spec->best_x >= geometry->x_axis.min && spec->best_x <= geometry->x_axis.max)
    draw_best (&pen, geometry, line_height);
  draw_end_labels (&pen, geometry, width, line_height);
  cairo_restore (cr);
}
