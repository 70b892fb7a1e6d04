/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>

#include "lk-cli-data.h"
#include "lk-cli-model.h"
#include "lk-cli-progress.h"
#include "lk-command.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-prompt.h"
#include "lk-rouge.h"
#include "lk-scorer.h"

#define TEXT_LIMIT (1 << 30)
#define DEFAULT_LENGTH 512 /* tokens */
#define SCORED_AT_ONCE 64 /* examples; fewer would be packed less well */

static char *model_path, *adapter_path, *device, *text_path;
static char **data_paths;
static int length = DEFAULT_LENGTH, n_rows, max_tokens = 128;
static gint64 n_windows;
static gboolean rouge, as_json;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file, a model folder or a run; default: the shipped model", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path, "An adapter folder or a run", "ADAPTER" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &data_paths,
    "A dataset file; default: the rows the run held out", "FILE" },
  { "text", 0, 0, G_OPTION_ARG_FILENAME, &text_path,
    "A plain text: its perplexity in windows of --length tokens", "FILE" },
  { "length", 'l', 0, G_OPTION_ARG_INT, &length, "Tokens of a row or a window; what is longer is cut and counted; default 512, or\n"
    "                                   the model's context where that is shorter", "N" },
  { "windows", 0, 0, G_OPTION_ARG_INT64, &n_windows, "With --text: only the first N windows; default all",
    "N" },
  { "rows", 'n', 0, G_OPTION_ARG_INT, &n_rows, "Only the first N rows; default all", "N" },
  { "rouge", 0, 0, G_OPTION_ARG_NONE, &rouge,
    "Answer the rows greedily too and compare with what stands there (ROUGE-L)", NULL },
  { "max-tokens", 0, 0, G_OPTION_ARG_INT, &max_tokens, "With --rouge: length of an answer; default 128",
    "N" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default auto", "DEVICE" },
  LK_CLI_BASE_TYPE,
  LK_CLI_PRECISION,
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Answer as one line of JSON", NULL },
  { NULL },
};

/* The model as it is measured: the base alone, or with its adapter. */
typedef struct
{
  const char *name; /* "base", "tuned" */
  LkAdapter *adapter;
  LkScore score;
  gboolean has_rouge;
  double rouge;     /* mean */
  guint rouge_rows; /* rows that are a question with an answer and whose question fits into the context */
} Candidate;

static void
free_example (gpointer data)
{
  lk_example_free (data);
}

/* Windows of a text, one after the other; the first token of each is given, the others are predicted. */
static GPtrArray *
cut_text (LkModel *model, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (text_path, TEXT_LIMIT, error);
  g_autoptr (GPtrArray) examples = g_ptr_array_new_with_free_func (free_example);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize size;
  const char *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  if (!bytes)
    return NULL;
  if (size == 0 || !g_utf8_validate (text, (gssize) size, NULL))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "“%s” %s", text_path,
                   size == 0 ? "is empty" : "is not UTF-8 text");
      return NULL;
    }
  if (!lk_tokenizer_encode (lk_model_get_tokenizer (model), text, (gssize) size, FALSE, ids, error))
    return NULL;
  for (guint at = 0; at + 1 < ids->len && (n_windows == 0 || examples->len < n_windows); at += (guint) length)
    {
      LkExample *example = g_new0 (LkExample, 1);

      example->n = MIN ((guint) length, ids->len - at);
      example->ids = g_memdup2 (&g_array_index (ids, gint32, at), example->n * sizeof (gint32));
      example->targets = g_malloc (example->n);
      for (guint i = 0; i < example->n; i++)
        example->targets[i] = i > 0;
      g_ptr_array_add (examples, example);
    }
  if (examples->len > 0)
    return g_steal_pointer (&examples);
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "“%s” has %u tokens: nothing in it can be predicted", text_path,
               ids->len);
  return NULL;
}

/* All before the last answer, and that answer. FALSE: the row is no such conversation. */
static gboolean
take_question (LkModel *model, const LkRow *row, JsonArray *question, const char **answer)
{
  guint n = lk_row_is_conversation (row, lk_model_get_template (model) != NULL) ? json_array_get_length (row->messages) : 0;
  JsonObject *last;

  if (n < 2)
    return FALSE;
  last = json_array_get_object_element (row->messages, n - 1);
  *answer = lk_json_peek_string (last, "content", NULL);
  if (!*answer || g_strcmp0 (lk_json_peek_string (last, "role", ""), "assistant") != 0)
    return FALSE;
  for (guint i = 0; i + 1 < n; i++)
    json_array_add_element (question, json_array_dup_element (row->messages, i));
  return TRUE;
}

static gboolean
answer_row (LkGenerator *generator, LkModel *model, const LkRow *row, double *sum, guint *counted,
            GError **error)
{
  LkGenerateOptions options = { .sampler = lk_sampler_defaults,
                                .max_tokens = (guint) max_tokens,
                                .cancellable = lk_cli_cancellable () };
  g_autoptr (JsonArray) question = json_array_new ();
  g_autoptr (GArray) prompt = NULL;
  g_auto (LkGenerated) out = { 0 };
  const char *answer;

  if (!take_question (model, row, question, &answer))
    return TRUE;
  prompt = lk_prompt_from_messages (model, question, row->tools, error);
  if (!prompt)
    return FALSE;
  if (prompt->len >= lk_generator_get_context (generator))
    return TRUE;
  options.sampler.temperature = 0;
  if (!lk_generator_run (generator, (const gint32 *) (void *) prompt->data, prompt->len, &options, &out,
                         error))
    return FALSE;
  if (out.finish == LK_FINISH_CANCELLED)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
      return FALSE;
    }
  *sum += lk_rouge_l (answer, out.text->str);
  (*counted)++;
  return TRUE;
}

static gboolean
measure_rouge (LkCliModel *cli, GPtrArray *rows, Candidate *candidate, GError **error)
{
  LkGeneratorOptions make = { cli->model, cli->backend, &candidate->adapter, candidate->adapter != NULL, 0 };
  g_autoptr (LkGenerator) generator = lk_generator_new (&make, error);
  LkCliProgress progress = { 0 };
  double sum = 0;
  guint counted = 0;

  if (!generator)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    {
      if (!answer_row (generator, cli->model, g_ptr_array_index (rows, i), &sum, &counted, error))
        return FALSE;
      lk_cli_progress_tell (&progress, (i + 1.0) / rows->len, "%s: %u of %u answered", candidate->name, i + 1, rows->len);
    }
  lk_cli_progress_end (&progress);
  candidate->has_rouge = counted > 0;
  candidate->rouge_rows = counted;
  candidate->rouge = counted > 0 ? sum / counted : 0;
  return TRUE;
}

static gboolean
measure_loss (LkScorer *scorer, GPtrArray *examples, Candidate *candidate, GError **error)
{
  LkCliProgress progress = { 0 };
  guint piece = MAX (SCORED_AT_ONCE, examples->len / 100);

  for (guint i = 0; i < examples->len; i += piece)
    {
      guint n = MIN (piece, examples->len - i);

      lk_cli_progress_tell (&progress, (double) i / examples->len, "%s: %u of %u measured", candidate->name, i, examples->len);
      if (!lk_scorer_run (scorer, (LkExample *const *) examples->pdata + i, n, &candidate->score, lk_cli_cancellable (), error))
        return FALSE;
    }
  lk_cli_progress_end (&progress);
  return TRUE;
}

static gboolean
measure (LkCliModel *cli, GPtrArray *examples, GPtrArray *rows, Candidate *candidate, GError **error)
{
  g_autoptr (LkScorer) scorer = lk_scorer_new (cli->model, cli->backend, &candidate->adapter,
                                               candidate->adapter != NULL, (guint) length, error);

  return scorer && measure_loss (scorer, examples, candidate, error)
         && (!rouge || !rows || measure_rouge (cli, rows, candidate, error));
}

static JsonObject *
candidate_to_json (const Candidate *self)
{
  JsonObject *object = json_object_new ();

  json_object_set_double_member (object, "loss", self->score.loss / (double) MAX (1, self->score.targets));
  json_object_set_double_member (object, "perplexity", lk_score_get_perplexity (&self->score));
  json_object_set_int_member (object, "targets", self->score.targets);
  json_object_set_int_member (object, "examples", self->score.examples);
  json_object_set_int_member (object, "cut", self->score.cut);
  if (self->has_rouge)
    {
      json_object_set_double_member (object, "rouge_l", self->rouge);
      json_object_set_int_member (object, "rouge_rows", self->rouge_rows);
    }
  return object;
}

static void
report (const Candidate *candidates, guint n, guint unusable)
{
  JsonObject *object;

  if (as_json)
    {
      object = json_object_new ();
      for (guint i = 0; i < n; i++)
        json_object_set_object_member (object, candidates[i].name, candidate_to_json (&candidates[i]));
      json_object_set_int_member (object, "unusable", unusable);
      lk_cli_take_json (object);
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      const LkScore *s = &candidates[i].score;
      g_autofree char *words = candidates[i].has_rouge
                                   ? g_strdup_printf (", ROUGE-L %.4f over %u answers", candidates[i].rouge,
                                                      candidates[i].rouge_rows)
                                   : g_strdup ("");

      lk_cli_print ("%s: loss %.4f, perplexity %.3f over %" G_GINT64_FORMAT " tokens%s", candidates[i].name,
                    s->loss / (double) MAX (1, s->targets), lk_score_get_perplexity (s), s->targets, words);
    }
  if (candidates[0].score.cut > 0)
    lk_cli_print ("%u of %u examples were longer than %d tokens and cut", candidates[0].score.cut,
                  candidates[0].score.examples, length);
  if (unusable > 0)
    lk_cli_print ("%u rows could not be used", unusable);
}

/* No row or window is longer than what the model was made for. */
static gboolean
fit_length (LkModel *model, GError **error)
{
  gint64 context = lk_model_get_config (model)->context;

  if (!lk_cli_was_given ("length"))
    length = (int) MIN (length, context);
  if (length <= context)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--length %d is longer than the model's context of %" G_GINT64_FORMAT " tokens",
               length, context);
  return FALSE;
}

static gboolean
evaluate (LkCliModel *cli, const char *run, GError **error)
{
  g_auto (LkCliData) data = { 0 };
  g_autoptr (GPtrArray) windows = NULL;
  Candidate candidates[2] = { { .name = "base" }, { .name = "tuned", .adapter = cli->adapter } };
  guint n = cli->adapter ? 2 : 1, limit = (guint) n_rows;

  if (!lk_model_get_tokenizer (cli->model))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” has no tokenizer",
                   lk_model_get_path (cli->model));
      return FALSE;
    }
  if (!fit_length (cli->model, error))
    return FALSE;
  if (text_path)
    windows = cut_text (cli->model, error);
  else if (data_paths ? !lk_cli_data_from_files (&data, cli->model, (const char *const *) data_paths,
                                                 g_strv_length (data_paths), limit, error)
                      : !lk_cli_data_from_run (&data, cli->model, run, limit, error))
    return FALSE;
  if (text_path && !windows)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!measure (cli, windows ? windows : data.examples, windows ? NULL : data.rows, &candidates[i], error))
      return FALSE;
  report (candidates, n, data.unusable);
  return TRUE;
}

static gboolean
check_counts (GError **error)
{
  return lk_cli_check_count ("--length", length, 2, error) && lk_cli_check_count ("--windows", n_windows, 0, error)
         && lk_cli_check_count ("--rows", n_rows, 0, error)
         && lk_cli_check_count ("--max-tokens", max_tokens, 1, error)
         && lk_cli_check_idle (!text_path, "windows", "it counts windows of a --text", error)
         && lk_cli_check_idle (text_path != NULL, "rows", "a --text has windows, counted by --windows", error)
         && lk_cli_check_idle (!rouge, "max-tokens", "without --rouge nothing is answered", error);
}

static int
run_eval (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "[RUN]",
    .description
    = "The loss and perplexity of the base and, where there is an adapter, of base and adapter: on the rows "
      "a run held\n"
      "out, on a dataset (the answers only), or on a plain text (all tokens but the first of each window).\n"
      "With --json: “base” and “tuned”, each with “loss” (nats a token), “perplexity”, “targets” (tokens), “examples”, “cut” and,\n"
      "with --rouge, “rouge_l” (0 to 1) and “rouge_rows”; and how many rows were “unusable”.",
    .entries = entries,
    .max = 1,
  };
  g_auto (LkCliModel) cli = { 0 };
  g_autoptr (GError) error = NULL;
  const char *run;
  int status;

  if (!lk_cli_parse (&lk_command_eval, &usage, &argc, &argv, &status))
    return status;
  if (argc > 1 && model_path)
    return lk_cli_fail_usage ("Either a run or --model is named, not both");
  if (data_paths && text_path)
    return lk_cli_fail_usage ("Either --data or --text is given, not both");
  if (text_path && rouge)
    return lk_cli_fail_usage ("--rouge needs rows with answers, not a plain text");
  if (argc > 1 && !lk_cli_is_run (argv[1]))
    return lk_cli_fail_usage ("“%s” is no run; models are named with --model", argv[1]);
  run = argc > 1 ? argv[1] : model_path && lk_cli_is_run (model_path) ? model_path : NULL;
  if (!run && !data_paths && !text_path)
    return lk_cli_fail_usage ("A run, --data or --text is needed: what to measure on");
  lk_cli_cancellable ();
  if (!check_counts (&error) || !lk_cli_model_open (&cli, run ? run : model_path, adapter_path, device, &error)
      || !evaluate (&cli, run, &error))
    return lk_cli_fail (error);
  return LK_EXIT_OK;
}

const LkCommand lk_command_eval = { "eval", "Measure a model, before and after", run_eval };
