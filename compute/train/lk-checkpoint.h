/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoints/step-NNNNNN: the adapter as PEFT keeps it, the optimizer's moments, the state a run goes on
 * from (state.json, with the settings and the hashes of model and data), and manifest.json, written last:
 * {"files": {name: {"size", "sha256"}}}. A checkpoint without a manifest, or whose files do not match it,
 * does not exist.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-recipe.h"
#include "lk-update.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 step;      /* optimizer steps done */
  double best_loss; /* held out; +∞ before the first measurement */
  gint64 best_step;
  gint64 stale;                  /* measurements since the best */
  double loss_before;            /* held-out loss before the first step; NaN: not measured */
  gint64 tokens;                 /* trained on so far */
  gint64 evaluated_step;         /* of the last measurement; −1: none */
  gint64 bad_steps;              /* not finite, in a row */
  gint64 rows, recompute_layers; /* of the plan (LkTrainPlan) */
  char device[160];              /* the backend's description */
  char products[32];             /* what its matrix products are made of; "": no step was done */
} LkTrainState;

/* Writes "<folder>/step-NNNNNN" whole or not at all; what was written is read back and compared with memory
 * before. */
gboolean lk_checkpoint_save (const char *folder, const LkRecipe *recipe, LkAdapter *adapter, LkUpdate *update,
                             LkBackend *backend, const LkTrainState *state, GError **error);
/* The newest whole checkpoint in @folder; damaged ones are passed over, each with a sentence in @warnings
 * (char*). NULL without error: there is none. (transfer full) */
char *lk_checkpoint_newest (const char *folder, GPtrArray *warnings);
/* Reads state.json; refuses by name what does not match @recipe. */
gboolean lk_checkpoint_load_state (const char *path, const LkRecipe *recipe, LkTrainState *state,
                                   GError **error);
/* Loads the moments into @update. The adapter itself is opened with lk_adapter_load (path). */
gboolean lk_checkpoint_load_optimizer (const char *path, LkUpdate *update, LkBackend *backend,
                                       GError **error);
/* Deletes all but the newest @keep checkpoints and that of @best_step (−1: none). Those that are not whole do
 * not count, so that
 * @keep whole ones remain if there were as many. */
void lk_checkpoint_prune (const char *folder, guint keep, gint64 best_step);

G_END_DECLS
