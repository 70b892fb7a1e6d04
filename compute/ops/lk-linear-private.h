/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What forward and backward of linear share: where inputs stand in a node, the adapters' parameters, dropout's mask, and
 * how the CPU cuts a product into tiles.
 */
#pragma once

#include "lk-matmul-plan.h"
#include "lk-op-gpu.h"
#include "lk-op-private.h"
#include "lk-random.h"

/* params of linear, linear_dx and lora_gradient */
enum
{
  LK_LINEAR_N_ADAPTERS = 0,  /* u */
  LK_LINEAR_SITE = 1,        /* u */
  LK_LINEAR_DROPOUT = 2,     /* f */
  LK_LINEAR_SCALES = 3,      /* f, one an adapter */
};

/* Inputs after the first three of linear (x, W, random) and linear_dx (dy, W, random): three an adapter. */
#define LK_LINEAR_ADAPTER_IN 3
#define LK_LINEAR_A(i) (LK_LINEAR_ADAPTER_IN + 3 * (i))
#define LK_LINEAR_B(i) (LK_LINEAR_ADAPTER_IN + 3 * (i) + 1)
#define LK_LINEAR_STRENGTH(i) (LK_LINEAR_ADAPTER_IN + 3 * (i) + 2)

/* Rows of x below which weights are multiplied straight from their blocks. */
#define LK_LINEAR_MATVEC_ROWS 8

/* Columns (or rows) a tile: an even share for each worker, at most @most, whole blocks of 256 where the matrix has them. */
static inline gint64
lk_linear_tile (gint64 n, guint workers, gint64 most, gint64 block)
{
  gint64 tiles = MAX (1, (n + most - 1) / most);
  gint64 tile;

  if (n > block * workers)
    tiles = (tiles + workers - 1) / workers * workers;
  tile = (n + tiles - 1) / tiles;
  return (tile + block - 1) / block * block;
}

/* The mask of dropout for columns [0, n) of row @row: out = x·mask/(1 − p). Four columns a draw, counter (column/4, row,
 * site, step): the same numbers whichever backend and however often. */
static inline void
lk_linear_dropout_row (const gint32 *random, guint32 site, float p, gint64 row, const float *x, float *out, gint64 n, gboolean accumulate)
{
  guint64 key = (guint32) random[0] | (guint64) (guint32) random[1] << 32;
  guint32 threshold = (guint32) ((double) p * 4294967296.0);
  float keep = 1.0f / (1.0f - p);

  for (gint64 c = 0; c < n; c += 4)
    {
      guint32 draw[4];
      guint32 counter[4] = { (guint32) (c >> 2), (guint32) (row + random[3]), site, (guint32) random[2] };

      lk_philox (key, counter, draw);
      for (gint64 j = 0; j < 4 && c + j < n; j++)
        {
          float v = draw[j] >= threshold ? x[c + j] * keep : 0.0f;
          out[c + j] = accumulate ? out[c + j] + v : v;
        }
    }
}

/* What the GPU needs to cut or unpack the products of a node's direction, [rows, inner]·[inner, outer], and of its adapters. */
static inline guint64
lk_linear_gpu_scratch (LkProgram *program, const LkNode *node, gint64 rows, gint64 outer, gint64 inner,
                       gboolean b_transposed)
{
  guint64 bytes;
  gint64 low = 0;

  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    low += lk_matmul_packing_steps (lk_program_get_tensor (program, node->in[LK_LINEAR_A (i)])->rows);
  bytes = lk_matmul_plan_scratch (rows, outer, inner, b_transposed, low);
  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    bytes = MAX (bytes, lk_matmul_plan_scratch (rows, lk_program_get_tensor (program, node->in[LK_LINEAR_A (i)])->rows, inner,
                                                b_transposed, 0));
  return bytes;
}

/* The same mask on the GPU, on one side of @product. */
static inline void
lk_linear_set_dropout (LkGpuTask *task, const LkNode *node, LkTensorId random, LkOpDropout where, LkOpMatmul *product)
{
  product->dropout = where;
  product->dropout_p = node->params.f[LK_LINEAR_DROPOUT];
  product->site = node->params.u[LK_LINEAR_SITE];
  product->random = lk_gpu_task_slice (task, random);
}

/* Appends the backward operations of a linear node. */
LkTensorId lk_op_linear_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy, LkTensorId *g);
void lk_op_linear_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);
void lk_op_lora_gradient (LkGradients *gradients, const LkNode *node, guint adapter, LkTensorId dy, LkTensorId g);
