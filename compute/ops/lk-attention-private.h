/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by attention forward and backward.
 */
#pragma once

#include "lk-error.h"
#include "lk-attention-plan.h"
#include "lk-op-gpu.h"
#include "lk-op-private.h"

#include <string.h>

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

/* What the queries see, as the kernels read it too. */
typedef struct
{
  const gint32 *ranges;
  gint64 n_keys, window; /* window 0: none */
} LkAttentionView;

static inline LkAttentionView
lk_attention_view (const LkNode *node, const gint32 *ranges, gint64 n_keys)
{
  return (LkAttentionView){ ranges, n_keys, node->params.u[LK_ATTENTION_WINDOW] };
}

/* Pairs of a query and a key it sees, for the operation's cost: the queries being one sequence's last, each seeing all up to itself. What the
 * ranges say besides is an input and not known before. */
static inline double
lk_attention_pairs (const LkNode *node, gint64 queries, gint64 keys)
{
  double all = (double) queries * ((double) keys - 0.5 * (double) (queries - 1));
  double window = (double) node->params.u[LK_ATTENTION_WINDOW];

  return window > 0 ? MIN (all, (double) queries * window) : all;
}

/* The keys [*begin, *end) that query @i sees. */
static inline void
lk_attention_range (const LkAttentionView *view, gint64 i, gint64 *begin, gint64 *end)
{
  *end = CLAMP (view->ranges[2 * i + 1], 0, view->n_keys);
  *begin = CLAMP (view->ranges[2 * i], 0, *end);
  if (view->window > 0)
    *begin = MAX (*begin, *end - view->window);
}

/* Those among the keys [j, j + m), counted from j. */
static inline void
lk_attention_part (const LkAttentionView *view, gint64 i, gint64 j, gint64 m, gint64 *begin, gint64 *end)
{
  lk_attention_range (view, i, begin, end);
  *begin = CLAMP (*begin - j, 0, m);
  *end = CLAMP (*end - j, *begin, m);
}

/* The keys any of the queries [i, end) sees: *begin = *end when none. */
static inline void
lk_attention_hull (const LkAttentionView *view, gint64 i, gint64 end, gint64 *hull_begin, gint64 *hull_end)
{
  gint64 first, last;

  *hull_begin = view->n_keys;
  *hull_end = 0;
  for (; i < end; i++)
    {
      lk_attention_range (view, i, &first, &last);
      if (first < last)
        {
          *hull_begin = MIN (*hull_begin, first);
          *hull_end = MAX (*hull_end, last);
        }
    }
  if (*hull_begin >= *hull_end)
    *hull_begin = *hull_end = 0;
}

/* llvmpipe leaves a kernel's loops after 65535 rounds, all loops counted together, and says nothing. */
#define LK_SOFTWARE_ROUNDS 60000.0

/* As Push in shaders/attention.comp, and the beginning of that in attention_dx.glsl. */
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
lk_attention_step (LkGpuTask *task, const LkAttentionPlan *plan, double tile_flops, guint32 tiles)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  double most = plan->subgroups > 0 ? device->matrix_dispatch_flops : device->dispatch_flops;

  return (guint32) CLAMP (most / MAX (tile_flops, 1.0), 1.0, (double) tiles);
}

static inline gboolean
lk_attention_check_gpu (gint64 d, GError **error)
{
  if (d <= LK_ATTENTION_WIDEST)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "Attention heads of %" G_GINT64_FORMAT " elements do not fit the graphics card's kernel, which takes 256.",
               d);
  return FALSE;
}

/* The kernel of @plan, its constants and its subgroups, for heads of @d channels. */
static inline void
lk_attention_set_kernel (LkGpuTask *task, const LkNode *node, const LkAttentionPlan *plan, gint64 d, LkGpuDispatch *dispatch)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  const LkMatrixUnit *unit = &device->matrix;
  const guint32 matrix[] = { (guint32) d, plan->subgroups, plan->subgroup_size, plan->split, plan->step, plan->threads,
                             node->params.f[LK_ATTENTION_SOFT_CAP] > 0, unit->m, unit->n, unit->k };
  const guint32 plain[] = { (guint32) d, plan->block, plan->threads };
  gboolean eight = device->matmul == LK_MATMUL_MATRIX8; /* whose shape the kernels know by themselves */

  dispatch->kernel = plan->kernel;
  dispatch->subgroup_size = plan->subgroup_size;
  dispatch->n_constants = plan->subgroups == 0 ? G_N_ELEMENTS (plain) : eight ? G_N_ELEMENTS (matrix) - 3 : G_N_ELEMENTS (matrix);
  memcpy (dispatch->constants, plan->subgroups == 0 ? plain : matrix, dispatch->n_constants * sizeof matrix[0]);
}

void lk_op_attention_dx (LkGradients *gradients, const LkNode *node, LkTensorId d_out);
