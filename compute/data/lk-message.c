/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Messages of any dialect into the shape templates want: role, content as one text, tool_calls with parsed arguments; and
 * "train": false where a file says that an answer is context only.
 */
#include <string.h>

#include "lk-form.h"
#include "lk-json.h"

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
lk_message_join_parts (JsonArray *parts)
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

/* @function, {name, arguments}, as a member of tool_calls. Arguments that are JSON in a string become the object. */
static JsonObject *
lk_message_call (JsonObject *function)
{
  const char *text = lk_form_text_of (function, "arguments");
  JsonNode *parsed = text ? lk_json_parse (text, strlen (text), "arguments", NULL) : NULL;
  JsonObject *call = json_object_new (), *copy = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (function);

  for (GList *l = names; l; l = l->next)
    json_object_set_member (copy, l->data, json_node_copy (json_object_get_member (function, l->data)));
  if (parsed)
    json_object_set_member (copy, "arguments", parsed);
  json_object_set_string_member (call, "type", "function");
  json_object_set_object_member (call, "function", copy);
  return call;
}

/* Each call's function with its arguments parsed; a call that is {name, arguments} itself is wrapped. NULL: not what calls look like. */
static JsonArray *
lk_message_calls (JsonNode *node)
{
  g_autoptr (JsonArray) calls = json_array_new ();
  JsonArray *from = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; i < (from ? json_array_get_length (from) : 1); i++)
    {
      JsonNode *item = from ? json_array_get_element (from, i) : node;
      JsonObject *call = JSON_NODE_HOLDS_OBJECT (item) ? json_node_get_object (item) : NULL;
      JsonNode *member = call && json_object_has_member (call, "function") ? json_object_get_member (call, "function") : NULL;
      JsonObject *function = member && JSON_NODE_HOLDS_OBJECT (member) ? json_node_get_object (member) : member ? NULL : call;
      JsonObject *copy;

      if (!function || !lk_form_text_of (function, "name"))
        return NULL;
      copy = lk_message_call (function);
      if (function != call && json_object_has_member (call, "id"))
        json_object_set_member (copy, "id", json_node_copy (json_object_get_member (call, "id")));
      json_array_add_object_element (calls, copy);
    }
  return g_steal_pointer (&calls);
}

typedef struct
{
  const char *name, *role;
  gboolean calls; /* the text is a call of a tool, as JSON */
} LkRole;

static const LkRole roles[] = {
  { "user", "user" },           { "assistant", "assistant" },         { "system", "system" },
  { "developer", "system" },    { "tool", "tool" },                   { "function", "tool" },
  { "human", "user" },          { "prompter", "user" },               { "gpt", "assistant" },
  { "chatgpt", "assistant" },   { "bing", "assistant" },              { "bard", "assistant" },
  { "model", "assistant" },     { "bot", "assistant" },               { "ai", "assistant" },
  { "observation", "tool" },    { "tool_response", "tool" },          { "function_response", "tool" },
  { "tool_result", "tool" },    { "ipython", "tool" },                { "function_call", "assistant", TRUE },
  { "tool_call", "assistant", TRUE },
};

static const LkRole *
lk_message_role (const char *name)
{
  for (guint i = 0; name && i < G_N_ELEMENTS (roles); i++)
    if (g_ascii_strcasecmp (name, roles[i].name) == 0)
      return &roles[i];
  return NULL;
}

/* weight (OpenAI), train (axolotl), loss (ms-swift): 0 or false says that the answer is not to be learned. */
static gboolean
lk_message_is_trained (JsonObject *from, guint i, gboolean *trained, char **reason)
{
  static const char *const flags[] = { "weight", "train", "loss" };

  *trained = TRUE;
  for (guint k = 0; k < G_N_ELEMENTS (flags); k++)
    {
      JsonNode *node = json_object_has_member (from, flags[k]) ? json_object_get_member (from, flags[k]) : NULL;
      GType type = node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
      double value = type == G_TYPE_BOOLEAN ? json_node_get_boolean (node)
                     : type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node)
                                                                       : -1;

      if (!node || JSON_NODE_HOLDS_NULL (node))
        continue;
      if (value != 0 && value != 1)
        return lk_form_fail (reason, "“%s” of message %u is neither 0 nor 1", flags[k], i + 1);
      *trained &= value == 1;
    }
  return TRUE;
}

/* Members we read ourselves; the others are the template's. */
static gboolean
lk_message_is_ours (const char *member)
{
  static const char *const names[] = { "role", "content", "weight", "train", "loss", "tool_calls", "function_call" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], member))
      return TRUE;
  return FALSE;
}

/* The calls of a message: its own, the older function_call, or (*text is one) its text. FALSE: they are malformed. */
static gboolean
lk_message_take_calls (JsonObject *from, const LkRole *role, char **text, JsonArray **calls)
{
  static const char *const names[] = { "tool_calls", "function_call" };

  for (guint i = 0; i < G_N_ELEMENTS (names) && !*calls; i++)
    {
      JsonNode *node = json_object_has_member (from, names[i]) ? json_object_get_member (from, names[i]) : NULL;

      if (!node || JSON_NODE_HOLDS_NULL (node) || (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 0))
        continue;
      if (!(*calls = lk_message_calls (node)))
        return FALSE;
    }
  if (role->calls && *text && !*calls)
    {
      g_autoptr (JsonNode) node = lk_json_parse (*text, strlen (*text), "call", NULL);

      *calls = node && !JSON_NODE_HOLDS_VALUE (node) && !JSON_NODE_HOLDS_NULL (node) ? lk_message_calls (node) : NULL;
      if (*calls)
        (*text)[0] = '\0';
    }
  return TRUE;
}

static char *
lk_message_text (JsonObject *from)
{
  JsonNode *content = json_object_has_member (from, "content") ? json_object_get_member (from, "content") : NULL;

  if (content && JSON_NODE_HOLDS_ARRAY (content))
    return lk_message_join_parts (json_node_get_array (content));
  return g_strdup (lk_form_text_of (from, "content"));
}

static gboolean
lk_message_has_content (JsonObject *from)
{
  return json_object_has_member (from, "content") && !json_object_get_null_member (from, "content");
}

/* One message into the shape templates want. *learned: something of it is to be learned. (transfer full) */
static JsonObject *
lk_message_convert (JsonObject *from, guint i, gboolean *learned, char **reason)
{
  const char *name = lk_form_text_of (from, "role");
  const LkRole *role = lk_message_role (name);
  g_autofree char *text = lk_message_text (from);
  g_autoptr (JsonArray) calls = NULL;
  g_autoptr (GList) members = NULL;
  gboolean trained, assistant = role && g_str_equal (role->role, "assistant");
  JsonObject *message;

  if (!role)
    return lk_form_fail (reason, "message %u has %s%s%s", i + 1, name ? "the unknown role “" : "no role", name ? name : "", name ? "”" : ""), NULL;
  if (!lk_message_take_calls (from, role, &text, &calls))
    return lk_form_fail (reason, "the tool calls of message %u are not what they should be", i + 1), NULL;
  if (!text && calls && !lk_message_has_content (from))
    text = g_strdup ("");
  if (!text)
    return lk_form_fail (reason, "message %u has no text", i + 1), NULL;
  if (!lk_message_is_trained (from, i, &trained, reason))
    return NULL;
  if (assistant && trained && !calls && lk_form_is_blank (text))
    return lk_form_fail (reason, "the answer in message %u is empty", i + 1), NULL;
  *learned |= assistant && trained;
  message = json_object_new ();
  json_object_set_string_member (message, "role", role->role);
  json_object_set_string_member (message, "content", text);
  if (calls)
    json_object_set_array_member (message, "tool_calls", g_steal_pointer (&calls));
  members = json_object_get_members (from); /* in the file's order */
  for (GList *l = members; l; l = l->next)
    if (!lk_message_is_ours (l->data))
      json_object_set_member (message, l->data, json_node_copy (json_object_get_member (from, l->data)));
  if (assistant && !trained)
    json_object_set_boolean_member (message, "train", FALSE);
  return message;
}

gboolean
lk_form_check_messages (JsonArray *messages, JsonArray **out, char **reason)
{
  g_autoptr (JsonArray) result = json_array_new ();
  gboolean learned = FALSE, answers = FALSE;

  if (json_array_get_length (messages) == 0)
    return lk_form_fail (reason, "the conversation is empty");
  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonNode *node = json_array_get_element (messages, i);
      JsonObject *message;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return lk_form_fail (reason, "message %u is no object", i + 1);
      message = lk_message_convert (json_node_get_object (node), i, &learned, reason);
      if (!message)
        return FALSE;
      answers |= g_str_equal (json_object_get_string_member (message, "role"), "assistant");
      json_array_add_object_element (result, message);
    }
  if (!learned)
    return lk_form_fail (reason, answers ? "every answer in it is marked as not to be learned"
                                         : "nothing in it is said by the assistant, so there is nothing to learn");
  *out = g_steal_pointer (&result);
  return TRUE;
}
