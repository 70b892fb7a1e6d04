/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-view-private.h"

#include <math.h>

#define ZOOM 1.25
#define PAN 0.2

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, LkChartView *self)
{
  LkSeries *series = _lk_chart_view_get_dense_series (self);
  const LkChartGeometry *g = &self->geometry; /* of what is on the screen */
  gint64 i;

  if (series == NULL || !(g->width > 0) || x < g->x || x > g->x + g->width)
    {
      lk_plot_set_cursor (self->plot, NAN);
      return;
    }
  i = lk_series_nearest (series, lk_axis_unmap (&g->x_axis, (x - g->x) / g->width));
  lk_plot_set_cursor (self->plot, lk_series_get_x (series, (guint) i));
}

static void
leave_cb (GtkEventControllerMotion *controller, LkChartView *self)
{
  lk_plot_set_cursor (self->plot, NAN);
}

/* The wheel alone scrolls the page. */
static gboolean
scroll_cb (GtkEventControllerScroll *controller, double dx, double dy, LkChartView *self)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));
  double begin, end, at = lk_plot_get_cursor (self->plot);

  if (!(state & GDK_CONTROL_MASK))
    return FALSE;
  lk_plot_get_range (self->plot, &begin, &end);
  lk_plot_zoom (self->plot, isnan (at) ? (begin + end) / 2 : at, pow (ZOOM, dy));
  return TRUE;
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, LkChartView *self)
{
  self->dragged = 0;
  gtk_widget_grab_focus (GTK_WIDGET (self));
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, LkChartView *self)
{
  if (self->geometry.width > 0)
    lk_plot_pan (self->plot, (self->dragged - dx) / self->geometry.width);
  self->dragged = dx;
}

static void
pressed_cb (GtkGestureClick *gesture, int n, double x, double y, LkChartView *self)
{
  if (n == 2)
    lk_plot_reset (self->plot);
}

static gboolean
move_cursor (LkChartView *self, guint keyval, gboolean far)
{
  LkSeries *series = _lk_chart_view_get_dense_series (self);
  gint64 n = series != NULL ? lk_series_get_n_points (series) : 0, i, step = far ? MAX (1, n / 10) : 1;
  double cursor = lk_plot_get_cursor (self->plot), begin, end;

  if (n == 0)
    return FALSE;
  lk_plot_get_range (self->plot, &begin, &end);
  i = !isnan (cursor) ? lk_series_nearest (series, cursor) : keyval == GDK_KEY_Right ? -1 : n;
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left: i -= step; break;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right: i += step; break;
    case GDK_KEY_Home: i = 0; break;
    case GDK_KEY_End: i = n - 1; break;
    default: return FALSE;
    }
  cursor = lk_series_get_x (series, (guint) CLAMP (i, 0, n - 1));
  lk_plot_set_cursor (self->plot, cursor);
  /* what is read out is in view */
  if (end > begin && (cursor < begin || cursor > end))
    lk_plot_pan (self->plot, (cursor - (begin + end) / 2) / (end - begin));
  return TRUE;
}

static gboolean
zoom_by_key (LkChartView *self, guint keyval)
{
  double begin, end, at = lk_plot_get_cursor (self->plot);

  lk_plot_get_range (self->plot, &begin, &end);
  if (isnan (at))
    at = (begin + end) / 2;
  switch (keyval)
    {
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add: lk_plot_zoom (self->plot, at, 1 / ZOOM); return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract: lk_plot_zoom (self->plot, at, ZOOM); return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0: lk_plot_reset (self->plot); return TRUE;
    default: return FALSE;
    }
}

static gboolean
key_cb (GtkEventControllerKey *controller, guint keyval, guint keycode, GdkModifierType state, LkChartView *self)
{
  if (keyval == GDK_KEY_Escape && !isnan (lk_plot_get_cursor (self->plot)))
    {
      lk_plot_set_cursor (self->plot, NAN);
      return TRUE;
    }
  if ((state & GDK_SHIFT_MASK) && (keyval == GDK_KEY_Left || keyval == GDK_KEY_Right))
    {
      lk_plot_pan (self->plot, keyval == GDK_KEY_Left ? -PAN : PAN);
      return TRUE;
    }
  return zoom_by_key (self, keyval) || move_cursor (self, keyval, (state & GDK_CONTROL_MASK) != 0);
}

void
_lk_chart_view_listen (LkChartView *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *key = gtk_event_controller_key_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  g_signal_connect (key, "key-pressed", G_CALLBACK (key_cb), self);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), key);
  gtk_widget_add_controller (GTK_WIDGET (self), scroll);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}
