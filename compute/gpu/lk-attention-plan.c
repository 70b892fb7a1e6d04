/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-attention-plan.h"

#define THREADS 256

/* Blocks for heads up to 64, 128 and 256 wide, and how many tiles of the head's width and of the block's a kernel keeps. */
static const struct
{
  guint blocks[3], wide, square;
} kernels[LK_N_ATTENTION_KERNELS] = {
  [LK_ATTENTION_FORWARD] = { { 32, 16, 8 }, 2, 1 },
  [LK_ATTENTION_ROW] = { { 1, 1, 1 }, 0, 0 },
  [LK_ATTENTION_DKV] = { { 16, 8, 4 }, 4, 2 },
  [LK_ATTENTION_DQ] = { { 16, 8, 4 }, 4, 1 },
};

void
lk_attention_plan (LkAttentionKernel kernel, gint64 d, LkAttentionPlan *out)
{
  guint block = kernels[kernel].blocks[d <= 64 ? 0 : d <= 128 ? 1 : 2];

  out->block = block;
  if (kernel == LK_ATTENTION_ROW)
    {
      out->threads = THREADS;
      out->shared_bytes = sizeof (float) * ((guint) d + THREADS + THREADS); /* the last for sums and maxima of the group */
      return;
    }
  out->threads = kernel == LK_ATTENTION_FORWARD ? THREADS : block * block;
  /* Rows one float longer: neighbours lie in other banks. */
  out->shared_bytes = sizeof (float) * block * (kernels[kernel].wide * ((guint) d + 1) + kernels[kernel].square * (block + 1));
}
