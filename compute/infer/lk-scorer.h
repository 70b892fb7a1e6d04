/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The loss of examples, packed into rows of one length. Thread-safety: as LkGenerator.
 */
#pragma once

#include "lk-decoder.h"

G_BEGIN_DECLS

typedef struct
{
  double loss; /* sum of −log p over the targets */
  gint64 targets;
  guint examples; /* counted */
  guint cut;      /* longer than a row: their end was left out */
} LkScore;

typedef struct _LkScorer LkScorer;

/* @length: tokens a row. */
LkScorer *lk_scorer_new (LkModel *model, LkBackend *backend, LkAdapter *const *adapters, guint n_adapters,
                         guint length, GError **error);
void lk_scorer_free (LkScorer *self);
/* Adds @examples to *score. */
gboolean lk_scorer_run (LkScorer *self, LkExample *const *examples, guint n, LkScore *score,
                        GCancellable *cancellable, GError **error);
/* e^(loss/targets) */
double lk_score_get_perplexity (const LkScore *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkScorer, lk_scorer_free)

G_END_DECLS
