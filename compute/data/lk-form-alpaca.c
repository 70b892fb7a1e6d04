/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Alpaca: {instruction, input?, output, system?, history?: [[question, answer], …]} as a conversation: the user says the
 * instruction and, after an empty line, the input. Some files say response for output and context for input.
 */
#include "lk-form.h"

static gboolean
lk_alpaca_matches (JsonObject *object)
{
  return json_object_has_member (object, "instruction");
}

static const char *
lk_alpaca_name (JsonObject *object, const char *usual, const char *other)
{
  return !json_object_has_member (object, usual) && json_object_has_member (object, other) ? other : usual;
}

static const char *
lk_alpaca_text (JsonArray *pair, guint i)
{
  JsonNode *node = json_array_get_element (pair, i);

  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static gboolean
lk_alpaca_history (JsonObject *object, JsonArray *messages, char **reason)
{
  JsonNode *history = json_object_has_member (object, "history") ? json_object_get_member (object, "history") : NULL;

  if (!history || JSON_NODE_HOLDS_NULL (history))
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (history))
    return lk_form_fail (reason, "“history” is no list");
  for (guint i = 0; i < json_array_get_length (json_node_get_array (history)); i++)
    {
      JsonNode *node = json_array_get_element (json_node_get_array (history), i);
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

      if (!pair || json_array_get_length (pair) != 2 || !lk_alpaca_text (pair, 0) || !lk_alpaca_text (pair, 1))
        return lk_form_fail (reason, "entry %u of “history” is no question with its answer", i + 1);
      if (lk_form_is_blank (lk_alpaca_text (pair, 1)))
        return lk_form_fail (reason, "the answer in entry %u of “history” is empty", i + 1);
      lk_form_add_message (messages, "user", lk_alpaca_text (pair, 0));
      lk_form_add_message (messages, "assistant", lk_alpaca_text (pair, 1));
    }
  return TRUE;
}

static gboolean
lk_alpaca_read (JsonObject *object, LkRow *row, char **reason)
{
  const char *output_name = lk_alpaca_name (object, "output", "response");
  const char *instruction = lk_form_text_of (object, "instruction"), *output = lk_form_text_of (object, output_name);
  const char *input, *system;
  g_autofree char *question = NULL;

  if (!instruction || lk_form_is_blank (instruction))
    return lk_form_fail_text (object, "instruction", "the question", reason);
  if (!output || lk_form_is_blank (output))
    return lk_form_fail_text (object, output_name, "the answer", reason);
  if (!lk_form_optional (object, lk_alpaca_name (object, "input", "context"), &input, reason)
      || !lk_form_optional (object, "system", &system, reason))
    return FALSE;
  question = input && *input ? g_strconcat (instruction, "\n\n", input, NULL) : g_strdup (instruction);
  row->kind = LK_ROW_MESSAGES;
  row->messages = json_array_new ();
  if (system && *system)
    lk_form_add_message (row->messages, "system", system);
  if (!lk_alpaca_history (object, row->messages, reason))
    return FALSE;
  lk_form_add_message (row->messages, "user", question);
  lk_form_add_message (row->messages, "assistant", output);
  return TRUE;
}

const LkForm lk_form_alpaca = { "Alpaca", lk_alpaca_matches, lk_alpaca_read };
