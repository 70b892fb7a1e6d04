/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoints/step-NNNNNN: the adapter as PEFT keeps it, the optimizer's moments, the state a run goes on from, and a
 * manifest with size and hash of each file, written last. A checkpoint without a manifest, or whose files do not match
 * it, does not exist.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-recipe.h"
#include "lk-update.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 step;            /* optimizer steps done */
  double best_loss;       /* held out; +∞ before the first measurement */
  gint64 best_step;
  gint64 stale;           /* measurements since the best */
  double loss_before;     /* held-out loss before the first step; NaN: not measured */
  gint64 tokens;          /* trained on so far */
} LkTrainState;

/* Writes "<folder>/step-NNNNNN" whole or not at all. */
gboolean lk_checkpoint_save (const char *folder, const LkRecipe *recipe, LkAdapter *adapter, LkUpdate *update, LkBackend *backend,
                             const LkTrainState *state, GError **error);
/* The newest whole checkpoint in @folder; damaged ones are passed over, each with a sentence in @warnings (char*). NULL
 * without error: there is none. (transfer full) */
char *lk_checkpoint_newest (const char *folder, GPtrArray *warnings);
/* Reads state.json; refuses by name what does not match @recipe. */
gboolean lk_checkpoint_load_state (const char *path, const LkRecipe *recipe, LkTrainState *state, GError **error);
/* Loads the moments into @update. The adapter itself is opened with lk_adapter_load (path). */
gboolean lk_checkpoint_load_optimizer (const char *path, LkUpdate *update, LkBackend *backend, GError **error);
/* Deletes all but the newest @keep checkpoints. */
void lk_checkpoint_prune (const char *folder, guint keep);

G_END_DECLS
