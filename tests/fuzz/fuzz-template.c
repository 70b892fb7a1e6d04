/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A chat template, rendered with a conversation that has a bit of everything. Spans are in order and inside the text.
 */
#include "lk-fuzz.h"
#include "lk-json.h"
#include "lk-template.h"

static const char conversation[]
    = "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": \"Hé?\"},"
      " {\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{\"type\": \"function\", \"function\": {\"name\":"
      " \"look\", \"arguments\": {\"a\": 1.5, \"b\": [null, true]}}}]}, {\"role\": \"tool\", \"content\": \"42\"},"
      " {\"role\": \"assistant\", \"content\": \"42\"}], \"tools\": [{\"type\": \"function\", \"function\": {\"name\":"
      " \"look\", \"parameters\": {\"type\": \"object\"}}}]}";

static void
check_spans (GArray *spans, gsize length)
{
  gsize at = 0;

  for (guint i = 0; i < spans->len; i++)
    {
      const LkSpan *span = &g_array_index (spans, LkSpan, i);

      g_assert_true (span->begin >= at && span->end >= span->begin && span->end <= length);
      at = span->end;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static JsonObject *top;
  g_autofree char *source = g_strndup ((const char *) data, size);
  GError *error = NULL;
  g_autoptr (LkTemplate) template = lk_template_new (source, "input", &error);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
  LkTemplateInput input = { .bos_token = "<s>", .eos_token = "</s>", .now = 1768478400 };
  g_autofree char *text = NULL;

  if (!template)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  if (!top)
    top = json_node_dup_object (lk_json_parse (conversation, sizeof conversation - 1, "conversation", NULL));
  input.messages = json_object_get_array_member (top, "messages");
  input.tools = json_object_get_member (top, "tools");
  text = lk_template_render (template, &input, spans, &error);
  if (!text)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_true (g_utf8_validate (text, -1, NULL));
  check_spans (spans, strlen (text));
  lk_fuzz_accepted (data, size);
  return 0;
}
