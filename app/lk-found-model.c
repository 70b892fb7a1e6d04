/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-found-model.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-fit.h"
#include "lk-json.h"
#include "lk-settings.h"
#include "lk-words.h"

struct _LkFoundModel
{
  GObject parent_instance;

  LkModelPlace place;
  char *path, *name;
  gboolean looked, fits;
  char *family, *type, *license, *error, *template_note, *fit_words;
  gint64 parameters, bytes, context, tokens;
  gboolean tokenizer, chat_template;
  char *device; /* what was asked whether it fits */
  GPtrArray *adapters;
};

enum
{
  PROP_0,
  PROP_TITLE,
  PROP_SUBTITLE,
  PROP_ERROR,
  PROP_FIT_TEXT,
  PROP_FITS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint changed_signal;

G_DEFINE_FINAL_TYPE (LkFoundModel, lk_found_model, G_TYPE_OBJECT)

static void
adapter_free (gpointer data)
{
  LkFoundAdapter *self = data;

  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

static void
lk_found_model_finalize (GObject *object)
{
  LkFoundModel *self = LK_FOUND_MODEL (object);

  g_free (self->path);
  g_free (self->name);
  g_free (self->family);
  g_free (self->type);
  g_free (self->license);
  g_free (self->error);
  g_free (self->template_note);
  g_free (self->fit_words);
  g_free (self->device);
  g_ptr_array_unref (self->adapters);
  G_OBJECT_CLASS (lk_found_model_parent_class)->finalize (object);
}

static void
append (GString *text, const char *part)
{
  if (part != NULL && part[0] != 0)
    g_string_append_printf (text, "%s%s", text->len > 0 ? " · " : "", part);
}

static char *
subtitle_of (LkFoundModel *self)
{
  GString *text = g_string_new (NULL);
  g_autofree char *count = lk_words_parameters (self->parameters);
  g_autofree char *parameters = g_strdup_printf (_ ("%s parameters"), count);
  g_autofree char *size = lk_words_bytes ((guint64) self->bytes);

  if (self->error != NULL)
    append (text, self->error);
  else if (!self->looked)
    append (text, _ ("Being looked at…"));
  else
    {
      append (text, self->family);
      append (text, parameters);
      append (text, self->type);
      append (text, size);
      if (self->fit_words != NULL)
        g_string_append_printf (text, "\n%s", self->fit_words);
    }
  return g_string_free (text, FALSE);
}

static void
lk_found_model_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkFoundModel *self = LK_FOUND_MODEL (object);

  switch (id)
    {
    case PROP_TITLE: g_value_set_string (value, self->name); break;
    case PROP_SUBTITLE: g_value_take_string (value, subtitle_of (self)); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    case PROP_FIT_TEXT: g_value_set_string (value, self->fit_words); break;
    case PROP_FITS: g_value_set_boolean (value, self->fits); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_found_model_class_init (LkFoundModelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_found_model_finalize;
  object_class->get_property = lk_found_model_get_property;
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  properties[PROP_SUBTITLE] = g_param_spec_string ("subtitle", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_FIT_TEXT] = g_param_spec_string ("fit-text", NULL, NULL, NULL, flags);
  properties[PROP_FITS] = g_param_spec_boolean ("fits", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  changed_signal = g_signal_new ("changed", LK_TYPE_FOUND_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_found_model_init (LkFoundModel *self)
{
  self->adapters = g_ptr_array_new_with_free_func (adapter_free);
}

LkFoundModel *
lk_found_model_new (LkModelPlace place, const char *path, const char *name)
{
  LkFoundModel *self = g_object_new (LK_TYPE_FOUND_MODEL, NULL);

  self->place = place;
  self->path = g_strdup (path);
  self->name = name != NULL ? g_strdup (name) : lk_words_name_of_path (path);
  return self;
}

LkModelPlace
lk_found_model_get_place (LkFoundModel *self)
{
  return self->place;
}

const char *
lk_found_model_get_path (LkFoundModel *self)
{
  return self->path;
}

const char *
lk_found_model_get_name (LkFoundModel *self)
{
  return self->name;
}

gboolean
lk_found_model_was_looked_at (LkFoundModel *self)
{
  return self->error != NULL
         || (self->looked && g_strcmp0 (self->device, lk_settings_get_device (lk_settings_get_default ())) == 0);
}

static void
say_changed (LkFoundModel *self)
{
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_signal_emit (self, changed_signal, 0);
}

static char *
capital (const char *text)
{
  char *copy = g_strdup (text);

  if (copy != NULL)
    copy[0] = g_ascii_toupper (copy[0]);
  return copy;
}

void
lk_found_model_take_inspection (LkFoundModel *self, JsonObject *answer)
{
  g_free (self->family);
  g_free (self->type);
  g_free (self->license);
  g_free (self->template_note);
  self->family = capital (lk_json_peek_string (answer, "family", NULL));
  self->type = g_strdup (lk_json_peek_string (answer, "type", NULL));
  self->license = g_strdup (lk_json_peek_string (answer, "license", NULL));
  self->template_note = g_strdup (lk_json_peek_string (answer, "template_note", NULL));
  self->parameters = lk_json_peek_int (answer, "parameters", 0);
  self->bytes = lk_json_peek_int (answer, "bytes", 0);
  self->context = lk_json_peek_int (answer, "context", 0);
  self->tokens = lk_json_peek_int (answer, "tokens", 0);
  self->tokenizer = lk_json_peek_boolean (answer, "tokenizer", FALSE);
  self->chat_template = lk_json_peek_boolean (answer, "chat_template", FALSE);
  self->looked = TRUE;
  say_changed (self);
}

void
lk_found_model_take_estimate (LkFoundModel *self, JsonObject *answer)
{
  g_free (self->fit_words);
  self->fit_words = lk_fit_words (answer);
  self->fits = lk_fit_can_train (answer);
  say_changed (self);
}

static void
estimated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, NULL);

  if (node != NULL)
    lk_found_model_take_estimate (g_task_get_source_object (task), json_node_get_object (node));
  g_task_return_boolean (task, TRUE);
}

static void
inspected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  LkFoundModel *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);
  g_auto (GStrv) arguments = NULL;

  if (node == NULL)
    {
      g_free (self->error);
      self->error = g_strdup (error->message);
      say_changed (self);
      g_task_return_boolean (task, FALSE);
      return;
    }
  lk_found_model_take_inspection (self, json_node_get_object (node));
  arguments = lk_fit_arguments (self->path, self->device);
  lk_engine_call_async ((const char *const *) arguments, NULL, estimated_cb, g_steal_pointer (&task));
}

void
lk_found_model_look (LkFoundModel *self, GAsyncReadyCallback done, gpointer user_data)
{
  const char *const arguments[] = { "inspect", "--json", self->path, NULL };

  g_clear_pointer (&self->fit_words, g_free);
  g_free (self->device);
  self->device = g_strdup (lk_settings_get_device (lk_settings_get_default ()));
  lk_engine_call_async (arguments, NULL, inspected_cb, g_task_new (self, NULL, done, user_data));
}

GStrv
lk_found_model_list_facts (LkFoundModel *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *context = lk_words_count (self->context);
  g_autofree char *context_words = g_strdup_printf (_ ("%s tokens"), context);
  g_autofree char *tokens = lk_words_count (self->tokens);
  g_autofree char *tokens_words = g_strdup_printf (_ ("%s different tokens"), tokens);

  if (self->looked)
    {
      g_strv_builder_add_many (builder, _ ("Context"), self->context > 0 ? context_words : _ ("not said"), NULL);
      g_strv_builder_add_many (builder, _ ("Licence"), self->license != NULL ? self->license : _ ("not said"), NULL);
      g_strv_builder_add_many (builder, _ ("Tokenizer"), self->tokenizer ? tokens_words : _ ("missing: it cannot be fine-tuned"), NULL);
      g_strv_builder_add_many (builder, _ ("Chat template"),
                               self->template_note != NULL ? self->template_note
                               : self->chat_template       ? _ ("its own")
                                                           : _ ("none: it goes on with texts"),
                               NULL);
    }
  g_strv_builder_add_many (builder, _ ("Where it is"), self->path, NULL);
  return g_strv_builder_end (builder);
}

GPtrArray *
lk_found_model_get_adapters (LkFoundModel *self)
{
  return self->adapters;
}

void
lk_found_model_add_adapter (LkFoundModel *self, const char *name, const char *path)
{
  LkFoundAdapter *adapter = g_new0 (LkFoundAdapter, 1);

  adapter->name = g_strdup (name);
  adapter->path = g_strdup (path);
  g_ptr_array_add (self->adapters, adapter);
}
