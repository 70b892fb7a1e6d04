/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by attention forward and backward.
 */
#pragma once

#include "lk-error.h"
#include "lk-op-gpu.h"
#include "lk-op-private.h"

/* params of both */
enum
{
  LK_ATTENTION_SCALE = 0,    /* f */
  LK_ATTENTION_HEADS = 1,    /* u */
  LK_ATTENTION_KV_HEADS = 2, /* u */
  LK_ATTENTION_SOFT_CAP = 3, /* f; 0: none */
  LK_ATTENTION_WINDOW = 4,   /* u; 0: none */
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

/* @ranges no longer than the window of @node. Free with g_free; NULL: there is no window. */
static inline gint32 *
lk_attention_windowed (const LkNode *node, const gint32 *ranges, gint64 rows)
{
  gint32 window = (gint32) node->params.u[LK_ATTENTION_WINDOW], *out;

  if (window == 0)
    return NULL;
  out = g_memdup2 (ranges, (gsize) rows * 2 * sizeof (gint32));
  for (gint64 i = 0; i < rows; i++)
    out[2 * i] = MAX (out[2 * i], out[2 * i + 1] - window);
  return out;
}

/* As Push in shaders/attention.comp and attention_dx.glsl. */
typedef struct
{
  guint32 rows, keys, heads, group;
  float scale;
  guint32 tile; /* the first one of this dispatch */
  guint32 window;
  float soft_cap;
} LkAttentionPush;

/* Tiles a dispatch, so that none takes longer than the device plan allows. */
static inline guint32
lk_attention_step (LkGpuTask *task, double tile_flops, guint32 tiles)
{
  double step = lk_gpu_device_get_plan (task->device)->dispatch_flops / MAX (tile_flops, 1.0);

  return (guint32) CLAMP (step, 1.0, (double) tiles);
}

static inline gboolean
lk_attention_check_gpu (gint64 d, GError **error)
{
  if (d <= 256)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "Attention heads of %" G_GINT64_FORMAT " elements do not fit the graphics card's kernel, which takes 256.",
               d);
  return FALSE;
}

void lk_op_attention_dx (LkGradients *gradients, const LkNode *node, LkTensorId d_out);
