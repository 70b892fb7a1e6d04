/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-settings.h"

#include "lk-app-config.h"
#include "lk-config.h"

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
