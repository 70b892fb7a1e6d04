/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-models-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "compat.h"
#include "lk-library.h"
#include "lk-model-row.h"
#include "lk-settings.h"

static const char *const titles[LK_N_PLACES] = {
  [LK_PLACE_SHIPPED] = N_ ("Comes with Lorikeet"), [LK_PLACE_OWN] = N_ ("Lorikeet's Own Folder"), [LK_PLACE_HUGGING_FACE] = N_ ("Hugging Face Cache"),
  [LK_PLACE_OLLAMA] = N_ ("Ollama"), [LK_PLACE_LM_STUDIO] = N_ ("LM Studio"),
};

struct _LkModelsPage
{
  GtkWidget parent_instance;

  LkLibrary *library;
  GtkWidget *content, *spinner;
  GtkBox *groups;
  GPtrArray *made;
};

G_DEFINE_FINAL_TYPE (LkModelsPage, lk_models_page, GTK_TYPE_WIDGET)

static void
lk_models_page_dispose (GObject *object)
{
  LkModelsPage *self = LK_MODELS_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->made, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_models_page_parent_class)->dispose (object);
}

/* Below the model they belong to, and set in. */
static void
add_adapters (AdwPreferencesGroup *group, LkFoundModel *model)
{
  GPtrArray *adapters = lk_found_model_get_adapters (model);

  for (guint i = 0; i < adapters->len; i++)
    {
      const LkFoundAdapter *adapter = adapters->pdata[i];
      g_autofree char *subtitle = g_strdup_printf (_ ("Adapter for %s"), lk_found_model_get_name (model));
      GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", adapter->name, "subtitle", subtitle, "use-markup", FALSE, "tooltip-text",
                                     adapter->path, NULL);

      adw_action_row_add_prefix (ADW_ACTION_ROW (row), g_object_new (GTK_TYPE_IMAGE, "icon-name", "lorikeet-curve-symbolic", "margin-start", 18,
                                                                     "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL));
      adw_preferences_group_add (group, row);
    }
}

static void
models_changed_cb (LkModelsPage *self)
{
  AdwPreferencesGroup *groups[LK_N_PLACES] = { NULL };

  for (guint i = 0; i < self->made->len; i++)
    gtk_box_remove (self->groups, self->made->pdata[i]);
  g_ptr_array_set_size (self->made, 0);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->library)); i++)
    {
      g_autoptr (LkFoundModel) model = g_list_model_get_item (G_LIST_MODEL (self->library), i);
      LkModelPlace place = lk_found_model_get_place (model);

      if (groups[place] == NULL)
        {
          groups[place] = g_object_new (ADW_TYPE_PREFERENCES_GROUP, "title", _ (titles[place]), NULL);
          gtk_box_append (self->groups, GTK_WIDGET (groups[place]));
          g_ptr_array_add (self->made, groups[place]);
        }
      adw_preferences_group_add (groups[place], lk_model_row_new (model));
      add_adapters (groups[place], model);
    }
}

static void
use_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit_by_name (widget, "use", g_variant_get_string (parameter, NULL));
}

static void
refresh_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_library_refresh (LK_MODELS_PAGE (widget)->library);
}

static void
chosen_cb (GFile *file, gpointer user_data)
{
  if (g_file_peek_path (file) != NULL)
    g_signal_emit_by_name (user_data, "use", g_file_peek_path (file));
}

static void
choose_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "gguf", "safetensors", NULL };
  g_autofree char *folder = NULL;

  g_object_get (lk_settings_get_default (), "last-folder", &folder, NULL);
  lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_OPEN_FILE, _ ("Choose a Model"), _ ("Models"), suffixes, folder,
                         NULL, chosen_cb, widget);
}

static gboolean
drop_cb (LkModelsPage *self, const GValue *value)
{
  GSList *files = g_value_get_boxed (value);

  if (files == NULL || g_file_peek_path (files->data) == NULL)
    return FALSE;
  g_signal_emit_by_name (self, "use", g_file_peek_path (files->data));
  return TRUE;
}

static void
lk_models_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (lk_models_page_parent_class)->map (widget);
  lk_library_refresh (LK_MODELS_PAGE (widget)->library);
}

static void
lk_models_page_class_init (LkModelsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_models_page_dispose;
  widget_class->map = lk_models_page_map;
  g_signal_new ("use", LK_TYPE_MODELS_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-models-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkModelsPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkModelsPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, LkModelsPage, groups);
  gtk_widget_class_install_action (widget_class, "models.use", "s", use_action);
  gtk_widget_class_install_action (widget_class, "models.refresh", NULL, refresh_action);
  gtk_widget_class_install_action (widget_class, "models.choose", NULL, choose_action);
}

static void
lk_models_page_init (LkModelsPage *self)
{
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  self->made = g_ptr_array_new ();
  self->library = lk_library_get_default ();
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->library, "items-changed", G_CALLBACK (models_changed_cb), self, G_CONNECT_SWAPPED);
  g_object_bind_property (self->library, "busy", self->spinner, "spinning", G_BINDING_SYNC_CREATE);
  g_signal_connect_object (drop, "drop", G_CALLBACK (drop_cb), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  models_changed_cb (self);
}
