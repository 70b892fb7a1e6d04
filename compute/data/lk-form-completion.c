/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * {prompt, completion}: texts, or lists of messages.
 */
#include "lk-form.h"

static gboolean
lk_completion_matches (JsonObject *object)
{
  return json_object_has_member (object, "prompt") && json_object_has_member (object, "completion");
}

static gboolean
lk_completion_read_messages (JsonArray *prompt, JsonArray *completion, LkRow *row, char **reason)
{
  g_autoptr (JsonArray) all = json_array_new ();
  JsonArray *parts[] = { prompt, completion };

  for (guint p = 0; p < 2; p++)
    for (guint i = 0; i < json_array_get_length (parts[p]); i++)
      json_array_add_element (all, json_array_dup_element (parts[p], i));
  row->kind = LK_ROW_MESSAGES;
  return lk_form_check_messages (all, &row->messages, reason);
}

static void
lk_completion_add (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

static gboolean
lk_completion_read (JsonObject *object, LkRow *row, char **reason)
{
  JsonNode *prompt = json_object_get_member (object, "prompt"), *completion = json_object_get_member (object, "completion");
  const char *before = lk_form_text_of (object, "prompt"), *text = lk_form_text_of (object, "completion");

  if (JSON_NODE_HOLDS_ARRAY (prompt) && JSON_NODE_HOLDS_ARRAY (completion))
    return lk_form_take_tools (object, row, reason)
           && lk_completion_read_messages (json_node_get_array (prompt), json_node_get_array (completion), row, reason);
  if (!before)
    return lk_form_fail_text (object, "prompt", "the question", reason);
  if (!text || lk_form_is_blank (text))
    return lk_form_fail_text (object, "completion", "the answer", reason);
  row->kind = LK_ROW_COMPLETION;
  row->prompt = g_strdup (before);
  row->text = g_strdup (text);
  row->messages = json_array_new ();
  lk_completion_add (row->messages, "user", before);
  lk_completion_add (row->messages, "assistant", text);
  return TRUE;
}

const LkForm lk_form_completion = { "Prompt and completion", lk_completion_matches, lk_completion_read };
