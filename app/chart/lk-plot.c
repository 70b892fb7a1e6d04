/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-plot.h"

#include <math.h>

#define LEAST_STEPS 2.0

struct _LkPlot
{
  GObject parent_instance;

  gboolean smooth, log_scale, clip_outliers;
  double all_begin, all_end;
  gboolean zoomed;
  double begin, end; /* when zoomed */
  double cursor;     /* NaN: none */
};

enum
{
  PROP_0,
  PROP_SMOOTH,
  PROP_LOG_SCALE,
  PROP_CLIP_OUTLIERS,
  PROP_ZOOMED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint changed_signal, cursor_signal;

G_DEFINE_FINAL_TYPE (LkPlot, lk_plot, G_TYPE_OBJECT)

static gboolean *
switch_of (LkPlot *self, guint id)
{
  return id == PROP_SMOOTH ? &self->smooth : id == PROP_LOG_SCALE ? &self->log_scale : &self->clip_outliers;
}

static void
lk_plot_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkPlot *self = LK_PLOT (object);

  g_value_set_boolean (value, id == PROP_ZOOMED ? self->zoomed : *switch_of (self, id));
}

static void
lk_plot_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkPlot *self = LK_PLOT (object);
  gboolean *place = switch_of (self, id);

  if (*place == g_value_get_boolean (value))
    return;
  *place = g_value_get_boolean (value);
  g_object_notify_by_pspec (object, pspec);
  g_signal_emit (self, changed_signal, 0);
}

static void
lk_plot_class_init (LkPlotClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = lk_plot_get_property;
  object_class->set_property = lk_plot_set_property;
  properties[PROP_SMOOTH] = g_param_spec_boolean ("smooth", NULL, NULL, TRUE, both);
  properties[PROP_LOG_SCALE] = g_param_spec_boolean ("log-scale", NULL, NULL, FALSE, both);
  properties[PROP_CLIP_OUTLIERS] = g_param_spec_boolean ("clip-outliers", NULL, NULL, FALSE, both);
  properties[PROP_ZOOMED] = g_param_spec_boolean ("zoomed", NULL, NULL, FALSE,
                                                  G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  changed_signal = g_signal_new ("changed", LK_TYPE_PLOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  cursor_signal
      = g_signal_new ("cursor-moved", LK_TYPE_PLOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_plot_init (LkPlot *self)
{
  /* the losses of single steps jump; the trend is what people look for */
  self->smooth = TRUE;
  self->all_end = 1;
  self->cursor = NAN;
}

LkPlot *
lk_plot_new (void)
{
  return g_object_new (LK_TYPE_PLOT, NULL);
}

void
lk_plot_set_extent (LkPlot *self, double begin, double end)
{
  if (!isfinite (begin) || !isfinite (end) || begin > end)
    begin = 0, end = 1;
  if (self->all_begin == begin && self->all_end == end)
    return;
  self->all_begin = begin;
  self->all_end = end;
  if (!self->zoomed)
    g_signal_emit (self, changed_signal, 0);
  else if (self->begin < begin || self->end > end)
    lk_plot_reset (self); /* another run, or one that began again */
}

void
lk_plot_get_range (LkPlot *self, double *begin, double *end)
{
  *begin = self->zoomed ? self->begin : self->all_begin;
  *end = self->zoomed ? self->end : self->all_end;
}

gboolean
lk_plot_is_zoomed (LkPlot *self)
{
  return self->zoomed;
}

static void
show_range (LkPlot *self, double begin, double width)
{
  gboolean zoomed = width < self->all_end - self->all_begin;

  begin = CLAMP (begin, self->all_begin, MAX (self->all_begin, self->all_end - width));
  if (zoomed == self->zoomed && (!zoomed || (begin == self->begin && begin + width == self->end)))
    return;
  self->begin = begin;
  self->end = begin + width;
  if (zoomed != self->zoomed)
    {
      self->zoomed = zoomed;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ZOOMED]);
    }
  g_signal_emit (self, changed_signal, 0);
}

void
lk_plot_zoom (LkPlot *self, double x, double factor)
{
  double begin, end, width;

  g_return_if_fail (factor > 0 && isfinite (factor) && isfinite (x));
  lk_plot_get_range (self, &begin, &end);
  width = MAX (LEAST_STEPS, (end - begin) * factor);
  x = CLAMP (x, begin, end);
  show_range (self, x - (end > begin ? (x - begin) / (end - begin) : 0.5) * width, width);
}

void
lk_plot_pan (LkPlot *self, double share)
{
  double begin, end;

  if (!self->zoomed)
    return;
  lk_plot_get_range (self, &begin, &end);
  show_range (self, begin + (end - begin) * share, end - begin);
}

void
lk_plot_reset (LkPlot *self)
{
  show_range (self, self->all_begin, self->all_end - self->all_begin);
}

void
lk_plot_set_cursor (LkPlot *self, double x)
{
  if (self->cursor == x || (isnan (x) && isnan (self->cursor)))
    return;
  self->cursor = x;
  g_signal_emit (self, cursor_signal, 0);
}

double
lk_plot_get_cursor (LkPlot *self)
{
  return self->cursor;
}


void
lk_plot_apply (LkPlot *self, LkChartSpec *spec)
{
  spec->smoothing = self->smooth ? lk_chart_get_smoothing (self->all_end - self->all_begin) : 0;
  spec->log_scale = self->log_scale;
  spec->clip_outliers = self->clip_outliers;
  spec->has_range = self->zoomed;
  spec->range_begin = self->begin;
  spec->range_end = self->end;
  spec->has_cursor = !isnan (self->cursor);
  spec->cursor_x = self->cursor;
}
