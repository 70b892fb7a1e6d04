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

/* The first of two names that is there. */
static const char *
lk_sharegpt_member (JsonObject *turn, const char *name, const char *other)
{
  return json_object_has_member (turn, name) ? name : other;
}

/* {from, value} as {role, content}; what else a turn says (weight, tool_calls …) stays. (transfer full) */
static JsonObject *
lk_sharegpt_message (JsonObject *turn)
{
  const char *from = lk_sharegpt_member (turn, "from", "role"), *value = lk_sharegpt_member (turn, "value", "content");
  JsonObject *message = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (turn);

  for (GList *l = names; l; l = l->next)
    json_object_set_member (message, g_str_equal (l->data, from) ? "role" : g_str_equal (l->data, value) ? "content" : l->data,
                            json_node_copy (json_object_get_member (turn, l->data)));
  return message;
}

static gboolean
lk_sharegpt_read (JsonObject *object, LkRow *row, char **reason)
{
  JsonNode *list = lk_sharegpt_list (object);
  const char *system;
  g_autoptr (JsonArray) messages = json_array_new ();

  if (!JSON_NODE_HOLDS_ARRAY (list))
    return lk_form_fail (reason, "“conversations” is no list");
  if (!lk_form_optional (object, "system", &system, reason) || !lk_form_take_tools (object, row, reason))
    return FALSE;
  if (system && *system)
    lk_form_add_message (messages, "system", system);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (list)); i++)
    {
      JsonNode *node = json_array_get_element (json_node_get_array (list), i);

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return lk_form_fail (reason, "turn %u is no object", i + 1);
      json_array_add_object_element (messages, lk_sharegpt_message (json_node_get_object (node)));
    }
  row->kind = LK_ROW_MESSAGES;
  return lk_form_check_messages (messages, &row->messages, reason);
}

const LkForm lk_form_sharegpt = { "ShareGPT", lk_sharegpt_matches, lk_sharegpt_read };
