/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-scorer.h"

#include <math.h>

#include "lk-error.h"

struct _LkScorer
{
  LkModel *model;
  LkBackend *backend;
  guint length;
  LkDecoder *decoder;
  LkExecutable *executable;
};

LkScorer *
lk_scorer_new (LkModel *model, LkBackend *backend, LkAdapter *const *adapters, guint n_adapters, guint length,
               GError **error)
{
  LkDecoderOptions options
      = { .purpose = LK_PURPOSE_EVALUATE, .tokens = length, .adapters = adapters, .n_adapters = n_adapters };
  g_autoptr (LkScorer) self = NULL;

  if (length < 2 || length > lk_model_get_config (model)->context)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "Rows of %u tokens are not possible: the model takes 2 to %" G_GINT64_FORMAT, length,
                   lk_model_get_config (model)->context);
      return NULL;
    }
  self = g_new0 (LkScorer, 1);
  self->model = lk_model_ref (model);
  self->backend = lk_backend_ref (backend);
  self->length = length;
  self->decoder = lk_decoder_new (model, &options, error);
  if (!self->decoder || !lk_backend_prepare (backend, lk_model_get_variables (model), error))
    return NULL;
  self->executable = lk_backend_compile (backend, self->decoder->program, error);
  return self->executable ? g_steal_pointer (&self) : NULL;
}

void
lk_scorer_free (LkScorer *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->executable, lk_executable_free);
  g_clear_pointer (&self->decoder, lk_decoder_free);
  lk_backend_unref (self->backend);
  lk_model_unref (self->model);
  g_free (self);
}

static gboolean
run_row (LkScorer *self, const LkBatch *batch, LkScore *score, GError **error)
{
  float sums[2];

  if (!lk_decoder_write_batch (self->decoder, self->backend, batch, error)
      || !lk_backend_clear (self->backend, self->decoder->loss, error)
      || !lk_executable_run (self->executable, error)
      || !lk_backend_read (self->backend, self->decoder->loss, 0, sums, sizeof sums, error))
    return FALSE;
  if (!isfinite (sums[0]))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_NOT_FINITE, "The loss is not a number");
      return FALSE;
    }
  score->loss += (double) sums[0];
  score->targets += (gint64) sums[1];
  return TRUE;
}

static gboolean
run_packed (LkScorer *self, LkExample *const *examples, const LkPacking *packing, LkScore *score,
            GCancellable *cancellable, GError **error)
{
  g_autoptr (LkBatch) batch = lk_batch_new (1, self->length);

  for (guint r = 0; r < packing->n_rows; r++)
    {
      guint offset = 0;

      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
          return FALSE;
        }
      lk_batch_clear (batch);
      for (guint k = packing->first[r]; k < packing->first[r + 1]; k++)
        {
          LkExample cut = *examples[packing->members[k]];

          cut.n = MIN (cut.n, self->length);
          lk_batch_place (batch, 0, self->length, offset, &cut);
          offset += cut.n;
        }
      if (!run_row (self, batch, score, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lk_scorer_run (LkScorer *self, LkExample *const *examples, guint n, LkScore *score, GCancellable *cancellable,
               GError **error)
{
  g_autofree guint *lengths = g_new (guint, n + 1);
  g_autoptr (LkPacking) packing = NULL;

  for (guint i = 0; i < n; i++)
    {
      lengths[i] = MIN (examples[i]->n, self->length);
      score->cut += examples[i]->n > self->length;
    }
  score->examples += n;
  packing = lk_packing_new (lengths, n, self->length, TRUE);
  return run_packed (self, examples, packing, score, cancellable, error);
}

double
lk_score_get_perplexity (const LkScore *self)
{
  return self->targets > 0 ? exp (self->loss / (double) self->targets) : NAN;
}
