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

/* One rung of the ladder of memory: each next one needs less of it and more time. */
typedef struct
{
  guint rows;             /* computed at once at the full length; fewer rows are more parts of the same step */
  guint recompute_layers; /* computed twice instead of kept */
  gboolean table_beside;  /* the embedding lies in the computer's memory, where a step reads a row a token */
} LkRung;

typedef struct
{
  LkModel *model;
  LkAdapter *adapter; /* NULL: @base is trained */
  const LkBaseTraining *base;
  LkBackend *backend;
  guint length;          /* tokens of the longest row */
  guint64 memory_limit;  /* bytes for all that is allocated; 0: lk_train_memory_limit() of what the backend has free */
  gint recompute_layers; /* −1: as few as fit */
  guint rows;            /* computed at once; 0: chosen */
  LkRung behind;         /* the ladder begins behind this rung; no rows: at its top */
  guint64 failed;        /* bytes allocated by a plan that memory ran out with: another must need a tenth less; 0: none did */
  guint64 seed;          /* of dropout */
} LkTrainStepOptions;

typedef struct
{
  guint rows; /* computed at once at the full length */
  guint recompute_layers;
  guint64 beside; /* bytes of the weights that lie in the computer's memory, not in the graphics card's */
  LkMemoryPlan memory; /* of the training program at that shape */
} LkTrainPlan;

typedef struct _LkTrainStep LkTrainStep;

/* The rungs for at most @rows at once: nothing is computed twice, half of the @layers, all of them, then the same with half the rows,
 * and so on; where @recompute is not −1 it stays and only the rows change. Where the embedding @can_lie_beside, the last rung is that.
 * Those up to @behind are left out; it may be the last one, and then there is none. A pure function. (transfer full)
 * (element-type LkRung) */
GArray *lk_train_ladder (guint rows, guint layers, gint recompute, gboolean can_lie_beside, LkRung behind);
/* Takes the first rung that fits, before anything is allocated: LK_ERROR_OUT_OF_MEMORY says in words what does not. Pure but for the
 * programs it builds and drops. */
gboolean lk_train_plan_make (const LkTrainStepOptions *options, LkTrainPlan *plan, GError **error);

/* "2 rows of 1024 tokens at once, 16 of 32 layers computed twice, the embedding in the computer's memory". (transfer full) */
char *lk_train_plan_describe (const LkTrainPlan *plan, guint length, guint layers);
/* Bytes of the device, all classes together. */
guint64 lk_train_plan_total (const LkTrainPlan *plan);
/* Of these, without what is read where the file is mapped. */
guint64 lk_train_plan_allocated (const LkTrainPlan *plan);
/* How many of @memory free bytes a plan may allocate: 97 % where @backend has a memory of its own, 85 % where it shares the computer's. */
guint64 lk_train_memory_limit (LkBackend *backend, guint64 memory);

/* Plans and compiles the largest program, so that what does not fit is refused here and not later. @plan is what lk_train_plan_make made
 * of @options; NULL: it is made here. */
LkTrainStep *lk_train_step_new (const LkTrainStepOptions *options, const LkTrainPlan *plan, GError **error);
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
