/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sparkline.h"

#include <adwaita.h>

#include "lk-chart.h"

#define WIDTH 48
#define HEIGHT 20
#define SMOOTHING 0.8

struct _LkSparkline
{
  GtkWidget parent_instance;

  LkSeries *series;
};

enum
{
  PROP_0,
  PROP_SERIES,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSparkline, lk_sparkline, GTK_TYPE_WIDGET)

static void
lk_sparkline_dispose (GObject *object)
{
  g_clear_object (&LK_SPARKLINE (object)->series);
  G_OBJECT_CLASS (lk_sparkline_parent_class)->dispose (object);
}

static void
lk_sparkline_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_SPARKLINE (object)->series);
}

static void
lk_sparkline_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkSparkline *self = LK_SPARKLINE (object);

  if (self->series != NULL)
    g_signal_handlers_disconnect_by_data (self->series, self);
  g_set_object (&self->series, g_value_get_object (value));
  if (self->series != NULL)
    g_signal_connect_object (self->series, "changed", G_CALLBACK (gtk_widget_queue_draw), self,
                             G_CONNECT_SWAPPED);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
lk_sparkline_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                      int *minimum_baseline, int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? WIDTH : HEIGHT;
}

static void
lk_sparkline_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LkSparkline *self = LK_SPARKLINE (widget);
  int width = gtk_widget_get_width (widget);
  int height = gtk_widget_get_height (widget);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);
  gboolean dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
  cairo_t *cr;

  if (self->series == NULL || width == 0 || height == 0)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &bounds);
  lk_chart_draw_sparkline (cr, lk_series_get_smoothed (self->series, SMOOTHING), dark, width, height);
  cairo_destroy (cr);
}

static void
lk_sparkline_class_init (LkSparklineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = lk_sparkline_dispose;
  object_class->get_property = lk_sparkline_get_property;
  object_class->set_property = lk_sparkline_set_property;
  properties[PROP_SERIES] = g_param_spec_object ("series", NULL, NULL, LK_TYPE_SERIES,
                                                 G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  widget_class->measure = lk_sparkline_measure;
  widget_class->snapshot = lk_sparkline_snapshot;
  /* the row says the loss in figures */
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
lk_sparkline_init (LkSparkline *self)
{
}
