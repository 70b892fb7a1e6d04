/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dx (=|+=) dy·W + Σ mask ⊙ g·A / (1 − p), with g = strength·scale·dy·B kept for the adapters' own gradients. The
 * contraction runs over the packed rows of W: the same blocks as forward, no second copy. A tile of columns is unpacked a
 * few rows at a time.
 */
#include "lk-linear-private.h"

/* in: dy, W, random, (A, B, strength)…; out: dx or none, g… [T, r]; params as linear */

#define LK_LINEAR_DX_TILE_MOST 768
#define LK_LINEAR_DX_DEPTH 256
#define LK_LINEAR_DX_ROWS 64

static void
lk_linear_dx_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]), *w = lk_program_get_tensor (program, node->in[1]);

  cost->flops = node->out[0] ? 2.0 * (double) dy->rows * (double) w->rows * (double) w->cols : 0;
  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    {
      LkTensor *a = lk_program_get_tensor (program, node->in[LK_LINEAR_A (i)]);
      cost->flops += 2.0 * (double) dy->rows * (double) a->rows * (double) (w->rows + (node->out[0] ? w->cols : 0));
    }
  cost->bytes = lk_node_bytes (program, node);
}

static gint64
lk_linear_dx_tile (const LkTensor *w, guint workers)
{
  return lk_linear_tile (w->cols, workers, LK_LINEAR_DX_TILE_MOST, MAX (32, lk_type_info (w->type)->block_elements));
}

static guint64
lk_linear_dx_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *w = lk_program_get_tensor (program, node->in[1]);
  guint64 tile = (guint64) lk_linear_dx_tile (w, workers) * LK_LINEAR_DX_DEPTH;
  guint64 masked = node->params.f[LK_LINEAR_DROPOUT] > 0 ? (guint64) LK_LINEAR_DX_ROWS * (guint64) w->cols : 0;

  if (target == LK_TARGET_GPU)
    return lk_linear_gpu_scratch (program, node, lk_program_get_tensor (program, node->in[0])->rows, w->cols, w->rows, FALSE);
  return MAX (w->type == LK_TYPE_F32 ? 0 : tile, masked) * sizeof (float) * workers;
}

typedef struct
{
  LkCpuTask *task;
  const LkNode *node;
  const float *dy;
  LkPacked w;
  float *dx;
  float *scratch;
  gsize scratch_floats;
  gint64 rows, in, out;
  guint adapter;
  float s;
} LkLinearDxJob;

/* g = s·dy·B */
static void
lk_linear_dx_down_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearDxJob *job = data;
  const LkNode *node = job->node;
  gint64 rank = lk_task_tensor (job->task, node->in[LK_LINEAR_A (job->adapter)])->rows;

  lk_cpu_gemm_tile (FALSE, FALSE, end - begin, rank, job->out, job->s, job->dy + begin * job->out, job->out,
               lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_B (job->adapter)]), rank, 0,
               lk_cpu_task_f32 (job->task, node->out[1 + job->adapter]) + begin * rank, rank);
}

/* dx[:, begin…end) += g·A without dropout */
static void
lk_linear_dx_up (LkLinearDxJob *job, gint64 begin, gint64 end)
{
  const LkNode *node = job->node;

  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    {
      gint64 rank = lk_task_tensor (job->task, node->in[LK_LINEAR_A (i)])->rows;

      lk_cpu_gemm_tile (FALSE, FALSE, job->rows, end - begin, rank, 1, lk_cpu_task_f32 (job->task, node->out[1 + i]), rank,
                   lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_A (i)]) + begin, job->in, 1, job->dx + begin, job->in);
    }
}

static void
lk_linear_dx_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearDxJob *job = data;
  float *scratch = job->scratch + worker * job->scratch_floats;
  gboolean accumulate = job->node->accumulate & 1;

  for (gint64 o = 0; o < job->out; o += LK_LINEAR_DX_DEPTH)
    {
      gint64 depth = MIN (LK_LINEAR_DX_DEPTH, job->out - o);
      const float *tile = (const float *) (const void *) (job->w.data + (guint64) o * job->w.row_bytes) + begin;
      gint64 stride = job->in;

      if (job->w.type != LK_TYPE_F32)
        {
          for (gint64 r = 0; r < depth; r++)
            job->task->kernels->unpack (&job->w, o + r, begin, end - begin, scratch + r * (end - begin));
          tile = scratch;
          stride = end - begin;
        }
      lk_cpu_gemm (FALSE, FALSE, job->rows, end - begin, depth, 1, job->dy + o, job->out, tile, stride, o > 0 || accumulate ? 1 : 0,
                   job->dx + begin, job->in);
    }
  if (job->node->params.f[LK_LINEAR_DROPOUT] == 0)
    lk_linear_dx_up (job, begin, end);
}

/* dx += mask ⊙ (g·A)/(1 − p) by rows, as a mask is drawn by rows */
static void
lk_linear_dx_dropout_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearDxJob *job = data;
  const LkNode *node = job->node;
  gint64 rank = lk_task_tensor (job->task, node->in[LK_LINEAR_A (job->adapter)])->rows;
  float *product = job->scratch + worker * job->scratch_floats;

  lk_cpu_gemm_tile (FALSE, FALSE, end - begin, job->in, rank, 1, lk_cpu_task_f32 (job->task, node->out[1 + job->adapter]) + begin * rank, rank,
               lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_A (job->adapter)]), job->in, 0, product, job->in);
  for (gint64 t = begin; t < end; t++)
    lk_linear_dropout_row (lk_cpu_task_i32 (job->task, node->in[2]), node->params.u[LK_LINEAR_SITE], node->params.f[LK_LINEAR_DROPOUT], t,
                           product + (t - begin) * job->in, job->dx + t * job->in, job->in, TRUE);
}

static void
lk_linear_dx_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *dy = lk_task_tensor (task, node->in[0]), *w = lk_task_tensor (task, node->in[1]);
  guint workers = lk_parallel_get_workers (task->parallel);
  guint n = node->params.u[LK_LINEAR_N_ADAPTERS];
  LkLinearDxJob job = { task, node, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_packed (task, node->in[1]),
                        lk_cpu_task_f32 (task, node->out[0]), (float *) (void *) task->scratch,
                        task->scratch_bytes / sizeof (float) / workers, dy->rows, w->cols, w->rows, 0, 0 };

  for (guint i = 0; i < n; i++)
    {
      job.adapter = i;
      job.s = node->params.f[LK_LINEAR_SCALES + i] * *lk_cpu_task_f32 (task, node->in[LK_LINEAR_STRENGTH (i)]);
      lk_parallel_for (task->parallel, job.rows, LK_LINEAR_DX_ROWS, lk_linear_dx_down_rows, &job);
    }
  if (!node->out[0])
    return;
  lk_parallel_for (task->parallel, job.in, lk_linear_dx_tile (w, workers), lk_linear_dx_columns, &job);
  for (guint i = 0; i < n && node->params.f[LK_LINEAR_DROPOUT] > 0; i++)
    {
      job.adapter = i;
      lk_parallel_for (task->parallel, job.rows, LK_LINEAR_DX_ROWS, lk_linear_dx_dropout_rows, &job);
    }
}

/* g = strength·scale·dy·B */
static gboolean
lk_linear_dx_record_down (LkGpuTask *task, const LkNode *node, guint i, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  LkOpMatmul g = { .m = dy->rows, .n = lk_program_get_tensor (task->program, node->in[LK_LINEAR_A (i)])->rows,
                   .k = dy->cols, .a = lk_gpu_task_slice (task, node->in[0]),
                   .b = lk_gpu_task_slice (task, node->in[LK_LINEAR_B (i)]), .b_type = LK_TYPE_F32,
                   .c = lk_gpu_task_slice (task, node->out[1 + i]), .alpha = node->params.f[LK_LINEAR_SCALES + i],
                   .strength = lk_gpu_task_slice (task, node->in[LK_LINEAR_STRENGTH (i)]),
                   .scratch = task->scratch, .a_scale = LK_OP_GRADIENT_SCALE };

  return lk_op_matmul (task, node, &g, error);
}

/* dx += mask ⊙ g·A / (1 − p) */
static gboolean
lk_linear_dx_record_masked (LkGpuTask *task, const LkNode *node, guint i, GError **error)
{
  LkTensor *g = lk_program_get_tensor (task->program, node->out[1 + i]);
  LkTensor *w = lk_program_get_tensor (task->program, node->in[1]);
  LkOpMatmul dx = { .m = g->rows, .n = w->cols, .k = g->cols, .a = lk_gpu_task_slice (task, node->out[1 + i]),
                    .b = lk_gpu_task_slice (task, node->in[LK_LINEAR_A (i)]), .alpha = 1, .b_type = LK_TYPE_F32,
                    .c = lk_gpu_task_slice (task, node->out[0]), .accumulate = TRUE, .a_scale = LK_OP_GRADIENT_SCALE };

  lk_linear_set_dropout (task, node, node->in[2], LK_OP_DROPOUT_PRODUCT, &dx);
  return lk_op_matmul (task, node, &dx, error);
}

/* dx (=|+=) dy·W + Σ g·A */
static gboolean
lk_linear_dx_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *w = lk_program_get_tensor (task->program, node->in[1]);
  guint n = node->params.u[LK_LINEAR_N_ADAPTERS];
  gboolean masked = node->params.f[LK_LINEAR_DROPOUT] > 0;
  LkOpMatmul dx = { .m = dy->rows, .n = w->cols, .k = w->rows, .a = lk_gpu_task_slice (task, node->in[0]),
                    .b = lk_gpu_task_slice (task, node->in[1]), .alpha = 1, .b_type = w->type,
                    .accumulate = node->accumulate & 1, .scratch = task->scratch, .a_scale = LK_OP_GRADIENT_SCALE };

  for (guint i = 0; i < n; i++)
    {
      if (!lk_linear_dx_record_down (task, node, i, error))
        return FALSE;
      if (!masked)
        dx.low[dx.n_low++] = (LkOpLowRank){ lk_program_get_tensor (task->program, node->out[1 + i])->cols,
                                            lk_gpu_task_slice (task, node->out[1 + i]), lk_gpu_task_slice (task, node->in[LK_LINEAR_A (i)]),
                                            1, { 0 } };
    }
  if (!node->out[0])
    return TRUE;
  dx.c = lk_gpu_task_slice (task, node->out[0]);
  if (!lk_op_matmul (task, node, &dx, error))
    return FALSE;
  for (guint i = 0; masked && i < n; i++)
    if (!lk_linear_dx_record_masked (task, node, i, error))
      return FALSE;
  return TRUE;
}

static const LkOperation lk_linear_dx = {
  .name = "linear_dx",
  .cost = lk_linear_dx_cost,
  .scratch = lk_linear_dx_scratch,
  .run = lk_linear_dx_run,
  .record = lk_linear_dx_record,
};

LkTensorId
lk_op_linear_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy, LkTensorId *g)
{
  LkProgram *program = lk_gradients_get_program (gradients);
  guint n = node->params.u[LK_LINEAR_N_ADAPTERS];
  LkTensorId in[LK_NODE_MAX_IN], out[LK_NODE_MAX_OUT] = { 0 };
  gint64 rows = lk_program_get_tensor (program, dy)->rows;
  gboolean accumulate, wanted = FALSE;
  LkNode *dx;

  memcpy (in, node->in, sizeof in);
  in[0] = dy;
  out[0] = lk_gradients_target (gradients, node->in[0], &accumulate);
  for (guint i = 0; i < n; i++)
    {
      out[1 + i] = g[i] = lk_program_tensor (program, "g", LK_TYPE_F32, rows, lk_program_get_tensor (program, in[LK_LINEAR_A (i)])->rows);
      wanted |= lk_gradients_wanted (gradients, in[LK_LINEAR_A (i)]) || lk_gradients_wanted (gradients, in[LK_LINEAR_B (i)]);
    }
  if (!out[0] && !wanted)
    {
      memset (g, 0, n * sizeof *g);
      return 0;
    }
  dx = lk_program_append (program, &lk_linear_dx, in, node->n_in, out, 1 + n);
  dx->params = node->params;
  dx->accumulate = accumulate ? 1 : 0;
  return out[0];
}
