/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ShareGPT: {conversations: [{from, value}], system?, tools?}; some files spell it conversation, or use role and content inside.
 */
#include "lk-form.h"

static JsonNode *
lk_sharegpt_list (JsonObject *object)
{
  return json_object_has_member (object, "conversations")  ? json_object_get_member (object, "conversations")
         : json_object_has_member (object, "conversation") ? json_object_get_member (object, "conversation")
                                                           : NULL;
}

static gboolean
lk_sharegpt_matches (JsonObject *object)
{
  return lk_sharegpt_list (object) != NULL;
}

static gboolean
lk_sharegpt_read (JsonObject *object, LkRow *row, char **reason)
{
  JsonNode *list = lk_sharegpt_list (object);
  const char *system = lk_form_text_of (object, "system");
  g_autoptr (JsonArray) messages = json_array_new ();

  if (!JSON_NODE_HOLDS_ARRAY (list))
    return lk_form_fail (reason, "“conversations” is no list");
  if (system && *system)
    lk_form_add_message (messages, "system", system);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (list)); i++)
    {
      JsonNode *node = json_array_get_element (json_node_get_array (list), i);
      JsonObject *turn = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *from = turn ? lk_form_text_of (turn, json_object_has_member (turn, "from") ? "from" : "role") : NULL;
      const char *value = turn ? lk_form_text_of (turn, json_object_has_member (turn, "value") ? "value" : "content") : NULL;

      if (!from || !value)
        return lk_form_fail (reason, "turn %u has no “from” or no “value”", i + 1);
      lk_form_add_message (messages, from, value);
    }
  row->kind = LK_ROW_MESSAGES;
  lk_form_take_tools (object, row);
  return lk_form_check_messages (messages, &row->messages, reason);
}

const LkForm lk_form_sharegpt = { "ShareGPT", lk_sharegpt_matches, lk_sharegpt_read };
