/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-length-view.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-words.h"

#define HEIGHT 150
#define AXIS 24 /* room for the numbers below */

struct _LkLengthView
{
  GtkWidget parent_instance;

  gint64 bin_width, limit; /* limit 0: none */
  guint n_bins;
  gint64 bins[LK_MAX_BINS], most;
};

G_DEFINE_FINAL_TYPE (LkLengthView, lk_length_view, GTK_TYPE_WIDGET)

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 240;
}

static void
draw_number (LkLengthView *self, cairo_t *cr, gint64 number, double x, double width, double y)
{
  g_autofree char *words = lk_words_count (number);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), words);
  int w, h;

  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, CLAMP (x - w / 2.0, 0, width - w), y);
  pango_cairo_show_layout (cr, layout);
}

/* Bars beyond the limit are only outlined and hatched. */
static void
draw_bar (cairo_t *cr, const GdkRGBA *colour, double x, double y, double w, double h, gboolean cut)
{
  cairo_rectangle (cr, x, y, w, h);
  gdk_cairo_set_source_rgba (cr, colour);
  if (!cut)
    {
      cairo_fill (cr);
      return;
    }
  cairo_save (cr);
  cairo_clip (cr);
  cairo_set_line_width (cr, 1);
  for (double at = -h; at < w; at += 5)
    {
      cairo_move_to (cr, x + at, y + h);
      cairo_line_to (cr, x + at + h, y);
    }
  cairo_stroke (cr);
  cairo_restore (cr);
  cairo_rectangle (cr, x + 0.5, y + 0.5, MAX (w - 1, 0.5), MAX (h - 1, 0.5));
  cairo_stroke (cr);
}

static void
draw_axis (LkLengthView *self, cairo_t *cr, const GdkRGBA *ink, double width, double base)
{
  double bar = width / self->n_bins, limit_x = (double) self->limit / (double) self->bin_width * bar;

  cairo_set_source_rgba (cr, ink->red, ink->green, ink->blue, 0.5);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, 0, base + 0.5);
  cairo_line_to (cr, width, base + 0.5);
  cairo_stroke (cr);
  gdk_cairo_set_source_rgba (cr, ink);
  for (guint i = 0; i <= 4; i++)
    draw_number (self, cr, self->bin_width * self->n_bins * i / 4, width * i / 4, width, base + 5);
  if (self->limit <= 0 || limit_x > width)
    return;
  cairo_move_to (cr, (int) limit_x + 0.5, 0);
  cairo_line_to (cr, (int) limit_x + 0.5, base);
  cairo_set_dash (cr, (const double[]){ 4, 3 }, 2, 0);
  cairo_stroke (cr);
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LkLengthView *self = LK_LENGTH_VIEW (widget);
  const double width = gtk_widget_get_width (widget), base = gtk_widget_get_height (widget) - AXIS;
  const graphene_rect_t area = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) (base + AXIS));
  gboolean dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
  const GdkRGBA ink = dark ? (GdkRGBA){ 1, 1, 1, 0.85f } : (GdkRGBA){ 0, 0, 0, 0.8f };
  const GdkRGBA blue = dark ? (GdkRGBA){ 0.47f, 0.68f, 0.93f, 1 } : (GdkRGBA){ 0.21f, 0.52f, 0.89f, 1 };
  const GdkRGBA orange = dark ? (GdkRGBA){ 1, 0.64f, 0.28f, 1 } : (GdkRGBA){ 0.78f, 0.33f, 0, 1 };
  double bar = self->n_bins > 0 ? width / self->n_bins : 0;
  cairo_t *cr;

  if (self->most == 0 || base <= 0)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &area);
  for (guint i = 0; i < self->n_bins; i++)
    {
      double height = (base - 6) * (double) self->bins[i] / (double) self->most;
      gboolean cut = self->limit > 0 && self->bin_width * i >= self->limit;

      if (self->bins[i] > 0)
        draw_bar (cr, cut ? &orange : &blue, bar * i + 1, base - MAX (height, 2), MAX (bar - 2, 1), MAX (height, 2), cut);
    }
  draw_axis (self, cr, &ink, width, base);
  cairo_destroy (cr);
}

static void
lk_length_view_class_init (LkLengthViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->measure = measure;
  widget_class->snapshot = snapshot;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
lk_length_view_init (LkLengthView *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "numeric");
  gtk_widget_add_css_class (GTK_WIDGET (self), "caption");
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (gtk_widget_queue_draw), self, G_CONNECT_SWAPPED);
}

void
lk_length_view_set_figures (LkLengthView *self, const LkDatasetFigures *figures, gint64 limit)
{
  g_autofree char *median = lk_words_count (figures->median);
  g_autofree char *longest = lk_words_count (figures->longest);
  g_autofree char *label = NULL;

  self->n_bins = figures->n_bins;
  self->bin_width = MAX (figures->bin_width, 1);
  self->limit = figures->in_tokens ? limit : 0;
  self->most = 0;
  for (guint i = 0; i < figures->n_bins; i++)
    {
      self->bins[i] = figures->bins[i];
      self->most = MAX (self->most, figures->bins[i]);
    }
  label = g_strdup_printf (figures->in_tokens ? _ ("Lengths of the rows: half of them at most %s tokens, the longest %s")
                                              : _ ("Lengths of the rows: half of them at most %s characters, the longest %s"),
                           median, longest);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
