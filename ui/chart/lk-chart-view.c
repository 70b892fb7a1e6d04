/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-view.h"

#include <adwaita.h>
#include <math.h>

#include "lk-run-chart.h"

#define MIN_WIDTH 200
#define MIN_HEIGHT 120
#define DESCRIBE_MS 1000 /* screen readers need no more than one new sentence a second */

struct _LkChartView
{
  GtkWidget parent_instance;
  LkSeries *series[2]; /* training, held out */
  gulong changed[2];
  double smoothing;
  gboolean log_scale, clip_outliers;
  gboolean has_cursor;
  double cursor; /* x of the series */
  guint describe_source;
};

G_DEFINE_FINAL_TYPE (LkChartView, lk_chart_view, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_TRAINING,
  PROP_HELD_OUT,
  PROP_SMOOTHING,
  PROP_LOG_SCALE,
  PROP_CLIP_OUTLIERS,
  N_PROPS
};
static GParamSpec *properties[N_PROPS];

static void
build_spec (LkChartView *self, LkChartSpec *spec)
{
  lk_chart_spec_init (spec);
  lk_chart_spec_set_curves (spec, self->series[0], self->series[1]);
  spec->smoothing = self->smoothing;
  spec->log_scale = self->log_scale;
  spec->clip_outliers = self->clip_outliers;
  spec->dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
  spec->has_cursor = self->has_cursor;
  spec->cursor_x = self->cursor;
}

void
lk_chart_view_get_spec (LkChartView *self, const char *title, LkChartSpec *spec)
{
  g_return_if_fail (LK_IS_CHART_VIEW (self));
  build_spec (self, spec);
  spec->title = g_strdup (title);
  spec->background = TRUE;
  spec->dark = FALSE;
  spec->has_cursor = FALSE;
}

static gboolean
describe_cb (gpointer data)
{
  LkChartView *self = data;
  g_autofree char *text = NULL;
  LkChartSpec spec;

  self->describe_source = 0;
  build_spec (self, &spec);
  text = self->has_cursor ? lk_chart_describe_at (&spec, self->cursor) : lk_chart_describe (&spec);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  lk_chart_spec_clear (&spec);
  return G_SOURCE_REMOVE;
}

static void
refresh (LkChartView *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  if (self->describe_source == 0)
    self->describe_source = g_timeout_add (DESCRIBE_MS, describe_cb, self);
}

static void
set_cursor (LkChartView *self, gboolean has_cursor, double x)
{
  if (self->has_cursor == has_cursor && self->cursor == x)
    return;
  self->has_cursor = has_cursor;
  self->cursor = x;
  refresh (self);
}

/* The series whose points the cursor steps through: the one with more of them. */
static LkSeries *
get_dense_series (LkChartView *self)
{
  LkSeries *best = NULL;

  for (guint i = 0; i < 2; i++)
    if (self->series[i] != NULL && lk_series_get_n_points (self->series[i]) > 0
        && (best == NULL || lk_series_get_n_points (self->series[i]) > lk_series_get_n_points (best)))
      best = self->series[i];
  return best;
}

static void
draw_read_out (LkChartView *self, cairo_t *cr, const LkChartSpec *spec, double width)
{
  g_autofree char *text = lk_chart_describe_at (spec, self->cursor);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), text);
  int w, h;

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
  cairo_t *cr;
  LkChartSpec spec;

  if (width < 1 || height < 1)
    return;
  build_spec (self, &spec);
  cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, width, height));
  lk_chart_draw (cr, &spec, width, height);
  if (self->has_cursor)
    draw_read_out (self, cr, &spec, width);
  if (gtk_widget_has_visible_focus (widget))
    draw_focus (cr, &spec, width, height);
  cairo_destroy (cr);
  lk_chart_spec_clear (&spec);
}

static void
lk_chart_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                       int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? MIN_WIDTH : MIN_HEIGHT;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 3 * MIN_WIDTH : 2 * MIN_HEIGHT;
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, LkChartView *self)
{
  LkSeries *series = get_dense_series (self);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_A8, 1, 1);
  cairo_t *cr = cairo_create (surface);
  LkChartGeometry geometry;
  LkChartSpec spec;

  build_spec (self, &spec);
  lk_chart_get_geometry (cr, &spec, gtk_widget_get_width (GTK_WIDGET (self)), gtk_widget_get_height (GTK_WIDGET (self)),
                         &geometry);
  if (series != NULL && x >= geometry.x && x <= geometry.x + geometry.width)
    {
      gint64 i = lk_series_nearest (series, lk_axis_unmap (&geometry.x_axis, (x - geometry.x) / geometry.width));

      set_cursor (self, TRUE, lk_series_get_x (series, (guint) i));
    }
  else
    set_cursor (self, FALSE, 0);
  lk_chart_spec_clear (&spec);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

static void
leave_cb (GtkEventControllerMotion *controller, LkChartView *self)
{
  set_cursor (self, FALSE, 0);
}

/* TRUE when the key moved the read-out. */
static gboolean
move_cursor (LkChartView *self, guint keyval, gboolean far)
{
  LkSeries *series = get_dense_series (self);
  gint64 n = series != NULL ? lk_series_get_n_points (series) : 0, i, step = far ? MAX (1, n / 10) : 1;

  if (n == 0)
    return FALSE;
  i = self->has_cursor ? lk_series_nearest (series, self->cursor) : keyval == GDK_KEY_Right ? -1 : n;
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      i -= step;
      break;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      i += step;
      break;
    case GDK_KEY_Home:
      i = 0;
      break;
    case GDK_KEY_End:
      i = n - 1;
      break;
    default:
      return FALSE;
    }
  set_cursor (self, TRUE, lk_series_get_x (series, (guint) CLAMP (i, 0, n - 1)));
  return TRUE;
}

static gboolean
key_cb (GtkEventControllerKey *controller, guint keyval, guint keycode, GdkModifierType state, LkChartView *self)
{
  if (keyval == GDK_KEY_Escape && self->has_cursor)
    {
      set_cursor (self, FALSE, 0);
      return TRUE;
    }
  return move_cursor (self, keyval, (state & GDK_CONTROL_MASK) != 0);
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
    self->changed[which] = g_signal_connect_swapped (series, "changed", G_CALLBACK (refresh), self);
  self->has_cursor = FALSE;
  refresh (self);
}

static void
lk_chart_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkChartView *self = LK_CHART_VIEW (object);

  switch (id)
    {
    case PROP_TRAINING:
    case PROP_HELD_OUT:
      set_series (self, id == PROP_HELD_OUT, g_value_get_object (value));
      break;
    case PROP_SMOOTHING:
      self->smoothing = g_value_get_double (value);
      break;
    case PROP_LOG_SCALE:
      self->log_scale = g_value_get_boolean (value);
      break;
    case PROP_CLIP_OUTLIERS:
      self->clip_outliers = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  refresh (self);
}

static void
lk_chart_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChartView *self = LK_CHART_VIEW (object);

  switch (id)
    {
    case PROP_TRAINING:
    case PROP_HELD_OUT:
      g_value_set_object (value, self->series[id == PROP_HELD_OUT]);
      break;
    case PROP_SMOOTHING:
      g_value_set_double (value, self->smoothing);
      break;
    case PROP_LOG_SCALE:
      g_value_set_boolean (value, self->log_scale);
      break;
    case PROP_CLIP_OUTLIERS:
      g_value_set_boolean (value, self->clip_outliers);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chart_view_dispose (GObject *object)
{
  LkChartView *self = LK_CHART_VIEW (object);

  for (guint i = 0; i < 2; i++)
    {
      if (self->series[i] != NULL)
        g_clear_signal_handler (&self->changed[i], self->series[i]);
      g_clear_object (&self->series[i]);
    }
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
  properties[PROP_TRAINING] = g_param_spec_object ("training", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_HELD_OUT] = g_param_spec_object ("held-out", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_SMOOTHING] = g_param_spec_double ("smoothing", NULL, NULL, 0, 0.999, 0, flags);
  properties[PROP_LOG_SCALE] = g_param_spec_boolean ("log-scale", NULL, NULL, FALSE, flags);
  properties[PROP_CLIP_OUTLIERS] = g_param_spec_boolean ("clip-outliers", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  widget_class->snapshot = lk_chart_view_snapshot;
  widget_class->measure = lk_chart_view_measure;
  gtk_widget_class_set_css_name (widget_class, "chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
lk_chart_view_init (LkChartView *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *key = gtk_event_controller_key_new ();

  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  g_signal_connect (key, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), key);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  refresh (self);
}

GtkWidget *
lk_chart_view_new (void)
{
  return g_object_new (LK_TYPE_CHART_VIEW, NULL);
}
