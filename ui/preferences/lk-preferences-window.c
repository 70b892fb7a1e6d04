/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-preferences-window.h"

#include <glib/gi18n-lib.h>

#include "compat.h"
#include "lk-devices.h"
#include "lk-paths.h"
#include "lk-settings.h"
#include "widgets/lk-closures.h"

struct _LkPreferencesWindow
{
  AdwWindow parent_instance;

  LkSettings *settings;
  GCancellable *cancellable;
  GListModel *devices; /* NULL until the engine has answered */

  AdwComboRow *theme;
  AdwComboRow *device;
  GtkSwitch *notifications;
};

enum
{
  PROP_0,
  PROP_SETTINGS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* As the rows of the list stand. */
static const char *const themes[] = { "system", "light", "dark" };

/* The folders that can be chosen, by the name of their property. */
static const struct
{
  const char *property;
  const char *title;
  char *(*get_usual) (void);
} folders[] = {
  { "runs-folder", N_ ("Folder for New Fine-Tunes"), lk_paths_get_usual_runs_dir },
  { "models-folder", N_ ("Folder of Your Models"), lk_paths_get_usual_models_dir },
};

G_DEFINE_FINAL_TYPE (LkPreferencesWindow, lk_preferences_window, ADW_TYPE_WINDOW)

static guint
folder_index (const char *property)
{
  return g_str_equal (property, folders[0].property) ? 0 : 1;
}

/* @user_data: the property. */
static void
folder_chosen_cb (GFile *file, gpointer user_data)
{
  if (g_file_peek_path (file) != NULL)
    g_object_set (lk_settings_get_default (), user_data, g_file_peek_path (file), NULL);
}

static void
choose_folder_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkPreferencesWindow *self = LK_PREFERENCES_WINDOW (widget);
  guint i = folder_index (g_variant_get_string (parameter, NULL));
  g_autofree char *usual = folders[i].get_usual ();
  g_autofree char *now = NULL;

  g_object_get (self->settings, folders[i].property, &now, NULL);
  lk_compat_choose_file (GTK_WINDOW (self), LK_COMPAT_OPEN_FOLDER, _ (folders[i].title), NULL, NULL, now[0] != 0 ? now : usual,
                         NULL, folder_chosen_cb, (gpointer) folders[i].property);
}

static void
usual_folder_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_object_set (LK_PREFERENCES_WINDOW (widget)->settings, g_variant_get_string (parameter, NULL), "", NULL);
}

static char *
folder_words (const char *chosen, guint i)
{
  g_autofree char *usual = folders[i].get_usual ();
  const char *path = chosen != NULL && chosen[0] != 0 ? chosen : usual;
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *escaped = g_markup_escape_text (shown, -1);

  if (path == chosen && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_strdup_printf (_ ("%s is not there now; is its drive connected?"), escaped);
  return g_steal_pointer (&escaped);
}

static char *
runs_folder_words_cb (gpointer self, const char *chosen)
{
  return folder_words (chosen, 0);
}

static char *
models_folder_words_cb (gpointer self, const char *chosen)
{
  return folder_words (chosen, 1);
}

static void
theme_chosen_cb (LkPreferencesWindow *self)
{
  guint i = adw_combo_row_get_selected (self->theme);

  if (i < G_N_ELEMENTS (themes))
    g_object_set (self->settings, "color-scheme", themes[i], NULL);
}

static void
show_theme (LkPreferencesWindow *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (themes); i++)
    if (g_str_equal (themes[i], lk_settings_get_color_scheme (self->settings)))
      adw_combo_row_set_selected (self->theme, i);
}

static void
say_device (LkPreferencesWindow *self, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence != NULL ? sentence : "", -1);

  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->device), escaped);
}

static void
device_chosen_cb (LkPreferencesWindow *self)
{
  guint i = adw_combo_row_get_selected (self->device);
  g_autoptr (LkDevice) device = self->devices != NULL ? g_list_model_get_item (self->devices, i) : NULL;

  if (device == NULL)
    return;
  g_object_set (self->settings, "device", lk_device_get_id (device), NULL);
  say_device (self, lk_device_get_note (device));
}

static void
devices_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkPreferencesWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) devices = lk_devices_list_finish (result, &error);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  guint chosen = 0;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (devices == NULL)
    {
      say_device (self, error->message);
      return;
    }
  for (guint i = 0; i < g_list_model_get_n_items (devices); i++)
    {
      g_autoptr (LkDevice) device = g_list_model_get_item (devices, i);

      gtk_string_list_append (names, lk_device_get_name (device));
      if (g_str_equal (lk_device_get_id (device), lk_settings_get_device (self->settings)))
        chosen = i;
    }
  adw_combo_row_set_model (self->device, G_LIST_MODEL (names));
  adw_combo_row_set_selected (self->device, chosen);
  g_set_object (&self->devices, devices);
  gtk_widget_set_sensitive (GTK_WIDGET (self->device), TRUE);
  device_chosen_cb (self);
}

static void
lk_preferences_window_dispose (GObject *object)
{
  LkPreferencesWindow *self = LK_PREFERENCES_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->devices);
  G_OBJECT_CLASS (lk_preferences_window_parent_class)->dispose (object);
}

static void
lk_preferences_window_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_PREFERENCES_WINDOW (object)->settings);
}

static void
lk_preferences_window_class_init (LkPreferencesWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_SETTINGS);
  object_class->dispose = lk_preferences_window_dispose;
  object_class->get_property = lk_preferences_window_get_property;
  properties[PROP_SETTINGS]
      = g_param_spec_object ("settings", NULL, NULL, LK_TYPE_SETTINGS, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-preferences-window.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkPreferencesWindow, theme);
  gtk_widget_class_bind_template_child (widget_class, LkPreferencesWindow, device);
  gtk_widget_class_bind_template_child (widget_class, LkPreferencesWindow, notifications);
  gtk_widget_class_bind_template_callback (widget_class, runs_folder_words_cb);
  gtk_widget_class_bind_template_callback (widget_class, models_folder_words_cb);
  gtk_widget_class_install_action (widget_class, "preferences.choose-folder", "s", choose_folder_action);
  gtk_widget_class_install_action (widget_class, "preferences.usual-folder", "s", usual_folder_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
lk_preferences_window_init (LkPreferencesWindow *self)
{
  self->settings = lk_settings_get_default ();
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  show_theme (self);
  g_signal_connect_object (self->theme, "notify::selected", G_CALLBACK (theme_chosen_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->device, "notify::selected", G_CALLBACK (device_chosen_cb), self, G_CONNECT_SWAPPED);
  g_object_bind_property (self->settings, "notifications", self->notifications, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  lk_devices_list_async (lk_settings_get_device (self->settings), self->cancellable, devices_listed_cb, g_object_ref (self));
}

void
lk_preferences_window_show (GtkWindow *parent)
{
  GtkWidget *self = g_object_new (LK_TYPE_PREFERENCES_WINDOW, "transient-for", parent, "modal", TRUE,
                                  "destroy-with-parent", TRUE, NULL);

  gtk_window_present (GTK_WINDOW (self));
}
