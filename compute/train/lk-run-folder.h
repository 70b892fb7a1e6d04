/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A run is a folder (DESIGN.md). Whoever works on it holds the lock; the kernel lets go of it when the worker
 * dies.
 */
#pragma once

#include "lk-recipe.h"

G_BEGIN_DECLS

typedef struct
{
  char *path, *recipe, *events, *checkpoints, *adapters, *log, *socket;
  int lock; /* −1: not held */
} LkRunFolder;

/* $XDG_DATA_HOME/lorikeet/runs. (transfer full) */
char *lk_run_folder_home (void);
/* Makes "<home>/<date>-<name>" (or @path when given) with a recipe.json. */
LkRunFolder *lk_run_folder_create (const char *path, const LkRecipe *recipe, GError **error);
LkRunFolder *lk_run_folder_open (const char *path, GError **error);
/* LK_ERROR_BUSY when another worker has it. */
gboolean lk_run_folder_lock (LkRunFolder *self, GError **error);
/* Takes back a folder that lk_run_folder_create has just made, where nothing came of the run. Files of others
 * stay. */
void lk_run_folder_discard (LkRunFolder *self);
/* Removes what a worker that was killed left half-written; a sentence for each in @notes (char *). The lock
 * must be held. */
void lk_run_folder_tidy (LkRunFolder *self, GPtrArray *notes);
void lk_run_folder_free (LkRunFolder *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkRunFolder, lk_run_folder_free)

G_END_DECLS
