/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of a dataset as the batches a run sees. A step learns from a fixed number of examples, batch ×
 * accumulation of them, whether they share rows or not: packing changes the time it takes, not what is
 * learned. Which examples a step has is a pure function of (seed, step), so that a place in a run is a number
 * and resuming needs nothing else.
 */
#pragma once

#include "lk-dataset.h"
#include "lk-model.h"
#include "lk-packing.h"
#include "lk-recipe.h"

G_BEGIN_DECLS

/* One row as the model sees it: template or plain, BOS and EOS where they belong. @now: the date a template
 * writes, in Unix seconds; 0 is the present. NULL and the reason when it cannot be used. */
LkExample *lk_example_from_row (LkModel *model, const LkRow *row, gint64 now, GError **error);

/* A row that cannot be used or was cut; @reason is a sentence. */
typedef void (*LkTrainProblemFunc) (const char *file, guint64 line, const char *reason, gpointer data);

typedef struct _LkTrainData LkTrainData;

LkTrainData *lk_train_data_new (LkModel *model, LkDataset *dataset, const LkRecipe *recipe,
                                LkTrainProblemFunc problem, gpointer data, GError **error);
void lk_train_data_free (LkTrainData *self);

guint lk_train_data_get_n_train (LkTrainData *self); /* examples */
guint lk_train_data_get_n_held_out (LkTrainData *self);
guint lk_train_data_get_n_problems (LkTrainData *self);
gint64 lk_train_data_get_tokens (LkTrainData *self); /* of one epoch */
gint64 lk_train_data_get_targets (LkTrainData *self);
guint
lk_train_data_get_longest (LkTrainData *self); /* tokens of the longest example, held-out ones included */
gint64 lk_train_data_get_steps_per_epoch (LkTrainData *self);

/* Rows of equal length, flattened. */
typedef struct
{
  LkBatch *batch;
  guint rows, length;
  gint64 tokens; /* without padding */
} LkTrainBatch;

/* What optimizer step @step (from 0) learns from, in batches of at most @capacity tokens (no less than the
 * longest example), each of a size lk_train_bucket gives. An array of LkTrainBatch. (transfer full) */
GArray *lk_train_data_step (LkTrainData *self, gint64 step, guint capacity);
/* The held-out examples in the same form; always the same. */
GArray *lk_train_data_held_out (LkTrainData *self, guint capacity);
/* The dataset row of held-out example @i, for samples. */
const LkRow *lk_train_data_get_held_out_row (LkTrainData *self, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkTrainData, lk_train_data_free)

G_END_DECLS
