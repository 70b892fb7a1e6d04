/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which chat template a model has: its own, from GGUF metadata or a folder's files, else the one of its family. A template
 * that cannot be read or parsed leaves the model usable and is spoken of in a note.
 */
#include "lk-model-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-family-template.h"
#include "lk-file.h"
#include "lk-json.h"

#define LK_TEMPLATE_LIMIT (1 << 20)
#define LK_TOKENIZER_CONFIG_LIMIT (64 << 20)
#define LK_DEFAULT "default"
#define LK_FOR_TOOLS "tool_use" /* of named templates, the one that transformers takes where there are tools */

/* What is found before it is looked into. */
typedef struct
{
  char *source, *for_tools; /* NULL: there is none */
  char *place;              /* where @source stands */
  char *problem;            /* why there is none although something is there */
} LkFoundTemplate;

static void
lk_found_template_clear (LkFoundTemplate *self)
{
  g_free (self->source);
  g_free (self->for_tools);
  g_free (self->place);
  g_free (self->problem);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkFoundTemplate, lk_found_template_clear)

/* The template of the model's family, and a note that says so. @problem: what is wrong with its own, NULL: it has none. */
static void
lk_model_take_family_template (LkModel *self, const char *problem)
{
  const LkFamilyTemplate *row
      = self->config.family ? lk_family_template_find (self->config.family->name, self->tokenizer) : NULL;
  g_autofree char *own = problem ? g_strdup_printf ("The chat template of “%s” cannot be used (%s)", self->path, problem)
                                 : g_strdup_printf ("“%s” has no chat template", self->path);

  if (row)
    {
      self->chat_template = lk_template_new (row->source, row->name, NULL);
      self->template_source = g_strdup (row->source);
      self->template_note = g_strdup_printf ("%s; the format of its family, “%s”, is used instead.", own, row->name);
    }
  else if (problem)
    self->template_note = g_strdup_printf ("%s.", own);
}

/* A second template for conversations with tools; without it, the first is for all. */
static void
lk_model_take_tools_template (LkModel *self, LkFoundTemplate *found)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTemplate) template = lk_template_new (found->for_tools, LK_FOR_TOOLS, &error);

  if (template)
    {
      lk_template_set_for_tools (self->chat_template, template);
      self->tools_template_source = g_steal_pointer (&found->for_tools);
    }
  else
    self->template_note = g_strdup_printf ("The chat template of “%s” for tools cannot be used (%s); the other one is used for all.",
                                           self->path, error->message);
}

static void
lk_model_settle_template (LkModel *self, LkFoundTemplate *found)
{
  g_autoptr (GError) error = NULL;

  if (found->source)
    self->chat_template = lk_template_new (found->source, found->place, &error);
  self->own_template = self->chat_template != NULL;
  if (!self->chat_template)
    lk_model_take_family_template (self, error ? error->message : found->problem);
  else if (found->for_tools)
    lk_model_take_tools_template (self, found);
  if (!self->template_source)
    self->template_source = g_steal_pointer (&found->source);
}

/* A string key of the GGUF; what is none, or not UTF-8, is a problem. (transfer full) */
static char *
lk_model_gguf_template_key (LkModel *self, const char *key, LkFoundTemplate *found)
{
  g_autoptr (GError) error = NULL;
  const char *text = NULL;

  if (!lk_gguf_get_string (self->gguf, key, &text, &error))
    {
      g_free (found->problem);
      found->problem = g_strdup (error->message);
    }
  return g_strdup (text);
}

void
_lk_model_read_gguf_template (LkModel *self)
{
  g_auto (LkFoundTemplate) found = { .place = g_strdup ("tokenizer.chat_template") };

  found.source = lk_model_gguf_template_key (self, "tokenizer.chat_template", &found);
  if (!found.source && !found.problem)
    found.source = lk_model_gguf_template_key (self, "tokenizer.chat_template." LK_DEFAULT, &found);
  found.for_tools = lk_model_gguf_template_key (self, "tokenizer.chat_template." LK_FOR_TOOLS, &found);
  lk_model_settle_template (self, &found);
}

/* The template called @name of a list of {name, template}. */
static const char *
lk_named_template (JsonArray *list, const char *name)
{
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *item = json_array_get_element (list, i);
      JsonObject *object = JSON_NODE_HOLDS_OBJECT (item) ? json_node_get_object (item) : NULL;

      if (object && g_strcmp0 (lk_json_peek_string (object, "name", NULL), name) == 0)
        return lk_json_peek_string (object, "template", NULL);
    }
  return NULL;
}

/* “chat_template” of @config: a string, or a list of named ones. */
static void
lk_found_template_member (LkFoundTemplate *self, JsonObject *config, const char *place)
{
  JsonNode *node = json_object_has_member (config, "chat_template") ? json_object_get_member (config, "chat_template") : NULL;
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return;
  self->place = g_strdup (place);
  if (list)
    {
      self->source = g_strdup (lk_named_template (list, LK_DEFAULT));
      self->for_tools = g_strdup (lk_named_template (list, LK_FOR_TOOLS));
      if (!self->source)
        self->problem = g_strdup_printf ("%s: none of the templates in the list “chat_template” is called “" LK_DEFAULT "”", place);
    }
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    self->source = json_node_dup_string (node);
  else
    self->problem = g_strdup_printf ("%s: “chat_template” is neither a text nor a list", place);
}

/* A template that is a file of its own. NULL where there is none; what cannot be read is a problem. (transfer full) */
static char *
lk_found_template_file (LkFoundTemplate *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  bytes = lk_file_read (path, LK_TEMPLATE_LIMIT, &error);
  if (bytes && !memchr (g_bytes_get_data (bytes, NULL), 0, g_bytes_get_size (bytes)))
    return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_free (self->problem);
  self->problem = bytes ? g_strdup_printf ("“%s” holds a NUL byte", path) : g_strdup (error->message);
  return NULL;
}

/* Files of their own come before what the tokenizer's configuration says, and that before the processor's. */
static gboolean
lk_found_template_in_folder (LkFoundTemplate *self, const char *folder, GError **error)
{
  static const char *const configs[] = { "tokenizer_config.json", "chat_template.json" };
  g_autofree char *jinja = g_build_filename (folder, "chat_template.jinja", NULL);
  g_autofree char *tools = g_build_filename (folder, "additional_chat_templates", LK_FOR_TOOLS ".jinja", NULL);

  self->source = lk_found_template_file (self, jinja);
  if (self->source || self->problem)
    {
      self->place = g_strdup (jinja);
      self->for_tools = self->source ? lk_found_template_file (self, tools) : NULL;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (configs) && !self->place; i++)
    {
      g_autofree char *path = g_build_filename (folder, configs[i], NULL);
      g_autoptr (JsonObject) config
          = g_file_test (path, G_FILE_TEST_EXISTS) ? lk_json_load_object (path, LK_TOKENIZER_CONFIG_LIMIT, error) : NULL;

      if (config)
        lk_found_template_member (self, config, path);
      else if (g_file_test (path, G_FILE_TEST_EXISTS))
        return FALSE;
    }
  return TRUE;
}

gboolean
_lk_model_read_hf_template (LkModel *self, GError **error)
{
  g_auto (LkFoundTemplate) found = { 0 };

  if (!lk_found_template_in_folder (&found, self->path, error))
    return FALSE;
  lk_model_settle_template (self, &found);
  return TRUE;
}
