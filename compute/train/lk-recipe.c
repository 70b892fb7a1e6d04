/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-recipe-private.h"

#include <math.h>

#include "lk-error.h"
#include "lk-model.h"

LkRecipe *
lk_recipe_new (void)
{
  LkRecipe *self = g_new0 (LkRecipe, 1);

  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      self->numbers[i] = lk_settings[i].number;
      self->texts[i] = g_strdup (lk_settings[i].text);
    }
  self->data = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->data, NULL);
  self->datasets = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->datasets, NULL);
  return self;
}

void
lk_recipe_free (LkRecipe *self)
{
  if (!self)
    return;
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    g_free (self->texts[i]);
  g_ptr_array_unref (self->data);
  g_ptr_array_unref (self->datasets);
  g_free (self->name);
  g_free (self->created);
  g_free (self->model);
  g_free (self->model_hash);
  g_free (self->adapter);
  g_free (self->data_hash);
  g_free (self);
}

double
lk_recipe_get_number (const LkRecipe *self, LkSettingId id)
{
  return self->numbers[id];
}

gint64
lk_recipe_get_int (const LkRecipe *self, LkSettingId id)
{
  return (gint64) self->numbers[id];
}

gboolean
lk_recipe_get_boolean (const LkRecipe *self, LkSettingId id)
{
  return self->numbers[id] != 0;
}

const char *
lk_recipe_get_text (const LkRecipe *self, LkSettingId id)
{
  return self->texts[id];
}

/* @given: as a person wrote it; NULL: the number. */
static gboolean
lk_recipe_refuse_number (LkSettingId id, double value, const char *given, GError **error)
{
  const LkSetting *s = &lk_settings[id];
  g_autofree char *least = lk_setting_spell_number (s->minimum), *most = lk_setting_spell_number (s->maximum);
  g_autofree char *number = lk_setting_spell_number (value);

  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” must be %s from %s to %s, not %s", s->name,
               s->type == LK_SETTING_INT ? "a whole number" : "a number", least, most, given ? given : number);
  return FALSE;
}

gboolean
_lk_recipe_set_number (LkRecipe *self, LkSettingId id, double value, const char *given, GError **error)
{
  const LkSetting *s = &lk_settings[id];

  if (!(value >= s->minimum && value <= s->maximum) || (s->type == LK_SETTING_INT && value != floor (value)))
    return lk_recipe_refuse_number (id, value, given, error);
  self->numbers[id] = value;
  return TRUE;
}

gboolean
_lk_recipe_set_text (LkRecipe *self, LkSettingId id, const char *value, GError **error)
{
  const LkSetting *s = &lk_settings[id];
  g_autofree char *choices = NULL;

  if (s->choices && !g_strv_contains (s->choices, value))
    {
      choices = g_strjoinv (", ", (char **) s->choices);
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” must be one of %s, not “%s”", s->name,
                   choices, value);
      return FALSE;
    }
  g_free (self->texts[id]);
  self->texts[id] = g_strdup (value);
  return TRUE;
}

gboolean
lk_recipe_set (LkRecipe *self, LkSettingId id, const char *value, GError **error)
{
  const LkSetting *s = &lk_settings[id];
  double number;
  char *end;

  if (lk_setting_is_text (id))
    return _lk_recipe_set_text (self, id, value, error);
  if (s->type == LK_SETTING_BOOL)
    {
      gboolean on = g_strv_contains ((const char *const[]){ "true", "yes", "on", "1", NULL }, value);

      if (!on && !g_strv_contains ((const char *const[]){ "false", "no", "off", "0", NULL }, value))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” must be true or false, not “%s”",
                       s->name, value);
          return FALSE;
        }
      self->numbers[id] = on;
      return TRUE;
    }
  number = g_ascii_strtod (value, &end);
  if (end == value || *end)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” must be a number, not “%s”", s->name,
                   value);
      return FALSE;
    }
  return _lk_recipe_set_number (self, id, number, value, error);
}

LkType
lk_recipe_get_base_type (const LkRecipe *self)
{
  LkType type;

  lk_base_type_parse (self->texts[LK_SETTING_BASE_TYPE], &type, NULL);
  return type;
}

LkPrecision
lk_recipe_get_precision (const LkRecipe *self)
{
  LkPrecision precision;

  lk_precision_parse (self->texts[LK_SETTING_PRECISION], &precision, NULL);
  return precision;
}

gboolean
lk_recipe_set_by_name (LkRecipe *self, const char *name, const char *value, GError **error)
{
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    if (g_str_equal (lk_settings[i].name, name))
      return lk_recipe_set (self, i, value, error);
  g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "There is no setting “%s”", name);
  return FALSE;
}

const char *
lk_recipe_get_name (const LkRecipe *self)
{
  return self->name;
}

const char *
lk_recipe_get_model (const LkRecipe *self)
{
  return self->model;
}

const char *const *
lk_recipe_get_data (const LkRecipe *self)
{
  return (const char *const *) self->data->pdata;
}

void
lk_recipe_set_name (LkRecipe *self, const char *name)
{
  g_free (self->name);
  self->name = g_strdup (name);
}

void
lk_recipe_set_model (LkRecipe *self, const char *path)
{
  g_free (self->model);
  self->model = g_strdup (path);
}

void
lk_recipe_add_data (LkRecipe *self, const char *path)
{
  g_ptr_array_insert (self->data, (int) self->data->len - 1, g_strdup (path));
}

void
_lk_recipe_add_dataset (LkRecipe *self, const char *path)
{
  g_ptr_array_insert (self->datasets, (int) self->datasets->len - 1, g_strdup (path));
}

void
lk_recipe_freeze_data (LkRecipe *self, guint i, const char *copy)
{
  char **slot = (char **) &g_ptr_array_index (self->data, i);

  _lk_recipe_add_dataset (self, *slot);
  g_free (*slot);
  *slot = g_strdup (copy);
}

const char *const *
lk_recipe_get_datasets (const LkRecipe *self)
{
  return (const char *const *) self->datasets->pdata;
}

const char *
lk_recipe_get_adapter (const LkRecipe *self)
{
  return self->adapter;
}

void
lk_recipe_set_adapter (LkRecipe *self, const char *path)
{
  g_free (self->adapter);
  self->adapter = g_strdup (path);
}

const char *
lk_recipe_get_model_hash (const LkRecipe *self)
{
  return self->model_hash;
}

const char *
lk_recipe_get_data_hash (const LkRecipe *self)
{
  return self->data_hash;
}

gint64
lk_recipe_get_created (const LkRecipe *self)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  g_autoptr (GDateTime) created = self->created ? g_date_time_new_from_iso8601 (self->created, zone) : NULL;

  return created ? g_date_time_to_unix (created) : 0;
}

void
lk_recipe_set_hashes (LkRecipe *self, const char *model, const char *data)
{
  g_free (self->model_hash);
  g_free (self->data_hash);
  self->model_hash = g_strdup (model);
  self->data_hash = g_strdup (data);
}

/* The value as a person would write it. (transfer full) */
static char *
lk_recipe_spell (const LkRecipe *self, LkSettingId id)
{
  if (lk_setting_is_text (id))
    return g_strdup (self->texts[id]);
  if (lk_settings[id].type == LK_SETTING_BOOL)
    return g_strdup (self->numbers[id] != 0 ? "true" : "false");
  return lk_setting_spell_number (self->numbers[id]);
}

gboolean
lk_recipe_check_settings (const LkRecipe *self, JsonObject *settings, const char *source, GError **error)
{
  g_autoptr (LkRecipe) other = lk_recipe_new ();

  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      g_autofree char *before = NULL, *now = NULL;

      if (!_lk_recipe_load_setting (other, settings, i, source, error))
        return FALSE;
      if (lk_setting_is_harmless (i)
          || (self->numbers[i] == other->numbers[i] && g_strcmp0 (self->texts[i], other->texts[i]) == 0))
        continue;
      before = lk_recipe_spell (other, i);
      now = lk_recipe_spell (self, i);
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                   "%s: “%s” was %s when the run began and is %s now; a run goes on only as it began", source,
                   lk_settings[i].name, before, now);
      return FALSE;
    }
  return TRUE;
}
