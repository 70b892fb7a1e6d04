/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-draft.h"

#include <glib/gi18n-lib.h>

#include "lk-config.h"
#include "lk-engine.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-settings.h"
#include "lk-words.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define PRESET_LIMIT (1024 * 1024)

struct _LkDraft
{
  GObject parent_instance;

  char *name;
  gboolean name_given; /* by the user; otherwise it follows the dataset */
  char *model;
  char *data;
  char *adapter; /* NULL: none */
  char *adapter_text;
  GListStore *settings;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_MODEL,
  PROP_DATA,
  PROP_SETTINGS,
  PROP_LOADED,
  PROP_READY,
  PROP_CHANGED_TEXT,
  PROP_ADAPTER_TEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint changed_signal;

G_DEFINE_FINAL_TYPE (LkDraft, lk_draft, G_TYPE_OBJECT)

static void
lk_draft_finalize (GObject *object)
{
  LkDraft *self = LK_DRAFT (object);

  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->data, g_free);
  g_clear_pointer (&self->adapter, g_free);
  g_clear_pointer (&self->adapter_text, g_free);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (lk_draft_parent_class)->finalize (object);
}

static char *
changed_text (LkDraft *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->settings));
  guint changed = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkOption) setting = g_list_model_get_item (G_LIST_MODEL (self->settings), i);

      changed += lk_option_is_changed (setting);
    }
  if (changed == 0)
    return NULL;
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u setting differs from the defaults",
                                       "%u settings differ from the defaults", changed),
                          changed);
}

static void
lk_draft_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDraft *self = LK_DRAFT (object);

  switch (id)
    {
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_MODEL: g_value_set_string (value, self->model); break;
    case PROP_DATA: g_value_set_string (value, self->data); break;
    case PROP_SETTINGS: g_value_set_object (value, self->settings); break;
    case PROP_LOADED:
      g_value_set_boolean (value, g_list_model_get_n_items (G_LIST_MODEL (self->settings)) > 0);
      break;
    case PROP_READY: g_value_set_boolean (value, lk_draft_is_ready (self)); break;
    case PROP_CHANGED_TEXT: g_value_take_string (value, changed_text (self)); break;
    case PROP_ADAPTER_TEXT: g_value_set_string (value, self->adapter_text); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_draft_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkDraft *self = LK_DRAFT (object);

  switch (id)
    {
    case PROP_NAME: lk_draft_set_name (self, g_value_get_string (value)); break;
    case PROP_MODEL: lk_draft_set_model (self, g_value_get_string (value)); break;
    case PROP_DATA: lk_draft_set_data (self, g_value_get_string (value)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_draft_class_init (LkDraftClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags read = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_draft_finalize;
  object_class->get_property = lk_draft_get_property;
  object_class->set_property = lk_draft_set_property;
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, both);
  properties[PROP_MODEL] = g_param_spec_string ("model", NULL, NULL, NULL, both);
  properties[PROP_DATA] = g_param_spec_string ("data", NULL, NULL, NULL, both);
  properties[PROP_SETTINGS] = g_param_spec_object ("settings", NULL, NULL, G_TYPE_LIST_MODEL, read);
  properties[PROP_LOADED] = g_param_spec_boolean ("loaded", NULL, NULL, FALSE, read);
  properties[PROP_READY] = g_param_spec_boolean ("ready", NULL, NULL, FALSE, read);
  properties[PROP_CHANGED_TEXT] = g_param_spec_string ("changed-text", NULL, NULL, NULL, read);
  properties[PROP_ADAPTER_TEXT] = g_param_spec_string ("adapter-text", NULL, NULL, NULL, read);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  changed_signal
      = g_signal_new ("changed", LK_TYPE_DRAFT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
say_changed (LkDraft *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_READY]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHANGED_TEXT]);
  g_signal_emit (self, changed_signal, 0);
}

static void
lk_draft_init (LkDraft *self)
{
  self->settings = g_list_store_new (LK_TYPE_OPTION);
  g_signal_connect_object (lk_settings_get_default (), "notify::device", G_CALLBACK (say_changed), self, G_CONNECT_SWAPPED);
  self->name = g_strdup ("");
}

LkDraft *
lk_draft_new (void)
{
  return g_object_new (LK_TYPE_DRAFT, NULL);
}

gboolean
lk_draft_load_from_json (LkDraft *self, JsonNode *node, GError **error)
{
  g_autoptr (GPtrArray) settings = g_ptr_array_new_with_free_func (g_object_unref);
  JsonArray *array = NULL;

  if (!lk_json_get_array (json_node_get_object (node), "settings", _ ("the engine's settings"), &array, error)
      || array == NULL)
    {
      if (error != NULL && *error == NULL)
        g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED, _ ("The engine did not list its settings."));
      return FALSE;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);
      LkOption *setting
          = JSON_NODE_HOLDS_OBJECT (element) ? lk_option_new (json_node_get_object (element), error) : NULL;

      if (setting == NULL)
        return FALSE;
      g_signal_connect_object (setting, "notify::value", G_CALLBACK (say_changed), self, G_CONNECT_SWAPPED);
      g_ptr_array_add (settings, setting);
    }
  g_list_store_splice (self->settings, 0, g_list_model_get_n_items (G_LIST_MODEL (self->settings)),
                       settings->pdata, settings->len);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOADED]);
  say_changed (self);
  return TRUE;
}

static void
described_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (node != NULL && lk_draft_load_from_json (g_task_get_source_object (task), node, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

void
lk_draft_load_async (LkDraft *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  static const char *const arguments[] = { "train", "--describe", "--json", NULL };
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, lk_draft_load_async);
  lk_engine_call_async (arguments, cancellable, described_cb, task);
}

gboolean
lk_draft_load_finish (LkDraft *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

GListModel *
lk_draft_get_settings (LkDraft *self)
{
  return G_LIST_MODEL (self->settings);
}

LkOption *
lk_draft_find (LkDraft *self, const char *name)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->settings));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkOption) setting = g_list_model_get_item (G_LIST_MODEL (self->settings), i);

      if (g_str_equal (lk_option_get_name (setting), name))
        return setting;
    }
  return NULL;
}

const char *
lk_draft_get_name (LkDraft *self)
{
  return self->name;
}

const char *
lk_draft_get_model (LkDraft *self)
{
  return self->model;
}

const char *
lk_draft_get_data (LkDraft *self)
{
  return self->data;
}

static gboolean
replace (char **slot, const char *text)
{
  if (g_strcmp0 (*slot, text) == 0)
    return FALSE;
  g_free (*slot);
  *slot = g_strdup (text);
  return TRUE;
}

void
lk_draft_set_name (LkDraft *self, const char *name)
{
  if (!replace (&self->name, name != NULL ? name : ""))
    return;
  self->name_given = self->name[0] != 0;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NAME]);
}

void
lk_draft_set_model (LkDraft *self, const char *path)
{
  if (!replace (&self->model, path))
    return;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MODEL]);
  say_changed (self);
}

void
lk_draft_set_data (LkDraft *self, const char *path)
{
  if (!replace (&self->data, path))
    return;
  if (!self->name_given)
    {
      g_autofree char *name = path != NULL ? lk_words_name_of_dataset (path) : g_strdup ("");

      if (replace (&self->name, name))
        g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NAME]);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DATA]);
  say_changed (self);
}

void
lk_draft_renew_data (LkDraft *self)
{
  g_return_if_fail (LK_IS_DRAFT (self));

  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DATA]);
  say_changed (self);
}

gboolean
lk_draft_is_ready (LkDraft *self)
{
  return self->model != NULL && self->model[0] != 0 && self->data != NULL && self->data[0] != 0
         && g_list_model_get_n_items (G_LIST_MODEL (self->settings)) > 0;
}

void
lk_draft_reset (LkDraft *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->settings));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkOption) setting = g_list_model_get_item (G_LIST_MODEL (self->settings), i);

      lk_option_reset (setting);
    }
}

gboolean
lk_draft_apply_preset (LkDraft *self, const char *path, GError **error)
{
  g_autoptr (JsonObject) preset = lk_json_load_object (path, PRESET_LIMIT, error);

  return preset != NULL && lk_draft_apply_settings (self, preset, path, error);
}

void
lk_draft_set_adapter (LkDraft *self, const char *path, const char *words)
{
  g_return_if_fail (LK_IS_DRAFT (self));

  if (g_strcmp0 (self->adapter, path) == 0)
    return;
  g_free (self->adapter);
  g_free (self->adapter_text);
  self->adapter = g_strdup (path);
  self->adapter_text = g_strdup (words);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ADAPTER_TEXT]);
  g_signal_emit (self, changed_signal, 0);
}

const char *
lk_draft_get_adapter (LkDraft *self)
{
  return self->adapter;
}

gboolean
lk_draft_apply_settings (LkDraft *self, JsonObject *settings, const char *where, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, settings);
  while (json_object_iter_next (&iter, &name, &node))
    {
      LkOption *option = lk_draft_find (self, name);
      g_autofree char *text = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                                  ? json_node_dup_string (node)
                                  : lk_json_to_string (node, FALSE);

      if (option == NULL || !lk_option_set_value (option, text))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, _ ("%s: “%s” cannot be set to %s"), where, name, text);
          return FALSE;
        }
    }
  return TRUE;
}

GStrv
lk_draft_to_train_arguments (LkDraft *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = lk_draft_to_arguments (self);

  g_strv_builder_addv (builder, (const char **) arguments);
  if (self->adapter != NULL)
    g_strv_builder_add_many (builder, "--adapter", self->adapter, NULL);
  return g_strv_builder_end (builder);
}

/* Where the draft leaves the device open, Preferences may say one. NULL: nobody does. */
static const char *
preferred_device (LkOption *setting)
{
  const char *device = lk_settings_get_device (lk_settings_get_default ());

  return g_str_equal (lk_option_get_name (setting), "device") && !lk_option_is_changed (setting)
                 && !g_str_equal (device, "auto")
             ? device
             : NULL;
}

GStrv
lk_draft_to_arguments (LkDraft *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->settings));

  if (self->model != NULL)
    g_strv_builder_add_many (builder, "--model", self->model, NULL);
  if (self->data != NULL)
    g_strv_builder_add_many (builder, "--data", self->data, NULL);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkOption) setting = g_list_model_get_item (G_LIST_MODEL (self->settings), i);
      g_autofree char *flag = g_strdup (lk_option_get_name (setting));
      const char *device = preferred_device (setting);
      g_autofree char *argument = NULL;

      if (!lk_option_is_changed (setting) && device == NULL)
        continue;
      g_strdelimit (flag, "_", '-');
      /* one word, so that a value which begins with "-" is no flag */
      argument = g_strdup_printf ("--%s=%s", flag, device != NULL ? device : lk_option_get_value (setting));
      g_strv_builder_add (builder, argument);
    }
  return g_strv_builder_end (builder);
}

/* "2026-11-24-support-mails": letters and digits of any script stay, all else becomes one "-". */
static char *
folder_name (LkDraft *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d");
  g_autofree char *lower = g_utf8_strdown (self->name, -1);
  GString *name = g_string_new (date);
  gboolean gap = TRUE;

  for (const char *c = lower; *c != 0 && name->len < 60; c = g_utf8_next_char (c))
    {
      gunichar letter = g_utf8_get_char (c);

      if (!g_unichar_isalnum (letter))
        {
          gap = TRUE;
          continue;
        }
      if (gap)
        g_string_append_c (name, '-');
      gap = FALSE;
      g_string_append_unichar (name, letter);
    }
  return g_string_free (name, FALSE);
}

static char *
make_folder (LkDraft *self, const char *runs_dir, GError **error)
{
  g_autofree char *name = folder_name (self);

  for (guint i = 1; i < 1000; i++)
    {
      g_autofree char *numbered = i == 1 ? g_strdup (name) : g_strdup_printf ("%s-%u", name, i);
      g_autofree char *folder = g_build_filename (runs_dir, numbered, NULL);

      if (g_mkdir (folder, 0755) == 0)
        return g_steal_pointer (&folder);
      if (errno != EEXIST)
        {
          lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), folder);
          return NULL;
        }
    }
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, _ ("There are a thousand runs called “%s” already."),
               self->name);
  return NULL;
}

static char *
recipe_text (LkDraft *self)
{
  g_autoptr (JsonObject) recipe = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *created = g_date_time_format_iso8601 (now);
  JsonObject *settings = json_object_new ();
  JsonArray *data = json_array_new ();
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->settings));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkOption) setting = g_list_model_get_item (G_LIST_MODEL (self->settings), i);

      if (preferred_device (setting) != NULL)
        json_object_set_string_member (settings, "device", preferred_device (setting));
      else
        json_object_set_member (settings, lk_option_get_name (setting), lk_option_to_json (setting));
    }
  json_array_add_string_element (data, self->data);
  json_object_set_int_member (recipe, "version", 1);
  json_object_set_string_member (recipe, "name", self->name);
  json_object_set_string_member (recipe, "created", created);
  json_object_set_string_member (recipe, "model", self->model);
  json_object_set_array_member (recipe, "data", data);
  if (self->adapter != NULL)
    json_object_set_string_member (recipe, "adapter", self->adapter);
  json_object_set_string_member (recipe, "engine", LK_VERSION);
  json_object_set_object_member (recipe, "settings", settings);
  json_node_set_object (node, recipe);
  return lk_json_to_string (node, TRUE);
}

char *
lk_draft_create_run (LkDraft *self, const char *runs_dir, GError **error)
{
  g_autofree char *folder = NULL;
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;

  g_return_val_if_fail (LK_IS_DRAFT (self), NULL);

  if (!lk_draft_is_ready (self))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, _ ("Choose a model and a dataset first."));
      return NULL;
    }
  folder = make_folder (self, runs_dir, error);
  if (folder == NULL)
    return NULL;
  text = recipe_text (self);
  path = g_build_filename (folder, "recipe.json", NULL);
  if (!lk_file_write (path, text, -1, error))
    {
      g_rmdir (folder);
      return NULL;
    }
  return g_steal_pointer (&folder);
}
