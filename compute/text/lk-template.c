/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the assistant wrote is known in one of two ways: the template says so with generation blocks; or each byte that
 * came out of an assistant message carries that message's tag through the interpreter. A span reaches from the first to the last
 * byte of a message's own text and on over the marker that ends the turn (“<|im_end|>”, “</s>”, the eos token), blanks
 * before it included: that is what a model must learn to say in order to stop.
 */
#include "lk-template.h"

#include <string.h>

#include "lk-error.h"
#include "lk-jinja.h"
#include "lk-tokenizer-private.h"

struct _LkTemplate
{
  gatomicrefcount ref_count;
  LkJinja *jinja;
};

LkTemplate *
lk_template_new (const char *source, const char *name, GError **error)
{
  LkJinja *jinja = lk_jinja_new (source, name, error);
  LkTemplate *self;

  if (!jinja)
    return NULL;
  self = g_new0 (LkTemplate, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->jinja = jinja;
  return self;
}

LkTemplate *
lk_template_ref (LkTemplate *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_template_unref (LkTemplate *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  lk_jinja_free (self->jinja);
  g_free (self);
}

#define LK_TAG_INPUT 1     /* of a user, a system prompt, a tool, or a name of something */
#define LK_TAG_ASSISTANT 2 /* and above: of assistant messages, neighbours apart */

static guint8
lk_template_tag (JsonObject *message, guint index, const char *member)
{
  const char *role = json_object_get_string_member_with_default (message, "role", "");

  if (!g_str_equal (role, "assistant") || g_str_equal (member, "role") || g_str_equal (member, "name"))
    return LK_TAG_INPUT;
  return (guint8) (LK_TAG_ASSISTANT + index % 250);
}

/* Length of the end-of-turn marker at @p, blanks before it included; 0: none. */
static gsize
lk_template_marker (const char *p, const char *end, const char *eos)
{
  const char *begin = p, *q;
  gsize n = eos ? strlen (eos) : 0;

  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  if (n > 0 && (gsize) (end - p) >= n && memcmp (p, eos, n) == 0)
    return (gsize) (p + n - begin);
  if (p >= end || (*p != '<' && *p != '['))
    return 0;
  for (q = p + 1; q < end && q - p <= 40 && *q != '<' && *q != '[' && !g_ascii_isspace (*q); q++)
    if (*q == (*p == '<' ? '>' : ']'))
      return q - p > 1 ? (gsize) (q + 1 - begin) : 0;
  return 0;
}

static void
lk_template_spans_by_tag (const LkJinjaOutput *output, const char *eos, GArray *spans)
{
  const char *text = output->text->str, *end = text + output->text->len;

  for (gsize i = 0; i < output->text->len;)
    {
      guint8 tag = output->tags->data[i];
      LkSpan span = { i, i };
      gsize k;

      if (tag < LK_TAG_ASSISTANT)
        {
          i++;
          continue;
        }
      /* what the template puts between two parts of one message was the assistant's to write as well */
      for (k = i; k < output->text->len && (output->tags->data[k] == tag || output->tags->data[k] < LK_TAG_INPUT); k++)
        if (output->tags->data[k] == tag)
          span.end = k + 1;
      span.end += lk_template_marker (text + span.end, end, eos);
      g_array_append_val (spans, span);
      i = span.end;
    }
}

static JsonObject *
lk_template_variables (const LkTemplateInput *input)
{
  JsonObject *variables = json_object_new ();

  if (input->extra)
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *node;

      json_object_iter_init (&iter, input->extra);
      while (json_object_iter_next (&iter, &name, &node))
        json_object_set_member (variables, name, json_node_copy (node));
    }
  json_object_set_array_member (variables, "messages", json_array_ref (input->messages));
  json_object_set_member (variables, "tools", input->tools ? json_node_copy (input->tools) : json_node_new (JSON_NODE_NULL));
  json_object_set_member (variables, "documents", json_node_new (JSON_NODE_NULL));
  json_object_set_boolean_member (variables, "add_generation_prompt", input->add_generation_prompt);
  json_object_set_string_member (variables, "bos_token", input->bos_token ? input->bos_token : "");
  json_object_set_string_member (variables, "eos_token", input->eos_token ? input->eos_token : "");
  return variables;
}

static gboolean
lk_template_run (LkTemplate *self, const LkTemplateInput *input, LkJinjaOutput *output, GArray *spans, GError **error)
{
  g_autoptr (JsonObject) variables = lk_template_variables (input);

  if (!lk_jinja_render (self->jinja, variables, lk_template_tag, input->now, output, error))
    return FALSE;
  if (!spans)
    return TRUE;
  g_array_set_size (spans, 0);
  for (guint i = 0; i < output->generations->len; i++)
    {
      const guint64 *range = (const guint64 *) (const void *) (output->generations->data + i * 2 * sizeof (guint64));
      LkSpan span = { range[0], range[1] };
      g_array_append_val (spans, span);
    }
  if (spans->len == 0)
    lk_template_spans_by_tag (output, input->eos_token, spans);
  return TRUE;
}

char *
lk_template_render (LkTemplate *self, const LkTemplateInput *input, GArray *spans, GError **error)
{
  LkJinjaOutput output = { NULL, NULL, NULL };
  char *text = NULL;

  if (lk_template_run (self, input, &output, spans, error))
    {
      text = g_string_free (output.text, FALSE);
      output.text = NULL;
    }
  lk_jinja_output_clear (&output);
  return text;
}

void
lk_example_free (LkExample *self)
{
  if (!self)
    return;
  g_free (self->ids);
  g_free (self->targets);
  g_free (self);
}

/* Encodes bytes [begin, end) of the output; control tokens are matched only in what the template itself wrote. */
static gboolean
lk_template_encode_part (LkTokenizer *tokenizer, const LkJinjaOutput *output, gsize begin, gsize end, gboolean target, GArray *ids,
                         GByteArray *targets, GError **error)
{
  guint before = ids->len;

  if (!_lk_tokenizer_encode_masked (tokenizer, output->text->str + begin, end - begin, output->tags->data + begin, ids, error))
    return FALSE;
  g_byte_array_set_size (targets, ids->len);
  memset (targets->data + before, target, ids->len - before);
  return TRUE;
}

LkExample *
lk_template_encode (LkTemplate *self, LkTokenizer *tokenizer, const LkTemplateInput *input, GError **error)
{
  LkJinjaOutput output = { NULL, NULL, NULL };
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GByteArray) targets = g_byte_array_new ();
  LkExample *example = NULL;
  gboolean ok = lk_template_run (self, input, &output, spans, error);
  gsize at = 0;

  for (guint i = 0; ok && i < spans->len; i++)
    {
      LkSpan span = g_array_index (spans, LkSpan, i);

      ok = lk_template_encode_part (tokenizer, &output, at, span.begin, FALSE, ids, targets, error)
           && lk_template_encode_part (tokenizer, &output, span.begin, span.end, TRUE, ids, targets, error);
      at = span.end;
    }
  ok = ok && lk_template_encode_part (tokenizer, &output, at, output.text->len, FALSE, ids, targets, error);
  if (ok)
    {
      example = g_new0 (LkExample, 1);
      example->n = ids->len;
      example->ids = (gint32 *) (void *) g_array_free (g_steal_pointer (&ids), FALSE);
      example->targets = g_byte_array_free (g_steal_pointer (&targets), FALSE);
    }
  lk_jinja_output_clear (&output);
  return example;
}
