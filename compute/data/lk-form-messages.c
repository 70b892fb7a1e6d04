/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OpenAI: {messages: [{role, content, …}], tools?}
 */
#include "lk-form.h"

static gboolean
lk_messages_matches (JsonObject *object)
{
  return json_object_has_member (object, "messages");
}

static gboolean
lk_messages_read (JsonObject *object, LkRow *row, char **reason)
{
  JsonNode *messages = json_object_get_member (object, "messages");

  if (!JSON_NODE_HOLDS_ARRAY (messages))
    return lk_form_fail (reason, "“messages” is no list");
  row->kind = LK_ROW_MESSAGES;
  return lk_form_take_tools (object, row, reason) && lk_form_check_messages (json_node_get_array (messages), &row->messages, reason);
}

const LkForm lk_form_messages = { "OpenAI messages", lk_messages_matches, lk_messages_read };
