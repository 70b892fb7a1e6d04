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
lk_form_fail_text (JsonObject *object, const char *name, const char *what, char **reason)
{
  const char *text = lk_form_text_of (object, name);
  JsonNode *node = json_object_has_member (object, name) ? json_object_get_member (object, name) : NULL;

  return lk_form_fail (reason, "%s (“%s”) is %s", what, name,
                       text                                  ? "empty"
                       : !node || JSON_NODE_HOLDS_NULL (node) ? "missing"
                                                              : "no text");
}

gboolean
lk_form_is_blank (const char *text)
{
  for (; *text; text = g_utf8_next_char (text))
    if (!g_unichar_isspace (g_utf8_get_char (text)))
      return FALSE;
  return TRUE;
}

gboolean
lk_form_optional (JsonObject *object, const char *name, const char **text, char **reason)
{
  JsonNode *node = json_object_has_member (object, name) ? json_object_get_member (object, name) : NULL;

  *text = lk_form_text_of (object, name);
  return !node || JSON_NODE_HOLDS_NULL (node) || *text || lk_form_fail (reason, "“%s” is no text", name);
}

gboolean
lk_form_take_tools (JsonObject *object, LkRow *row, char **reason)
{
  JsonNode *tools = json_object_has_member (object, "tools") ? json_object_get_member (object, "tools") : NULL;
  const char *text = lk_form_text_of (object, "tools");

  if (!tools || JSON_NODE_HOLDS_NULL (tools) || (text && lk_form_is_blank (text)))
    return TRUE;
  row->tools = text ? lk_json_parse (text, strlen (text), "tools", NULL) : json_node_copy (tools);
  if (!row->tools || !JSON_NODE_HOLDS_ARRAY (row->tools))
    return lk_form_fail (reason, "“tools” is no list of tools");
  if (json_array_get_length (json_node_get_array (row->tools)) == 0)
    g_clear_pointer (&row->tools, json_node_unref);
  return TRUE;
}
