/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-view.h"

#include <adwaita.h>
#include <math.h>

#include "lk-chart-view-private.h"

#define MIN_WIDTH 160
#define MIN_HEIGHT 110
#define DESCRIBE_MS 1000 /* screen readers need no more than one new sentence a second */

G_DEFINE_FINAL_TYPE (LkChartView, lk_chart_view, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_PLOT,
  PROP_TRAINING,
  PROP_HELD_OUT,
  PROP_SERIES,
  PROP_CHART,
  N_PROPS
};
static GParamSpec *properties[N_PROPS];

static void
add_lines (LkChartView *self, LkChartSpec *spec)
{
  if (self->series[LK_CHART_TRAINING] != NULL || self->series[LK_CHART_HELD_OUT] != NULL)
    lk_chart_spec_set_curves (spec, self->series[LK_CHART_TRAINING], self->series[LK_CHART_HELD_OUT]);
  if (self->series[LK_CHART_OTHER] != NULL)
    lk_chart_spec_set_curve (spec, self->chart, self->series[LK_CHART_OTHER]);
  for (guint i = 0; self->lines != NULL && i < self->lines->len; i++)
    {
      LkChartLine *line
          = lk_chart_spec_add (spec, g_ptr_array_index (self->lines, i), g_ptr_array_index (self->labels, i));

      line->smooth = lk_series_get_n_points (line->series) > 200;
      line->dashed = i % 2 == 1;
      line->width = i % 2 == 1 ? 2.25 : 1.5;
    }
}

void
_lk_chart_view_build_spec (LkChartView *self, LkChartSpec *spec)
{
  lk_chart_spec_init (spec);
  add_lines (self, spec);
  lk_plot_apply (self->plot, spec);
  spec->dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
}

static gboolean
describe_cb (gpointer data)
{
  LkChartView *self = data;
  g_autofree char *text = NULL;
  LkChartSpec spec;

  self->describe_source = 0;
  _lk_chart_view_build_spec (self, &spec);
  text = spec.has_cursor ? lk_chart_describe_at (&spec, spec.cursor_x) : lk_chart_describe (&spec);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  lk_chart_spec_clear (&spec);
  return G_SOURCE_REMOVE;
}

/* Only the read-out moved: the picture of the curves stays. */
static void
refresh_cursor (LkChartView *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (self->describe_source == 0)
    self->describe_source = g_timeout_add (DESCRIBE_MS, describe_cb, self);
}

static void
refresh (LkChartView *self)
{
  g_clear_object (&self->picture);
  refresh_cursor (self);
}

static LkSeries *
get_series (LkChartView *self, guint i)
{
  if (i < LK_CHART_N_SERIES)
    return self->series[i];
  i -= LK_CHART_N_SERIES;
  return self->lines != NULL && i < self->lines->len ? g_ptr_array_index (self->lines, i) : NULL;
}

static guint
count_series (LkChartView *self)
{
  return LK_CHART_N_SERIES + (self->lines != NULL ? self->lines->len : 0);
}

LkSeries *
_lk_chart_view_get_dense_series (LkChartView *self)
{
  LkSeries *best = NULL;

  for (guint i = 0; i < count_series (self); i++)
    {
      LkSeries *series = get_series (self, i);

      if (series != NULL && lk_series_get_n_points (series) > 0
          && (best == NULL || lk_series_get_n_points (series) > lk_series_get_n_points (best)))
        best = series;
    }
  return best;
}

static void
data_changed_cb (LkChartView *self)
{
  double begin = INFINITY, end = -INFINITY;

  for (guint i = 0; i < count_series (self); i++)
    {
      LkSeries *series = get_series (self, i);
      guint n = series != NULL ? lk_series_get_n_points (series) : 0;

      if (n == 0)
        continue;
      begin = MIN (begin, lk_series_get_x (series, 0));
      end = MAX (end, lk_series_get_x (series, n - 1));
    }
  /* charts that share a plot span what the first of them spans */
  if (self->series[LK_CHART_OTHER] == NULL)
    lk_plot_set_extent (self->plot, begin, end);
  refresh (self);
}

static GdkTexture *
draw_picture (const LkChartSpec *spec, int width, int height, int scale, LkChartGeometry *geometry)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width * scale, height * scale);
  cairo_t *cr = cairo_create (surface);
  g_autoptr (GBytes) bytes = NULL;
  int stride = cairo_image_surface_get_stride (surface);

  cairo_scale (cr, scale, scale);
  lk_chart_get_geometry (cr, spec, width, height, geometry);
  lk_chart_draw_within (cr, spec, geometry, width, height);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  bytes = g_bytes_new_with_free_func (cairo_image_surface_get_data (surface), (gsize) stride * (gsize) (height * scale),
                                      (GDestroyNotify) cairo_surface_destroy, surface);
  return gdk_memory_texture_new (width * scale, height * scale, GDK_MEMORY_DEFAULT, bytes, (gsize) stride);
}

static void
draw_read_out (LkChartView *self, cairo_t *cr, const LkChartSpec *spec, double width)
{
  g_autofree char *text = lk_chart_describe_at (spec, spec->cursor_x);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), text);
  int w, h;

  pango_layout_set_width (layout, (int) MAX (1, width - 24) * PANGO_SCALE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_set_source_rgba (cr, spec->dark ? 0.2 : 1, spec->dark ? 0.2 : 1, spec->dark ? 0.2 : 1, 0.92);
  cairo_rectangle (cr, width - w - 20, 4, w + 12, h + 6);
  cairo_fill (cr);
  cairo_set_source_rgb (cr, spec->dark ? 0.95 : 0.1, spec->dark ? 0.95 : 0.1, spec->dark ? 0.95 : 0.1);
  cairo_move_to (cr, width - w - 14, 7);
  pango_cairo_show_layout (cr, layout);
}

/* gtk_snapshot_render_focus() takes a GtkStyleContext, which GTK 4.10 deprecates. */
static void
draw_focus (cairo_t *cr, const LkChartSpec *spec, double width, double height)
{
  double grey = spec->dark ? 0.8 : 0.2;

  cairo_set_source_rgba (cr, grey, grey, grey, 0.6);
  cairo_set_line_width (cr, 2);
  cairo_rectangle (cr, 1, 1, width - 2, height - 2);
  cairo_stroke (cr);
}

static void
lk_chart_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LkChartView *self = LK_CHART_VIEW (widget);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  int scale = gtk_widget_get_scale_factor (widget);
  gboolean focus = gtk_widget_has_visible_focus (widget);
  LkChartSpec spec;
  cairo_t *cr;

  if (width < 1 || height < 1)
    return;
  _lk_chart_view_build_spec (self, &spec);
  if (self->picture == NULL || gdk_texture_get_width (self->picture) != width * scale
      || gdk_texture_get_height (self->picture) != height * scale)
    {
      gboolean has_cursor = spec.has_cursor;

      g_clear_object (&self->picture);
      spec.has_cursor = FALSE;
      self->picture = draw_picture (&spec, width, height, scale, &self->geometry);
      spec.has_cursor = has_cursor;
    }
  gtk_snapshot_append_texture (snapshot, self->picture, &GRAPHENE_RECT_INIT (0, 0, width, height));
  if (spec.has_cursor || focus)
    {
      cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, width, height));
      lk_chart_draw_cursor (cr, &spec, &self->geometry);
      if (spec.has_cursor)
        draw_read_out (self, cr, &spec, width);
      if (focus)
        draw_focus (cr, &spec, width, height);
      cairo_destroy (cr);
    }
  lk_chart_spec_clear (&spec);
}

static void
lk_chart_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                       int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? MIN_WIDTH : MIN_HEIGHT;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? MIN_WIDTH + 40 : MIN_HEIGHT;
}

static void
set_series (LkChartView *self, guint which, LkSeries *series)
{
  if (self->series[which] == series)
    return;
  if (self->series[which] != NULL)
    g_clear_signal_handler (&self->changed[which], self->series[which]);
  g_set_object (&self->series[which], series);
  if (series != NULL)
    self->changed[which] = g_signal_connect_swapped (series, "changed", G_CALLBACK (data_changed_cb), self);
  lk_plot_set_cursor (self->plot, NAN);
  data_changed_cb (self);
}

static void
set_plot (LkChartView *self, LkPlot *plot)
{
  if (plot == NULL || plot == self->plot)
    return;
  if (self->plot != NULL)
    g_signal_handlers_disconnect_by_data (self->plot, self);
  g_set_object (&self->plot, plot);
  g_signal_connect_swapped (plot, "changed", G_CALLBACK (refresh), self);
  g_signal_connect_swapped (plot, "cursor-moved", G_CALLBACK (refresh_cursor), self);
  data_changed_cb (self);
}

static void
forget_lines (LkChartView *self)
{
  for (guint i = 0; self->lines != NULL && i < self->lines->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->lines, i), self);
  g_clear_pointer (&self->lines, g_ptr_array_unref);
  g_clear_pointer (&self->labels, g_ptr_array_unref);
}

void
lk_chart_view_set_lines (LkChartView *self, GPtrArray *labels, GPtrArray *series)
{
  g_return_if_fail (LK_IS_CHART_VIEW (self) && labels->len == series->len);

  forget_lines (self);
  self->lines = g_ptr_array_new_with_free_func (g_object_unref);
  self->labels = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < series->len; i++)
    {
      g_ptr_array_add (self->lines, g_object_ref (g_ptr_array_index (series, i)));
      g_ptr_array_add (self->labels, g_strdup (g_ptr_array_index (labels, i)));
      g_signal_connect_swapped (g_ptr_array_index (series, i), "changed", G_CALLBACK (data_changed_cb), self);
    }
  data_changed_cb (self);
}

static void
lk_chart_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkChartView *self = LK_CHART_VIEW (object);

  switch (id)
    {
    case PROP_PLOT: set_plot (self, g_value_get_object (value)); break;
    case PROP_TRAINING:
    case PROP_HELD_OUT:
    case PROP_SERIES: set_series (self, id - PROP_TRAINING, g_value_get_object (value)); break;
    case PROP_CHART:
      lk_run_chart_from_name (g_value_get_string (value), &self->chart);
      refresh (self);
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chart_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChartView *self = LK_CHART_VIEW (object);

  switch (id)
    {
    case PROP_PLOT: g_value_set_object (value, self->plot); break;
    case PROP_TRAINING:
    case PROP_HELD_OUT:
    case PROP_SERIES: g_value_set_object (value, self->series[id - PROP_TRAINING]); break;
    case PROP_CHART: g_value_set_string (value, lk_run_chart_get_name (self->chart)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chart_view_dispose (GObject *object)
{
  LkChartView *self = LK_CHART_VIEW (object);

  for (guint i = 0; i < LK_CHART_N_SERIES; i++)
    {
      if (self->series[i] != NULL)
        g_clear_signal_handler (&self->changed[i], self->series[i]);
      g_clear_object (&self->series[i]);
    }
  forget_lines (self);
  if (self->plot != NULL)
    g_signal_handlers_disconnect_by_data (self->plot, self);
  g_clear_object (&self->plot);
  g_clear_object (&self->picture);
  g_clear_handle_id (&self->describe_source, g_source_remove);
  G_OBJECT_CLASS (lk_chart_view_parent_class)->dispose (object);
}

static void
lk_chart_view_class_init (LkChartViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = lk_chart_view_dispose;
  object_class->get_property = lk_chart_view_get_property;
  object_class->set_property = lk_chart_view_set_property;
  properties[PROP_PLOT] = g_param_spec_object ("plot", NULL, NULL, LK_TYPE_PLOT, flags);
  properties[PROP_TRAINING] = g_param_spec_object ("training", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_HELD_OUT] = g_param_spec_object ("held-out", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_SERIES] = g_param_spec_object ("series", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_CHART] = g_param_spec_string ("chart", NULL, NULL, "loss", flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  widget_class->snapshot = lk_chart_view_snapshot;
  widget_class->measure = lk_chart_view_measure;
  gtk_widget_class_set_css_name (widget_class, "chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
lk_chart_view_init (LkChartView *self)
{
  g_autoptr (LkPlot) plot = lk_plot_new ();

  set_plot (self, plot);
  _lk_chart_view_listen (self);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
}

GtkWidget *
lk_chart_view_new (void)
{
  return g_object_new (LK_TYPE_CHART_VIEW, NULL);
}
