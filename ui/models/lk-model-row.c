/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-model-row.h"

#include <glib/gi18n-lib.h>

struct _LkModelRow
{
  AdwActionRow parent_instance;

  LkFoundModel *model;
  GtkWidget *fit, *use;
  GtkLabel *fit_words;
  GtkGrid *facts;
};

G_DEFINE_FINAL_TYPE (LkModelRow, lk_model_row, ADW_TYPE_ACTION_ROW)

static void
lk_model_row_dispose (GObject *object)
{
  LkModelRow *self = LK_MODEL_ROW (object);

  g_clear_object (&self->model);
  G_OBJECT_CLASS (lk_model_row_parent_class)->dispose (object);
}

static void
lk_model_row_class_init (LkModelRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = lk_model_row_dispose;
}

static void
lk_model_row_init (LkModelRow *self)
{
}

/* A line of the facts: what, and how it is with this model. */
static void
add_fact (LkModelRow *self, guint line, const char *what, const char *how)
{
  GtkWidget *title = gtk_label_new (what);
  GtkWidget *value = gtk_label_new (how);

  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_yalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "secondary");
  gtk_label_set_xalign (GTK_LABEL (value), 0);
  gtk_label_set_wrap (GTK_LABEL (value), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (value), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (value), 42);
  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_widget_add_css_class (value, "numeric");
  gtk_grid_attach (self->facts, title, 0, (int) line, 1, 1);
  gtk_grid_attach (self->facts, value, 1, (int) line, 1, 1);
}

static void
show (LkModelRow *self)
{
  g_auto (GStrv) facts = lk_found_model_list_facts (self->model);
  g_autofree char *fit = NULL;
  GtkWidget *child;
  gboolean fits = FALSE;
  guint line = 0;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->facts))) != NULL)
    gtk_grid_remove (self->facts, child);
  g_object_get (self->model, "fit-text", &fit, "fits", &fits, NULL);
  for (; facts[2 * line] != NULL; line++)
    add_fact (self, line, facts[2 * line], facts[2 * line + 1]);
  gtk_label_set_label (self->fit_words, fit == NULL ? "" : fits ? _ ("Fits") : _ ("Too large to train"));
  gtk_image_set_from_icon_name (GTK_IMAGE (self->fit), fits ? "object-select-symbolic" : "dialog-warning-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->fit_words), fit);
  gtk_widget_set_visible (self->fit, fit != NULL);
  gtk_widget_set_sensitive (self->use, fit != NULL);
}

static void
add_facts_button (LkModelRow *self)
{
  GtkWidget *button = gtk_menu_button_new ();
  GtkWidget *popover = gtk_popover_new ();
  g_autofree char *label = g_strdup_printf (_ ("More about %s"), lk_found_model_get_name (self->model));

  self->facts = GTK_GRID (gtk_grid_new ());
  gtk_grid_set_column_spacing (self->facts, 18);
  gtk_grid_set_row_spacing (self->facts, 6);
  gtk_widget_set_margin_top (GTK_WIDGET (self->facts), 12);
  gtk_widget_set_margin_bottom (GTK_WIDGET (self->facts), 12);
  gtk_widget_set_margin_start (GTK_WIDGET (self->facts), 12);
  gtk_widget_set_margin_end (GTK_WIDGET (self->facts), 12);
  gtk_popover_set_child (GTK_POPOVER (popover), GTK_WIDGET (self->facts));
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (button), popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "dialog-information-symbolic");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), button);
}

GtkWidget *
lk_model_row_new (LkFoundModel *model)
{
  LkModelRow *self = g_object_new (LK_TYPE_MODEL_ROW, "use-markup", FALSE, "subtitle-lines", 0, NULL);
  g_autofree char *label = g_strdup_printf (_ ("Fine-Tune %s"), lk_found_model_get_name (model));

  self->model = g_object_ref (model);
  g_object_bind_property (model, "title", self, "title", G_BINDING_SYNC_CREATE);
  g_object_bind_property (model, "subtitle", self, "subtitle", G_BINDING_SYNC_CREATE);
  self->fit = gtk_image_new ();
  self->fit_words = GTK_LABEL (gtk_label_new (NULL));
  self->use = gtk_button_new_with_label (_ ("Fine-Tune"));
  gtk_widget_set_valign (self->use, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->use), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->use), "models.use");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (self->use), "s", lk_found_model_get_path (model));
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), self->fit);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), GTK_WIDGET (self->fit_words));
  add_facts_button (self);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), self->use);
  g_signal_connect_object (model, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  show (self);
  return GTK_WIDGET (self);
}
