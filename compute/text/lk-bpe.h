/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Byte-pair merges over token ids (Sennrich et al., 2016): of all adjacent pairs the one of lowest rank is joined, the
 * leftmost first, until none is left. Linear in the piece for a given vocabulary. Immutable after the last add.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LkBpe LkBpe;

/* @n_merges: at most so many will be added. */
LkBpe *lk_bpe_new (guint n_merges);
void lk_bpe_free (LkBpe *self);
/* @left and @right become @id; of a pair that is there already the first counts. Pairs of one rank are equals. */
void lk_bpe_add_merge (LkBpe *self, gint32 left, gint32 right, gint32 id, guint32 rank);
/* Every merge, in no order. */
typedef void (*LkBpeFunc) (gint32 left, gint32 right, gint32 id, guint32 rank, gpointer user_data);
void lk_bpe_foreach (const LkBpe *self, LkBpeFunc func, gpointer user_data);
/* Merges @ids[0…n) in place; returns how many are left. */
gsize lk_bpe_merge (const LkBpe *self, gint32 *ids, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkBpe, lk_bpe_free)

G_END_DECLS
