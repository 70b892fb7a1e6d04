/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Weights with an adapter merged into them, W + strength·scale·(B·A), in float32 from any packed type, row by
 * row: no more than a few rows of a tensor are in memory at a time. All cores. Thread-safety: one thread.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-backend.h"
#include "lk-parallel.h"

G_BEGIN_DECLS

typedef struct _LkMerge LkMerge;

/* @adapter NULL: the base as it is. Values come from @backend, where weights may have been trained. */
LkMerge *lk_merge_new (LkModel *model, LkAdapter *adapter, LkBackend *backend);
void lk_merge_free (LkMerge *self);

typedef gboolean (*LkMergeFunc) (const void *data, gsize size, gpointer user_data, GError **error);

/* The tensor as @type, rows in order, in pieces to @func. With @gguf as GGUF files of the family have it: rows of q
 * and k with rotary pairs side by side, norms with their 1 added (formats: a.7, a.8). */
gboolean lk_merge_stream (LkMerge *self, const LkModelTensor *tensor, LkType type, gboolean gguf,
                          LkMergeFunc func, gpointer user_data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkMerge, lk_merge_free)

G_END_DECLS
