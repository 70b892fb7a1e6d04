/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-figure.h"

struct _LkFigure
{
  GtkWidget parent_instance;

  GtkLabel *title;
  GtkLabel *value;
};

enum
{
  PROP_0,
  PROP_TITLE,
  PROP_VALUE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkFigure, lk_figure, GTK_TYPE_WIDGET)

static void
lk_figure_dispose (GObject *object)
{
  LkFigure *self = LK_FIGURE (object);

  g_clear_pointer ((GtkWidget **) &self->title, gtk_widget_unparent);
  g_clear_pointer ((GtkWidget **) &self->value, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_figure_parent_class)->dispose (object);
}

static void
lk_figure_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkFigure *self = LK_FIGURE (object);

  g_value_set_string (value, gtk_label_get_label (id == PROP_TITLE ? self->title : self->value));
}

static void
lk_figure_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkFigure *self = LK_FIGURE (object);

  gtk_label_set_label (id == PROP_TITLE ? self->title : self->value, g_value_get_string (value));
}

static void
lk_figure_class_init (LkFigureClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = lk_figure_dispose;
  object_class->get_property = lk_figure_get_property;
  object_class->set_property = lk_figure_set_property;
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  properties[PROP_VALUE] = g_param_spec_string ("value", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-figure.ui");
  gtk_widget_class_bind_template_child (widget_class, LkFigure, title);
  gtk_widget_class_bind_template_child (widget_class, LkFigure, value);
}

static void
lk_figure_init (LkFigure *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (gtk_widget_get_layout_manager (GTK_WIDGET (self))),
                                  GTK_ORIENTATION_VERTICAL);
}
