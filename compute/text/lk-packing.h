/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Examples into rows of fixed length. Position ids restart with each example, attention does not cross, the first
 * token of an example is never a target, padding is never learned from and never counted.
 */
#pragma once

#include "lk-template.h"

G_BEGIN_DECLS

/* Which examples share a row: best-fit decreasing over lengths; ties keep the given order, so that the result is a pure
 * function of @lengths. Lengths above @capacity must have been cut before. */
typedef struct
{
  guint n_rows;
  guint *first;    /* n_rows + 1: row r holds members[first[r] … first[r+1]-1] */
  guint *members;  /* indices into lengths */
} LkPacking;
LkPacking *lk_packing_new (const guint *lengths, guint n, guint capacity, gboolean pack);
void lk_packing_free (LkPacking *self);

/* A batch of @n_rows × @length tokens, flattened; what the program's inputs are filled with. All arrays have
 * n = n_rows·length entries. */
typedef struct
{
  guint n;
  gint32 *ids;       /* 0 on padding */
  gint32 *positions; /* restart at each example */
  gint32 *starts;    /* index in the flattened batch of the first token this one may attend to; -1 on padding */
  gint32 *targets;   /* id to be predicted AT this position (already shifted), -1 where none */
  guint n_targets;
} LkBatch;
LkBatch *lk_batch_new (guint n_rows, guint length);
void lk_batch_clear (LkBatch *self);
void lk_batch_free (LkBatch *self);
/* Puts @example at @offset of @row; longer examples are cut at the row's end by the caller beforehand. */
void lk_batch_place (LkBatch *self, guint row, guint length, guint offset, const LkExample *example);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkPacking, lk_packing_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkBatch, lk_batch_free)

G_END_DECLS
