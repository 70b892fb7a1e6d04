/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sample-card.h"

#include <glib/gi18n-lib.h>

#include "widgets/lk-closures.h"

struct _LkSampleCard
{
  GtkListBoxRow parent_instance;

  LkSample *sample;
};

enum
{
  PROP_0,
  PROP_SAMPLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSampleCard, lk_sample_card, GTK_TYPE_LIST_BOX_ROW)

static char *
step_text_cb (gpointer self, gint64 step)
{
  return step <= 0 ? g_strdup (_ ("Before training")) : g_strdup_printf (_ ("At step %d"), (int) step);
}

static gboolean
differs_cb (gpointer self, gint64 first, gint64 latest)
{
  return first != latest;
}

static void
lk_sample_card_dispose (GObject *object)
{
  g_clear_object (&LK_SAMPLE_CARD (object)->sample);
  G_OBJECT_CLASS (lk_sample_card_parent_class)->dispose (object);
}

static void
lk_sample_card_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_SAMPLE_CARD (object)->sample);
}

static void
lk_sample_card_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  g_set_object (&LK_SAMPLE_CARD (object)->sample, g_value_get_object (value));
}

static void
lk_sample_card_class_init (LkSampleCardClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_SAMPLE);
  object_class->dispose = lk_sample_card_dispose;
  object_class->get_property = lk_sample_card_get_property;
  object_class->set_property = lk_sample_card_set_property;
  properties[PROP_SAMPLE]
      = g_param_spec_object ("sample", NULL, NULL, LK_TYPE_SAMPLE,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-sample-card.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, step_text_cb);
  gtk_widget_class_bind_template_callback (widget_class, differs_cb);
}

static void
lk_sample_card_init (LkSampleCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_sample_card_new (LkSample *sample)
{
  return g_object_new (LK_TYPE_SAMPLE_CARD, "sample", sample, NULL);
}
