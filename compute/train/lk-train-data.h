/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of a dataset as token rows in the order a run sees them. The order is a pure function of (seed, epoch), so that a
 * place in a run is a number and resuming needs nothing else.
 */
#pragma once

#include "lk-dataset.h"
#include "lk-model.h"
#include "lk-packing.h"
#include "lk-recipe.h"

G_BEGIN_DECLS

/* One row as the model sees it: template or plain, BOS and EOS where they belong. NULL and the reason when it cannot be used. */
LkExample *lk_example_from_row (LkModel *model, const LkRow *row, GError **error);

/* A row that cannot be used or was cut; @reason is a sentence. */
typedef void (*LkTrainProblemFunc) (const char *file, guint64 line, const char *reason, gpointer data);

typedef struct _LkTrainData LkTrainData;

LkTrainData *lk_train_data_new (LkModel *model, LkDataset *dataset, const LkRecipe *recipe, LkTrainProblemFunc problem, gpointer data,
                                GError **error);
void lk_train_data_free (LkTrainData *self);

guint lk_train_data_get_n_train (LkTrainData *self);    /* examples */
guint lk_train_data_get_n_held_out (LkTrainData *self);
guint lk_train_data_get_n_problems (LkTrainData *self);
gint64 lk_train_data_get_tokens (LkTrainData *self);    /* of one epoch */
gint64 lk_train_data_get_targets (LkTrainData *self);
guint lk_train_data_get_rows (LkTrainData *self);       /* packed rows an epoch, the same in each */
guint lk_train_data_get_held_out_rows (LkTrainData *self);

/* Tokens of the longest of rows [first, first + n) of @epoch. */
guint lk_train_data_longest (LkTrainData *self, guint epoch, guint first, guint n);
/* Those rows, each @length tokens. (transfer full) */
LkBatch *lk_train_data_batch (LkTrainData *self, guint epoch, guint first, guint n, guint length);
guint lk_train_data_held_out_longest (LkTrainData *self, guint first, guint n);
LkBatch *lk_train_data_held_out_batch (LkTrainData *self, guint first, guint n, guint length);
/* The dataset row of held-out example @i, for samples. */
const LkRow *lk_train_data_get_held_out_row (LkTrainData *self, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkTrainData, lk_train_data_free)

G_END_DECLS
