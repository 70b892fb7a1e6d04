/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The optimizer step: rows through the training program, a few at a time, gradients summed; then norm,
 * clipping and AdamW. The loss is the sum over the targets of the whole step divided by their count, so how
 * many rows are computed at once changes nothing but memory. Programs are made once for each number of
 * tokens.
 */
#pragma once

#include "lk-decoder.h"
#include "lk-memory-plan.h"
#include "lk-update.h"

G_BEGIN_DECLS

typedef struct
{
  LkModel *model;
  LkAdapter *adapter; /* NULL: @base is trained */
  const LkBaseTraining *base;
  LkBackend *backend;
  guint length;          /* tokens of the longest row */
  guint64 memory_limit;  /* bytes for activations; 0: what the backend has */
  gint recompute_layers; /* −1: as few as fit */
  guint rows;            /* computed at once; 0: chosen */
  guint64 seed;          /* of dropout */
} LkTrainStepOptions;

typedef struct
{
  guint rows; /* computed at once at the full length */
  guint recompute_layers;
  LkMemoryPlan memory; /* of the training program at that shape */
} LkTrainPlan;

typedef struct _LkTrainStep LkTrainStep;

/* Chooses rows and recompute so that it fits, before anything is allocated: LK_ERROR_OUT_OF_MEMORY says in
 * words what does not. Pure but for the programs it builds and drops. */
gboolean lk_train_plan_make (const LkTrainStepOptions *options, LkTrainPlan *plan, GError **error);

/* Plans and compiles the largest program, so that what does not fit is refused here and not later. */
LkTrainStep *lk_train_step_new (const LkTrainStepOptions *options, GError **error);
void lk_train_step_free (LkTrainStep *self);
const LkTrainPlan *lk_train_step_get_plan (LkTrainStep *self);
LkUpdate *lk_train_step_get_update (LkTrainStep *self);

/* Shapes are few, as each has its program: the smallest of 64, 96, 128, 192, 256 … that holds @tokens, at
 * most @longest. */
guint lk_train_bucket (guint tokens, guint longest);
/* Tokens computed at once: the plan's rows at the full length. */
guint lk_train_step_get_capacity (LkTrainStep *self);

/* A step: begin, add any number of batches of @rows × @length, finish. Batches of more tokens than the
 * capacity are computed some rows at a time. @step counts from 0: with the place of a token within the step
 * it keys dropout, so that cutting a step differently changes nothing. */
gboolean lk_train_step_begin (LkTrainStep *self, gint64 step, GError **error);
gboolean lk_train_step_add (LkTrainStep *self, const LkBatch *batch, guint rows, guint length,
                            GError **error);

typedef struct
{
  double loss; /* mean over the targets */
  gint64 targets;
  double norm;      /* of the mean gradient, before clipping */
  gboolean applied; /* FALSE: the gradient was not finite and nothing was changed */
} LkTrainStepResult;

/* Divides by the targets, clips, updates. @input's n_targets and step (from 1) are filled in here. No
 * targets: nothing happens, applied is FALSE and targets 0. */
gboolean lk_train_step_finish (LkTrainStep *self, LkUpdateInput *input, LkTrainStepResult *result,
                               GError **error);

/* Adds Σ −log p and the count of targets of held-out rows. */
gboolean lk_train_step_evaluate (LkTrainStep *self, const LkBatch *batch, guint rows, guint length,
                                 double *sum, gint64 *targets, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkTrainStep, lk_train_step_free)

G_END_DECLS
