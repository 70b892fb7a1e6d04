/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-banner.h"

#include "lk-closures.h"

struct _LkBanner
{
  GtkWidget parent_instance;

  GtkRevealer *revealer;
  char *title;
  char *text;
  char *button_label;
  char *action_name;
  gboolean revealed;
};

enum
{
  PROP_0,
  PROP_TITLE,
  PROP_TEXT,
  PROP_BUTTON_LABEL,
  PROP_ACTION_NAME,
  PROP_REVEALED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkBanner, lk_banner, GTK_TYPE_WIDGET)

static void
lk_banner_dispose (GObject *object)
{
  LkBanner *self = LK_BANNER (object);

  g_clear_pointer ((GtkWidget **) &self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_banner_parent_class)->dispose (object);
}

static void
lk_banner_finalize (GObject *object)
{
  LkBanner *self = LK_BANNER (object);

  g_clear_pointer (&self->title, g_free);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->button_label, g_free);
  g_clear_pointer (&self->action_name, g_free);
  G_OBJECT_CLASS (lk_banner_parent_class)->finalize (object);
}

static char **
slot_of (LkBanner *self, guint id)
{
  switch (id)
    {
    case PROP_TITLE: return &self->title;
    case PROP_TEXT: return &self->text;
    case PROP_BUTTON_LABEL: return &self->button_label;
    case PROP_ACTION_NAME: return &self->action_name;
    default: return NULL;
    }
}

static void
lk_banner_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkBanner *self = LK_BANNER (object);

  if (id == PROP_REVEALED)
    g_value_set_boolean (value, self->revealed);
  else if (slot_of (self, id) != NULL)
    g_value_set_string (value, *slot_of (self, id));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
lk_banner_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkBanner *self = LK_BANNER (object);
  char **slot = slot_of (self, id);

  if (id == PROP_REVEALED && self->revealed != g_value_get_boolean (value))
    {
      self->revealed = g_value_get_boolean (value);
      g_object_notify_by_pspec (object, pspec);
    }
  else if (slot != NULL && g_strcmp0 (*slot, g_value_get_string (value)) != 0)
    {
      g_free (*slot);
      *slot = g_value_dup_string (value);
      g_object_notify_by_pspec (object, pspec);
    }
}

static void
lk_banner_class_init (LkBannerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_banner_dispose;
  object_class->finalize = lk_banner_finalize;
  object_class->get_property = lk_banner_get_property;
  object_class->set_property = lk_banner_set_property;
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  properties[PROP_BUTTON_LABEL] = g_param_spec_string ("button-label", NULL, NULL, NULL, flags);
  properties[PROP_ACTION_NAME] = g_param_spec_string ("action-name", NULL, NULL, NULL, flags);
  properties[PROP_REVEALED] = g_param_spec_boolean ("revealed", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_ALERT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-banner.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkBanner, revealer);
}

static void
lk_banner_init (LkBanner *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
