/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-recipe.h"

#include <math.h>
#include <string.h>

#include "lk-config.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-model.h"
#include "lk-schedule.h"

#define LK_RECIPE_VERSION 1
#define LK_WHOLE_MAX 9007199254740991.0 /* up to here a double tells every whole number from the next */

/* The window translates them. */
#define N_(text) text

static const char *const recompute_choices[] = { "auto", "none", "all", NULL };

const LkSetting lk_settings[LK_N_SETTINGS] = {
  [LK_SETTING_RANK] = { "rank", N_ ("Rank"), LK_SETTING_INT, 16, 1, 1024, NULL, NULL, NULL,
                        N_ ("How much the adapter can learn: 8 to 32 for a style or format, more for new skills."),
                        N_ ("Adapter"), FALSE },
  [LK_SETTING_ALPHA]
  = { "alpha", N_ ("Alpha"), LK_SETTING_DOUBLE, 32, 0.001, 10000, NULL, NULL, NULL,
      N_ ("How strongly the adapter acts: its output is multiplied by alpha divided by rank."), N_ ("Adapter"), TRUE },
  [LK_SETTING_DROPOUT]
  = { "dropout", N_ ("Dropout"), LK_SETTING_DOUBLE, 0, 0, 0.9, NULL, NULL, NULL,
      N_ ("Share of the adapter's inputs left out at random in each step, against learning by heart."), N_ ("Adapter"),
      TRUE },
  [LK_SETTING_RSLORA]
  = { "rslora", N_ ("Rank-stabilised scale"), LK_SETTING_BOOL, 0, 0, 1, NULL, NULL, NULL,
      N_ ("Divide alpha by the square root of the rank, which suits ranks above 64."), N_ ("Adapter"), TRUE },
  [LK_SETTING_TARGETS]
  = { "targets", N_ ("Adapted layers"), LK_SETTING_STRING, 0, 0, 0, "all", NULL, NULL,
      N_ ("“all”, or names and patterns of linear layers, apart by commas: q_proj,v_proj or model.layers.2*."),
      N_ ("Adapter"), TRUE },
  [LK_SETTING_LEARNING_RATE]
  = { "learning-rate", N_ ("Learning rate"), LK_SETTING_DOUBLE, 2e-4, 0, 1, NULL, NULL, NULL,
      N_ ("Size of each correction; too large and the loss jumps, too small and nothing is learned."), N_ ("Training"),
      FALSE },
  [LK_SETTING_SCHEDULE] = { "schedule", N_ ("Schedule"), LK_SETTING_CHOICE, 0, 0, 0, "cosine", lk_schedule_names,
                            NULL, N_ ("How the learning rate falls after the warm-up."), N_ ("Training"), TRUE },
  [LK_SETTING_WARMUP]
  = { "warmup", N_ ("Warm-up"), LK_SETTING_DOUBLE, 0.03, 0, 100000, NULL, NULL, NULL,
      N_ ("Steps over which the rate rises from zero; below 1 it is a share of all steps."), N_ ("Training"), TRUE },
  [LK_SETTING_EPOCHS] = { "epochs", N_ ("Epochs"), LK_SETTING_DOUBLE, 3, 0.01, 1000, NULL, NULL, NULL,
                          N_ ("How many times the model sees the whole dataset."), N_ ("Training"), FALSE },
  [LK_SETTING_STEPS]
  = { "steps", N_ ("Steps"), LK_SETTING_INT, 0, 0, 10000000, NULL, NULL, NULL,
      N_ ("Stop after this many steps instead of counting epochs; 0 counts epochs."), N_ ("Training"), TRUE },
  [LK_SETTING_BATCH] = { "batch", N_ ("Batch"), LK_SETTING_INT, 2, 1, 4096, NULL, NULL, "examples",
                         N_ ("Examples of a batch."), N_ ("Training"), TRUE },
  [LK_SETTING_ACCUMULATION]
  = { "accumulation", N_ ("Accumulation"), LK_SETTING_INT, 4, 1, 4096, NULL, NULL, "batches",
      N_ ("Batches whose gradients are added up before a correction; the result is that of one large batch."),
      N_ ("Training"), TRUE },
  [LK_SETTING_LENGTH] = { "length", N_ ("Length limit"), LK_SETTING_INT, 2048, 8, 1048576, NULL, NULL, "tokens",
                          N_ ("Longest row; what is longer is cut and reported."), N_ ("Data"), TRUE },
  [LK_SETTING_PACKING]
  = { "packing", N_ ("Packing"), LK_SETTING_BOOL, 1, 0, 1, NULL, NULL, NULL,
      N_ ("Put several short examples into one row, each seeing only itself: faster, the same result."), N_ ("Data"),
      TRUE },
  [LK_SETTING_HELD_OUT]
  = { "held-out", N_ ("Held-out share"), LK_SETTING_DOUBLE, 0.05, 0, 0.5, NULL, NULL, NULL,
      N_ ("Share of rows never trained on, to see whether the model learns or only remembers; at least 16 rows."),
      N_ ("Evaluation"), TRUE },
  [LK_SETTING_EVAL_INTERVAL]
  = { "eval-interval", N_ ("Evaluate every"), LK_SETTING_INT, 0, 0, 1000000, NULL, NULL, "steps",
      N_ ("Steps between measurements of the held-out loss; 0 chooses about twelve in a run."), N_ ("Evaluation"),
      TRUE },
  [LK_SETTING_PATIENCE]
  = { "patience", N_ ("Patience"), LK_SETTING_INT, 0, 0, 1000, NULL, NULL, "evaluations",
      N_ ("Stop when the held-out loss has not improved for this many measurements; 0 never stops early."),
      N_ ("Evaluation"), TRUE },
  [LK_SETTING_CHECKPOINT_INTERVAL]
  = { "checkpoint-interval", N_ ("Checkpoint every"), LK_SETTING_INT, 0, 0, 1000000, NULL, NULL, "steps",
      N_ ("Steps between checkpoints to go on from; 0 chooses about six in a run."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_KEEP_CHECKPOINTS]
  = { "keep-checkpoints", N_ ("Checkpoints kept"), LK_SETTING_INT, 2, 2, 1000, NULL, NULL, NULL,
      N_ ("The newest ones that stay on the disk, besides the best."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_SAMPLES]
  = { "samples", N_ ("Sample answers"), LK_SETTING_INT, 2, 0, 16, NULL, NULL, NULL,
      N_ ("Held-out questions answered at each measurement, to watch what changes."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_WEIGHT_DECAY] = { "weight-decay", N_ ("Weight decay"), LK_SETTING_DOUBLE, 0.01, 0, 1, NULL, NULL,
                                NULL, N_ ("Pull of the adapter's weights towards zero."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_BETA1] = { "beta1", N_ ("Beta 1"), LK_SETTING_DOUBLE, 0.9, 0, 0.9999, NULL, NULL, NULL,
                         N_ ("Memory of AdamW's average gradient."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_BETA2] = { "beta2", N_ ("Beta 2"), LK_SETTING_DOUBLE, 0.999, 0, 0.999999, NULL, NULL, NULL,
                         N_ ("Memory of AdamW's average squared gradient."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_EPS] = { "eps", N_ ("Epsilon"), LK_SETTING_DOUBLE, 1e-8, 1e-12, 1, NULL, NULL, NULL,
                       N_ ("Smallest divisor of AdamW."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_MAX_NORM]
  = { "max-norm", N_ ("Gradient limit"), LK_SETTING_DOUBLE, 1, 0, 1000, NULL, NULL, NULL,
      N_ ("Gradients longer than this are shortened to it; 0 leaves them alone."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_SEED]
  = { "seed", N_ ("Seed"), LK_SETTING_INT, 42, 0, LK_WHOLE_MAX, NULL, NULL, NULL,
      N_ ("The same seed gives the same run, bit for bit, on the same device."), N_ ("Machine"), TRUE },
  [LK_SETTING_BASE_TYPE]
  = { "base-type", N_ ("Model weights"), LK_SETTING_CHOICE, 0, 0, 0, "stored", lk_base_type_names, NULL,
      N_ ("What linear weights stored as F32, F16 or BF16 are held as: nf4 takes 4.13 bits each, q8_0 8.5, q4_0 4.5."),
      N_ ("Machine"), TRUE },
  [LK_SETTING_RECOMPUTE]
  = { "recompute", N_ ("Recompute layers"), LK_SETTING_CHOICE, 0, 0, 0, "auto", recompute_choices, NULL,
      N_ ("Compute layers twice instead of keeping what they made: slower, but needs far less memory."), N_ ("Machine"),
      TRUE },
  [LK_SETTING_DEVICE]
  = { "device", N_ ("Device"), LK_SETTING_STRING, 0, 0, 0, "auto", NULL, NULL,
      N_ ("auto, cpu, vulkan or vulkan:N as “lorikeet-cli devices” lists them."), N_ ("Machine"), TRUE },
};

struct _LkRecipe
{
  double numbers[LK_N_SETTINGS];
  char *texts[LK_N_SETTINGS];
  char *name, *created, *model, *model_hash, *data_hash, *adapter;
  GPtrArray *data, *datasets; /* NULL-terminated */
};

/* Whole numbers with all their digits, others shortly: 1048576, 0.0002, 1e-08. (transfer full) */
static char *
lk_setting_spell_number (double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean whole = fabs (value) < 1e16 && value == floor (value);

  return g_strdup (g_ascii_formatd (number, sizeof number, whole ? "%.0f" : "%.10g", value));
}

static gboolean
lk_setting_is_text (LkSettingId id)
{
  return lk_settings[id].type == LK_SETTING_CHOICE || lk_settings[id].type == LK_SETTING_STRING;
}

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

static gboolean
lk_recipe_set_number (LkRecipe *self, LkSettingId id, double value, const char *given, GError **error)
{
  const LkSetting *s = &lk_settings[id];

  if (!(value >= s->minimum && value <= s->maximum) || (s->type == LK_SETTING_INT && value != floor (value)))
    return lk_recipe_refuse_number (id, value, given, error);
  self->numbers[id] = value;
  return TRUE;
}

static gboolean
lk_recipe_set_text (LkRecipe *self, LkSettingId id, const char *value, GError **error)
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
    return lk_recipe_set_text (self, id, value, error);
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
  return lk_recipe_set_number (self, id, number, value, error);
}

LkType
lk_recipe_get_base_type (const LkRecipe *self)
{
  LkType type;

  lk_base_type_parse (self->texts[LK_SETTING_BASE_TYPE], &type, NULL);
  return type;
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

static void
lk_recipe_add_dataset (LkRecipe *self, const char *path)
{
  g_ptr_array_insert (self->datasets, (int) self->datasets->len - 1, g_strdup (path));
}

void
lk_recipe_freeze_data (LkRecipe *self, guint i, const char *copy)
{
  char **slot = (char **) &g_ptr_array_index (self->data, i);

  lk_recipe_add_dataset (self, *slot);
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

/* "learning-rate" → "learning_rate". (transfer full) */
static char *
lk_setting_json_name (LkSettingId id)
{
  return g_strdelimit (g_strdup (lk_settings[id].name), "-", '_');
}

static void
lk_setting_put_value (JsonObject *object, const char *member, LkSettingId id, double number, const char *text)
{
  if (lk_setting_is_text (id))
    json_object_set_string_member (object, member, text);
  else if (lk_settings[id].type == LK_SETTING_BOOL)
    json_object_set_boolean_member (object, member, number != 0);
  else if (lk_settings[id].type == LK_SETTING_INT)
    json_object_set_int_member (object, member, (gint64) number);
  else
    json_object_set_double_member (object, member, number);
}

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

static gboolean
lk_recipe_load_setting (LkRecipe *self, JsonObject *settings, LkSettingId id, const char *path,
                        GError **error)
{
  g_autofree char *name = lk_setting_json_name (id);
  double number = self->numbers[id];
  const char *text = self->texts[id];
  gboolean boolean = number != 0;

  if (lk_setting_is_text (id))
    return lk_json_get_string (settings, name, path, &text, error)
           && (text == self->texts[id] || lk_recipe_set_text (self, id, text, error));
  if (lk_settings[id].type == LK_SETTING_BOOL)
    {
      if (!lk_json_get_boolean (settings, name, path, &boolean, error))
        return FALSE;
      self->numbers[id] = boolean;
      return TRUE;
    }
  return lk_json_get_double (settings, name, path, &number, error)
         && lk_recipe_set_number (self, id, number, NULL, error);
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
  lk_recipe_load_paths (self, datasets, lk_recipe_add_dataset);
  lk_recipe_set_name (self, name);
  self->created = created ? g_strdup (created) : lk_recipe_now ();
  lk_recipe_set_model (self, model);
  lk_recipe_set_adapter (self, adapter);
  lk_recipe_set_hashes (self, model_hash, data_hash);
  if (settings && !lk_recipe_check_names (settings, path, error))
    return NULL;
  for (guint i = 0; settings && i < LK_N_SETTINGS; i++)
    if (!lk_recipe_load_setting (self, settings, i, path, error))
      {
        if (error && !strstr ((*error)->message, path))
          g_prefix_error (error, "%s: ", path);
        if (error && g_error_matches (*error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT))
          (*error)->code = LK_ERROR_BAD_FILE; /* nobody typed it */
        return NULL;
      }
  return g_steal_pointer (&self);
}

char *
lk_recipe_describe (void)
{
  static const char *const types[] = { "int", "double", "bool", "choice", "string" };
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *top = json_object_new ();
  JsonArray *list = json_array_new ();

  json_node_take_object (node, top);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      const LkSetting *s = &lk_settings[i];
      g_autofree char *name = lk_setting_json_name (i);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "name", name);
      json_object_set_string_member (one, "option", s->name);
      json_object_set_string_member (one, "label", s->label);
      json_object_set_string_member (one, "type", types[s->type]);
      lk_setting_put_value (one, "default", i, s->number, s->text);
      if (s->type == LK_SETTING_INT || s->type == LK_SETTING_DOUBLE)
        {
          json_object_set_double_member (one, "minimum", s->minimum);
          json_object_set_double_member (one, "maximum", s->maximum);
        }
      if (s->choices)
        {
          JsonArray *choices = json_array_new ();
          for (guint k = 0; s->choices[k]; k++)
            json_array_add_string_element (choices, s->choices[k]);
          json_object_set_array_member (one, "choices", choices);
        }
      if (s->unit)
        json_object_set_string_member (one, "unit", s->unit);
      json_object_set_string_member (one, "help", s->help);
      json_object_set_string_member (one, "group", s->group);
      json_object_set_boolean_member (one, "advanced", s->advanced);
      json_array_add_object_element (list, one);
    }
  json_object_set_array_member (top, "settings", list);
  return lk_json_to_string (node, FALSE);
}

/* These change what is kept, shown or computed on, or how long, not what is computed. */
static gboolean
lk_setting_is_harmless (LkSettingId id)
{
  static const LkSettingId harmless[] = { LK_SETTING_KEEP_CHECKPOINTS, LK_SETTING_CHECKPOINT_INTERVAL,
                                          LK_SETTING_SAMPLES, LK_SETTING_DEVICE, LK_SETTING_RECOMPUTE,
                                          LK_SETTING_EPOCHS, LK_SETTING_STEPS };

  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    if (harmless[i] == id)
      return TRUE;
  return FALSE;
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

      if (!lk_recipe_load_setting (other, settings, i, source, error))
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
