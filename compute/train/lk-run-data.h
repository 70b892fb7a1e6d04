/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The copy of an imported dataset in a run's folder.
 */
#pragma once

#include "lk-run-folder.h"

G_BEGIN_DECLS

/* Where the recipe's data is an imported dataset, writes the rows that remain of it to data.jsonl in the run's folder, whose hash is the
 * dataset's, and has the recipe learn from there; its “datasets” keep the path it came from. What is a file stays where it is. The
 * recipe is not saved. */
gboolean lk_run_data_freeze (const LkRunFolder *folder, LkRecipe *recipe, GError **error);
/* Removes the copies. */
void lk_run_data_discard (const LkRunFolder *folder);

G_END_DECLS
