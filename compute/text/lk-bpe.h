/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Byte-pair merges over token ids (Sennrich et al., 2016): of all adjacent pairs the one of lowest rank is joined, the
 * leftmost first, until none is left. O(n log n) for any piece. Immutable after the last add.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LkBpe LkBpe;

LkBpe *lk_bpe_new (guint n_merges);
void lk_bpe_free (LkBpe *self);
/* The next merge in rank order: @left and @right become @id. */
void lk_bpe_add_merge (LkBpe *self, gint32 left, gint32 right, gint32 id);
/* Merges @ids[0…n) in place; returns how many are left. */
gsize lk_bpe_merge (const LkBpe *self, gint32 *ids, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkBpe, lk_bpe_free)

G_END_DECLS
