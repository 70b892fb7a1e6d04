/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the assistant wrote is known in one of two ways: the template says so with generation blocks; or each byte that came out of
 * an assistant message carries that message's tag through the interpreter. A span then reaches from where the generation prompt
 * ends (“<|im_start|>assistant\n”; what the template itself puts behind it, “<tool_call>”, is the assistant's to write) over the
 * message's own text to the marker that ends the turn (“<|im_end|>”, “</s>”, the eos token): that is what a model must learn to
 * say in order to stop. Prompt and marker are found out by rendering a conversation of our own.
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
  char *prompt;  /* stands before an answer: the generation prompt, else what follows a user's message; "" when unknown */
  LkTemplate *for_tools; /* NULL: this one */
  char *closing; /* stands behind an answer, blanks before it included; "" when unknown or only the eos token */
};

static void lk_template_probe (LkTemplate *self);

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
  lk_template_probe (self);
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
  lk_template_unref (self->for_tools);
  g_free (self->prompt);
  g_free (self->closing);
  g_free (self);
}

void
lk_template_set_for_tools (LkTemplate *self, LkTemplate *other)
{
  g_return_if_fail (!self->for_tools);
  self->for_tools = lk_template_ref (other);
}

#define LK_TAG_INPUT 1     /* of a user, a system prompt, a tool, or a name of something */
#define LK_TAG_CONTEXT 2   /* of an answer that is not to be learned */
#define LK_TAG_ASSISTANT 3 /* to 63: of assistant messages, neighbours apart */
#define LK_TAG_COUNT 61

/* weight (OpenAI) 0 or train (axolotl) false: the answer is context only. */
static gboolean
lk_template_is_trained (JsonObject *message)
{
  static const char *const flags[] = { "weight", "train" };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      JsonNode *node = json_object_has_member (message, flags[i]) ? json_object_get_member (message, flags[i]) : NULL;
      GType type = node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

      if ((type == G_TYPE_BOOLEAN && !json_node_get_boolean (node)) || (type == G_TYPE_INT64 && json_node_get_int (node) == 0)
          || (type == G_TYPE_DOUBLE && json_node_get_double (node) == 0))
        return FALSE;
    }
  return TRUE;
}

static guint8
lk_template_tag (JsonObject *message, guint index, const char *member)
{
  static const char *const ours[] = { "bos_token", "eos_token", "add_generation_prompt" };
  JsonNode *role = message && json_object_has_member (message, "role") ? json_object_get_member (message, "role") : NULL;

  for (guint i = 0; !message && i < G_N_ELEMENTS (ours); i++)
    if (g_str_equal (member, ours[i]))
      return 0;
  if (!role || !JSON_NODE_HOLDS_VALUE (role) || g_strcmp0 (json_node_get_string (role), "assistant") != 0 || g_str_equal (member, "role")
      || g_str_equal (member, "name"))
    return LK_TAG_INPUT;
  return (guint8) (lk_template_is_trained (message) ? LK_TAG_ASSISTANT + index % LK_TAG_COUNT : LK_TAG_CONTEXT);
}

/* What a span is looked for in. */
typedef struct
{
  const LkTemplate *template;
  const LkTemplateInput *input;
  const char *text;
  const guint8 *tags;
  gsize n;
  guint message; /* the one the last span came from, + 1 */
} LkSpanSearch;

/* TRUE when the message the run tagged @tag comes from calls tools. */
static gboolean
lk_search_has_calls (LkSpanSearch *self, guint8 tag)
{
  for (guint i = self->message; i < json_array_get_length (self->input->messages); i++)
    {
      JsonObject *message = json_array_get_object_element (self->input->messages, i);

      if (lk_template_tag (message, i, "content") != tag)
        continue;
      self->message = i + 1;
      return json_object_has_member (message, "tool_calls") || json_object_has_member (message, "function_call");
    }
  return FALSE;
}

/* Where the answer whose first own byte is @at begins; not before @least. Between may stand only what the template wrote. */
static gsize
lk_search_begin (const LkSpanSearch *self, gsize at, gsize least)
{
  gsize n = strlen (self->template->prompt), gap = at;

  while (gap > least && self->tags[gap - 1] == 0)
    gap--;
  for (gsize end = at; n > 0 && end >= gap && end >= least + n; end--)
    if (memcmp (self->text + end - n, self->template->prompt, n) == 0)
      return end;
  return at;
}

/* The length of @marker at @p after blanks (not line ends), blanks included; 0: it is not there. */
static gsize
lk_match_marker (const char *p, gsize n, const char *marker)
{
  gsize blanks = 0, length = strlen (marker);

  while (blanks < n && (p[blanks] == ' ' || p[blanks] == '\t'))
    blanks++;
  return length > 0 && n - blanks >= length && memcmp (p + blanks, marker, length) == 0 ? blanks + length : 0;
}

/* The end of the turn whose own bytes end at @end: behind the marker, if the template wrote one. @far: text of the template may stand
 * before it (the rest of a tool call). */
static gsize
lk_search_end (const LkSpanSearch *self, gsize end, gboolean far)
{
  guint n_ends;
  const char *const *ends = _lk_tokenizer_list_ends (&n_ends);
  const char *eos = self->input->eos_token ? self->input->eos_token : "";
  gsize stop = end;

  while (stop < self->n && self->tags[stop] == 0)
    stop++;
  for (gsize at = end; at < stop; at++)
    {
      const char *p = self->text + at;
      gsize found = lk_match_marker (p, stop - at, eos);

      found = found ? found : lk_match_marker (p, stop - at, self->template->closing);
      for (guint i = 0; i < n_ends && !found; i++)
        found = lk_match_marker (p, stop - at, ends[i]);
      if (found)
        return at + found;
      if (!far && !g_ascii_isspace (*p))
        break;
    }
  return end;
}

static void
lk_template_spans_by_tag (LkTemplate *self, const LkTemplateInput *input, const LkJinjaOutput *output, GArray *spans)
{
  LkSpanSearch search = { self, input, output->text->str, output->tags->data, output->text->len, 0 };
  gsize least = 0;

  for (gsize i = 0; i < search.n;)
    {
      guint8 tag = search.tags[i];
      LkSpan span = { i, i };

      if (tag < LK_TAG_ASSISTANT)
        {
          i++;
          continue;
        }
      /* what the template puts between two parts of one message was the assistant's to write as well */
      for (gsize k = i; k < search.n && (search.tags[k] == tag || search.tags[k] == 0); k++)
        if (search.tags[k] == tag)
          span.end = k + 1;
      span.begin = lk_search_begin (&search, i, least);
      span.end = lk_search_end (&search, span.end, lk_search_has_calls (&search, tag));
      g_array_append_val (spans, span);
      i = least = span.end;
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

/* Generation blocks that hold an answer which is context only are none. */
static gboolean
lk_template_is_learned (const LkJinjaOutput *output, const guint64 *range)
{
  gboolean context = FALSE, answer = FALSE;

  for (guint64 i = range[0]; i < range[1]; i++)
    {
      context |= output->tags->data[i] == LK_TAG_CONTEXT;
      answer |= output->tags->data[i] >= LK_TAG_ASSISTANT;
    }
  return answer || !context;
}

static gboolean
lk_template_run (LkTemplate *self, const LkTemplateInput *input, guint64 *work, LkJinjaOutput *output, GArray *spans, GError **error)
{
  g_autoptr (JsonObject) variables = lk_template_variables (input);

  if (self->for_tools && input->tools && !JSON_NODE_HOLDS_NULL (input->tools))
    self = self->for_tools;
  if (!lk_jinja_render (self->jinja, variables, lk_template_tag, input->now, work, output, error))
    return FALSE;
  if (!spans)
    return TRUE;
  g_array_set_size (spans, 0);
  for (guint i = 0; i < output->generations->len; i++)
    {
      const guint64 *range = (const guint64 *) (const void *) (output->generations->data + i * 2 * sizeof (guint64));
      LkSpan span = { range[0], range[1] };

      if (lk_template_is_learned (output, range))
        g_array_append_val (spans, span);
    }
  if (output->generations->len == 0)
    lk_template_spans_by_tag (self, input, output, spans);
  return TRUE;
}

/* @work: as lk_jinja_render has it. (transfer full) */
static char *
lk_template_text (LkTemplate *self, const LkTemplateInput *input, guint64 *work, GArray *spans, GError **error)
{
  LkJinjaOutput output = { NULL, NULL, NULL };
  char *text = NULL;

  if (lk_template_run (self, input, work, &output, spans, error))
    {
      text = g_string_free (output.text, FALSE);
      output.text = NULL;
    }
  lk_jinja_output_clear (&output);
  return text;
}

#define LK_PROBE_WORK (LK_JINJA_MAX_WORK / 16) /* of all questions together: a template that needs more is not asked */
#define LK_PROBE_USER "\xee\x80\x80"   /* U+E000 and U+E001: private, so no template writes them */
#define LK_PROBE_ANSWER "\xee\x80\x81"

/* A question of ours, with our answer where @answer is; NULL when the template refuses it. (transfer full) */
static char *
lk_template_try (LkTemplate *self, gboolean answer, gboolean prompt, guint64 *work)
{
  static const char *const contents[][2] = { { "user", LK_PROBE_USER }, { "assistant", LK_PROBE_ANSWER } };
  g_autoptr (JsonArray) messages = json_array_new ();
  LkTemplateInput input = { .messages = messages, .add_generation_prompt = prompt, .now = 1 };

  for (guint i = 0; i < (answer ? 2 : 1); i++)
    {
      JsonObject *message = json_object_new ();

      json_object_set_string_member (message, "role", contents[i][0]);
      json_object_set_string_member (message, "content", contents[i][1]);
      json_array_add_object_element (messages, message);
    }
  return lk_template_text (self, &input, work, NULL, NULL);
}

/* The first “<…>” or “[…]” of @text, which only blanks may precede, with them; "" when there is none. (transfer full) */
static char *
lk_first_marker (const char *text)
{
  const char *p = text + strspn (text, " \t");
  const char *end = *p == '<' || *p == '[' ? strchr (p, *p == '<' ? '>' : ']') : NULL;
  gsize n = end ? (gsize) (end - p) : 0;

  return n < 2 || n > 60 || strcspn (p + 1, " \t\n<[") < n ? g_strdup ("") : g_strndup (p, n + 1);
}

/* Has the answer a marker of its own before it, behind the one that ends the question? */
static gboolean
lk_begins_marked (const char *answered, const char *closing)
{
  const char *question = strstr (answered, LK_PROBE_USER), *answer = strstr (answered, LK_PROBE_ANSWER), *marker;

  marker = question ? strstr (question, closing) : NULL;
  if (!marker || marker > answer)
    return FALSE;
  marker += strlen (closing);
  marker += strcspn (marker, "<[");
  return marker < answer;
}

static void
lk_template_probe (LkTemplate *self)
{
  guint64 work = LK_PROBE_WORK;
  g_autofree char *question = lk_template_try (self, FALSE, FALSE, &work);
  g_autofree char *prompted = lk_template_try (self, FALSE, TRUE, &work);
  g_autofree char *answered = lk_template_try (self, TRUE, FALSE, &work);
  const char *behind = answered ? strstr (answered, LK_PROBE_ANSWER) : NULL;
  gsize same = 0;

  while (question && prompted && question[same] && question[same] == prompted[same])
    same++;
  if (question && prompted && prompted[same])
    self->prompt = g_strdup (prompted + same); /* bytes: the first may be inside a character */
  else if (question && strstr (question, LK_PROBE_USER))
    self->prompt = g_strdup (strstr (question, LK_PROBE_USER) + strlen (LK_PROBE_USER));
  else
    self->prompt = g_strdup ("");
  self->closing = behind ? lk_first_marker (behind + strlen (LK_PROBE_ANSWER)) : g_strdup ("");
  if (*self->closing && g_str_has_prefix (self->prompt, self->closing) && !lk_begins_marked (answered, self->closing))
    self->closing[0] = '\0'; /* the next turn's beginning, not this one's end */
}

char *
lk_template_render (LkTemplate *self, const LkTemplateInput *input, GArray *spans, GError **error)
{
  return lk_template_text (self, input, NULL, spans, error);
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
lk_template_encode_part (LkTokenizer *tokenizer, const LkJinjaOutput *output, gsize begin, gsize end, gboolean target, LkEncodeState *state,
                         GArray *ids, GByteArray *targets, GError **error)
{
  guint before = ids->len;

  if (!_lk_tokenizer_encode_masked (tokenizer, output->text->str + begin, end - begin, output->tags->data + begin, state, ids, error))
    return FALSE;
  g_byte_array_set_size (targets, ids->len);
  memset (targets->data + before, target, ids->len - before);
  return TRUE;
}

/* The first function that @message calls and that does not occur in @text; NULL: none. Names that JSON would escape are not asked for. */
static const char *
lk_call_missing (JsonObject *message, const char *text)
{
  JsonNode *calls = json_object_get_member (message, "tool_calls");
  JsonArray *list = calls && JSON_NODE_HOLDS_ARRAY (calls) ? json_node_get_array (calls) : NULL;

  for (guint i = 0; list && i < json_array_get_length (list); i++)
    {
      JsonNode *call = json_array_get_element (list, i);
      JsonNode *function = JSON_NODE_HOLDS_OBJECT (call) ? json_object_get_member (json_node_get_object (call), "function") : NULL;
      JsonNode *name = function && JSON_NODE_HOLDS_OBJECT (function) ? json_object_get_member (json_node_get_object (function), "name") : NULL;
      const char *word = name && JSON_NODE_HOLDS_VALUE (name) ? json_node_get_string (name) : NULL;

      if (word && strspn (word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") == strlen (word) && !strstr (text, word))
        return word;
    }
  return NULL;
}

gboolean
lk_template_check_calls (const LkTemplateInput *input, const char *text, GError **error)
{
  for (guint i = 0; i < json_array_get_length (input->messages); i++)
    {
      const char *name = lk_call_missing (json_array_get_object_element (input->messages, i), text);

      if (!name)
        continue;
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA,
                   "Message %u calls the tool “%s”, and the model's chat template does not write calls of tools", i + 1, name);
      return FALSE;
    }
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
  LkEncodeState state = { FALSE, FALSE };
  gboolean ok = lk_template_run (self, input, NULL, &output, spans, error) && lk_template_check_calls (input, output.text->str, error);
  gsize at = 0;

  for (guint i = 0; ok && i < spans->len; i++)
    {
      LkSpan span = g_array_index (spans, LkSpan, i);

      ok = lk_template_encode_part (tokenizer, &output, at, span.begin, FALSE, &state, ids, targets, error)
           && lk_template_encode_part (tokenizer, &output, span.begin, span.end, TRUE, &state, ids, targets, error);
      at = span.end;
    }
  ok = ok && lk_template_encode_part (tokenizer, &output, at, output.text->len, FALSE, &state, ids, targets, error);
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
