/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Alpaca: {instruction, input?, output, system?, history?: [[question, answer], …]} as a conversation: the user says the
 * instruction and, after an empty line, the input.
 */
#include "lk-form.h"

static gboolean
lk_alpaca_matches (JsonObject *object)
{
  return json_object_has_member (object, "instruction");
}

static void
lk_alpaca_history (JsonObject *object, JsonArray *messages)
{
  JsonNode *history = json_object_has_member (object, "history") ? json_object_get_member (object, "history") : NULL;

  for (guint i = 0; history && JSON_NODE_HOLDS_ARRAY (history) && i < json_array_get_length (json_node_get_array (history)); i++)
    {
      JsonNode *pair = json_array_get_element (json_node_get_array (history), i);

      if (!JSON_NODE_HOLDS_ARRAY (pair) || json_array_get_length (json_node_get_array (pair)) != 2)
        continue;
      lk_form_add_message (messages, "user", json_array_get_string_element (json_node_get_array (pair), 0));
      lk_form_add_message (messages, "assistant", json_array_get_string_element (json_node_get_array (pair), 1));
    }
}

static gboolean
lk_alpaca_read (JsonObject *object, LkRow *row, char **reason)
{
  const char *instruction = lk_form_text_of (object, "instruction"), *input = lk_form_text_of (object, "input");
  const char *output = lk_form_text_of (object, "output"), *system = lk_form_text_of (object, "system");
  g_autofree char *question = NULL;

  if (!instruction || lk_form_is_blank (instruction))
    return lk_form_fail (reason, "the instruction is missing or empty");
  if (!output)
    return lk_form_fail (reason, "the answer (“output”) is missing");
  if (lk_form_is_blank (output))
    return lk_form_fail (reason, "the answer (“output”) is empty");
  question = input && *input ? g_strconcat (instruction, "\n\n", input, NULL) : g_strdup (instruction);
  row->kind = LK_ROW_MESSAGES;
  row->messages = json_array_new ();
  if (system && *system)
    lk_form_add_message (row->messages, "system", system);
  lk_alpaca_history (object, row->messages);
  lk_form_add_message (row->messages, "user", question);
  lk_form_add_message (row->messages, "assistant", output);
  return TRUE;
}

const LkForm lk_form_alpaca = { "Alpaca", lk_alpaca_matches, lk_alpaca_read };
