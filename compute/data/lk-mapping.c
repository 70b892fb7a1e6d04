/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-mapping.h"

#include <string.h>

#include "lk-error.h"
#include "lk-form.h"
#include "lk-json.h"

const char *const lk_column_names[LK_N_COLUMNS] = { "system", "prompt", "context", "answer", "text" };

/* The names the forms know each part by. */
static const char *const known_names[LK_N_COLUMNS][8] = {
  { "system" },
  { "instruction", "prompt", "question", "query" },
  { "input", "context" },
  { "output", "completion", "answer", "response" },
  { "text" },
};

LkMapping *
lk_mapping_new (void)
{
  return g_new0 (LkMapping, 1);
}

LkMapping *
lk_mapping_copy (const LkMapping *self)
{
  LkMapping *copy = self ? lk_mapping_new () : NULL;

  for (guint i = 0; copy && i < LK_N_COLUMNS; i++)
    copy->columns[i] = g_strdup (self->columns[i]);
  return copy;
}

void
lk_mapping_free (LkMapping *self)
{
  for (guint i = 0; self && i < LK_N_COLUMNS; i++)
    g_free (self->columns[i]);
  g_free (self);
}

gboolean
lk_mapping_set (LkMapping *self, const char *assignment, GError **error)
{
  const char *equals = strchr (assignment, '=');

  for (guint i = 0; equals && equals[1] && i < LK_N_COLUMNS; i++)
    if (strlen (lk_column_names[i]) == (gsize) (equals - assignment) && g_str_has_prefix (assignment, lk_column_names[i]))
      {
        g_free (self->columns[i]);
        self->columns[i] = g_strdup (equals + 1);
        return TRUE;
      }
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "“%s” is no PART=COLUMN; the parts are system, prompt, context, answer and text", assignment);
  return FALSE;
}

gboolean
lk_mapping_is_empty (const LkMapping *self)
{
  for (guint i = 0; self && i < LK_N_COLUMNS; i++)
    if (self->columns[i])
      return FALSE;
  return TRUE;
}

gboolean
lk_mapping_check (const LkMapping *self, GError **error)
{
  gboolean pair = self->columns[LK_COLUMN_PROMPT] && self->columns[LK_COLUMN_ANSWER];
  gboolean text = self->columns[LK_COLUMN_TEXT] != NULL;
  gboolean others = self->columns[LK_COLUMN_SYSTEM] || self->columns[LK_COLUMN_CONTEXT] || self->columns[LK_COLUMN_PROMPT]
                    || self->columns[LK_COLUMN_ANSWER];

  if ((pair && !text) || (text && !others))
    return TRUE;
  g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                       "Say which column holds the prompt and which the answer, or which holds the text");
  return FALSE;
}

JsonObject *
lk_mapping_to_json (const LkMapping *self)
{
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < LK_N_COLUMNS; i++)
    if (self->columns[i])
      json_object_set_string_member (object, lk_column_names[i], self->columns[i]);
  return object;
}

LkMapping *
lk_mapping_from_json (JsonObject *object, GError **error)
{
  g_autoptr (LkMapping) self = lk_mapping_new ();

  for (guint i = 0; i < LK_N_COLUMNS; i++)
    {
      const char *column = NULL;

      if (!lk_json_get_string (object, lk_column_names[i], "columns", &column, error))
        return NULL;
      self->columns[i] = g_strdup (column);
    }
  return g_steal_pointer (&self);
}

LkMapping *
lk_mapping_guess (const char *const *columns)
{
  LkMapping *self = lk_mapping_new ();

  for (guint i = 0; i < LK_N_COLUMNS; i++)
    for (guint k = 0; k < G_N_ELEMENTS (known_names[i]) && known_names[i][k] && !self->columns[i]; k++)
      if (g_strv_contains (columns, known_names[i][k]))
        self->columns[i] = g_strdup (known_names[i][k]);
  if (!self->columns[LK_COLUMN_PROMPT] && self->columns[LK_COLUMN_CONTEXT]) /* {input, output} */
    self->columns[LK_COLUMN_PROMPT] = g_steal_pointer (&self->columns[LK_COLUMN_CONTEXT]);
  if (self->columns[LK_COLUMN_PROMPT] && self->columns[LK_COLUMN_ANSWER])
    g_clear_pointer (&self->columns[LK_COLUMN_TEXT], g_free);
  return self;
}

/* The column's value as text: texts as they stand, numbers and truth values spelt, lists and objects as JSON. NULL: no column, no such
 * member, or null. (transfer full) */
static char *
lk_mapping_value (const LkMapping *self, LkColumnRole column, JsonObject *object)
{
  const char *name = self->columns[column];
  JsonNode *node = name && json_object_has_member (object, name) ? json_object_get_member (object, name) : NULL;

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  return lk_json_to_string (node, FALSE);
}

gboolean
lk_mapping_read (const LkMapping *self, JsonObject *object, LkRow *row, char **reason)
{
  g_autofree char *system = lk_mapping_value (self, LK_COLUMN_SYSTEM, object);
  g_autofree char *prompt = lk_mapping_value (self, LK_COLUMN_PROMPT, object);
  g_autofree char *context = lk_mapping_value (self, LK_COLUMN_CONTEXT, object);
  g_autofree char *answer = lk_mapping_value (self, LK_COLUMN_ANSWER, object);
  g_autofree char *text = lk_mapping_value (self, LK_COLUMN_TEXT, object);
  g_autofree char *question = NULL;

  if (self->columns[LK_COLUMN_TEXT])
    {
      if (!text || lk_form_is_blank (text))
        return lk_form_fail (reason, "the text (“%s”) is missing or empty", self->columns[LK_COLUMN_TEXT]);
      row->kind = LK_ROW_TEXT;
      row->text = g_steal_pointer (&text);
      return TRUE;
    }
  if (!prompt || lk_form_is_blank (prompt))
    return lk_form_fail (reason, "the question (“%s”) is missing or empty", self->columns[LK_COLUMN_PROMPT]);
  if (!answer || lk_form_is_blank (answer))
    return lk_form_fail (reason, "the answer (“%s”) is missing or empty", self->columns[LK_COLUMN_ANSWER]);
  question = context && *context ? g_strconcat (prompt, "\n\n", context, NULL) : g_strdup (prompt);
  row->kind = LK_ROW_MESSAGES;
  row->messages = json_array_new ();
  if (system && *system)
    lk_form_add_message (row->messages, "system", system);
  lk_form_add_message (row->messages, "user", question);
  lk_form_add_message (row->messages, "assistant", answer);
  return TRUE;
}
