/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-export.h"

#include "lk-cli-data.h"
#include "lk-cli-model.h"
#include "lk-cli-progress.h"
#include "lk-export.h"
#include "lk-file.h"
#include "lk-modelfile.h"

#define HELD_OUT_ROWS 8

static char *model_path, *adapter_path, *format, *type, *output, *device;
static gint64 shard_mb;
static gboolean force, no_verify, as_json, sizes, modelfile;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path, "The base, where no run is named", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path,
    "An adapter folder; of a run: default the best one", "ADAPTER" },
  { "format", 'f', 0, G_OPTION_ARG_STRING, &format,
    "adapter (for PEFT), lora-gguf (an adapter for llama.cpp), hf (a Hugging Face folder) or gguf; default gguf where the path ends in "
    ".gguf", "FORMAT" },
  { "type", 't', 0, G_OPTION_ARG_STRING, &type,
    "hf: BF16, F16, F32; gguf: F16, F32, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, "
    "Q6_K; the first is the default",
    "TYPE" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file or folder to make", "PATH" },
  { "shard-size", 0, 0, G_OPTION_ARG_INT64, &shard_mb, "hf: megabytes of the largest file; default 5000",
    "MB" },
  { "base-type", 0, 0, G_OPTION_ARG_STRING, &lk_cli_base_type,
    "Merge into the weights held as nf4, q8_0 or q4_0; default: as the file has them (stored), whatever was trained on", "TYPE" },
  { "force", 0, 0, G_OPTION_ARG_NONE, &force, "Replace what is there", NULL },
  { "no-verify", 0, 0, G_OPTION_ARG_NONE, &no_verify, "Do not open the result again and ask it", NULL },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "Where the reference answers; default cpu", "DEVICE" },
  { "modelfile", 0, 0, G_OPTION_ARG_NONE, &modelfile, "gguf: a Modelfile for Ollama beside it, with the chat template and what ends an answer",
    NULL },
  { "sizes", 0, 0, G_OPTION_ARG_NONE, &sizes, "Write nothing; tell how large each format and type would be, about", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Tell what happens as lines of JSON", NULL },
  { NULL },
};

/* The same for “merge”, which writes no adapter. */
static GOptionEntry *
merged_entries (void)
{
  GOptionEntry *own = g_memdup2 (entries, sizeof entries);

  for (guint i = 0; own[i].long_name; i++)
    if (own[i].arg_data == &format)
      own[i].description = "hf (a Hugging Face folder) or gguf; default hf, or gguf where the path ends in .gguf";
  return own;
}

/* When something was last told, so that progress is not a flood. */
typedef struct
{
  double fraction;
  const char *message;
  LkCliProgress line;
} Progress;

static JsonObject *
make_event (const char *name)
{
  JsonObject *event = json_object_new ();

  json_object_set_string_member (event, "event", name);
  return event;
}

static void
progress_cb (double fraction, const char *message, gpointer data)
{
  Progress *progress = data;
  JsonObject *event;

  if (message == progress->message && fraction < progress->fraction + 0.01 && fraction < 1)
    return;
  progress->fraction = fraction;
  progress->message = message;
  if (as_json)
    {
      event = make_event ("progress");
      json_object_set_double_member (event, "fraction", fraction);
      json_object_set_string_member (event, "message", message);
      lk_cli_take_json (event);
    }
  else
    lk_cli_progress_tell (&progress->line, fraction, "%s … %.0f %%", message, fraction * 100);
}

static void
tell_verdict (const LkExportVerdict *verdict)
{
  JsonObject *event;

  if (!as_json)
    {
      lk_cli_print ("%s", verdict->message);
      return;
    }
  event = make_event ("verified");
  json_object_set_boolean_member (event, "matches", verdict->matches);
  json_object_set_int_member (event, "tokens", verdict->tokens);
  json_object_set_int_member (event, "same_tokens", verdict->same_tokens);
  if (verdict->difference)
    json_object_set_string_member (event, "first_difference", verdict->difference);
  if (verdict->has_perplexity)
    {
      json_object_set_double_member (event, "perplexity_before", verdict->perplexity_before);
      json_object_set_double_member (event, "perplexity_after", verdict->perplexity_after);
    }
  if (verdict->has_trained)
    {
      json_object_set_int_member (event, "trained_tokens", verdict->trained_tokens);
      json_object_set_int_member (event, "trained_same_tokens", verdict->trained_same_tokens);
    }
  if (verdict->has_trained && verdict->has_perplexity)
    json_object_set_double_member (event, "perplexity_trained", verdict->perplexity_trained);
  json_object_set_string_member (event, "message", verdict->message);
  lk_cli_take_json (event);
}

static void
tell_done (void)
{
  g_autoptr (GFile) file = g_file_new_for_path (output);
  g_autofree char *words = NULL;
  JsonObject *event;
  guint64 bytes = 0;

  g_file_measure_disk_usage (file, G_FILE_MEASURE_APPARENT_SIZE, NULL, NULL, NULL, &bytes, NULL, NULL, NULL);
  words = g_format_size (bytes);
  if (!as_json)
    {
      lk_cli_print ("%s: %s", output, words);
      return;
    }
  event = make_event ("done");
  json_object_set_string_member (event, "path", output);
  json_object_set_int_member (event, "bytes", (gint64) bytes);
  lk_cli_take_json (event);
}

static gboolean
verify (const LkExport *export, const LkExportTarget *target, const char *run, GError **error)
{
  g_auto (LkExportVerdict) verdict = { 0 };
  g_auto (LkCliData) data = { 0 };
  gboolean has_rows = run && lk_cli_data_from_run (&data, export->model, run, HELD_OUT_ROWS, NULL);

  if (!lk_export_verify (export, target, has_rows ? data.examples : NULL, &verdict, error))
    return FALSE;
  tell_verdict (&verdict);
  if (verdict.fault)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "“%s” was written, but opened again it is another model: %s", export->path, verdict.fault);
      return FALSE;
    }
  if (!verdict.exact_type || verdict.matches)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED,
               "“%s” was written, but does not answer as the trained model does: %u of %u tokens agree",
               export->path, verdict.same_tokens, verdict.tokens);
  return FALSE;
}

/* Who ends the check wants nothing of it, and what took another's place is not taken away again. */
static gboolean
take_back (GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (force || !g_error_matches (*error, LK_ERROR, LK_ERROR_CANCELLED))
    return FALSE;
  g_clear_error (error);
  if (lk_remove_recursively (output, &local_error))
    g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted; nothing was written");
  else
    g_set_error (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted; what was written could not be removed: %s", local_error->message);
  return FALSE;
}

/* Before hours of work, not after them. */
static gboolean
check_modelfile (GError **error)
{
  g_autofree char *path = modelfile && !force ? lk_modelfile_path (output) : NULL;

  if (!path || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” is there already", path);
  return FALSE;
}

static void
tell_note (const char *note)
{
  JsonObject *event;

  lk_cli_note ("%s", note);
  if (!as_json)
    return;
  event = make_event ("note");
  json_object_set_string_member (event, "message", note);
  lk_cli_take_json (event);
}

static gboolean
write_modelfile (LkModel *model, GError **error)
{
  g_autofree char *path = lk_modelfile_path (output);
  g_autofree char *leaf = g_path_get_basename (output);
  g_autofree char *note = NULL;
  g_autofree char *text = NULL;

  if (!modelfile)
    return TRUE;
  text = lk_modelfile_make (model, leaf, &note);
  if (note)
    tell_note (note);
  return lk_file_write (path, text, -1, error);
}

static gboolean
do_export (LkCliModel *cli, const LkExportTarget *target, const char *run, GError **error)
{
  Progress progress = { 0 };
  LkExport export = { .model = cli->model,
                      .adapter = cli->adapter,
                      .backend = cli->backend,
                      .path = output,
                      .type = type,
                      .shard_bytes = (guint64) shard_mb * 1000000,
                      .replace = force,
                      .progress = progress_cb,
                      .data = &progress,
                      .cancellable = lk_cli_cancellable () };
  gboolean ok = !cli->adapter_path || lk_cli_adapter_base_type (cli->adapter_path, &export.trained_type, error);

  if (ok && cli->adapter && export.trained_type != lk_model_get_base_type (cli->model))
    export.trained_adapter = cli->adapter_path;
  ok = ok && lk_export_run (&export, target, error);

  if (!as_json)
    lk_cli_progress_end (&progress.line);
  if (!ok)
    return FALSE;
  if (!no_verify && !verify (&export, target, run, error))
    return take_back (error);
  if (!write_modelfile (cli->model, error))
    return FALSE;
  if (!as_json)
    lk_cli_progress_end (&progress.line);
  tell_done ();
  return TRUE;
}

static int
fail (const GError *error)
{
  JsonObject *event;

  if (as_json)
    {
      event = make_event ("error");
      json_object_set_string_member (event, "message", error->message);
      lk_cli_take_json (event);
    }
  return lk_cli_fail (error);
}

/* An adapter is written with the base it was trained on. It is merged into the weights as the file has them, which are closer to
 * the model it came from than what they were rounded to for training. */
static gboolean
open_base (LkCliModel *cli, const LkExportTarget *target, const char *model, GError **error)
{
  const char *where = device ? device : "cpu";
  LkType base_type;

  lk_cli_precision = (char *) lk_precision_names[LK_PRECISION_FLOAT32]; /* the reference that the export is held against */
  if (!target->merged)
    return lk_cli_model_open (cli, model, adapter_path, where, error);
  return lk_base_type_parse (lk_cli_base_type, &base_type, error)
         && lk_cli_model_open_as (cli, model, adapter_path, where, base_type, error);
}

static gboolean
check_options (const LkExportTarget *target, GError **error)
{
  gboolean hf = g_str_equal (target->name, "hf");

  return lk_cli_check_idle (!g_str_equal (target->name, "gguf"), "modelfile", "it is for one GGUF file (gguf)", error)
         && lk_cli_check_idle (!hf, "shard-size", "only a Hugging Face folder (hf) has several files", error)
         && (!lk_cli_was_given ("shard-size") || lk_cli_check_count ("--shard-size", shard_mb, 1, error))
         && lk_cli_check_idle (no_verify, "device", "with --no-verify nothing is asked", error);
}

static void
tell_size (const LkExportTarget *target, const char *name, guint64 bytes, JsonArray *list)
{
  g_autofree char *words = g_format_size (bytes);
  JsonObject *entry;

  if (!as_json)
    {
      lk_cli_print ("%s%s%s: %s", target->name, name ? " " : "", name ? name : "", words);
      return;
    }
  entry = json_object_new ();
  json_object_set_string_member (entry, "format", target->name);
  if (name)
    json_object_set_string_member (entry, "type", name);
  json_object_set_int_member (entry, "bytes", (gint64) bytes);
  json_array_add_object_element (list, entry);
}

/* Of each form that is possible. */
static void
tell_sizes (LkCliModel *cli, gboolean merged_only)
{
  guint n;
  const LkExportTarget *const *targets = lk_export_targets (&n);
  JsonArray *list = json_array_new ();
  JsonObject *answer = json_object_new ();

  for (guint i = 0; i < n; i++)
    {
      const char *const none[] = { NULL, NULL };
      const char *const *types = targets[i]->types ? targets[i]->types () : none;
      LkExport export = { .model = cli->model, .adapter = cli->adapter, .backend = cli->backend };

      if ((merged_only && !targets[i]->merged) || (targets[i]->check && !targets[i]->check (&export, NULL)))
        continue;
      for (guint k = 0; k == 0 || types[k]; k++)
        {
          export.type = types[k];
          tell_size (targets[i], types[k], targets[i]->size (&export), list);
        }
    }
  json_object_set_array_member (answer, "sizes", list);
  if (as_json)
    lk_cli_take_json (answer);
  else
    json_object_unref (answer);
}

int
lk_cli_export_main (const LkCommand *command, const char *description, gboolean merged_only, int argc,
                    char **argv)
{
  g_autofree GOptionEntry *own = merged_only ? merged_entries () : g_memdup2 (entries, sizeof entries);
  const LkCliUsage usage = { "[RUN] -o PATH", description, own, 0, 1 };
  const LkExportTarget *target;
  g_auto (LkCliModel) cli = { 0 };
  g_autoptr (GError) error = NULL;
  const char *run;
  int status;

  if (!lk_cli_parse (command, &usage, &argc, &argv, &status))
    return status;
  run = argc > 1 ? argv[1] : model_path && lk_cli_is_run (model_path) ? model_path : NULL;
  if (argc > 1 && model_path)
    return lk_cli_fail_usage ("Either a run or --model is named, not both");
  if (!run && !model_path)
    return lk_cli_fail_usage ("A run, or --model and --adapter, must be named");
  if (sizes)
    {
      if (!lk_cli_check_idle (TRUE, "output format type shard-size force no-verify modelfile device", "--sizes writes nothing", &error)
          || !open_base (&cli, lk_export_find_target ("gguf", NULL), run ? run : model_path, &error))
        return fail (error);
      tell_sizes (&cli, merged_only);
      return LK_EXIT_OK;
    }
  if (!output)
    return lk_cli_fail_usage ("--output is needed: the file or folder to make");
  if (!format && g_str_has_suffix (output, ".gguf"))
    format = g_strdup ("gguf");
  if (!format && !merged_only)
    return lk_cli_fail_usage ("--format is needed: adapter, lora-gguf, hf or gguf");
  target = lk_export_find_target (format ? format : "hf", &error);
  if (target && merged_only && !target->merged)
    return lk_cli_fail_usage ("The format “%s” holds no merged weights", target->name);
  lk_cli_cancellable ();
  if (!target || !check_options (target, &error) || !check_modelfile (&error)
      || !open_base (&cli, target, run ? run : model_path, &error)
      || !do_export (&cli, target, run, &error))
    return fail (error);
  return LK_EXIT_OK;
}
