/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command.h"

#include "lk-file.h"
#include "lk-json.h"
#include "lk-model.h"

#define TEMPLATE_LIMIT (4 << 20)

static char *now_text;
static char *bos_text, *eos_text;

static gboolean as_json; /* it is JSON anyway; scripts that say so to every command may say it here */

static const GOptionEntry entries[] = {
  { "now", 0, 0, G_OPTION_ARG_STRING, &now_text, "The time a template sees (default: the present)",
    "YYYY-MM-DDTHH:MM:SS" },
  { "bos", 0, 0, G_OPTION_ARG_STRING, &bos_text, "Beginning token where a line names none", "TEXT" },
  { "eos", 0, 0, G_OPTION_ARG_STRING, &eos_text, "End token where a line names none", "TEXT" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Nothing else: what comes out is lines of JSON anyway", NULL },
  { NULL },
};

/* What a line does not say. */
typedef struct
{
  LkTemplate *chat_template;
  const char *bos, *eos;
  gint64 now;
} Renderer;

static JsonArray *
spans_to_json (GArray *spans)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < spans->len; i++)
    {
      const LkSpan *span = &g_array_index (spans, LkSpan, i);
      JsonArray *pair = json_array_new ();

      json_array_add_int_element (pair, (gint64) span->begin);
      json_array_add_int_element (pair, (gint64) span->end);
      json_array_add_array_element (array, pair);
    }
  return array;
}

/* NULL and @error: the line itself is wrong. A template that refuses is an answer. */
static JsonObject *
render_line (Renderer *self, JsonObject *line, const char *place, GError **error)
{
  LkTemplateInput input = { .bos_token = self->bos, .eos_token = self->eos, .now = self->now };
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LkSpan));
  g_autoptr (GError) refusal = NULL;
  g_autofree char *text = NULL;
  JsonObject *out;

  if (!lk_json_get_array (line, "messages", place, &input.messages, error)
      || !lk_json_get_boolean (line, "add_generation_prompt", place, &input.add_generation_prompt, error)
      || !lk_json_get_string (line, "bos_token", place, &input.bos_token, error)
      || !lk_json_get_string (line, "eos_token", place, &input.eos_token, error)
      || !lk_json_get_object (line, "extra", place, &input.extra, error))
    return NULL;
  if (!input.messages)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: there are no “messages”", place);
      return NULL;
    }
  if (json_object_has_member (line, "tools") && !json_object_get_null_member (line, "tools"))
    input.tools = json_object_get_member (line, "tools");
  text = lk_template_render (self->chat_template, &input, spans, &refusal);
  out = json_object_new ();
  if (!text)
    {
      json_object_set_string_member (out, "error", refusal->message);
      return out;
    }
  json_object_set_string_member (out, "text", text);
  json_object_set_array_member (out, "spans", spans_to_json (spans));
  return out;
}

static LkTemplate *
load_template (const char *path, LkModel **model, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *source = NULL;

  if (g_str_has_suffix (path, ".jinja") || g_str_has_suffix (path, ".jinja2"))
    {
      bytes = lk_file_read (path, TEMPLATE_LIMIT, error);
      if (!bytes)
        return NULL;
      source = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
      return lk_template_new (source, path, error);
    }
  *model = lk_model_open_text (path, error);
  if (!*model)
    return NULL;
  if (!lk_model_get_template (*model))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "“%s” holds no chat template", path);
      return NULL;
    }
  return lk_template_ref (lk_model_get_template (*model));
}

static const char *
token_text (LkModel *model, gint32 (*get) (LkTokenizer *tokenizer))
{
  LkTokenizer *tokenizer = model ? lk_model_get_tokenizer (model) : NULL;
  const char *text
      = tokenizer && get (tokenizer) >= 0 ? lk_tokenizer_get_token (tokenizer, get (tokenizer)) : NULL;

  return text ? text : "";
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "MODEL|FILE.jinja < CONVERSATIONS",
    .description
    = "Reads lines {\"messages\": […], \"tools\": …, \"add_generation_prompt\": …, \"bos_token\": …, "
      "\"eos_token\": …,\n"
      "\"extra\": {…}} from standard input; all but “messages” may be left out. Writes a line for each:\n"
      "{\"text\": …, \"spans\": [[begin, end], …]}, spans being what the assistant wrote, in bytes of the "
      "UTF-8 text,\n"
      "or {\"error\": …} where the template refuses.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (LkCliLines) lines = lk_cli_lines_new ();
  g_autoptr (LkModel) model = NULL;
  g_autoptr (LkTemplate) chat_template = NULL;
  g_autoptr (GError) error = NULL;
  Renderer self = { 0 };
  JsonObject *object;
  int status = LK_EXIT_OK;

  if (!lk_cli_parse (&lk_command_render, &usage, &argc, &argv, &status))
    return status;
  chat_template = self.chat_template = load_template (argv[1], &model, &error);
  if (!chat_template)
    return lk_cli_fail (error);
  if (now_text)
    {
      g_autoptr (GTimeZone) zone = g_time_zone_new_local ();
      g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (now_text, zone);

      if (!date)
        return lk_cli_fail_usage ("“%s” is no time like 2026-01-15T12:00:00", now_text);
      self.now = g_date_time_to_unix (date);
    }
  self.bos = bos_text ? bos_text : token_text (model, lk_tokenizer_get_bos);
  self.eos = eos_text ? eos_text : token_text (model, lk_tokenizer_get_eos);
  while ((object = lk_cli_lines_next (lines, &error)))
    {
      JsonObject *out = render_line (&self, object, lk_cli_lines_get_place (lines), &error);

      json_object_unref (object);
      if (!out)
        break;
      lk_cli_take_json (out);
    }
  return error ? lk_cli_fail (error) : LK_EXIT_OK;
}

const LkCommand lk_command_render = { "render", "Turn conversations into text by a chat template", run };
