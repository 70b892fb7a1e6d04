/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-welcome-page.h"

#include "lk-paths.h"

struct _LkWelcomePage
{
  GtkWidget parent_instance;

  GtkWidget *content;
  GtkWidget *try_button;
  GtkWidget *new_button;
  GtkWidget *try_hint;
};

G_DEFINE_FINAL_TYPE (LkWelcomePage, lk_welcome_page, GTK_TYPE_WIDGET)

static void
lk_welcome_page_dispose (GObject *object)
{
  g_clear_pointer (&LK_WELCOME_PAGE (object)->content, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_welcome_page_parent_class)->dispose (object);
}

static void
lk_welcome_page_class_init (LkWelcomePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_welcome_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-welcome-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkWelcomePage, content);
  gtk_widget_class_bind_template_child (widget_class, LkWelcomePage, try_button);
  gtk_widget_class_bind_template_child (widget_class, LkWelcomePage, try_hint);
  gtk_widget_class_bind_template_child (widget_class, LkWelcomePage, new_button);
}

static void
lk_welcome_page_init (LkWelcomePage *self)
{
  g_autofree char *model = lk_paths_find_tiny_model ();
  g_autofree char *sample = lk_paths_find_sample ();
  gboolean can_try = model != NULL && sample != NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (self->try_button, can_try);
  gtk_widget_set_visible (self->try_hint, can_try);
  if (!can_try)
    gtk_widget_add_css_class (self->new_button, "suggested-action");
}
