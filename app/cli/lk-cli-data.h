/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows to measure on: a dataset's, or those a run held out.
 */
#pragma once

#include "lk-train-data.h"

G_BEGIN_DECLS

typedef struct
{
  LkRecipe *recipe;
  LkDataset *dataset;
  LkTrainData *train;  /* of a run */
  GPtrArray *rows;     /* const LkRow *, borrowed */
  GPtrArray *examples; /* LkExample, one a row */
  guint unusable;      /* rows that cannot be used; each was told on standard error */
} LkCliData;

/* The first @limit (0: all) rows @run held out. None held out, or a dataset that is not the run's any more: an
 * error. */
gboolean lk_cli_data_from_run (LkCliData *self, LkModel *model, const char *run, guint limit, GError **error);
gboolean lk_cli_data_from_files (LkCliData *self, LkModel *model, const char *const *paths, guint n_paths,
                                 guint limit, GError **error);
void lk_cli_data_clear (LkCliData *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkCliData, lk_cli_data_clear)

G_END_DECLS
