/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-json.h"
#include "lk-prompt.h"
#include "lk-trainer.h"

#define SAMPLE_TOKENS 96

static char *model_path, *run_path, *run_name;
static char **data_paths;
static gboolean resume, describe, as_json;
static const char *setting_given; /* the last one, "--rank"; NULL: none */
static LkRecipe *recipe;

static const GOptionEntry own_entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path, "A GGUF file or a model folder; default: the shipped model", "MODEL" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &data_paths, "A dataset file; may be given several times", "FILE" },
  { "run", 0, 0, G_OPTION_ARG_FILENAME, &run_path, "Make the run in this folder instead of the usual place", "FOLDER" },
  { "name", 'n', 0, G_OPTION_ARG_STRING, &run_name, "What the run is called", "NAME" },
  { "resume", 0, 0, G_OPTION_ARG_NONE, &resume, "Go on from the newest checkpoint of RUN", NULL },
  { "describe", 0, 0, G_OPTION_ARG_NONE, &describe, "Print the table of settings as JSON and do nothing else", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print each event as a line of JSON", NULL },
};

static gboolean
set_setting (const char *option, const char *value, gpointer data, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  setting_given = option;
  if (lk_recipe_set_by_name (recipe, option + strlen ("--"), value, &local_error))
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, local_error->message);
  return FALSE;
}

/* The command's own options and, behind them, one for each setting of the table. */
static const GOptionEntry *
all_entries (void)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  g_array_append_vals (entries, own_entries, G_N_ELEMENTS (own_entries));
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      const LkSetting *s = &lk_settings[i];
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      const char *value = s->text                        ? s->text
                          : s->type == LK_SETTING_BOOL ? (s->number != 0 ? "true" : "false")
                                                       : g_ascii_formatd (number, sizeof number, "%g", s->number);
      GOptionEntry entry = { s->name, 0, 0, G_OPTION_ARG_CALLBACK, set_setting, g_strdup_printf ("%s (%s)", s->help, value),
                             s->choices ? g_strjoinv ("|", (char **) s->choices) : s->text ? "TEXT" : "N" };

      g_array_append_val (entries, entry);
    }
  return (const GOptionEntry *) (void *) g_array_free (entries, FALSE);
}

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
  LkGeneratorOptions options = { .model = model, .backend = backend, .adapters = &adapter, .n_adapters = 1,
                                 .context = (guint) MIN (1024, lk_model_get_config (model)->context) };

  self->model = model;
  if (!lk_model_get_tokenizer (model) || !lk_model_get_template (model))
    return TRUE;
  self->generator = lk_generator_new (&options, error);
  return self->generator != NULL;
}

static char *
sampler_answer (JsonArray *messages, gpointer data, GError **error)
{
  Sampler *self = data;
  g_autoptr (GArray) prompt = NULL;
  g_auto (LkGenerated) answer = { 0 };
  LkGenerateOptions options = { .sampler = { .temperature = 0, .top_p = 1, .repetition_penalty = 1 }, .max_tokens = SAMPLE_TOKENS,
                                .cancellable = lk_cli_cancellable () };

  if (!self->generator)
    return g_strdup ("");
  prompt = lk_prompt_from_messages (self->model, messages, NULL, error);
  if (!prompt)
    return NULL;
  if (prompt->len + SAMPLE_TOKENS > lk_generator_get_context (self->generator))
    return g_strdup ("(the question is too long for a sample)");
  lk_generator_reset (self->generator);
  if (!lk_generator_run (self->generator, (const gint32 *) (void *) prompt->data, prompt->len, &options, &answer, error))
    return NULL;
  if (answer.finish == LK_FINISH_CANCELLED)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
      return NULL;
    }
  return g_strndup (answer.text->str, answer.text->len);
}

/* "about 3 minutes" */
static char *
time_in_words (double seconds)
{
  if (seconds < 90)
    return g_strdup_printf ("%d s", (int) ceil (seconds));
  if (seconds < 90 * 60)
    return g_strdup_printf ("%d min", (int) ceil (seconds / 60));
  return g_strdup_printf ("%d h %d min", (int) (seconds / 3600), (int) fmod (seconds / 60, 60));
}

static void
clear_line (void)
{
  if (isatty (STDERR_FILENO))
    fputs ("\r\033[K", stderr);
}

static void
print_step (JsonObject *event)
{
  g_autofree char *left = time_in_words (json_object_get_double_member_with_default (event, "seconds_left", 0));
  gint64 step = json_object_get_int_member (event, "step"), steps = json_object_get_int_member (event, "steps");

  if (!isatty (STDERR_FILENO) && step % MAX (1, steps / 20) != 0 && step != steps)
    return;
  clear_line ();
  fprintf (stderr, "Step %d of %d · loss %.4f · %.0f tokens/s · %s left%s", (int) step, (int) steps,
           json_object_get_double_member_with_default (event, "loss", NAN), json_object_get_double_member (event, "tokens_per_s"), left,
           isatty (STDERR_FILENO) ? "" : "\n");
}

static void
print_plan (JsonObject *event)
{
  g_autofree char *memory = g_format_size_full ((guint64) json_object_get_int_member (event, "memory_bytes"), G_FORMAT_SIZE_IEC_UNITS);

  lk_cli_print ("%s on %s: %d rows to learn from, %d held out, %d steps, %s of memory", json_object_get_string_member (event, "model"),
                json_object_get_string_member (event, "device"), (int) json_object_get_int_member (event, "train_rows"),
                (int) json_object_get_int_member (event, "held_out_rows"), (int) json_object_get_int_member (event, "steps"), memory);
  if (json_object_get_int_member (event, "problems") > 0)
    lk_cli_print ("%d rows have problems; see events.jsonl", (int) json_object_get_int_member (event, "problems"));
}

static void
print_eval (JsonObject *event)
{
  clear_line ();
  lk_cli_print ("Step %d: held-out loss %.4f%s", (int) json_object_get_int_member (event, "step"),
                json_object_get_double_member (event, "loss"), json_object_get_boolean_member (event, "best") ? " (best)" : "");
}

static void
print_message (JsonObject *event)
{
  const char *message = json_object_get_string_member_with_default (event, "message", NULL);

  clear_line ();
  if (message)
    lk_cli_print ("%s", message);
}

static void
print_problem (JsonObject *event)
{
  fprintf (stderr, "%s, line %d: %s\n", json_object_get_string_member (event, "file"), (int) json_object_get_int_member (event, "line"),
           json_object_get_string_member (event, "reason"));
}

static const struct
{
  const char *event;
  void (*print) (JsonObject *event);
} printers[] = {
  { "step", print_step },       { "plan", print_plan },       { "eval", print_eval },
  { "warning", print_message }, { "problem", print_problem },
};

static void
on_event (const char *line, gpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  const char *event;

  if (as_json)
    {
      puts (line);
      fflush (stdout);
      return;
    }
  node = lk_json_parse (line, strlen (line), "event", NULL);
  event = node ? json_object_get_string_member (json_node_get_object (node), "event") : "";
  for (guint i = 0; i < G_N_ELEMENTS (printers); i++)
    if (g_str_equal (printers[i].event, event))
      printers[i].print (json_node_get_object (node));
  if (node && g_str_equal (event, "state")
      && g_strcmp0 (json_object_get_string_member_with_default (json_node_get_object (node), "state", ""), "failed") != 0)
    print_message (json_node_get_object (node));
}

/* The run to work on: the one given, or a fresh one of the options. */
static LkRunFolder *
choose_folder (const char *given, GError **error)
{
  g_autofree char *shipped = NULL;
  g_autofree char *name = NULL;

  if (given && !data_paths)
    return lk_run_folder_open (given, error);
  if (!data_paths)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "Say what to learn from: --data FILE, or a run folder");
      return NULL;
    }
  shipped = model_path ? g_canonicalize_filename (model_path, NULL) : lk_cli_find_shipped_model (error);
  if (!shipped)
    return NULL;
  name = run_name ? g_strdup (run_name) : g_path_get_basename (data_paths[0]);
  lk_recipe_set_model (recipe, shipped);
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

static int
train (const char *given)
{
  Sampler sampler = { 0 };
  LkTrainerOptions options = { .resume = resume, .stop = lk_cli_cancellable (), .listener = on_event, .sample_setup = sampler_setup,
                               .sample = sampler_answer, .sample_data = &sampler };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkRunFolder) folder = choose_folder (given, &error);
  LkOutcome outcome;
  gboolean ok;

  if (!folder)
    return lk_cli_fail (error);
  if (data_paths)
    {
      if (as_json)
        {
          JsonObject *object = json_object_new ();
          json_object_set_string_member (object, "event", "run");
          json_object_set_string_member (object, "path", folder->path);
          lk_cli_take_json (object);
        }
      else
        lk_cli_print ("Run: %s", folder->path);
    }
  ok = lk_trainer_run (folder, &options, &outcome, &error);
  clear_line ();
  lk_generator_free (sampler.generator);
  if (ok && outcome == LK_OUTCOME_STOPPED && !as_json)
    lk_cli_print ("Go on with: lorikeet-cli train %s --resume", folder->path);
  if (!ok)
    return lk_cli_fail (error);
  return outcome == LK_OUTCOME_STOPPED && g_cancellable_is_cancelled (lk_cli_cancellable ()) ? LK_EXIT_INTERRUPTED : LK_EXIT_OK;
}

static int
run (int argc, char **argv)
{
  const LkCliUsage usage = {
    .arguments = "[RUN]",
    .description = "Fine-tunes a model on a dataset. With --data a run folder is made first (RUN, when it is given) and its path\n"
                   "printed; without, RUN is such a folder, whose recipe.json holds all settings. Ctrl-C stops after the step at hand and saves; --resume goes on\n"
                   "from there with the same numbers as if nothing had happened.",
    .entries = all_entries (),
    .max = 1,
  };
  int status;

  recipe = lk_recipe_new ();
  if (!lk_cli_parse (&lk_command_train, &usage, &argc, &argv, &status))
    return status;
  if (describe)
    {
      g_autofree char *text = lk_recipe_describe ();
      puts (text);
      return LK_EXIT_OK;
    }
  return train (argc > 1 ? argv[1] : NULL);
}

const LkCommand lk_command_train = { "train", "Fine-tune a model on a dataset", run };
