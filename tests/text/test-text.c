/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tokenizers and templates against the reference's own numbers, and against files that mean harm.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-packing.h"
#include "lk-template.h"
#include "lk-tokenizer.h"
#include "lk-test-gguf-tokenizer.h"
#include "../lk-test-shared.h"

static char *
golden (const char *rest)
{
  g_autofree char *path = g_build_filename ("golden", rest, NULL);

  return lk_test_shared (path);
}

static char **
golden_lines (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return g_strsplit (g_strchomp (text), "\n", -1);
}

/* The value of a JSON string member with \u0000 kept: json-glib ends texts there. */
static GString *
raw_member (const char *line, const char *member)
{
  g_autofree char *key = g_strdup_printf ("\"%s\": \"", member);
  const char *p = strstr (line, key);
  g_autoptr (GString) piece = g_string_new ("[\"");
  GString *text = g_string_new (NULL);

  g_assert_nonnull (p);
  for (p += strlen (key); ; p++)
    {
      gboolean end = *p == '"', nul = strncmp (p, "\\u0000", 6) == 0;

      if (end || nul)
        {
          g_autoptr (JsonNode) node = NULL;

          g_string_append (piece, "\"]");
          node = lk_json_parse (piece->str, piece->len, "piece", NULL);
          g_assert_nonnull (node);
          g_string_append (text, json_array_get_string_element (json_node_get_array (node), 0));
          g_string_assign (piece, "[\"");
          if (end)
            return text;
          g_string_append_c (text, '\0');
          p += 5;
          continue;
        }
      g_string_append_c (piece, *p);
      if (*p == '\\')
        g_string_append_c (piece, *++p);
    }
}

static void
assert_ids (GArray *ids, JsonArray *wanted, const char *what)
{
  g_autoptr (GString) got = g_string_new (NULL);

  gboolean equal = ids->len == json_array_get_length (wanted);

  for (guint i = 0; equal && i < ids->len; i++)
    equal = g_array_index (ids, gint32, i) == json_array_get_int_element (wanted, i);
  for (guint i = 0; !equal && i < ids->len; i++)
    g_string_append_printf (got, " %d", g_array_index (ids, gint32, i));
  if (!equal)
    g_error ("other ids than the reference for %s:%s", what, got->str);
}

/* How many cases there were: all of them. */
static void
check_count (const char *what, guint n, guint wanted)
{
  g_test_message ("%s: %u cases", what, n);
  g_assert_cmpuint (n, ==, wanted);
}

static void
test_tokenizer_json (gconstpointer data)
{
  g_autofree char *rest = g_build_filename ("tokenizers", data, NULL);
  g_autofree char *folder = golden (rest);
  g_autofree char *file = folder ? g_build_filename (folder, "tokenizer.json", NULL) : NULL;
  g_autofree char *cases = folder ? g_build_filename (folder, "cases.jsonl", NULL) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTokenizer) tokenizer = folder ? lk_tokenizer_new_from_json (file, NULL, &error) : NULL;
  g_auto (GStrv) lines = folder ? golden_lines (cases) : NULL;

  g_assert_no_error (error);
  for (guint i = 0; lines && lines[i]; i++)
    {
      g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), cases, &error);
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      g_autoptr (GString) text = raw_member (lines[i], "text"), decoded = raw_member (lines[i], "decoded"), ours = NULL;

      g_assert_no_error (error);
      g_assert_true (lk_tokenizer_encode (tokenizer, text->str, (gssize) text->len, TRUE, ids, &error));
      assert_ids (ids, json_object_get_array_member (json_node_get_object (node), "ids"), lines[i]);
      ours = lk_tokenizer_decode_string (tokenizer, (const gint32 *) (void *) ids->data, ids->len, FALSE);
      g_assert_true (g_string_equal (ours, decoded));
    }
  if (lines)
    check_count (data, g_strv_length (lines), 266);
}

static void
test_tokenizer_gguf (gconstpointer data)
{
  g_autofree char *path = golden (data);
  g_autoptr (LkTokenizer) tokenizer = path ? lk_test_gguf_tokenizer (path) : NULL;
  g_autofree char *inputs = path ? g_strconcat (path, ".inp", NULL) : NULL;
  g_autofree char *outputs = path ? g_strconcat (path, ".out", NULL) : NULL;
  g_autofree char *text = NULL, *ids_text = NULL;
  g_auto (GStrv) parts = NULL, lines = NULL;
  guint n = 0;

  if (!path)
    return;
  g_assert_true (g_file_get_contents (inputs, &text, NULL, NULL));
  g_assert_true (g_file_get_contents (outputs, &ids_text, NULL, NULL));
  parts = g_strsplit (text, "\n__ggml_vocab_test__\n", -1);
  lines = g_strsplit (ids_text, "\n", -1);
  for (guint i = 0; parts[i] && lines[i] && (parts[i + 1] || *parts[i]); i++, n++)
    {
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      g_autoptr (GString) ours = g_string_new (NULL);
      g_autofree char *wanted = g_strstrip (g_strdup (lines[i]));
      g_autoptr (GError) error = NULL;

      g_assert_true (lk_tokenizer_encode (tokenizer, parts[i], -1, FALSE, ids, &error));
      for (guint k = 0; k < ids->len; k++)
        g_string_append_printf (ours, "%s%d", k ? " " : "", g_array_index (ids, gint32, k));
      g_assert_cmpstr (ours->str, ==, wanted);
    }
  check_count (data, n, 46);
}

/* Bytes are tokens; “ab” is one merge; one control token. */
static LkTokenizer *
tiny_tokenizer (GError **error, const char *merge)
{
  LkTokenizerMetadata m = { .source = "tiny", .model = "gpt2", .pre = "gpt-2", .bos = -1, .eos = 257, .unk = -1, .pad = -1 };
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  gint64 types[258];
  char *merges[] = { (char *) merge, NULL };

  for (guint b = 0, next = 256; b < 256; b++)
    {
      gunichar c = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174 ? b : next++;
      g_autoptr (GString) s = g_string_new (NULL);

      g_string_append_unichar (s, c);
      g_ptr_array_add (tokens, g_strdup (s->str));
      types[b] = 1;
    }
  g_ptr_array_add (tokens, g_strdup ("ab"));
  g_ptr_array_add (tokens, g_strdup ("<|im_end|>"));
  types[256] = 1, types[257] = 3;
  m.tokens = (char **) tokens->pdata;
  m.n_tokens = tokens->len;
  m.token_types = types;
  m.merges = merges;
  m.n_merges = 1;
  return lk_tokenizer_new_from_metadata (&m, error);
}

static void
test_tokenizer_hostile (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTokenizer) tokenizer = tiny_tokenizer (&error, "a b");
  static const gint32 odd[] = { -1, 1 << 30, 97, G_MININT32 };
  g_autofree char *decoded = NULL;

  g_assert_no_error (error);
  decoded = lk_tokenizer_decode (tokenizer, odd, G_N_ELEMENTS (odd), FALSE);
  g_assert_cmpstr (decoded, ==, "a");
  g_assert_null (lk_tokenizer_get_token (tokenizer, 258));
  g_assert_null (tiny_tokenizer (&error, "a zz"));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
  g_clear_error (&error);
  g_assert_null (tiny_tokenizer (&error, "nospace"));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
}

/* Kinds and options no real file at hand has; the numbers are the tokenizers library's (make_small_tokenizers.py). */
static void
test_tokenizer_small (void)
{
  g_autofree char *list = g_test_build_filename (G_TEST_DIST, "text", "small-tokenizers.json", NULL);
  g_autofree char *file = g_build_filename (g_get_tmp_dir (), "lorikeet-small-tokenizer.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (list, &text, &size, NULL));
  node = lk_json_parse (text, size, list, NULL);
  for (guint t = 0; t < json_array_get_length (json_node_get_array (node)); t++)
    {
      JsonObject *entry = json_array_get_object_element (json_node_get_array (node), t);
      JsonArray *cases = json_object_get_array_member (entry, "cases");
      g_autofree char *json = lk_json_to_string (json_object_get_member (entry, "tokenizer"), FALSE);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTokenizer) tokenizer = NULL;

      g_assert_true (g_file_set_contents (file, json, -1, NULL));
      tokenizer = lk_tokenizer_new_from_json (file, NULL, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < json_array_get_length (cases); i++)
        {
          JsonObject *c = json_array_get_object_element (cases, i);
          const char *decoded = json_object_get_string_member_with_default (c, "decoded", NULL);
          g_autofree char *what = g_strdup_printf ("tokenizer %u: “%s”", t, json_object_get_string_member (c, "text"));
          g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
          g_autofree char *ours = NULL;

          g_assert_true (lk_tokenizer_encode (tokenizer, json_object_get_string_member (c, "text"), -1, TRUE, ids, &error));
          assert_ids (ids, json_object_get_array_member (c, "ids"), what);
          ours = lk_tokenizer_decode (tokenizer, (const gint32 *) (void *) ids->data, ids->len, FALSE);
          if (decoded)
            g_assert_cmpstr (ours, ==, decoded);
        }
    }
  g_unlink (file);
}

/* Runs no backtracking engine would survive; twice the text takes about twice the work, so four megabytes end soon. */
static void
test_tokenizer_long (void)
{
  static const char *const units[] = { "a", " ", "\n", "ab", "1", "é", "!\n", "'s", "\xcc\x81" };
  g_autoptr (LkTokenizer) tokenizer = tiny_tokenizer (NULL, "a b");

  for (guint u = 0; u < G_N_ELEMENTS (units); u++)
    {
      gsize times = (4 << 20) / strlen (units[u]);
      g_autoptr (GString) text = g_string_sized_new (5 << 20);
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      g_autoptr (GString) back = NULL;

      for (gsize i = 0; i < times; i++)
        g_string_append (text, units[u]);
      g_assert_true (lk_tokenizer_encode (tokenizer, text->str, (gssize) text->len, TRUE, ids, NULL));
      back = lk_tokenizer_decode_string (tokenizer, (const gint32 *) (void *) ids->data, ids->len, FALSE);
      g_assert_true (g_string_equal (back, text));
      if (g_str_equal (units[u], "ab"))
        g_assert_cmpuint (ids->len, ==, times);
    }
}

static void
test_templates (void)
{
  g_autofree char *folder = golden ("templates");
  g_autofree char *cases = folder ? g_build_filename (folder, "cases.jsonl", NULL) : NULL;
  g_auto (GStrv) lines = folder ? golden_lines (cases) : NULL;

  for (guint i = 0; lines && lines[i]; i++)
    {
      g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), cases, NULL);
      JsonObject *o = json_node_get_object (node);
      const char *name = json_object_get_string_member (o, "template");
      const char *wanted = json_object_get_string_member_with_default (o, "rendered", NULL);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *source = NULL, *text = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTemplate) template = NULL;
      LkTemplateInput input = { .messages = json_object_get_array_member (o, "messages"), .tools = json_object_get_member (o, "tools"),
                                .add_generation_prompt = json_object_get_boolean_member (o, "add_generation_prompt"),
                                .bos_token = json_object_get_string_member (o, "bos_token"),
                                .eos_token = json_object_get_string_member (o, "eos_token"), .now = 1768478400 };

      g_assert_true (g_file_get_contents (path, &source, NULL, NULL));
      template = lk_template_new (source, name, &error);
      g_assert_no_error (error);
      text = lk_template_render (template, &input, NULL, &error);
      g_assert_cmpstr (text, ==, wanted); /* NULL where the reference raises */
      g_assert_true (text || error);
    }
  if (lines)
    check_count ("templates", g_strv_length (lines), 240);
}

static void
test_rows (void)
{
  g_autofree char *rows = golden ("smollm2/rows.jsonl");
  g_autofree char *file = rows ? golden ("tokenizers/smollm2/tokenizer.json") : NULL;
  g_auto (GStrv) lines = file ? golden_lines (rows) : NULL;
  g_autoptr (LkTokenizer) tokenizer = file ? lk_tokenizer_new_from_json (file, NULL, NULL) : NULL;
  static const char source[]
    = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
      "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n'"
      " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  g_autoptr (LkTemplate) template = lk_template_new (source, "SmolLM2", NULL);

  for (guint i = 0; lines && lines[i]; i++)
    {
      g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), rows, NULL);
      JsonObject *o = json_node_get_object (node);
      LkTemplateInput input = { .messages = json_object_get_array_member (o, "messages"), .eos_token = "<|im_end|>" };
      g_autoptr (GError) error = NULL;
      g_autoptr (LkExample) example = lk_template_encode (template, tokenizer, &input, &error);
      g_autofree char *text = lk_template_render (template, &input, NULL, NULL);
      JsonArray *ids = json_object_get_array_member (o, "ids");
      JsonArray *span = json_array_get_array_element (json_object_get_array_member (o, "targets"), 0);

      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, json_object_get_string_member (o, "text"));
      g_assert_cmpuint (example->n, ==, json_array_get_length (ids));
      for (guint k = 0; k < example->n; k++)
        {
          g_assert_cmpint (example->ids[k], ==, json_array_get_int_element (ids, k));
          g_assert_cmpint (example->targets[k], ==, k >= json_array_get_int_element (span, 0) && k < json_array_get_int_element (span, 1));
        }
    }
}

static LkTemplateInput
talk (JsonArray **messages, const char *json)
{
  g_autoptr (JsonNode) node = lk_json_parse (json, strlen (json), "messages", NULL);

  *messages = json_node_dup_array (node);
  return (LkTemplateInput){ .messages = *messages, .eos_token = "</s>" };
}

/* Every turn of the assistant is a span, with the marker that ends it. */
static void
test_spans (void)
{
  static const struct
  {
    const char *source, *spans;
  } cases[] = {
    { "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|end|>\n{% endfor %}", "[One<|end|>][Two<|end|>]" },
    { "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|stop|>{% endfor %}", "[One<|stop|>][Two<|stop|>]" },
    { "{% for m in messages %}{{ m.content }}<|next|>{% endfor %}", "[One][Two]" },
    { "{% for m in messages %}{{ m.role }}: {{ m.content | trim }}{{ eos_token }}{% endfor %}", "[One</s>][Two</s>]" },
    { "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}!{% endgeneration %}{% else %}{{ m.content }}"
      "{% endif %}{% endfor %}",
      "[One!][Two!]" },
    { "{% for m in messages %}{{ m.role }}\n{{ m.content[:1] }}-{{ m.content[1:] }}\n{% endfor %}", "[O-ne][T-wo]" },
  };
  g_autoptr (JsonArray) messages = NULL;
  LkTemplateInput input = talk (&messages, "[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\",\"content\":\"One\"},"
                                           "{\"role\":\"user\",\"content\":\"2\"},{\"role\":\"assistant\",\"content\":\"Two\"}]");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTemplate) template = lk_template_new (cases[i].source, "spans", &error);
      g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
      g_autofree char *text = template ? lk_template_render (template, &input, spans, &error) : NULL;
      g_autoptr (GString) got = g_string_new (NULL);

      g_assert_no_error (error);
      for (guint k = 0; k < spans->len; k++)
        {
          LkSpan s = g_array_index (spans, LkSpan, k);
          g_string_append_printf (got, "[%.*s]", (int) (s.end - s.begin), text + s.begin);
        }
      g_assert_cmpstr (got->str, ==, cases[i].spans);
    }
}

static char *
spans_of (const char *source, const LkTemplateInput *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTemplate) template = lk_template_new (source, "spans", &error);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
  g_autofree char *text = template ? lk_template_render (template, input, spans, &error) : NULL;
  g_autoptr (GString) got = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint k = 0; k < spans->len; k++)
    {
      LkSpan s = g_array_index (spans, LkSpan, k);
      g_string_append_printf (got, "[%.*s]", (int) (s.end - s.begin), text + s.begin);
    }
  return g_string_free (g_steal_pointer (&got), FALSE);
}

/* Real templates, a call of a tool: all that must be said to make the call and to stop is learned; answers of weight 0 are not. */
static void
test_spans_real (void)
{
  static const struct
  {
    const char *template, *spans;
    gboolean system;
  } cases[] = {
    { "Qwen-Qwen2.5-7B-Instruct.jinja", "[<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 3}}\n</tool_call><|im_end|>][Done<|im_end|>]", TRUE },
    { "qwen3-tokenizer-config.jinja",
      "[<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 3}}\n</tool_call><|im_end|>]"
      "[<think>\n\n</think>\n\nDone<|im_end|>]", TRUE },
    { "meta-llama-Llama-3.1-8B-Instruct.jinja", "[{\"name\": \"f\", \"parameters\": {\"x\": 3}}<|eot_id|>][Done<|eot_id|>]", TRUE },
    { "mistralai-Mistral-Nemo-Instruct-2407.jinja", "[[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"x\": 3}, \"id\": \"123456789\"}]</s>][Done</s>]", TRUE },
  };
  static const struct
  {
    const char *template, *spans;
  } plain[] = {
    /* without a generation prompt, all behind the question is the model's to write, the template's own blanks included */
    { "llama-2-chat.jinja", "[\n\n         B </s>]" }, { "mistral-instruct.jinja", "[\n         B</s>]" }, { "google-gemma-2-2b-it.jinja", "[B<end_of_turn>]" },
    { "microsoft-Phi-3.5-mini-instruct.jinja", "[B<|end|>]" }, { "phi-3.jinja", "[B<|end|>]" },  { "zephyr.jinja", "[B</s>]" },
    { "vicuna.jinja", "[B</s>]" },                 { "alpaca.jinja", "[B</s>]" },              { "chatml.jinja", "[B<|im_end|>]" },
    { "llama3-tokenizer-config.jinja", "[B<|eot_id|>]" },
  };
  g_autoptr (JsonArray) calls = NULL;
  g_autoptr (JsonArray) turns = NULL;
  LkTemplateInput call = talk (&calls, "[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"123456789\","
                                       "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":3}}}]},"
                                       "{\"role\":\"tool\",\"tool_call_id\":\"123456789\",\"content\":\"<b>2</b>\"},{\"role\":\"assistant\",\"content\":\"Done\"}]");
  LkTemplateInput talked = talk (&turns, "[{\"role\":\"user\",\"content\":\"<i>1\"},{\"role\":\"assistant\",\"content\":\"A\",\"weight\":0},"
                                         "{\"role\":\"user\",\"content\":\"<i>2\"},{\"role\":\"assistant\",\"content\":\"B\"}]");
  g_autofree char *folder = golden ("templates");

  for (guint i = 0; folder && i < G_N_ELEMENTS (cases) + G_N_ELEMENTS (plain); i++)
    {
      gboolean is_call = i < G_N_ELEMENTS (cases);
      const char *name = is_call ? cases[i].template : plain[i - G_N_ELEMENTS (cases)].template;
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *source = NULL, *got = NULL;

      g_assert_true (g_file_get_contents (path, &source, NULL, NULL));
      got = spans_of (source, is_call ? &call : &talked);
      g_test_message ("%s", name);
      g_assert_cmpstr (got, ==, is_call ? cases[i].spans : plain[i - G_N_ELEMENTS (cases)].spans);
    }
}

/* What is not the assistant's is never learned, whatever stands beside an answer; generation blocks count inside macros too. */
static void
test_spans_odd (void)
{
  static const struct
  {
    const char *source, *spans;
  } cases[] = {
    { "{% for m in messages %}{{ m.content }}{% endfor %}", "[A][B]" },
    { "{% for m in messages %}{% if m.role == 'user' %}[INST]{% endif %}{{ m.content }}{% endfor %}", "[A][B]" },
    { "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}", "[A][B]" },
    { "{% macro g(m) %}{% generation %}{{ m.content }}</s>{% endgeneration %}{% endmacro %}{% for m in messages %}"
      "{% if m.role == 'assistant' %}{{ g(m) }}{% else %}{{ m.content }}{% endif %}{% endfor %}", "[A</s>][B</s>]" },
    { "{% for m in messages if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}", "[A][B]" },
  };
  g_autoptr (JsonArray) turns = NULL;
  LkTemplateInput input = talk (&turns, "[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\",\"content\":\"A\"},"
                                        "{\"role\":\"user\",\"content\":\"<b>2</s>\"},{\"role\":\"assistant\",\"content\":\"B\"},"
                                        "{\"role\":\"user\",\"content\":\"[3]\"}]");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = spans_of (cases[i].source, &input);
      g_assert_cmpstr (got, ==, cases[i].spans);
    }
  json_object_set_boolean_member (json_array_get_object_element (turns, 1), "train", FALSE);
  for (guint i = 3; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = spans_of (cases[i].source, &input);
      g_assert_true (strstr (got, "[B") == got);
    }
}

/* What a user writes never becomes a control token. */
static void
test_injection (void)
{
  g_autoptr (LkTokenizer) tokenizer = tiny_tokenizer (NULL, "a b");
  g_autoptr (LkTemplate) template = lk_template_new ("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}", "injection", NULL);
  g_autoptr (JsonArray) messages = NULL;
  LkTemplateInput input = talk (&messages, "[{\"role\":\"user\",\"content\":\"x<|im_end|>y\"},{\"role\":\"assistant\",\"content\":\"z\"}]");
  g_autoptr (LkExample) example = lk_template_encode (template, tokenizer, &input, NULL);
  guint n = 0;

  for (guint i = 0; i < example->n; i++)
    n += example->ids[i] == 257;
  g_assert_cmpuint (n, ==, 2);
}

/* Nor does what comes with a row as tools, as a key of an object, or through filters. */
static void
test_injection_aside (void)
{
  static const char source[] = "{{ tools | tojson }}{{ messages | string | upper | lower }}{{ messages[0].extra | tojson }}"
                               "{{ messages[0].extra.items() | list }}{{ '%s' % messages[0].content }}{{ messages[0].content.title() }}<|im_end|>";
  static const char json[] = "[{\"role\":\"user\",\"content\":\"<|im_end|>\",\"extra\":{\"<|im_end|>\":{\"<|im_end|>\":[\"<|im_end|>\"]}}}]";
  g_autoptr (LkTokenizer) tokenizer = tiny_tokenizer (NULL, "a b");
  g_autoptr (LkTemplate) template = lk_template_new (source, "injection", NULL);
  g_autoptr (JsonArray) messages = NULL;
  static const char tools_json[] = "[{\"<|im_end|>\":\"<|im_end|>\"}]";
  g_autoptr (JsonNode) tools = lk_json_parse (tools_json, sizeof tools_json - 1, "tools", NULL);
  LkTemplateInput input = talk (&messages, json);
  g_autoptr (LkExample) example = NULL;
  guint n = 0;

  g_assert_nonnull (tools);
  input.tools = tools;
  example = lk_template_encode (template, tokenizer, &input, NULL);
  for (guint i = 0; i < example->n; i++)
    n += example->ids[i] == 257;
  g_assert_cmpuint (n, ==, 1);
}

static void
test_template_hostile (void)
{
  g_autofree char *nested = g_strnfill (100000, '(');
  g_autofree char *spaces = g_strnfill (1 << 20, ' ');
  g_autofree char *deep = g_strconcat ("{{ ", nested, NULL);
  g_autofree char *huge = g_strconcat (spaces, "{{ 1 }}", NULL);
  const struct
  {
    const char *source;
    gboolean fails;
  } cases[] = {
    { "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", TRUE },
    { deep, TRUE },
    { "{% for i in range(1000000000) %}{% endfor %}", TRUE },
    { "{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}", TRUE },
    { "{{ 'x' * 1000000000 }}", TRUE },
    { "{% include 'a' %}", TRUE },
    { "{% import 'a' as b %}", TRUE },
    { "{{ messages.append(1) }}", TRUE },
    { "{{ ''.__class__.__mro__ }}", TRUE },
    { "{{ ''.__class__ }}", FALSE },
    { "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", TRUE },
    { "{{ 1 // 0 }}", TRUE },
    { "{{ -9223372036854775807 - 2 }}", TRUE },
    { "{% if %}", TRUE },
    { "{{ 'unclosed }}", TRUE },
    { "{% raw %}", TRUE },
    { huge, FALSE },
  };
  g_autoptr (JsonArray) messages = json_array_new ();
  LkTemplateInput input = { .messages = messages };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTemplate) template = lk_template_new (cases[i].source, "hostile", &error);
      g_autofree char *text = template ? lk_template_render (template, &input, NULL, &error) : NULL;

      g_assert_true ((text == NULL) == cases[i].fails);
      g_assert_true ((error != NULL) == cases[i].fails);
    }
}

/* Seeded damage to real templates: an error or a result, never a crash. */
static void
test_template_mutations (void)
{
  static const char base[] = "{% for m in messages %}{% if loop.last and m.content is string %}{{ m['content'][1:] | trim | upper }}"
                             "{% elif not x %}{% set a, b = 1, [2, {'k': 3}] %}{{ b | tojson(indent=2) ~ a ** 2 }}{% endif %}{% endfor %}";
  g_autoptr (JsonArray) messages = NULL;
  LkTemplateInput input = talk (&messages, "[{\"role\":\"user\",\"content\":\"héllo\"},{\"role\":\"assistant\",\"content\":\"b\"}]");
  GRand *random = g_rand_new_with_seed (7);

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *source = g_strdup (base);
      g_autoptr (GError) error = NULL;
      LkTemplate *template;

      for (guint k = 0; k < 3; k++)
        source[g_rand_int_range (random, 0, sizeof base - 1)] = "{}%|()[]'\"., abi=~-+*0"[g_rand_int_range (random, 0, 22)];
      template = lk_template_new (source, "mutation", &error);
      if (template)
        {
          g_autofree char *text = lk_template_render (template, &input, NULL, &error);
          g_assert_true (text || error);
          lk_template_unref (template);
        }
      else
        g_assert_nonnull (error);
    }
  g_rand_free (random);
}

static void
test_packing (void)
{
  static const guint lengths[] = { 4, 2, 3, 1 }; /* the first cut from 5 */
  g_autoptr (LkPacking) packing = lk_packing_new (lengths, 4, 4, TRUE);
  gint32 ids[] = { 8, 9, 10 }, more[] = { 11 };
  guint8 targets[] = { 1, 1, 1 };
  LkExample a = { ids, targets, 3 }, b = { more, targets, 1 };
  g_autoptr (LkBatch) batch = lk_batch_new (2, 4);

  /* TRL's own example of best-fit decreasing: [4] [3, 1] [2] */
  g_assert_cmpuint (packing->n_rows, ==, 3);
  g_assert_cmpuint (packing->first[2] - packing->first[1], ==, 2);
  g_assert_cmpuint (packing->members[packing->first[1]], ==, 2);
  g_assert_cmpuint (packing->members[packing->first[1] + 1], ==, 3);
  lk_batch_place (batch, 1, 4, 0, &a);
  lk_batch_place (batch, 1, 4, 3, &b);
  g_assert_cmpint (batch->starts[0], ==, -1);
  g_assert_cmpint (batch->starts[6], ==, 4);
  g_assert_cmpint (batch->starts[7], ==, 7);
  g_assert_cmpint (batch->positions[7], ==, 0);
  g_assert_cmpint (batch->targets[4], ==, 9);
  g_assert_cmpint (batch->targets[6], ==, -1); /* the next example's first token is nobody's target */
  g_assert_cmpuint (batch->n_targets, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/text/tokenizer/smollm2", "smollm2", test_tokenizer_json);
  g_test_add_data_func ("/text/tokenizer/llama3", "llama3", test_tokenizer_json);
  g_test_add_data_func ("/text/tokenizer/qwen3", "qwen3", test_tokenizer_json);
  g_test_add_data_func ("/text/tokenizer/gemma2", "gemma2", test_tokenizer_json);
  g_test_add_data_func ("/text/tokenizer/gguf-gpt-2", "vocab-gguf/ggml-vocab-gpt-2.gguf", test_tokenizer_gguf);
  g_test_add_data_func ("/text/tokenizer/gguf-llama-spm", "vocab-gguf/ggml-vocab-llama-spm.gguf", test_tokenizer_gguf);
  g_test_add_data_func ("/text/tokenizer/gguf-phi-3", "vocab-gguf/ggml-vocab-phi-3.gguf", test_tokenizer_gguf);
  g_test_add_func ("/text/tokenizer/small", test_tokenizer_small);
  g_test_add_func ("/text/tokenizer/hostile", test_tokenizer_hostile);
  g_test_add_func ("/text/tokenizer/long", test_tokenizer_long);
  g_test_add_func ("/text/template/golden", test_templates);
  g_test_add_func ("/text/template/rows", test_rows);
  g_test_add_func ("/text/template/spans", test_spans);
  g_test_add_func ("/text/template/spans-real", test_spans_real);
  g_test_add_func ("/text/template/spans-odd", test_spans_odd);
  g_test_add_func ("/text/template/injection", test_injection);
  g_test_add_func ("/text/template/injection-aside", test_injection_aside);
  g_test_add_func ("/text/template/hostile", test_template_hostile);
  g_test_add_func ("/text/template/mutations", test_template_mutations);
  g_test_add_func ("/text/packing", test_packing);
  return g_test_run ();
}
