/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-generator.h"
#include "lk-prompt.h"
#include "lk-scorer.h"

#define ANSWER_TOKENS 64
#define CONTEXT 512
#define SCORE_LENGTH 512
/* Best and second logit nearer than this may change places with the order of sums. */
#define UNDECIDED 0.01f

static const char *const questions[]
    = { "What is the capital of France?", "Write one sentence about the sea." };

/* What answers: the reference or what was written. */
typedef struct
{
  LkModel *model;
  LkAdapter *adapter;
  LkBackend *backend;
  LkGenerator *generator;
} Speaker;

static void
speaker_clear (Speaker *self)
{
  g_clear_pointer (&self->generator, lk_generator_free);
  g_clear_pointer (&self->adapter, lk_adapter_unref);
  g_clear_pointer (&self->backend, lk_backend_unref);
  g_clear_pointer (&self->model, lk_model_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Speaker, speaker_clear)

static gboolean
speaker_prepare (Speaker *self, GError **error)
{
  gint64 context = lk_model_get_config (self->model)->context;
  LkGeneratorOptions options
      = { self->model, self->backend, &self->adapter, self->adapter != NULL, (guint) MIN (CONTEXT, context) };

  self->generator = lk_generator_new (&options, error);
  return self->generator != NULL;
}

/* Opens what was written, on a backend of its own. */
static gboolean
speaker_open (Speaker *self, const LkExport *export, const LkExportTarget *target, GError **error)
{
  self->model = target->merged
                    ? lk_model_open (export->path, error)
                    : lk_model_open_as (lk_model_get_path (export->model), lk_model_get_base_type (export->model), error);
  if (!self->model)
    return FALSE;
  if (!target->merged)
    self->adapter = lk_adapter_load (self->model, "written", export->path, FALSE, error);
  if (!target->merged && !self->adapter)
    return FALSE;
  self->backend = lk_backend_new_cpu (0);
  return speaker_prepare (self, error);
}

static GArray *
make_prompt (LkModel *model, const char *question, GError **error)
{
  g_autoptr (JsonArray) messages = NULL;
  JsonObject *message;

  if (!lk_model_get_template (model))
    return lk_prompt_from_text (model, question, error);
  messages = json_array_new ();
  message = json_object_new ();
  json_object_set_string_member (message, "role", "user");
  json_object_set_string_member (message, "content", question);
  json_array_add_object_element (messages, message);
  return lk_prompt_from_messages (model, messages, NULL, error);
}

/* What is at its place by now stays there. */
static gboolean
interrupted (const LkExport *export, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_CANCELLED,
               "Interrupted: “%s” is written, but whether it answers as the trained model does is not known", export->path);
  return FALSE;
}

static gboolean
ask (Speaker *self, const LkExport *export, GArray *prompt, LkGenerated *out, GError **error)
{
  LkGenerateOptions options
      = { .sampler = lk_sampler_defaults, .max_tokens = ANSWER_TOKENS, .cancellable = export->cancellable };
  g_autoptr (GError) local_error = NULL;
  gboolean ok;

  options.sampler.temperature = 0;
  ok = lk_generator_run (self->generator, (const gint32 *) (void *) prompt->data, prompt->len, &options, out, &local_error);
  if (ok && out->finish != LK_FINISH_CANCELLED)
    return TRUE;
  if (!ok && !g_error_matches (local_error, LK_ERROR, LK_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  return interrupted (export, error);
}

/* Whether the reference's best two logits, after its first @n answer tokens, are too close to call. */
static gboolean
is_undecided (Speaker *reference, GArray *prompt, GArray *answer, guint n, gboolean *undecided,
              GError **error)
{
  g_autoptr (GArray) ids = g_array_copy (prompt);
  gint64 vocab = lk_model_get_config (reference->model)->vocab;
  float best = -INFINITY, second = -INFINITY;
  const float *logits;

  g_array_append_vals (ids, answer->data, n);
  logits = lk_generator_feed (reference->generator, (const gint32 *) (void *) ids->data, ids->len, NULL, NULL,
                              error);
  if (!logits)
    return FALSE;
  for (gint64 i = 0; i < vocab; i++)
    if (logits[i] > best)
      {
        second = best;
        best = logits[i];
      }
    else if (logits[i] > second)
      second = logits[i];
  *undecided = best - second < UNDECIDED;
  return TRUE;
}

static gboolean
compare_answer (const LkExport *export, Speaker *reference, Speaker *written, const char *question, LkExportVerdict *out,
                GError **error)
{
  g_autoptr (GArray) prompt = make_prompt (reference->model, question, error);
  g_autoptr (GArray) again = prompt ? make_prompt (written->model, question, error) : NULL;
  g_auto (LkGenerated) a = { 0 };
  g_auto (LkGenerated) b = { 0 };
  gboolean undecided = FALSE;
  guint same = 0;

  if (!again || !ask (reference, export, prompt, &a, error) || !ask (written, export, again, &b, error))
    return FALSE;
  while (same < a.ids->len && same < b.ids->len
         && g_array_index (a.ids, gint32, same) == g_array_index (b.ids, gint32, same))
    same++;
  out->questions++;
  out->tokens += a.ids->len;
  out->same_tokens += same;
  if (same < a.ids->len && !out->difference)
    out->difference = g_strdup_printf ("token %u of the answer to “%s”", same + 1, question);
  if (prompt->len != again->len || memcmp (prompt->data, again->data, prompt->len * sizeof (gint32)) != 0)
    {
      out->matches = FALSE;
      if (!out->fault)
        out->fault = g_strdup_printf ("its tokens of “%s” are others", question);
    }
  else if (same < a.ids->len)
    {
      if (!is_undecided (reference, prompt, a.ids, same, &undecided, error))
        return FALSE;
      out->matches = out->matches && undecided;
    }
  return TRUE;
}

static gboolean
compare_model (const LkExport *export, const LkExportTarget *target, LkModel *written, LkExportVerdict *out, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (!target->type_of || lk_export_compare (export, target, written, &out->fault, &local_error))
    return TRUE;
  if (g_error_matches (local_error, LK_ERROR, LK_ERROR_CANCELLED))
    return interrupted (export, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static gboolean
score (Speaker *self, GPtrArray *examples, GCancellable *cancellable, double *perplexity, GError **error)
{
  gint64 context = lk_model_get_config (self->model)->context;
  g_autoptr (LkScorer) scorer
      = lk_scorer_new (self->model, self->backend, &self->adapter, self->adapter != NULL,
                       (guint) MIN (SCORE_LENGTH, context), error);
  LkScore sums = { 0 };

  if (!scorer
      || !lk_scorer_run (scorer, (LkExample *const *) examples->pdata, examples->len, &sums, cancellable,
                         error))
    return FALSE;
  *perplexity = lk_score_get_perplexity (&sums);
  return TRUE;
}

/* What was trained, on the weights it was trained on, beside the reference. */
static gboolean
compare_trained (const LkExport *export, Speaker *reference, GPtrArray *examples, LkExportVerdict *out, GError **error)
{
  g_auto (Speaker) trained = { 0 };
  g_auto (LkExportVerdict) answers = { .matches = TRUE };

  if (!export->trained_adapter)
    return TRUE;
  trained.model = lk_model_open_as (lk_model_get_path (export->model), export->trained_type, error);
  trained.adapter = trained.model ? lk_adapter_load (trained.model, "trained", export->trained_adapter, FALSE, error) : NULL;
  if (!trained.adapter)
    return FALSE;
  trained.backend = lk_backend_new_cpu (0);
  if (!speaker_prepare (&trained, error))
    return FALSE;
  if (lk_model_get_tokenizer (export->model))
    for (guint i = 0; i < G_N_ELEMENTS (questions); i++)
      if (!compare_answer (export, &trained, reference, questions[i], &answers, error))
        return FALSE;
  out->has_trained = TRUE;
  out->trained_tokens = answers.tokens;
  out->trained_same_tokens = answers.same_tokens;
  return !examples || examples->len == 0 || score (&trained, examples, export->cancellable, &out->perplexity_trained, error);
}

static char *
write_message (const LkExport *export, const LkExportVerdict *v)
{
  GString *text = g_string_new (NULL);

  if (v->fault)
    g_string_append_printf (text, "Opened again: %s.", v->fault);
  else if (v->questions == 0)
    g_string_append (text, "Opened again. It has no tokenizer, so nothing could be asked.");
  else if (v->matches)
    g_string_append_printf (text, "Opened again and asked: %s.",
                            v->same_tokens == v->tokens
                                ? "it answers as the trained model does, token for token"
                                : "it answers as the trained model does, up to a tie");
  else if (v->exact_type)
    g_string_append_printf (
        text, "Opened again and asked: it does not answer as the trained model does; %u of %u tokens agree, not %s.",
        v->same_tokens, v->tokens, v->difference);
  else
    g_string_append_printf (text,
                            "Opened again: every weight is the trained model's, rounded to this type. Asked: %u of %u tokens are those of the "
                            "trained model; the first that is not, for the rounding, is %s.",
                            v->same_tokens, v->tokens, v->difference);
  if (v->has_perplexity)
    g_string_append_printf (text, " Perplexity on held-out examples: %.3f, before %.3f.", v->perplexity_after,
                            v->perplexity_before);
  if (v->has_trained)
    g_string_append_printf (text,
                            " “The trained model” is the adapter on the weights it was merged into; it was trained on them as %s, where "
                            "%u of %u tokens are the same",
                            lk_base_type_name (export->trained_type), v->trained_same_tokens, v->trained_tokens);
  if (v->has_trained && v->has_perplexity)
    g_string_append_printf (text, " and the perplexity is %.3f", v->perplexity_trained);
  if (v->has_trained)
    g_string_append_c (text, '.');
  return g_string_free (text, FALSE);
}

static gboolean
is_exact (const LkExport *self, const LkExportTarget *target)
{
  return !target->merged || g_ascii_strcasecmp (self->type ? self->type : target->types ()[0], "F32") == 0;
}

gboolean
lk_export_verify (const LkExport *self, const LkExportTarget *target, GPtrArray *examples,
                  LkExportVerdict *out, GError **error)
{
  Speaker reference = { lk_model_ref (self->model), self->adapter ? lk_adapter_ref (self->adapter) : NULL,
                        lk_backend_ref (self->backend) };
  Speaker written = { 0 };
  gboolean ok = speaker_prepare (&reference, error)
                && (lk_export_go_on (self, 1, "Opening it again and asking", NULL) || interrupted (self, error))
                && speaker_open (&written, self, target, error);

  *out = (LkExportVerdict){ .matches = TRUE, .exact_type = is_exact (self, target) };
  ok = ok && compare_model (self, target, written.model, out, error);
  if (lk_model_get_tokenizer (self->model))
    for (guint i = 0; ok && i < G_N_ELEMENTS (questions); i++)
      ok = compare_answer (self, &reference, &written, questions[i], out, error);
  if (ok && examples && examples->len > 0)
    {
      ok = score (&reference, examples, self->cancellable, &out->perplexity_before, error)
           && score (&written, examples, self->cancellable, &out->perplexity_after, error);
      out->has_perplexity = TRUE;
    }
  ok = ok && compare_trained (self, &reference, examples, out, error);
  if (ok)
    out->message = write_message (self, out);
  speaker_clear (&reference);
  speaker_clear (&written);
  return ok;
}

void
lk_export_verdict_clear (LkExportVerdict *self)
{
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->difference, g_free);
  g_clear_pointer (&self->fault, g_free);
}
