/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-prompt.h"

#define MESSAGES_LIMIT (16 << 20)

static char *model_path, *adapter_path, *device, *prompt, *message, *messages_path, *system_text;
static int context;
static double strength = 1;
static gboolean as_json;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file, a model folder or a run; default: the shipped model", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path, "An adapter folder or a run", "ADAPTER" },
  { "strength", 0, 0, G_OPTION_ARG_DOUBLE, &strength,
    "How much of the adapter: 1 as trained, 0 the base alone; default 1", "NUMBER" },
  { "prompt", 'p', 0, G_OPTION_ARG_STRING, &prompt, "Plain text to be continued", "TEXT" },
  { "message", 0, 0, G_OPTION_ARG_STRING, &message, "A message to be answered by the chat template", "TEXT" },
  { "messages", 0, 0, G_OPTION_ARG_FILENAME, &messages_path,
    "A JSON file of a conversation to be answered: [{\"role\", \"content\"}, …]", "FILE" },
  { "system", 0, 0, G_OPTION_ARG_STRING, &system_text, "With --message: the system message before it",
    "TEXT" },
  { "context", 0, 0, G_OPTION_ARG_INT, &context,
    "Tokens of prompt and answer together; default 2048 or the model's", "N" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default auto", "DEVICE" },
  LK_CLI_BASE_TYPE,
  LK_CLI_PRECISION,
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Answer as one line of JSON", NULL },
  { NULL },
};

/* A file that holds an array of messages, or an object with such an array as "messages". */
static JsonNode *
load_messages (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (path, MESSAGES_LIMIT, error);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *array = NULL;

  if (!bytes)
    return NULL;
  node = lk_json_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), path, error);
  if (!node)
    return NULL;
  if (JSON_NODE_HOLDS_ARRAY (node))
    return g_steal_pointer (&node);
  if (JSON_NODE_HOLDS_OBJECT (node)
      && !lk_json_get_array (json_node_get_object (node), "messages", path, &array, error))
    return NULL;
  if (!array)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: an array of messages was expected", path);
      return NULL;
    }
  return json_node_init_array (json_node_alloc (), array);
}

static GArray *
encode_prompt (LkModel *model, GError **error)
{
  g_autoptr (JsonArray) messages = json_array_new ();
  g_autoptr (JsonNode) node = NULL;

  if (prompt)
    return lk_prompt_from_text (model, prompt, error);
  lk_cli_tell_template (model);
  if (messages_path)
    {
      node = load_messages (messages_path, error);
      return node ? lk_prompt_from_messages (model, json_node_get_array (node), NULL, error) : NULL;
    }
  if (system_text)
    lk_cli_add_message (messages, "system", system_text);
  lk_cli_add_message (messages, "user", message);
  return lk_prompt_from_messages (model, messages, NULL, error);
}

static gboolean
print_piece (const char *text, gpointer data)
{
  lk_cli_print_piece (text);
  return TRUE;
}

static void
print_answer (const LkGenerated *out, GArray *prompt_ids)
{
  JsonObject *object = json_object_new ();
  JsonArray *ids = json_array_new (), *asked = json_array_new ();

  for (guint i = 0; i < out->ids->len; i++)
    json_array_add_int_element (ids, g_array_index (out->ids, gint32, i));
  for (guint i = 0; i < prompt_ids->len; i++)
    json_array_add_int_element (asked, g_array_index (prompt_ids, gint32, i));
  json_object_set_string_member (object, "text", out->text->str);
  json_object_set_array_member (object, "ids", ids);
  json_object_set_array_member (object, "prompt_ids", asked);
  json_object_set_string_member (object, "finish", lk_finish_name (out->finish));
  json_object_set_double_member (object, "smallest_gap", (double) out->smallest_gap);
  json_object_set_double_member (object, "prompt_seconds", out->prompt_seconds);
  json_object_set_double_member (object, "answer_seconds", out->answer_seconds);
  lk_cli_take_json (object);
}

static gboolean
answer (LkCliModel *cli, const LkGenerateOptions *options, GError **error)
{
  LkGeneratorOptions make = { cli->model, cli->backend, &cli->adapter, cli->adapter != NULL, (guint) context };
  g_autoptr (GArray) ids = encode_prompt (cli->model, error);
  g_autoptr (LkGenerator) generator = ids ? lk_generator_new (&make, error) : NULL;
  g_auto (LkGenerated) out = { 0 };

  if (!generator || (cli->adapter && !lk_generator_set_strength (generator, 0, strength, error)))
    return FALSE;
  if (!lk_generator_run (generator, (const gint32 *) (void *) ids->data, ids->len, options, &out, error))
    return FALSE;
  if (as_json)
    print_answer (&out, ids);
  else
    putchar ('\n');
  if (out.finish == LK_FINISH_CANCELLED)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
  else if (out.finish == LK_FINISH_CONTEXT && !as_json)
    lk_cli_note ("The answer was cut: the context of %u tokens is full", lk_generator_get_context (generator));
  return out.finish != LK_FINISH_CANCELLED;
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "--prompt TEXT|--message TEXT|--messages FILE",
    .description
    = "Writes one answer, as it comes. With --json: “text”, “ids”, “prompt_ids”, “finish” (end, stop, "
      "length,\n"
      "context), “smallest_gap” (between the best and the second logit on the way) and times in seconds.",
    .max = 0,
  };
  g_autofree GOptionEntry *all = lk_cli_with_sampling (entries);
  LkCliUsage with_entries = usage;
  g_auto (LkCliModel) cli = { 0 };
  LkGenerateOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  int status;

  with_entries.entries = all;
  if (!lk_cli_parse (&lk_command_generate, &with_entries, &argc, &argv, &status))
    return status;
  if (!!prompt + !!message + !!messages_path != 1)
    return lk_cli_fail_usage ("Exactly one of --prompt, --message and --messages is needed");
  options.func = as_json ? NULL : print_piece;
  options.cancellable = lk_cli_cancellable ();
  if (!lk_cli_check_count ("--context", context, 0, &error) || !lk_cli_sampling_fill (&options, &error)
      || !lk_cli_check_idle (!message, "system", "it goes before --message", &error)
      || !lk_cli_check_idle (!adapter_path && !(model_path && lk_cli_is_run (model_path)), "strength", "there is no adapter", &error)
      || !lk_cli_model_open (&cli, model_path, adapter_path, device, &error) || !answer (&cli, &options, &error))
    return lk_cli_fail (error);
  return LK_EXIT_OK;
}

const LkCommand lk_command_generate = { "generate", "Write one answer", run };
