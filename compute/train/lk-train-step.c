/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-train-step.h"

#include <string.h>

#include "lk-error.h"

/* Rows at once are chosen to make some this many tokens: enough for matrix products to be efficient. */
#define LK_STEP_TOKENS 512
#define LK_STEP_TOKENS_GPU 2048
/* Of the memory that is free a plan may take so much. Where the device has its own, the rest is for what the driver makes beside; where
 * everything shares it, other programs ask for theirs while the run works. */
#define LK_SHARE_OF_OWN 0.97
#define LK_SHARE_OF_COMMON 0.85

/* A program for one number of tokens and purpose, compiled. How they make rows is in the ranges, not in the
 * program. */
typedef struct
{
  guint tokens;
  LkPurpose purpose;
  LkDecoder *decoder;
  LkExecutable *executable;
} LkShape;

struct _LkTrainStep
{
  LkTrainStepOptions options;
  LkTrainPlan plan;
  LkUpdate *update;
  LkExecutable *apply;
  GPtrArray *shapes;
  LkVariable *gradients;
  gint64 step;
  guint64
      tokens; /* added in this step, padding included: the place of the next one among dropout's numbers */
  double sum;
  gint64 targets;
};

static void
lk_shape_free (gpointer data)
{
  LkShape *self = data;

  lk_executable_free (self->executable);
  lk_decoder_free (self->decoder);
  g_free (self);
}

static LkDecoder *
lk_train_decoder (const LkTrainStepOptions *options, LkPurpose purpose, guint tokens, guint recompute,
                  GError **error)
{
  LkDecoderOptions decoder = { .purpose = purpose,
                               .tokens = tokens,
                               .adapters = &options->adapter,
                               .n_adapters = options->adapter ? 1 : 0,
                               .longest = options->length,
                               .recompute_layers = recompute };

  return lk_decoder_new (options->model, &decoder, error);
}

/* Where head and embedding are one matrix it is multiplied with; a trained one is written. */
static gboolean
lk_train_can_lie_beside (const LkTrainStepOptions *options)
{
  return lk_backend_has_own_memory (options->backend) && !options->base
         && lk_model_get_embedding (options->model) != lk_model_get_head (options->model);
}

/* Leaves nothing behind but the tables of angles, which the program that is run needs too. */
static gboolean
lk_train_plan_try (const LkTrainStepOptions *options, LkRung rung, LkTrainPlan *plan, GError **error)
{
  LkVariables *variables = lk_model_get_variables (options->model);
  LkDecoder *decoder;
  guint before;

  for (guint windowed = 0; windowed < 2; windowed++)
    lk_model_get_rope_table (options->model, windowed, options->length);
  before = lk_variables_get_n (variables);
  decoder = lk_train_decoder (options, LK_PURPOSE_TRAIN, rung.rows * options->length, rung.recompute_layers, error);
  if (!decoder)
    {
      lk_variables_truncate (variables, before);
      return FALSE;
    }
  plan->rows = rung.rows;
  plan->recompute_layers = rung.recompute_layers;
  plan->beside = rung.table_beside ? lk_model_get_embedding (options->model)->bytes : 0;
  lk_backend_plan (options->backend, decoder->program, &plan->memory);
  lk_decoder_free (decoder);
  lk_variables_truncate (variables, before);
  return TRUE;
}

guint64
lk_train_memory_limit (LkBackend *backend, guint64 memory)
{
  return (guint64) ((double) memory * (lk_backend_has_own_memory (backend) ? LK_SHARE_OF_OWN : LK_SHARE_OF_COMMON));
}

guint64
lk_train_plan_allocated (const LkTrainPlan *plan)
{
  return lk_train_plan_total (plan) - plan->memory.in_place;
}

guint64
lk_train_plan_total (const LkTrainPlan *plan)
{
  const LkMemoryPlan *m = &plan->memory;

  return m->activations + m->weights - plan->beside + m->parameters * 3 + m->state + m->inputs;
}

char *
lk_train_plan_describe (const LkTrainPlan *plan, guint length, guint layers)
{
  return g_strdup_printf ("%u %s of %u tokens at once, %u of %u layers computed twice%s", plan->rows, plan->rows == 1 ? "row" : "rows", length,
                          plan->recompute_layers, layers, plan->beside > 0 ? ", the embedding in the computer's memory" : "");
}

static gboolean
lk_train_plan_refuse (const LkTrainStepOptions *options, guint64 needed, guint64 limit, GError **error)
{
  gint64 layers = lk_model_get_config (options->model)->layers;
  gboolean all = options->recompute_layers < 0 || options->recompute_layers >= layers;
  g_autofree char *how = all ? g_strdup ("even when every layer is computed twice")
                             : g_strdup_printf ("when %d of %" G_GINT64_FORMAT " layers are computed twice", options->recompute_layers, layers);
  g_autofree char *need = g_format_size_full (needed, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *have = g_format_size_full (limit, G_FORMAT_SIZE_IEC_UNITS);

  g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
               "Rows of %u tokens need %s of memory %s, and %s can be used; %s", options->length, need, how, have,
               all ? "a shorter length limit would help" : "“auto” for recompute or a shorter length limit would help");
  return FALSE;
}

/* Is @rung no lower than @other? */
static gboolean
lk_rung_is_above (LkRung rung, LkRung other)
{
  if (rung.rows != other.rows)
    return rung.rows > other.rows;
  if (rung.table_beside != other.table_beside)
    return !rung.table_beside;
  return rung.recompute_layers <= other.recompute_layers;
}

GArray *
lk_train_ladder (guint rows, guint layers, gint recompute, gboolean can_lie_beside, LkRung behind)
{
  GArray *rungs = g_array_new (FALSE, FALSE, sizeof (LkRung));
  const guint shares[] = { 0, layers / 2, layers }; /* computed twice, as few as possible first */
  LkRung rung = { 0 };

  for (; rows > 0; rows /= 2)
    for (guint i = 0; i < (recompute < 0 ? G_N_ELEMENTS (shares) : 1); i++)
      {
        rung = (LkRung){ rows, recompute < 0 ? shares[i] : MIN ((guint) recompute, layers), FALSE };
        if (behind.rows == 0 || !lk_rung_is_above (rung, behind))
          g_array_append_val (rungs, rung);
      }
  rung.table_beside = TRUE;
  if (can_lie_beside && (behind.rows == 0 || !lk_rung_is_above (rung, behind)))
    g_array_append_val (rungs, rung);
  return rungs;
}

gboolean
lk_train_plan_make (const LkTrainStepOptions *options, LkTrainPlan *plan, GError **error)
{
  guint layers = (guint) lk_model_get_config (options->model)->layers;
  guint tokens = lk_backend_is_gpu (options->backend) ? LK_STEP_TOKENS_GPU : LK_STEP_TOKENS;
  guint rows = options->rows ? options->rows : MAX (1, tokens / options->length);
  g_autoptr (GArray) ladder = lk_train_ladder (rows, layers, options->recompute_layers, lk_train_can_lie_beside (options), options->behind);
  guint64 limit = options->memory_limit
                      ? options->memory_limit
                      : lk_train_memory_limit (options->backend, lk_backend_get_memory (options->backend));
  guint64 needed = 0;

  if (options->failed > 0)
    limit = MIN (limit, options->failed / 10 * 9);
  if ((guint64) rows * options->length > G_MAXINT32)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%u rows of %u tokens at once are more than can be counted", rows,
                   options->length);
      return FALSE;
    }
  for (guint i = 0; i < ladder->len; i++)
    {
      LkRung rung = g_array_index (ladder, LkRung, i);

      if (options->rows > 0 && rung.rows < options->rows)
        break;
      if (!lk_train_plan_try (options, rung, plan, error))
        return FALSE;
      needed = lk_train_plan_allocated (plan);
      if (needed <= limit)
        return TRUE;
    }
  if (needed > 0)
    return lk_train_plan_refuse (options, needed, limit, error);
  g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
               "There is no way to compute rows of %u tokens with less memory than the one that failed; a shorter length limit would help",
               options->length);
  return FALSE;
}

void
lk_train_step_free (LkTrainStep *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->shapes);
  lk_executable_free (self->apply);
  lk_update_free (self->update);
  g_free (self);
}

const LkTrainPlan *
lk_train_step_get_plan (LkTrainStep *self)
{
  return &self->plan;
}

LkUpdate *
lk_train_step_get_update (LkTrainStep *self)
{
  return self->update;
}

guint
lk_train_bucket (guint tokens, guint longest)
{
  guint bucket = 64;

  while (bucket < tokens && bucket < longest)
    bucket += (bucket & (bucket - 1)) ? bucket / 3 : bucket / 2; /* 64, 96, 128, 192, … */
  return MIN (bucket, longest);
}

guint
lk_train_step_get_capacity (LkTrainStep *self)
{
  return self->plan.rows * self->options.length;
}

static LkShape *
lk_train_step_shape (LkTrainStep *self, LkPurpose purpose, guint tokens, GError **error)
{
  LkShape *shape;

  for (guint i = 0; i < self->shapes->len; i++)
    {
      shape = g_ptr_array_index (self->shapes, i);
      if (shape->tokens == tokens && shape->purpose == purpose)
        return shape;
    }
  shape = g_new0 (LkShape, 1);
  *shape = (LkShape){ .tokens = tokens, .purpose = purpose };
  shape->decoder = lk_train_decoder (&self->options, purpose, tokens, self->plan.recompute_layers, error);
  if (!shape->decoder
      || !lk_backend_prepare (self->options.backend, lk_model_get_variables (self->options.model), error)
      || !(shape->executable = lk_backend_compile (self->options.backend, shape->decoder->program, error)))
    {
      lk_shape_free (shape);
      return NULL;
    }
  g_ptr_array_add (self->shapes, shape);
  return shape;
}

LkTrainStep *
lk_train_step_new (const LkTrainStepOptions *options, const LkTrainPlan *plan, GError **error)
{
  g_autoptr (LkTrainStep) self = g_new0 (LkTrainStep, 1);
  LkVariable *parameters
      = options->adapter ? lk_adapter_get_parameters (options->adapter) : options->base->parameters;
  gint64 n_decayed = options->adapter ? parameters->cols : options->base->n_decayed;

  self->options = *options;
  self->shapes = g_ptr_array_new_with_free_func (lk_shape_free);
  self->gradients = options->adapter ? lk_adapter_get_gradients (options->adapter) : options->base->gradients;
  if (plan)
    self->plan = *plan;
  else if (!lk_train_plan_make (options, &self->plan, error))
    return NULL;
  lk_model_get_embedding (options->model)->beside = self->plan.beside > 0;
  self->update = lk_update_new (lk_model_get_variables (options->model), "optimizer", parameters,
                                self->gradients, n_decayed);
  if (!lk_backend_prepare (options->backend, lk_model_get_variables (options->model), error)
      || !(self->apply = lk_backend_compile (options->backend, self->update->program, error))
      || !lk_train_step_shape (self, LK_PURPOSE_TRAIN, lk_train_step_get_capacity (self), error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Rows at once for rows of @length tokens: as many tokens as at the full length. */
static guint
lk_train_step_rows (LkTrainStep *self, guint length, guint rows)
{
  return MAX (1, MIN (rows, self->plan.rows * self->options.length / length));
}

/* Rows [first, first + n) of a batch; ranges are moved to begin at 0. Rows beyond the batch stay empty. */
static LkBatch *
lk_batch_cut (const LkBatch *batch, guint first, guint n, guint rows, guint length)
{
  LkBatch *part = lk_batch_new (rows, length);

  for (guint i = 0; i < n * length; i++)
    {
      guint from = first * length + i;

      part->ids[i] = batch->ids[from];
      part->positions[i] = batch->positions[from];
      part->starts[i] = batch->starts[from] < 0 ? -1 : batch->starts[from] - (gint32) (first * length);
      part->targets[i] = batch->targets[from];
      part->n_targets += batch->targets[from] >= 0;
    }
  return part;
}

static gboolean
lk_train_step_run (LkTrainStep *self, LkShape *shape, const LkBatch *part, double *sum, gint64 *targets,
                   GError **error)
{
  LkBackend *backend = self->options.backend;
  float sums[2];

  if (!lk_backend_clear (backend, shape->decoder->loss, error)
      || !lk_decoder_write_batch (shape->decoder, backend, part, error)
      || !lk_executable_run (shape->executable, error)
      || !lk_backend_read (backend, shape->decoder->loss, 0, sums, sizeof sums, error))
    return FALSE;
  *sum += (double) sums[0];
  *targets += (gint64) sums[1];
  return TRUE;
}

gboolean
lk_train_step_begin (LkTrainStep *self, gint64 step, GError **error)
{
  self->step = step;
  self->tokens = 0;
  self->sum = 0;
  self->targets = 0;
  return TRUE;
}

gboolean
lk_train_step_add (LkTrainStep *self, const LkBatch *batch, guint rows, guint length, GError **error)
{
  guint at_once = lk_train_step_rows (self, length, rows);

  for (guint first = 0; first < rows; first += at_once)
    {
      guint n = MIN (at_once, rows - first);
      LkShape *shape = lk_train_step_shape (self, LK_PURPOSE_TRAIN, at_once * length, error);
      LkBatch *part;
      gint32 dropout[4] = { (gint32) self->options.seed, (gint32) (self->options.seed >> 32),
                            (gint32) self->step, (gint32) self->tokens };
      gboolean ok;

      if (!shape
          || !lk_backend_write (self->options.backend, shape->decoder->dropout, 0, dropout, sizeof dropout,
                                error))
        return FALSE;
      part = lk_batch_cut (batch, first, n, at_once, length);
      ok = part->n_targets == 0 || lk_train_step_run (self, shape, part, &self->sum, &self->targets, error);
      lk_batch_free (part);
      if (!ok)
        return FALSE;
      self->tokens += (guint64) n * length;
    }
  return TRUE;
}

gboolean
lk_train_step_finish (LkTrainStep *self, LkUpdateInput *input, LkTrainStepResult *result, GError **error)
{
  LkBackend *backend = self->options.backend;
  float norm[2];

  *result = (LkTrainStepResult){ .targets = self->targets };
  if (self->targets == 0)
    return TRUE;
  input->n_targets = (double) self->targets;
  input->step = self->step + 1;
  if (!lk_update_write (self->update, backend, input, error) || !lk_executable_run (self->apply, error)
      || !lk_backend_read (backend, self->update->norm, 0, norm, sizeof norm, error))
    return FALSE;
  result->loss = self->sum / (double) self->targets;
  result->norm = (double) norm[0];
  result->applied = norm[1] != 0;
  return TRUE;
}

gboolean
lk_train_step_evaluate (LkTrainStep *self, const LkBatch *batch, guint rows, guint length, double *sum,
                        gint64 *targets, GError **error)
{
  guint at_once = lk_train_step_rows (self, length, rows);

  for (guint first = 0; first < rows; first += at_once)
    {
      LkShape *shape = lk_train_step_shape (self, LK_PURPOSE_EVALUATE, at_once * length, error);
      LkBatch *part;
      gboolean ok;

      if (!shape)
        return FALSE;
      part = lk_batch_cut (batch, first, MIN (at_once, rows - first), at_once, length);
      ok = part->n_targets == 0 || lk_train_step_run (self, shape, part, sum, targets, error);
      lk_batch_free (part);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}
