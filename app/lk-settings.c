/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-settings.h"

#include "lk-app-config.h"
#include "lk-config.h"
#include "lk-paths.h"

struct _LkSettings
{
  GObject parent_instance;

  GSettings *settings; /* NULL when the schema is nowhere: the defaults below then hold for this start */
  int width;
  int height;
  gboolean maximized;
  gboolean show_sidebar;
  char *last_model;
  char *last_folder;
  char *runs_folder;
  char **known_runs_folders;
  char *models_folder;
  char *device;
  char *color_scheme;
  gboolean notifications;
};

enum
{
  PROP_0,
  PROP_WINDOW_WIDTH,
  PROP_WINDOW_HEIGHT,
  PROP_WINDOW_MAXIMIZED,
  PROP_SHOW_SIDEBAR,
  PROP_LAST_MODEL,
  PROP_LAST_FOLDER,
  PROP_KNOWN_RUNS_FOLDERS, /* bound before the one that adds to it */
  PROP_RUNS_FOLDER,
  PROP_MODELS_FOLDER,
  PROP_DEVICE,
  PROP_COLOR_SCHEME,
  PROP_NOTIFICATIONS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSettings, lk_settings, G_TYPE_OBJECT)

static GSettings *
open_settings (void)
{
  GSettingsSchemaSource *installed = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchemaSource) built = NULL;
  g_autoptr (GSettingsSchema) schema = NULL;

  if (installed != NULL)
    schema = g_settings_schema_source_lookup (installed, LK_APP_ID, TRUE);
  if (schema == NULL && g_file_test (LK_BUILD_SCHEMA_DIR, G_FILE_TEST_IS_DIR))
    {
      built = g_settings_schema_source_new_from_directory (LK_BUILD_SCHEMA_DIR, installed, FALSE, NULL);
      if (built != NULL)
        schema = g_settings_schema_source_lookup (built, LK_APP_ID, FALSE);
    }
  return schema != NULL ? g_settings_new_full (schema, NULL, NULL) : NULL;
}

static void
lk_settings_constructed (GObject *object)
{
  LkSettings *self = LK_SETTINGS (object);

  G_OBJECT_CLASS (lk_settings_parent_class)->constructed (object);
  self->settings = open_settings ();
  if (self->settings == NULL)
    {
      g_message ("The settings schema is not installed; changes of this window will not be remembered.");
      return;
    }
  for (guint i = 1; i < N_PROPS; i++)
    g_settings_bind (self->settings, properties[i]->name, self, properties[i]->name, G_SETTINGS_BIND_DEFAULT);
}

static void
lk_settings_finalize (GObject *object)
{
  LkSettings *self = LK_SETTINGS (object);

  g_clear_object (&self->settings);
  g_clear_pointer (&self->last_model, g_free);
  g_clear_pointer (&self->last_folder, g_free);
  g_clear_pointer (&self->runs_folder, g_free);
  g_clear_pointer (&self->known_runs_folders, g_strfreev);
  g_clear_pointer (&self->models_folder, g_free);
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->color_scheme, g_free);
  G_OBJECT_CLASS (lk_settings_parent_class)->finalize (object);
}

static void
lk_settings_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkSettings *self = LK_SETTINGS (object);

  switch (id)
    {
    case PROP_WINDOW_WIDTH: g_value_set_int (value, self->width); break;
    case PROP_WINDOW_HEIGHT: g_value_set_int (value, self->height); break;
    case PROP_WINDOW_MAXIMIZED: g_value_set_boolean (value, self->maximized); break;
    case PROP_SHOW_SIDEBAR: g_value_set_boolean (value, self->show_sidebar); break;
    case PROP_LAST_MODEL: g_value_set_string (value, self->last_model); break;
    case PROP_LAST_FOLDER: g_value_set_string (value, self->last_folder); break;
    case PROP_RUNS_FOLDER: g_value_set_string (value, self->runs_folder); break;
    case PROP_KNOWN_RUNS_FOLDERS: g_value_set_boxed (value, self->known_runs_folders); break;
    case PROP_MODELS_FOLDER: g_value_set_string (value, self->models_folder); break;
    case PROP_DEVICE: g_value_set_string (value, self->device); break;
    case PROP_COLOR_SCHEME: g_value_set_string (value, self->color_scheme); break;
    case PROP_NOTIFICATIONS: g_value_set_boolean (value, self->notifications); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static gboolean
replace_string (char **slot, const GValue *value)
{
  if (g_strcmp0 (*slot, g_value_get_string (value)) == 0)
    return FALSE;
  g_free (*slot);
  *slot = g_value_dup_string (value);
  return TRUE;
}

static gboolean
replace_list (char ***slot, const GValue *value)
{
  const char *const none[] = { NULL };
  const char *const *list = g_value_get_boxed (value) != NULL ? g_value_get_boxed (value) : none;

  if (g_strv_equal ((const char *const *) *slot, list))
    return FALSE;
  g_strfreev (*slot);
  *slot = g_strdupv ((char **) list);
  return TRUE;
}

/* Runs that lie where new ones went before are still somebody's. */
static void
remember_runs_folder (LkSettings *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  lk_paths_set_runs_dir (self->runs_folder);
  if (self->runs_folder[0] == 0
      || g_strv_contains ((const char *const *) self->known_runs_folders, self->runs_folder))
    return;
  g_strv_builder_addv (builder, (const char **) self->known_runs_folders);
  g_strv_builder_add (builder, self->runs_folder);
  list = g_strv_builder_end (builder);
  g_object_set (self, "known-runs-folders", list, NULL);
}

#define REPLACE(slot, new_value) ((slot) != (new_value) ? ((slot) = (new_value), TRUE) : FALSE)

static void
lk_settings_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkSettings *self = LK_SETTINGS (object);
  gboolean changed = FALSE;

  switch (id)
    {
    case PROP_WINDOW_WIDTH: changed = REPLACE (self->width, g_value_get_int (value)); break;
    case PROP_WINDOW_HEIGHT: changed = REPLACE (self->height, g_value_get_int (value)); break;
    case PROP_WINDOW_MAXIMIZED: changed = REPLACE (self->maximized, g_value_get_boolean (value)); break;
    case PROP_SHOW_SIDEBAR: changed = REPLACE (self->show_sidebar, g_value_get_boolean (value)); break;
    case PROP_LAST_MODEL: changed = replace_string (&self->last_model, value); break;
    case PROP_LAST_FOLDER: changed = replace_string (&self->last_folder, value); break;
    case PROP_RUNS_FOLDER:
      changed = replace_string (&self->runs_folder, value);
      remember_runs_folder (self);
      break;
    case PROP_KNOWN_RUNS_FOLDERS:
      changed = replace_list (&self->known_runs_folders, value);
      for (guint i = 0; self->known_runs_folders[i] != NULL; i++)
        lk_paths_know_runs_dir (self->known_runs_folders[i]);
      break;
    case PROP_MODELS_FOLDER:
      changed = replace_string (&self->models_folder, value);
      lk_paths_set_models_dir (self->models_folder);
      break;
    case PROP_DEVICE: changed = replace_string (&self->device, value); break;
    case PROP_COLOR_SCHEME: changed = replace_string (&self->color_scheme, value); break;
    case PROP_NOTIFICATIONS: changed = REPLACE (self->notifications, g_value_get_boolean (value)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
  if (changed)
    g_object_notify_by_pspec (object, pspec);
}

static void
lk_settings_class_init (LkSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->constructed = lk_settings_constructed;
  object_class->finalize = lk_settings_finalize;
  object_class->get_property = lk_settings_get_property;
  object_class->set_property = lk_settings_set_property;
  properties[PROP_WINDOW_WIDTH] = g_param_spec_int ("window-width", NULL, NULL, 0, G_MAXINT, 1180, flags);
  properties[PROP_WINDOW_HEIGHT] = g_param_spec_int ("window-height", NULL, NULL, 0, G_MAXINT, 760, flags);
  properties[PROP_WINDOW_MAXIMIZED] = g_param_spec_boolean ("window-maximized", NULL, NULL, FALSE, flags);
  properties[PROP_SHOW_SIDEBAR] = g_param_spec_boolean ("show-sidebar", NULL, NULL, TRUE, flags);
  properties[PROP_LAST_MODEL] = g_param_spec_string ("last-model", NULL, NULL, "", flags);
  properties[PROP_LAST_FOLDER] = g_param_spec_string ("last-folder", NULL, NULL, "", flags);
  properties[PROP_KNOWN_RUNS_FOLDERS] = g_param_spec_boxed ("known-runs-folders", NULL, NULL, G_TYPE_STRV, flags);
  properties[PROP_RUNS_FOLDER] = g_param_spec_string ("runs-folder", NULL, NULL, "", flags);
  properties[PROP_MODELS_FOLDER] = g_param_spec_string ("models-folder", NULL, NULL, "", flags);
  properties[PROP_DEVICE] = g_param_spec_string ("device", NULL, NULL, "auto", flags);
  properties[PROP_COLOR_SCHEME] = g_param_spec_string ("color-scheme", NULL, NULL, "system", flags);
  properties[PROP_NOTIFICATIONS] = g_param_spec_boolean ("notifications", NULL, NULL, TRUE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_settings_init (LkSettings *self)
{
  self->width = 1180;
  self->height = 760;
  self->show_sidebar = TRUE;
  self->last_model = g_strdup ("");
  self->last_folder = g_strdup ("");
  self->runs_folder = g_strdup ("");
  self->known_runs_folders = g_new0 (char *, 1);
  self->models_folder = g_strdup ("");
  self->device = g_strdup ("auto");
  self->color_scheme = g_strdup ("system");
  self->notifications = TRUE;
}

LkSettings *
lk_settings_get_default (void)
{
  static LkSettings *settings = NULL;

  if (settings == NULL)
    settings = g_object_new (LK_TYPE_SETTINGS, NULL);
  return settings;
}

int
lk_settings_get_window_width (LkSettings *self)
{
  return self->width;
}

int
lk_settings_get_window_height (LkSettings *self)
{
  return self->height;
}

gboolean
lk_settings_get_window_maximized (LkSettings *self)
{
  return self->maximized;
}

char *
lk_settings_get_last_model (LkSettings *self)
{
  return g_strdup (self->last_model);
}

const char *
lk_settings_get_device (LkSettings *self)
{
  return self->device != NULL && self->device[0] != 0 ? self->device : "auto";
}

const char *
lk_settings_get_color_scheme (LkSettings *self)
{
  return self->color_scheme;
}

gboolean
lk_settings_get_notifications (LkSettings *self)
{
  return self->notifications;
}
