/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-recipe-private.h"

#include <string.h>

#include "lk-config.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"

#define LK_RECIPE_VERSION 1

JsonObject *
lk_recipe_get_settings (const LkRecipe *self)
{
  JsonObject *settings = json_object_new ();

  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      g_autofree char *name = lk_setting_json_name (i);
      lk_setting_put_value (settings, name, i, self->numbers[i], self->texts[i]);
    }
  return settings;
}

/* (transfer full) */
static char *
lk_recipe_now (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  return g_date_time_format_iso8601 (now);
}

gboolean
lk_recipe_save (const LkRecipe *self, const char *path, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *created = self->created ? g_strdup (self->created) : lk_recipe_now ();
  g_autofree char *text = NULL;
  JsonObject *top = json_object_new ();
  JsonArray *data = json_array_new ();

  json_node_take_object (node, top);
  json_object_set_int_member (top, "version", LK_RECIPE_VERSION);
  json_object_set_string_member (top, "name", self->name ? self->name : "");
  json_object_set_string_member (top, "created", created);
  json_object_set_string_member (top, "engine", LK_VERSION);
  json_object_set_string_member (top, "model", self->model ? self->model : "");
  if (self->model_hash)
    json_object_set_string_member (top, "model_sha256", self->model_hash);
  if (self->adapter)
    json_object_set_string_member (top, "adapter", self->adapter);
  for (guint i = 0; i + 1 < self->data->len; i++)
    json_array_add_string_element (data, g_ptr_array_index (self->data, i));
  json_object_set_array_member (top, "data", data);
  if (self->data_hash)
    json_object_set_string_member (top, "data_sha256", self->data_hash);
  if (self->datasets->len > 1)
    {
      JsonArray *datasets = json_array_new ();

      for (guint i = 0; i + 1 < self->datasets->len; i++)
        json_array_add_string_element (datasets, g_ptr_array_index (self->datasets, i));
      json_object_set_array_member (top, "datasets", datasets);
    }
  json_object_set_object_member (top, "settings", lk_recipe_get_settings (self));
  text = lk_json_to_string (node, TRUE);
  return lk_file_write (path, text, -1, error);
}

gboolean
_lk_recipe_load_setting (LkRecipe *self, JsonObject *settings, LkSettingId id, const char *path,
                        GError **error)
{
  g_autofree char *name = lk_setting_json_name (id);
  double number = self->numbers[id];
  const char *text = self->texts[id];
  gboolean boolean = number != 0;

  if (lk_setting_is_text (id))
    return lk_json_get_string (settings, name, path, &text, error)
           && (text == self->texts[id] || _lk_recipe_set_text (self, id, text, error));
  if (lk_settings[id].type == LK_SETTING_BOOL)
    {
      if (!lk_json_get_boolean (settings, name, path, &boolean, error))
        return FALSE;
      self->numbers[id] = boolean;
      return TRUE;
    }
  return lk_json_get_double (settings, name, path, &number, error)
         && _lk_recipe_set_number (self, id, number, NULL, error);
}

/* Settings nobody knows are an error: a misspelt one must not be ignored. */
static gboolean
lk_recipe_check_names (JsonObject *settings, const char *path, GError **error)
{
  JsonObjectIter iter;
  const char *member;

  json_object_iter_init (&iter, settings);
  while (json_object_iter_next (&iter, &member, NULL))
    {
      gboolean known = FALSE;

      for (guint i = 0; i < LK_N_SETTINGS && !known; i++)
        {
          g_autofree char *name = lk_setting_json_name (i);
          known = g_str_equal (name, member);
        }
      if (!known)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: there is no setting “%s”", path, member);
          return FALSE;
        }
    }
  return TRUE;
}

/* Texts of @list (may be NULL) through @add; others are left out. */
static void
lk_recipe_load_paths (LkRecipe *self, JsonArray *list, void (*add) (LkRecipe *self, const char *path))
{
  for (guint i = 0; list && i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        add (self, json_node_get_string (node));
    }
}

static gboolean
lk_recipe_load_data (LkRecipe *self, JsonArray *data, const char *path, GError **error)
{
  lk_recipe_load_paths (self, data, lk_recipe_add_data);
  if (self->data->len > 1 && self->data->len == json_array_get_length (data) + 1)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
               "%s: “data” must list the paths of one dataset file or several", path);
  return FALSE;
}

LkRecipe *
lk_recipe_load (const char *path, GError **error)
{
  g_autoptr (LkRecipe) self = lk_recipe_new ();
  g_autoptr (JsonObject) top = lk_json_load_object (path, 16 << 20, error);
  const char *name = NULL, *created = NULL, *model = NULL, *model_hash = NULL, *data_hash = NULL, *adapter = NULL;
  JsonObject *settings = NULL;
  JsonArray *data = NULL, *datasets = NULL;
  gint64 version = LK_RECIPE_VERSION;

  if (!top || !lk_json_get_int (top, "version", path, &version, error)
      || !lk_json_get_string (top, "name", path, &name, error)
      || !lk_json_get_string (top, "created", path, &created, error)
      || !lk_json_get_string (top, "model", path, &model, error)
      || !lk_json_get_string (top, "model_sha256", path, &model_hash, error)
      || !lk_json_get_string (top, "data_sha256", path, &data_hash, error)
      || !lk_json_get_string (top, "adapter", path, &adapter, error)
      || !lk_json_get_array (top, "data", path, &data, error)
      || !lk_json_get_array (top, "datasets", path, &datasets, error)
      || !lk_json_get_object (top, "settings", path, &settings, error))
    return NULL;
  if (version != LK_RECIPE_VERSION)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "%s: “version” is %" G_GINT64_FORMAT "; this program reads version %d", path, version,
                   LK_RECIPE_VERSION);
      return NULL;
    }
  if (!model || !data)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “model” or “data” is missing", path);
      return NULL;
    }
  if (!lk_recipe_load_data (self, data, path, error))
    return NULL;
  lk_recipe_load_paths (self, datasets, _lk_recipe_add_dataset);
  lk_recipe_set_name (self, name);
  self->created = created ? g_strdup (created) : lk_recipe_now ();
  lk_recipe_set_model (self, model);
  lk_recipe_set_adapter (self, adapter);
  lk_recipe_set_hashes (self, model_hash, data_hash);
  if (settings && !lk_recipe_check_names (settings, path, error))
    return NULL;
  for (guint i = 0; settings && i < LK_N_SETTINGS; i++)
    if (!_lk_recipe_load_setting (self, settings, i, path, error))
      {
        if (error && !strstr ((*error)->message, path))
          g_prefix_error (error, "%s: ", path);
        if (error && g_error_matches (*error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT))
          (*error)->code = LK_ERROR_BAD_FILE; /* nobody typed it */
        return NULL;
      }
  return g_steal_pointer (&self);
}
