/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-view.h"

#include "lk-json.h"
#include "lk-train-data.h"

void
lk_row_view_clear (LkRowView *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->spans, g_array_unref);
}

static const char *
token_text (LkTokenizer *tokenizer, gint32 id)
{
  const char *text = id >= 0 ? lk_tokenizer_get_token (tokenizer, id) : NULL;

  return text ? text : "";
}

/* As training counts them; −1 when the row cannot be learned from. */
static gint64
count_tokens (LkModel *model, const LkRow *row)
{
  g_autoptr (LkExample) example = lk_example_from_row (model, row, 0, NULL);

  return example ? (gint64) example->n : -1;
}

/* Messages without a template: "role: content" by line, answers are what is learned. */
static char *
write_messages (JsonArray *messages, GArray *spans)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonObject *message = json_array_get_object_element (messages, i);
      const char *role = lk_json_peek_string (message, "role", "");
      JsonNode *content = json_object_get_member (message, "content");
      gboolean plain
          = content && JSON_NODE_HOLDS_VALUE (content) && json_node_get_value_type (content) == G_TYPE_STRING;
      LkSpan span;

      g_string_append_printf (text, "%s%s: ", i ? "\n" : "", role);
      span.begin = text->len;
      g_string_append (text, plain ? json_node_get_string (content) : "");
      span.end = text->len;
      if (g_str_equal (role, "assistant"))
        g_array_append_val (spans, span);
    }
  return g_string_free (text, FALSE);
}

static gboolean
view_messages (LkRowView *self, const LkRow *row, LkModel *model, GError **error)
{
  LkTokenizer *tokenizer = model ? lk_model_get_tokenizer (model) : NULL;
  LkTemplate *chat_template = model ? lk_model_get_template (model) : NULL;
  LkTemplateInput input
      = { .messages = row->messages, .tools = row->tools, .bos_token = "", .eos_token = "" };

  if (!chat_template)
    self->text = write_messages (row->messages, self->spans);
  else
    {
      if (tokenizer)
        {
          input.bos_token = token_text (tokenizer, lk_tokenizer_get_bos (tokenizer));
          input.eos_token = token_text (tokenizer, lk_tokenizer_get_eos (tokenizer));
        }
      self->text = lk_template_render (chat_template, &input, self->spans, error);
      if (self->text && !lk_template_check_calls (&input, self->text, error))
        return FALSE;
    }
  if (!self->text)
    return FALSE;
  self->length = tokenizer && chat_template ? count_tokens (model, row) : g_utf8_strlen (self->text, -1);
  return TRUE;
}

static gboolean
view_plain (LkRowView *self, const LkRow *row, LkModel *model)
{
  LkTokenizer *tokenizer = model ? lk_model_get_tokenizer (model) : NULL;
  const char *prompt = row->kind == LK_ROW_COMPLETION ? row->prompt : "";
  const char *end = tokenizer ? token_text (tokenizer, lk_tokenizer_get_eos (tokenizer)) : "";
  LkSpan span = { strlen (prompt), 0 };

  self->text = g_strconcat (prompt, row->text, end, NULL);
  span.end = strlen (self->text);
  g_array_append_val (self->spans, span);
  self->length = tokenizer ? count_tokens (model, row) : g_utf8_strlen (self->text, -1);
  return TRUE;
}

gboolean
lk_row_view_init (LkRowView *self, const LkRow *row, LkModel *model, GError **error)
{
  *self = (LkRowView){ .spans = g_array_new (FALSE, FALSE, sizeof (LkSpan)), .length = -1 };
  return lk_row_is_conversation (row, model && lk_model_get_template (model)) ? view_messages (self, row, model, error)
                                                                               : view_plain (self, row, model);
}

JsonObject *
lk_row_view_to_json (const LkRowView *self, const LkRow *row, gboolean tokens)
{
  JsonObject *object = json_object_new ();
  JsonArray *spans = json_array_new ();

  json_object_set_string_member (object, "text", self->text);
  for (guint i = 0; i < self->spans->len; i++)
    {
      const LkSpan *span = &g_array_index (self->spans, LkSpan, i);
      JsonArray *pair = json_array_new ();

      json_array_add_int_element (pair, g_utf8_pointer_to_offset (self->text, self->text + span->begin));
      json_array_add_int_element (pair, g_utf8_pointer_to_offset (self->text, self->text + span->end));
      json_array_add_array_element (spans, pair);
    }
  json_object_set_array_member (object, "spans", spans);
  json_object_set_int_member (object, "line", (gint64) row->line);
  if (tokens)
    json_object_set_int_member (object, "tokens", self->length);
  return object;
}
