/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-form.h"

#include <stdarg.h>
#include <string.h>

#include "lk-json.h"

/* In this order: the more particular first. */
static const LkForm *const forms[] = { &lk_form_messages, &lk_form_sharegpt, &lk_form_completion, &lk_form_alpaca, &lk_form_question,
                                       &lk_form_text };

const LkForm *
lk_form_recognise (JsonObject *object)
{
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    if (forms[i]->matches (object))
      return forms[i];
  return NULL;
}

gboolean
lk_form_fail (char **reason, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  *reason = g_strdup_vprintf (format, args);
  va_end (args);
  return FALSE;
}

const char *
lk_form_text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_has_member (object, name) ? json_object_get_member (object, name) : NULL;

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

gboolean
lk_form_is_blank (const char *text)
{
  for (; *text; text = g_utf8_next_char (text))
    if (!g_unichar_isspace (g_utf8_get_char (text)))
      return FALSE;
  return TRUE;
}

void
lk_form_add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

/* [{type: "text", text}, …] → one text; NULL when a part is no text. (transfer full) */
static char *
lk_form_join_parts (JsonArray *parts)
{
  g_autoptr (GString) joined = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      JsonNode *part = json_array_get_element (parts, i);
      const char *text = JSON_NODE_HOLDS_OBJECT (part) ? lk_form_text_of (json_node_get_object (part), "text") : NULL;

      if (!text)
        return NULL;
      g_string_append (joined, text);
    }
  return g_string_free (g_steal_pointer (&joined), FALSE);
}

/* Tool calls whose arguments are JSON in a string: templates want the object. */
static void
lk_form_parse_arguments (JsonObject *message)
{
  JsonNode *calls = json_object_has_member (message, "tool_calls") ? json_object_get_member (message, "tool_calls") : NULL;

  for (guint i = 0; calls && JSON_NODE_HOLDS_ARRAY (calls) && i < json_array_get_length (json_node_get_array (calls)); i++)
    {
      JsonNode *call = json_array_get_element (json_node_get_array (calls), i);
      JsonNode *function = JSON_NODE_HOLDS_OBJECT (call) && json_object_has_member (json_node_get_object (call), "function")
                             ? json_object_get_member (json_node_get_object (call), "function")
                             : NULL;
      const char *text = function && JSON_NODE_HOLDS_OBJECT (function) ? lk_form_text_of (json_node_get_object (function), "arguments") : NULL;
      JsonNode *parsed = text ? lk_json_parse (text, strlen (text), "arguments", NULL) : NULL;

      if (parsed)
        json_object_set_member (json_node_get_object (function), "arguments", parsed);
    }
}

static const char *
lk_form_role (const char *role)
{
  static const char *const roles[][2] = { { "user", "user" },         { "assistant", "assistant" }, { "system", "system" },
                                          { "developer", "system" },  { "tool", "tool" },           { "function", "tool" },
                                          { "human", "user" },        { "gpt", "assistant" },       { "chatgpt", "assistant" },
                                          { "bing", "assistant" },    { "model", "assistant" },     { "bot", "assistant" },
                                          { "observation", "tool" } };

  for (guint i = 0; role && i < G_N_ELEMENTS (roles); i++)
    if (g_ascii_strcasecmp (role, roles[i][0]) == 0)
      return roles[i][1];
  return NULL;
}

/* One message into the shape templates want. (transfer full) */
static JsonObject *
lk_form_message (JsonNode *node, guint i, gboolean *answer, char **reason)
{
  JsonObject *from = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *name = from ? lk_form_text_of (from, "role") : NULL;
  const char *role = lk_form_role (name);
  JsonNode *content = from && json_object_has_member (from, "content") ? json_object_get_member (from, "content") : NULL;
  g_autoptr (JsonNode) copy = NULL;
  g_autofree char *text = NULL;
  gboolean calls = from && json_object_has_member (from, "tool_calls") && !json_object_get_null_member (from, "tool_calls");
  JsonObject *message;

  if (!role)
    {
      lk_form_fail (reason, from ? "message %u has the unknown role “%s”" : "message %u is no object%s", i + 1, name ? name : "");
      return NULL;
    }
  if (content && JSON_NODE_HOLDS_ARRAY (content))
    text = lk_form_join_parts (json_node_get_array (content));
  else if (content && JSON_NODE_HOLDS_VALUE (content) && json_node_get_value_type (content) == G_TYPE_STRING)
    text = g_strdup (json_node_get_string (content));
  else if (calls && (!content || JSON_NODE_HOLDS_NULL (content)))
    text = g_strdup ("");
  if (!text)
    {
      lk_form_fail (reason, "message %u has no text", i + 1);
      return NULL;
    }
  if (g_str_equal (role, "assistant") && !calls && lk_form_is_blank (text))
    {
      lk_form_fail (reason, "the answer in message %u is empty", i + 1);
      return NULL;
    }
  *answer |= g_str_equal (role, "assistant");
  /* a deep copy, so that rows do not share nodes */
  copy = json_node_copy (node);
  message = json_object_new ();
  {
    JsonObjectIter iter;
    const char *member;
    JsonNode *value;

    json_object_iter_init_ordered (&iter, json_node_get_object (copy));
    while (json_object_iter_next_ordered (&iter, &member, &value))
      if (!g_str_equal (member, "role") && !g_str_equal (member, "content"))
        json_object_set_member (message, member, json_node_copy (value));
  }
  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", text);
  lk_form_parse_arguments (message);
  return message;
}

gboolean
lk_form_check_messages (JsonArray *messages, JsonArray **out, char **reason)
{
  g_autoptr (JsonArray) result = json_array_new ();
  gboolean answer = FALSE;

  if (json_array_get_length (messages) == 0)
    return lk_form_fail (reason, "the conversation is empty");
  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonObject *message = lk_form_message (json_array_get_element (messages, i), i, &answer, reason);

      if (!message)
        return FALSE;
      json_array_add_object_element (result, message);
    }
  if (!answer)
    return lk_form_fail (reason, "nothing in it is said by the assistant, so there is nothing to learn");
  *out = g_steal_pointer (&result);
  return TRUE;
}

void
lk_form_take_tools (JsonObject *object, LkRow *row)
{
  JsonNode *tools = json_object_has_member (object, "tools") ? json_object_get_member (object, "tools") : NULL;
  const char *text = lk_form_text_of (object, "tools");

  if (text)
    row->tools = lk_json_parse (text, strlen (text), "tools", NULL);
  else if (tools && JSON_NODE_HOLDS_ARRAY (tools))
    row->tools = json_node_copy (tools);
}
