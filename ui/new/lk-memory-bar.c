/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-memory-bar.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-words.h"

#define BAR 12 /* pixels high */
#define GAP 6  /* between it and the words */
#define KEY 10 /* the side of a key's square */

struct _LkMemoryBar
{
  GtkWidget parent_instance;

  LkEstimate *estimate;
};

G_DEFINE_FINAL_TYPE (LkMemoryBar, lk_memory_bar, GTK_TYPE_WIDGET)

/* Apart for the colour-blind, on white and on black. */
static const GdkRGBA light[] = { { 0.21f, 0.52f, 0.89f, 1 }, { 0.15f, 0.62f, 0.42f, 1 }, { 0.90f, 0.38f, 0, 1 }, { 0.57f, 0.25f, 0.67f, 1 } };
static const GdkRGBA dark[] = { { 0.47f, 0.68f, 0.93f, 1 }, { 0.34f, 0.89f, 0.54f, 1 }, { 1, 0.64f, 0.28f, 1 }, { 0.86f, 0.54f, 0.87f, 1 } };

static void
lk_memory_bar_dispose (GObject *object)
{
  g_clear_object (&LK_MEMORY_BAR (object)->estimate);
  G_OBJECT_CLASS (lk_memory_bar_parent_class)->dispose (object);
}

static const GdkRGBA *
colour_of (guint i)
{
  const GdkRGBA *colours = adw_style_manager_get_dark (adw_style_manager_get_default ()) ? dark : light;

  return &colours[i % G_N_ELEMENTS (light)];
}

/* "Model 7.4 MB": the words of a key. (transfer full) */
static PangoLayout *
layout_of (LkMemoryBar *self, const LkMemoryClass *one)
{
  g_autofree char *size = lk_words_bytes ((guint64) one->bytes);
  /* “Activations 31 MB” */
  g_autofree char *words = g_strdup_printf (_ ("%s %s"), one->name, size);

  return gtk_widget_create_pango_layout (GTK_WIDGET (self), words);
}

/* Lays the keys out in lines of @width; draws them when @snapshot is not NULL. The height. */
static double
lay_out (LkMemoryBar *self, double width, GtkSnapshot *snapshot)
{
  guint n = 0;
  const LkMemoryClass *classes = self->estimate != NULL ? lk_estimate_get_classes (self->estimate, &n) : NULL;
  double x = 0, y = BAR + GAP, line = 0;
  GdkRGBA ink;

  if (adw_style_manager_get_dark (adw_style_manager_get_default ()))
    ink = (GdkRGBA){ 1, 1, 1, 1 };
  else
    ink = (GdkRGBA){ 0, 0, 0, 0.8f };
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (PangoLayout) layout = layout_of (self, &classes[i]);
      int w, h;

      pango_layout_get_pixel_size (layout, &w, &h);
      if (x > 0 && x + KEY + 5 + w > width)
        {
          x = 0;
          y += line;
        }
      line = h;
      if (snapshot != NULL)
        {
          gtk_snapshot_append_color (snapshot, colour_of (i), &GRAPHENE_RECT_INIT ((float) x, (float) (y + (h - KEY) / 2.0), KEY, KEY));
          gtk_snapshot_save (snapshot);
          gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) (x + KEY + 5), (float) y));
          gtk_snapshot_append_layout (snapshot, layout, &ink);
          gtk_snapshot_restore (snapshot);
        }
      x += KEY + 5 + w + 14;
    }
  return n > 0 ? y + line : 0;
}

static GtkSizeRequestMode
get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    *minimum = *natural = 160;
  else
    *minimum = *natural = (int) lay_out (LK_MEMORY_BAR (widget), for_size > 0 ? for_size : 400, NULL);
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LkMemoryBar *self = LK_MEMORY_BAR (widget);
  guint n = 0;
  const LkMemoryClass *classes = self->estimate != NULL ? lk_estimate_get_classes (self->estimate, &n) : NULL;
  double width = gtk_widget_get_width (widget), x = 0, all;
  gint64 total = 0;
  GdkRGBA ground = adw_style_manager_get_dark (adw_style_manager_get_default ()) ? (GdkRGBA){ 1, 1, 1, 0.15f } : (GdkRGBA){ 0, 0, 0, 0.12f };
  GskRoundedRect outline;

  for (guint i = 0; i < n; i++)
    total += classes[i].bytes;
  if (n == 0)
    return;
  all = (double) MAX (total, lk_estimate_get_available (self->estimate));
  gsk_rounded_rect_init_from_rect (&outline, &GRAPHENE_RECT_INIT (0, 0, (float) width, BAR), 4);
  gtk_snapshot_push_rounded_clip (snapshot, &outline);
  gtk_snapshot_append_color (snapshot, &ground, &outline.bounds);
  for (guint i = 0; i < n; i++)
    {
      double part = width * (double) classes[i].bytes / all;

      gtk_snapshot_append_color (snapshot, colour_of (i), &GRAPHENE_RECT_INIT ((float) x, 0, (float) MAX (part - 1, 1), BAR));
      x += part;
    }
  gtk_snapshot_pop (snapshot);
  if (total > lk_estimate_get_available (self->estimate) && lk_estimate_get_available (self->estimate) > 0)
    {
      double end = width * (double) lk_estimate_get_available (self->estimate) / all;

      gtk_snapshot_append_color (snapshot, &(GdkRGBA){ 0.88f, 0.11f, 0.14f, 1 }, &GRAPHENE_RECT_INIT ((float) end - 1, 0, 3, BAR + 3));
    }
  lay_out (self, width, snapshot);
}

static void
lk_memory_bar_class_init (LkMemoryBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_memory_bar_dispose;
  widget_class->get_request_mode = get_request_mode;
  widget_class->measure = measure;
  widget_class->snapshot = snapshot;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
lk_memory_bar_init (LkMemoryBar *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "caption");
  gtk_widget_add_css_class (GTK_WIDGET (self), "numeric");
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (gtk_widget_queue_draw), self, G_CONNECT_SWAPPED);
}

static void
estimate_cb (LkMemoryBar *self)
{
  g_autofree char *detail = NULL;
  g_autofree char *label = NULL;

  g_object_get (self->estimate, "detail", &detail, NULL);
  label = g_strdup_printf (_ ("Memory: %s"), detail != NULL ? g_strdelimit (detail, "\n", ',') : _ ("not known yet"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
lk_memory_bar_set_estimate (LkMemoryBar *self, LkEstimate *estimate)
{
  g_return_if_fail (self->estimate == NULL);

  self->estimate = g_object_ref (estimate);
  g_signal_connect_object (estimate, "notify::known", G_CALLBACK (estimate_cb), self, G_CONNECT_SWAPPED);
  estimate_cb (self);
}
