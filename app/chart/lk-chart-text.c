/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-private.h"

#include <math.h>

static const LkChartColour light[LK_CHART_N_COLOURS] = {
  { 0.000, 0.447, 0.698 }, /* blue */
  { 0.835, 0.369, 0.000 }, /* vermilion */
  { 0.000, 0.500, 0.370 }, /* bluish green, a little darker than the original for contrast on white */
  { 0.660, 0.360, 0.530 }, /* reddish purple, likewise */
  { 0.600, 0.430, 0.000 }, /* orange, likewise */
  { 0.250, 0.250, 0.250 },
};
static const LkChartColour dark[LK_CHART_N_COLOURS] = {
  { 0.337, 0.706, 0.914 }, /* sky blue */
  { 0.902, 0.624, 0.000 }, /* orange */
  { 0.200, 0.780, 0.610 },
  { 0.870, 0.600, 0.750 },
  { 0.941, 0.894, 0.259 }, /* yellow */
  { 0.800, 0.800, 0.800 },
};

LkChartColour
_lk_chart_line_colour (gboolean is_dark, guint index)
{
  return (is_dark ? dark : light)[index % LK_CHART_N_COLOURS];
}

void
_lk_chart_set_colour (cairo_t *cr, LkChartColour colour, double alpha)
{
  cairo_set_source_rgba (cr, colour.r, colour.g, colour.b, alpha);
}

void
_lk_chart_pen_init (LkChartPen *pen, cairo_t *cr, const LkChartSpec *spec)
{
  pen->spec = spec;
  pen->cr = cr;
  pen->text = spec->dark ? (LkChartColour){ 0.92, 0.92, 0.92 } : (LkChartColour){ 0.18, 0.18, 0.18 };
  pen->grid = pen->text;
  pen->background = spec->dark ? (LkChartColour){ 0.141, 0.141, 0.141 } : (LkChartColour){ 1, 1, 1 };
  pen->alarm = spec->dark ? (LkChartColour){ 1.0, 0.48, 0.39 } : (LkChartColour){ 0.75, 0.11, 0.16 };
}

PangoLayout *
_lk_chart_text (cairo_t *cr, const char *text, LkChartTextSize size)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Cantarell, Inter, Sans");
  PangoAttrList *attributes = pango_attr_list_new ();

  pango_font_description_set_absolute_size (font, (size == LK_CHART_TITLE ? 15 : 12) * PANGO_SCALE);
  pango_font_description_set_weight (font, size == LK_CHART_TITLE ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  pango_layout_set_font_description (layout, font);
  pango_layout_set_attributes (layout, attributes);
  pango_layout_set_text (layout, text, -1);
  pango_font_description_free (font);
  pango_attr_list_unref (attributes);
  return layout;
}

void
_lk_chart_text_size (PangoLayout *layout, double *width, double *height)
{
  int w, h;

  pango_layout_get_pixel_size (layout, &w, &h);
  if (width != NULL)
    *width = w;
  if (height != NULL)
    *height = h;
}

LkSeries *
_lk_chart_strong_series (const LkChartSpec *spec, const LkChartLine *line)
{
  if (line->smooth && spec->smoothing > 0)
    return lk_series_get_smoothed (line->series, MIN (spec->smoothing, 0.9999));
  return line->series;
}

char *
_lk_chart_end_label (const LkChartGeometry *geometry, const LkChartSpec *spec, const LkChartLine *line)
{
  LkSeries *series = _lk_chart_strong_series (spec, line);
  gint64 last = lk_series_last_finite (series);
  char number[LK_AXIS_LABEL];

  if (last < 0)
    return g_strdup (line->label != NULL && !line->plain ? line->label : "");
  lk_axis_format (&geometry->y_axis, lk_series_get_y (series, (guint) last), number);
  return line->label != NULL && !line->plain ? g_strdup_printf ("%s %s", line->label, number) : g_strdup (number);
}
