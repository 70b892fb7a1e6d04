/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by attention forward and backward.
 */
#pragma once

#include "lk-op-private.h"

/* params of both */
enum
{
  LK_ATTENTION_SCALE = 0,    /* f */
  LK_ATTENTION_HEADS = 1,    /* u */
  LK_ATTENTION_KV_HEADS = 2, /* u */
};

#define LK_ATTENTION_Q_BLOCK 64   /* queries a tile */
#define LK_ATTENTION_K_CHUNK 256  /* keys at a time under one block of queries */
#define LK_ATTENTION_K_BLOCK 128  /* keys a tile of the dK, dV pass */

/* The keys any of the queries [i, end) sees: *begin = *end when none. */
static inline void
lk_attention_hull (const gint32 *ranges, gint64 i, gint64 end, gint64 n_keys, gint64 *hull_begin, gint64 *hull_end)
{
  *hull_begin = n_keys;
  *hull_end = 0;
  for (; i < end; i++)
    if (ranges[2 * i] < ranges[2 * i + 1])
      {
        *hull_begin = MIN (*hull_begin, MAX (0, ranges[2 * i]));
        *hull_end = MAX (*hull_end, MIN (n_keys, ranges[2 * i + 1]));
      }
  if (*hull_begin >= *hull_end)
    *hull_begin = *hull_end = 0;
}

void lk_op_attention_dx (LkGradients *gradients, const LkNode *node, LkTensorId d_out);
