/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Our templates of model families beside what the families' own rendered: the same text, and a refusal where either the
 * original refuses or ours has no place for tools, which the original leaves out without a word.
 */
#include <string.h>

#include "lk-error.h"
#include "lk-family-template.h"
#include "lk-json.h"
#include "lk-template.h"
#include "../lk-test-shared.h"

#define NOW 1768478400

/* @tools: ours has them. @prompted: the original writes the generation prompt whether asked or not. @blanks: see without_layout. */
static const struct
{
  const char *name, *golden;
  gboolean tools, prompted, blanks;
} cases[] = {
  { "Llama 3.1", "meta-llama-Llama-3.1-8B-Instruct.jinja", TRUE, FALSE, FALSE },
  { "Llama 3", "llama3-tokenizer-config.jinja", FALSE, TRUE, FALSE },
  { "Llama 2", "llama-2-chat.jinja", FALSE, FALSE, TRUE },
  { "Mistral", "mistral-instruct.jinja", FALSE, FALSE, TRUE },
  { "Mistral Nemo", "mistralai-Mistral-Nemo-Instruct-2407.jinja", FALSE, FALSE, FALSE },
  { "Qwen 2.5", "Qwen-Qwen2.5-7B-Instruct.jinja", TRUE, FALSE, FALSE },
  { "Qwen 3", "qwen3-tokenizer-config.jinja", TRUE, FALSE, FALSE },
  { "Gemma", "google-gemma-2-2b-it.jinja", FALSE, FALSE, FALSE },
  { "Phi-3", "microsoft-Phi-3.5-mini-instruct.jinja", FALSE, FALSE, FALSE },
};

static LkTemplate *
make (const char *name)
{
  guint n;
  const LkFamilyTemplate *rows = lk_family_template_list (&n);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    if (g_str_equal (rows[i].name, name))
      {
        LkTemplate *template = lk_template_new (rows[i].source, name, &error);

        g_assert_no_error (error);
        return template;
      }
  g_assert_not_reached ();
}

/* The golden files of small formats were laid out over lines, whose blanks they write into the text: they count as nothing here. */
static char *
without_layout (const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new ("\\s+", 0, 0, NULL);

  return text ? g_regex_replace_literal (regex, text, -1, 0, "", 0, NULL) : NULL;
}

static gboolean
uses_tools (JsonObject *o)
{
  JsonArray *messages = json_object_get_array_member (o, "messages");
  JsonNode *tools = json_object_get_member (o, "tools");
  gboolean found = tools && !JSON_NODE_HOLDS_NULL (tools);

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonObject *message = json_array_get_object_element (messages, i);

      found |= json_object_has_member (message, "tool_calls")
               || g_str_equal (json_object_get_string_member (message, "role"), "tool");
    }
  return found;
}

static char *
render (LkTemplate *template, JsonObject *o, gboolean prompt, GError **error)
{
  LkTemplateInput input = { .messages = json_object_get_array_member (o, "messages"), .tools = json_object_get_member (o, "tools"),
                            .add_generation_prompt = prompt, .bos_token = json_object_get_string_member (o, "bos_token"),
                            .eos_token = json_object_get_string_member (o, "eos_token"), .now = NOW };

  return lk_template_render (template, &input, NULL, error);
}

static void
compare (guint c, LkTemplate *template, JsonObject *o)
{
  const char *wanted = json_object_get_string_member_with_default (o, "rendered", NULL);
  gboolean prompt = cases[c].prompted || json_object_get_boolean_member (o, "add_generation_prompt");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = render (template, o, prompt, &error);
  g_autofree char *plain_text = NULL, *plain_wanted = NULL;

  if (uses_tools (o) && !cases[c].tools)
    wanted = NULL;
  if (cases[c].blanks)
    {
      plain_text = without_layout (text);
      plain_wanted = without_layout (wanted);
    }
  if (!text && wanted)
    g_error ("%s: %s instead of “%s”", cases[c].name, error->message, wanted);
  g_assert_cmpstr (cases[c].blanks ? plain_text : text, ==, cases[c].blanks ? plain_wanted : wanted);
  g_assert_true (text || error);
}

static void
test_golden (void)
{
  g_autofree char *path = lk_test_shared ("golden/templates/cases.jsonl");
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  if (!path)
    return;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      g_autoptr (LkTemplate) template = make (cases[c].name);

      for (guint i = 0; lines[i] && *lines[i]; i++)
        {
          g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), path, NULL);
          JsonObject *o = json_node_get_object (node);

          if (!g_str_equal (json_object_get_string_member (o, "template"), cases[c].golden))
            continue;
          g_test_message ("%s, line %u", cases[c].name, i + 1);
          compare (c, template, o);
          n++;
        }
    }
  g_assert_cmpuint (n, ==, 16 * G_N_ELEMENTS (cases));
}

/* Formats no golden file has, as their makers publish them. */
static void
test_others (void)
{
  static const struct
  {
    const char *name, *text;
  } others[] = {
    { "ChatML", "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n A <|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n<|im_start|>user\nC<|im_end|>\n"
                "<|im_start|>assistant\n" },
    { "Qwen 2", "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n A <|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n<|im_start|>user\nC<|im_end|>\n"
                "<|im_start|>assistant\n" },
    { "Gemma 3", "<s><start_of_turn>user\nS\n\nA<end_of_turn>\n<start_of_turn>model\nB<end_of_turn>\n<start_of_turn>user\nC<end_of_turn>\n"
                 "<start_of_turn>model\n" },
    { "Mistral v3", "<s>[INST]  A [/INST] B</s>[INST] S\n\nC[/INST]" },
    { "Phi-4", "<|im_start|>system<|im_sep|>S<|im_end|><|im_start|>user<|im_sep|> A <|im_end|><|im_start|>assistant<|im_sep|>B<|im_end|>"
               "<|im_start|>user<|im_sep|>C<|im_end|><|im_start|>assistant<|im_sep|>" },
    { "Phi-4-mini", "<|system|>S<|end|><|user|> A <|end|><|assistant|>B<|end|><|user|>C<|end|><|assistant|>" },
  };
  static const char json[]
      = "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\" A \"},{\"role\":\"assistant\",\"content\":\"B\"},"
        "{\"role\":\"user\",\"content\":\"C\"}],\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}";
  g_autoptr (JsonNode) node = lk_json_parse (json, strlen (json), "messages", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (LkTemplate) template = make (others[i].name);
      g_autoptr (GError) error = NULL;
      g_autofree char *text = render (template, json_node_get_object (node), TRUE, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, others[i].text);
    }
}

/* What the assistant is to learn is found in each of them: the answer and the mark that ends it. */
static void
test_spans (void)
{
  static const char json[] = "[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"ANSWER\"}]";
  guint n;
  const LkFamilyTemplate *rows = lk_family_template_list (&n);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JsonNode) node = lk_json_parse (json, strlen (json), "messages", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTemplate) template = lk_template_new (rows[i].source, rows[i].name, &error);
      g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
      LkTemplateInput input = { .messages = json_node_get_array (node), .bos_token = "<s>", .eos_token = "</s>" };
      g_autofree char *text = lk_template_render (template, &input, spans, &error), *span = NULL;

      g_assert_no_error (error);
      g_assert_cmpuint (spans->len, ==, 1);
      span = g_strndup (text + g_array_index (spans, LkSpan, 0).begin,
                        g_array_index (spans, LkSpan, 0).end - g_array_index (spans, LkSpan, 0).begin);
      g_test_message ("%s: “%s”", rows[i].name, span);
      g_assert_true (strstr (span, "ANSWER"));
      g_assert_true (g_str_has_suffix (span, ">") && !strstr (span, "Q"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/family-template/golden", test_golden);
  g_test_add_func ("/text/family-template/others", test_others);
  g_test_add_func ("/text/family-template/spans", test_spans);
  return g_test_run ();
}
