/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-request.h"

#include "lk-error.h"
#include "lk-json.h"

#define WHERE "the request"

static gboolean
get_count (JsonObject *object, const char *member, guint *out, GError **error)
{
  gint64 value = *out;

  if (!lk_json_get_int (object, member, WHERE, &value, error))
    return FALSE;
  if (value < 0 || value > G_MAXINT32)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "“%s” is %" G_GINT64_FORMAT ", which is out of range", member, value);
      return FALSE;
    }
  *out = (guint) value;
  return TRUE;
}

/* "stop": a string or an array of strings. */
static gboolean
get_stops (LkChatRequest *self, GError **error)
{
  JsonNode *node = json_object_get_member (self->object, "stop");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n;

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    g_strv_builder_add (builder, json_node_get_string (node));
  else
    {
      n = JSON_NODE_HOLDS_ARRAY (node) ? json_array_get_length (json_node_get_array (node)) : 0;
      for (guint i = 0; i < n; i++)
        {
          JsonNode *item = json_array_get_element (json_node_get_array (node), i);

          if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_STRING)
            n = 0;
          else
            g_strv_builder_add (builder, json_node_get_string (item));
        }
      if (n == 0)
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA,
                               WHERE ": “stop” must be a string or an array of strings");
          return FALSE;
        }
    }
  self->stops = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
get_sampler (LkChatRequest *self, GError **error)
{
  LkSamplerConfig *s = &self->sampler;
  gint64 seed = g_get_real_time ();

  *s = lk_sampler_defaults;
  if (!lk_json_get_double (self->object, "temperature", WHERE, &s->temperature, error)
      || !lk_json_get_double (self->object, "top_p", WHERE, &s->top_p, error)
      || !lk_json_get_double (self->object, "min_p", WHERE, &s->min_p, error)
      || !lk_json_get_double (self->object, "repetition_penalty", WHERE, &s->repetition_penalty, error)
      || !get_count (self->object, "top_k", &s->top_k, error)
      || !lk_json_get_int (self->object, "seed", WHERE, &seed, error))
    return FALSE;
  s->seed = (guint64) seed;
  return TRUE;
}

static gboolean
get_strength (LkChatRequest *self, GError **error)
{
  self->strength = 1;
  if (!lk_json_get_double (self->object, "adapter_strength", WHERE, &self->strength, error))
    return FALSE;
  if (self->strength >= 0 && self->strength <= 2)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“adapter_strength” is %g, which is not from 0 to 2", self->strength);
  return FALSE;
}

static gboolean
check_messages (JsonArray *messages, GError **error)
{
  guint n = messages ? json_array_get_length (messages) : 0;
  gboolean ok = n > 0;

  for (guint i = 0; i < n; i++)
    ok = ok && JSON_NODE_HOLDS_OBJECT (json_array_get_element (messages, i));
  if (!ok)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA,
                         WHERE ": “messages” must be an array of messages, at least one");
  return ok;
}

gboolean
lk_chat_request_parse (LkChatRequest *self, const char *data, gsize size, GError **error)
{
  g_autoptr (JsonNode) node = lk_json_parse (data, size, WHERE, error);

  *self = (LkChatRequest){ 0 };
  if (!node)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, WHERE ": a JSON object was expected");
      return FALSE;
    }
  self->object = json_node_dup_object (node);
  if (json_object_has_member (self->object, "tools") && !json_object_get_null_member (self->object, "tools"))
    self->tools = json_object_get_member (self->object, "tools");
  return lk_json_get_string (self->object, "model", WHERE, &self->model, error)
         && lk_json_get_array (self->object, "messages", WHERE, &self->messages, error)
         && check_messages (self->messages, error)
         && lk_json_get_boolean (self->object, "stream", WHERE, &self->stream, error)
         && get_count (self->object, "max_tokens", &self->max_tokens, error)
         && get_count (self->object, "max_completion_tokens", &self->max_tokens, error)
         && get_stops (self, error) && get_sampler (self, error) && get_strength (self, error);
}

void
lk_chat_request_clear (LkChatRequest *self)
{
  g_clear_pointer (&self->object, json_object_unref);
  g_clear_pointer (&self->stops, g_strfreev);
}

static const char *
reason_of (LkFinish finish)
{
  return finish == LK_FINISH_LENGTH || finish == LK_FINISH_CONTEXT ? "length" : "stop";
}

static void
add_usage (JsonObject *object, const LkGenerated *finished)
{
  JsonObject *usage = json_object_new (), *details = json_object_new ();

  json_object_set_int_member (usage, "prompt_tokens", finished->prompt_tokens);
  json_object_set_int_member (usage, "completion_tokens", finished->ids->len);
  json_object_set_int_member (usage, "total_tokens", (gint64) finished->prompt_tokens + finished->ids->len);
  json_object_set_int_member (details, "cached_tokens", finished->reused_tokens);
  json_object_set_object_member (usage, "prompt_tokens_details", details);
  json_object_set_int_member (usage, "context_tokens", finished->context);
  if (finished->answer_seconds > 0)
    json_object_set_double_member (usage, "tokens_per_second", finished->ids->len / finished->answer_seconds);
  json_object_set_object_member (object, "usage", usage);
}

static char *
to_string (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return lk_json_to_string (node, FALSE);
}

static char *
answer_to_json (const char *id, const char *model, const char *kind, const char *part, const char *text,
                gboolean first, const LkGenerated *finished)
{
  JsonObject *object = json_object_new (), *choice = json_object_new (), *message = json_object_new ();
  JsonArray *choices = json_array_new ();

  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "object", kind);
  json_object_set_int_member (object, "created", g_get_real_time () / G_USEC_PER_SEC);
  json_object_set_string_member (object, "model", model);
  if (first)
    json_object_set_string_member (message, "role", "assistant");
  if (text)
    json_object_set_string_member (message, "content", text);
  json_object_set_int_member (choice, "index", 0);
  json_object_set_object_member (choice, part, message);
  if (finished)
    json_object_set_string_member (choice, "finish_reason", reason_of (finished->finish));
  else
    json_object_set_null_member (choice, "finish_reason");
  json_array_add_object_element (choices, choice);
  json_object_set_array_member (object, "choices", choices);
  if (finished)
    add_usage (object, finished);
  return to_string (object);
}

char *
lk_chat_chunk_to_json (const char *id, const char *model, const char *text, const LkGenerated *finished)
{
  return answer_to_json (id, model, "chat.completion.chunk", "delta", text, text && !text[0], finished);
}

char *
lk_chat_answer_to_json (const char *id, const char *model, const LkGenerated *finished)
{
  return answer_to_json (id, model, "chat.completion", "message", finished->text->str, TRUE, finished);
}

char *
lk_chat_error_to_json (const char *message, guint status)
{
  JsonObject *object = json_object_new (), *error = json_object_new ();

  json_object_set_string_member (error, "message", message);
  json_object_set_string_member (error, "type", status >= 500 ? "server_error" : "invalid_request_error");
  json_object_set_object_member (object, "error", error);
  return to_string (object);
}
