/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lk-cli-model.h"
#include "lk-cli-progress.h"
#include "lk-cli-settings.h"
#include "lk-command.h"
#include "lk-json.h"
#include "lk-prompt.h"
#include "lk-trainer.h"

#define SAMPLE_TOKENS 96

static char *model_path, *run_path, *run_name, *adapter_path;
static char **data_paths;
static gboolean resume, describe, as_json;
static LkRecipe *recipe;
static gboolean planned;         /* the run got as far as a plan */
static const char *fresh_folder; /* a folder made here: said when there is a plan, for one that came to nothing goes away again */
static FILE *the_log;            /* NULL: none */

static const GOptionEntry own_entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file or a model folder; default: the shipped model", "MODEL" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &data_paths, "A dataset file; may be given several times",
    "FILE" },
  { "run", 0, 0, G_OPTION_ARG_FILENAME, &run_path, "Make the run in this folder instead of the usual place",
    "FOLDER" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &run_name, "What the run is called", "NAME" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path,
    "Begin a new run with what this adapter, or this run, has learned", "ADAPTER" },
  { "resume", 0, 0, G_OPTION_ARG_NONE, &resume,
    "Go on from the newest checkpoint of RUN; with --epochs or --steps, for longer than it was made for", NULL },
  { "describe", 0, 0, G_OPTION_ARG_NONE, &describe, "Print the table of settings as JSON and do nothing else",
    NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print each event as a line of JSON", NULL },
};

/* Answers of the model under way, by the cache shared between samples. */
typedef struct
{
  LkModel *model;
  LkGenerator *generator;
} Sampler;

static gboolean
sampler_setup (LkModel *model, LkAdapter *adapter, LkBackend *backend, gpointer data, GError **error)
{
  Sampler *self = data;
  LkGeneratorOptions options = { .model = model,
                                 .backend = backend,
                                 .adapters = &adapter,
                                 .n_adapters = 1,
                                 .context = (guint) MIN (1024, lk_model_get_config (model)->context) };

  self->model = model;
  if (!lk_model_get_tokenizer (model) || !lk_model_get_template (model))
    return TRUE;
  self->generator = lk_generator_new (&options, error);
  return self->generator != NULL;
}

static void
sampler_release (gpointer data)
{
  Sampler *self = data;

  g_clear_pointer (&self->generator, lk_generator_free);
  self->model = NULL;
}

static char *
sampler_answer (JsonArray *messages, gpointer data, GError **error)
{
  Sampler *self = data;
  g_autoptr (GArray) prompt = NULL;
  g_auto (LkGenerated) answer = { 0 };
  LkGenerateOptions options = { .sampler = { .temperature = 0, .top_p = 1, .repetition_penalty = 1 },
                                .max_tokens = SAMPLE_TOKENS,
                                .cancellable = lk_cli_cancellable () };

  if (!self->generator)
    return g_strdup ("");
  prompt = lk_prompt_from_messages (self->model, messages, NULL, error);
  if (!prompt)
    return NULL;
  if (prompt->len + SAMPLE_TOKENS > lk_generator_get_context (self->generator))
    return g_strdup ("(the question is too long for a sample)");
  lk_generator_reset (self->generator);
  if (!lk_generator_run (self->generator, (const gint32 *) (void *) prompt->data, prompt->len, &options,
                         &answer, error))
    return NULL;
  if (answer.finish == LK_FINISH_CANCELLED)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
      return NULL;
    }
  return g_strndup (answer.text->str, answer.text->len);
}

static void
clear_line (void)
{
  if (isatty (STDERR_FILENO))
    fputs ("\r\033[K", stderr);
}

/* Each gives the sentence for an event; NULL: nothing to say. (transfer full) */
static char *
words_of_step (JsonObject *event)
{
  g_autofree char *left
      = lk_cli_time_in_words (lk_json_peek_double (event, "seconds_left", 0));

  return g_strdup_printf ("Step %d of %d · loss %.4f · %.0f tokens/s · %s left",
                          (int) json_object_get_int_member (event, "step"),
                          (int) json_object_get_int_member (event, "steps"),
                          lk_json_peek_double (event, "loss", NAN),
                          json_object_get_double_member (event, "tokens_per_s"), left);
}

static char *
words_of_plan (JsonObject *event)
{
  guint64 bytes = (guint64) json_object_get_int_member (event, "memory_bytes");
  g_autofree char *memory = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  int problems = (int) json_object_get_int_member (event, "problems");
  g_autofree char *more = problems == 1  ? g_strdup (" (1 row has a problem)")
                          : problems > 1 ? g_strdup_printf (" (%d rows have problems)", problems)
                                         : g_strdup ("");
  const char *way = lk_json_peek_string (event, "way", NULL);
  int rows = (int) json_object_get_int_member (event, "train_rows"), steps = (int) json_object_get_int_member (event, "steps");

  return g_strdup_printf ("%s on %s, products in %s: %d row%s to learn from, %d held out%s, %d step%s, %s of memory%s%s",
                          json_object_get_string_member (event, "model"),
                          json_object_get_string_member (event, "device"), json_object_get_string_member (event, "products"), rows, rows == 1 ? "" : "s",
                          (int) json_object_get_int_member (event, "held_out_rows"), more, steps,
                          steps == 1 ? "" : "s", memory, way ? ": " : "", way ? way : "");
}

static char *
words_of_eval (JsonObject *event)
{
  return g_strdup_printf ("Step %d: held-out loss %.4f%s", (int) json_object_get_int_member (event, "step"),
                          lk_json_peek_double (event, "loss", NAN),
                          json_object_get_boolean_member (event, "best") ? " (best)" : "");
}

static char *
words_of_message (JsonObject *event)
{
  return g_strdup (lk_json_peek_string (event, "message", NULL));
}

/* A failure is said once, at the end. */
static char *
words_of_state (JsonObject *event)
{
  return g_strcmp0 (json_object_get_string_member (event, "state"), "failed") == 0 ? NULL
                                                                                   : words_of_message (event);
}

static char *
words_of_problem (JsonObject *event)
{
  return g_strdup_printf ("%s, line %d: %s", json_object_get_string_member (event, "file"),
                          (int) json_object_get_int_member (event, "line"),
                          json_object_get_string_member (event, "reason"));
}

static char *
words_of_resume (JsonObject *event)
{
  return g_strdup_printf ("Going on after step %d", (int) json_object_get_int_member (event, "step"));
}

static const struct
{
  const char *event;
  char *(*words) (JsonObject *event);
  gboolean aside; /* on standard error: what is going on, not what came of it */
} sentences[] = {
  { "step", words_of_step, TRUE },       { "plan", words_of_plan, FALSE },
  { "eval", words_of_eval, FALSE },      { "state", words_of_state, FALSE },
  { "warning", words_of_message, TRUE }, { "problem", words_of_problem, TRUE },
  { "resume", words_of_resume, FALSE },
};

/* TRUE for the steps that are told where lines stay: twenty of a run. */
static gboolean
is_milestone (JsonObject *event)
{
  gint64 step = lk_json_peek_int (event, "step", 0);
  gint64 steps = lk_json_peek_int (event, "steps", 1);

  return step % MAX (1, steps / 20) == 0 || step == steps;
}

static void
write_log (const char *text)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%F %T");

  if (!the_log)
    return;
  fprintf (the_log, "%s  %s\n", time, text);
  fflush (the_log);
}

static void
tell (JsonObject *event, const char *name, const char *text, gboolean aside)
{
  gboolean step = g_str_equal (name, "step"), terminal = isatty (STDERR_FILENO);

  if (!step || is_milestone (event))
    write_log (text);
  if (as_json || (step && !terminal && !is_milestone (event)))
    return;
  clear_line ();
  if (aside)
    {
      g_autofree char *tame = lk_cli_tame (text);

      fprintf (stderr, "%s%s", tame, step && terminal ? "" : "\n");
    }
  else
    lk_cli_print ("%s", text);
}

static void
on_event (const char *line, gpointer data)
{
  g_autoptr (JsonNode) node = lk_json_parse (line, strlen (line), "event", NULL);
  JsonObject *event = node ? json_node_get_object (node) : NULL;
  const char *name = event ? json_object_get_string_member (event, "event") : "";

  if (g_str_equal (name, "plan"))
    {
      planned = TRUE;
      if (fresh_folder && !as_json)
        lk_cli_print ("Run: %s", fresh_folder);
    }
  if (as_json)
    {
      puts (line);
      fflush (stdout);
    }
  for (guint i = 0; i < G_N_ELEMENTS (sentences); i++)
    if (g_str_equal (sentences[i].event, name))
      {
        g_autofree char *text = sentences[i].words (event);

        if (text)
          tell (event, name, text, sentences[i].aside);
      }
}

/* log.txt holds what is printed; not twice where standard output already is that file. */
static void
open_log (const char *path)
{
  struct stat log, out;
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

  if (fd < 0)
    {
      lk_cli_note ("Could not open “%s”, so nothing is logged: %s", path, g_strerror (errno));
      return;
    }
  if (fstat (fd, &log) == 0 && fstat (STDOUT_FILENO, &out) == 0 && log.st_dev == out.st_dev
      && log.st_ino == out.st_ino)
    close (fd);
  else
    the_log = fdopen (fd, "a");
}

/* TRUE when --epochs or --steps is all that was set. */
static gboolean
lengthened (void)
{
  const char *setting = lk_cli_setting_given ();

  return lk_cli_n_settings_given () == 1 && (g_str_equal (setting, "--epochs") || g_str_equal (setting, "--steps"));
}

static char *longer; /* what a run goes on to; lives as long as the program, as the options do */

/* A run that goes on for more epochs or steps than it was made for. The trainer writes it into the recipe, once all is there to go on. */
static LkRunFolder *
lengthen (const char *given, LkTrainerOptions *options, GError **error)
{
  g_autoptr (LkRunFolder) folder = lk_run_folder_open (given, error);
  g_autoptr (LkRecipe) old = folder ? lk_recipe_load (folder->recipe, error) : NULL;
  gboolean by_steps = g_str_equal (lk_cli_setting_given (), "--steps");
  LkSettingId id = by_steps ? LK_SETTING_STEPS : LK_SETTING_EPOCHS;
  double before, now = lk_recipe_get_number (recipe, id);
  g_autofree char *value = g_strdup_printf (by_steps ? "%.0f" : "%.10g", now);

  if (!old)
    return NULL;
  before = lk_recipe_get_number (old, id);
  if (by_steps != (lk_recipe_get_number (old, LK_SETTING_STEPS) > 0))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%s %s: the run counts %s makes it longer", lk_cli_setting_given (), value,
                   by_steps ? "epochs, so --epochs" : "steps, so --steps");
      return NULL;
    }
  if (now <= before)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%s %s is not longer than the run already is", lk_cli_setting_given (), value);
      return NULL;
    }
  options->longer = longer = g_steal_pointer (&value);
  options->longer_setting = id;
  return g_steal_pointer (&folder);
}

/* A run stands for its adapter. */
static gboolean
begin_with_adapter (GError **error)
{
  g_autofree char *config = g_build_filename (adapter_path, "adapter_config.json", NULL);
  g_autofree char *model = NULL, *path = NULL, *full = NULL;

  if (g_file_test (config, G_FILE_TEST_EXISTS))
    path = g_strdup (adapter_path);
  else if (!lk_cli_run_parts (adapter_path, &model, &path, error))
    return FALSE;
  full = g_canonicalize_filename (path, NULL);
  lk_recipe_set_adapter (recipe, full);
  return TRUE;
}

/* The run to work on: the one given, or a fresh one of the options. */
static LkRunFolder *
choose_folder (const char *given, LkTrainerOptions *options, GError **error)
{
  g_autofree char *shipped = NULL;
  g_autofree char *name = NULL;

  if (!lk_cli_check_idle (given && data_paths, "run", "the run is already said to be made in another folder", error)
      || !lk_cli_check_idle (lk_recipe_get_int (recipe, LK_SETTING_STEPS) > 0, "epochs", "--steps says how long the run is", error))
    return NULL;
  if (given && !data_paths)
    {
      const char *setting = lk_cli_setting_given ();

      if (resume && lengthened () && !model_path && !run_path && !run_name && !adapter_path)
        return lengthen (given, options, error);
      if (!setting && !model_path && !run_path && !run_name && !adapter_path)
        return lk_run_folder_open (given, error);
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "“%s” says itself what it is made of: %s is for new runs", given,
                   setting        ? setting
                   : model_path   ? "--model"
                   : run_path     ? "--run"
                   : adapter_path ? "--adapter"
                                  : "--name");
      return NULL;
    }
  if (resume)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "--resume goes with a run folder and nothing else");
      return NULL;
    }
  if (!data_paths)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "Say what to learn from: --data FILE, or a run folder");
      return NULL;
    }
  shipped = model_path ? g_canonicalize_filename (model_path, NULL) : lk_cli_find_shipped_model (error);
  if (!shipped)
    return NULL;
  name = run_name ? g_strdup (run_name) : g_path_get_basename (data_paths[0]);
  lk_recipe_set_model (recipe, shipped);
  if (adapter_path && !begin_with_adapter (error))
    return NULL;
  lk_recipe_set_name (recipe, name);
  for (guint i = 0; data_paths[i]; i++)
    {
      g_autofree char *path = g_canonicalize_filename (data_paths[i], NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "There is no dataset “%s”", data_paths[i]);
          return NULL;
        }
      lk_recipe_add_data (recipe, path);
    }
  return lk_run_folder_create (given ? given : run_path, recipe, error);
}

static void
tell_folder (const LkRunFolder *folder)
{
  JsonObject *object;

  fresh_folder = folder->path;
  if (!as_json)
    return;
  object = json_object_new ();
  json_object_set_string_member (object, "event", "run");
  json_object_set_string_member (object, "path", folder->path);
  lk_cli_take_json (object);
}

/* A run that came to nothing before it began leaves no folder behind that was made for it. */
static int
fail (LkRunFolder *folder, const GError *error)
{
  if (data_paths && !planned)
    lk_run_folder_discard (folder);
  else if (!g_error_matches (error, LK_ERROR, LK_ERROR_BUSY))
    write_log (error->message);
  return lk_cli_fail (error);
}

static int
train (const char *given)
{
  Sampler sampler = { 0 };
  LkTrainerOptions options = { .resume = resume,
                               .stop = lk_cli_cancellable (),
                               .listener = on_event,
                               .sample_setup = sampler_setup,
                               .sample_release = sampler_release,
                               .sample = sampler_answer,
                               .sample_data = &sampler };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkRunFolder) folder = choose_folder (given, &options, &error);
  LkOutcome outcome;
  gboolean ok;

  if (!folder)
    return lk_cli_fail (error);
  if (data_paths)
    tell_folder (folder);
  open_log (folder->log);
  ok = lk_trainer_run (folder, &options, &outcome, &error);
  clear_line ();
  if (!ok)
    return fail (folder, error);
  if (outcome == LK_OUTCOME_STOPPED && !as_json)
    lk_cli_print ("Go on with: lorikeet-cli train %s --resume", folder->path);
  return outcome == LK_OUTCOME_STOPPED && g_cancellable_is_cancelled (lk_cli_cancellable ())
             ? LK_EXIT_INTERRUPTED
             : LK_EXIT_OK;
}

static LkRecipe *
make_recipe (void)
{
  return recipe = lk_recipe_new ();
}

static int
run (int argc, char **argv)
{
  g_autofree GOptionEntry *entries = lk_cli_with_settings (own_entries, G_N_ELEMENTS (own_entries), make_recipe ());
  const LkCliUsage usage = {
    .arguments = "[RUN]",
    .description = "Fine-tunes a model on a dataset. With --data a run folder is made first (RUN, when it is "
                   "given) and its path\n"
                   "printed; without, RUN is such a folder, whose recipe.json holds all settings. Ctrl-C "
                   "stops after the step at hand and saves; --resume goes on\n"
                   "from there with the same numbers as if nothing had happened. With --json, each line is an event as in the run's\n"
                   "events.jsonl (DESIGN.md lists them), the first of a new run being {\"event\": \"run\", \"path\": …}.",
    .entries = entries,
    .max = 1,
  };
  int status;

  if (!lk_cli_parse (&lk_command_train, &usage, &argc, &argv, &status))
    return status;
  if (describe)
    {
      g_autofree char *text = lk_settings_describe ();
      puts (text);
      return LK_EXIT_OK;
    }
  return train (argc > 1 ? argv[1] : NULL);
}

const LkCommand lk_command_train = { "train", "Fine-tune a model on a dataset", run };
