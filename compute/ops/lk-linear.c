/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * y = x·Wᵀ + Σ strength·scale·u·Bᵀ with u = drop(x)·Aᵀ (Hu et al., "LoRA", 2021; Dettmers et al., "QLoRA", 2023). W stays
 * packed: each worker unpacks a tile of its rows into its own cache and multiplies at once.
 */
#include "lk-linear-private.h"

/* in: x, W, random, (A, B, strength)…; out: y, u… [T, r] */

#define LK_LINEAR_TILE_MOST 384
#define LK_LINEAR_DROPOUT_ROWS 64

static void
lk_linear_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[0]), *w = lk_program_get_tensor (program, node->in[1]);

  cost->flops = 2.0 * (double) x->rows * (double) w->rows * (double) w->cols;
  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    {
      LkTensor *a = lk_program_get_tensor (program, node->in[LK_LINEAR_A (i)]);
      cost->flops += 2.0 * (double) x->rows * (double) a->rows * (double) (w->rows + w->cols);
    }
  cost->bytes = lk_node_bytes (program, node);
}

static void
lk_linear_gradient (LkGradients *gradients, const LkNode *node)
{
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);
  LkTensorId g[LK_LINEAR_MAX_ADAPTERS] = { 0 };

  lk_op_linear_dw (gradients, node, dy);
  lk_op_linear_dx (gradients, node, dy, g);
  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    if (g[i])
      lk_op_lora_gradient (gradients, node, i, dy, g[i]);
}

static gint64
lk_linear_forward_tile (const LkTensor *w, guint workers)
{
  return lk_linear_tile (w->rows, workers, LK_LINEAR_TILE_MOST, 32);
}

static guint64
lk_linear_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *w = lk_program_get_tensor (program, node->in[1]);
  guint64 tile = (guint64) lk_linear_forward_tile (w, workers) * (guint64) w->cols;
  guint64 masked = node->params.f[LK_LINEAR_DROPOUT] > 0 ? (guint64) LK_LINEAR_DROPOUT_ROWS * (guint64) w->cols : 0;

  if (target == LK_TARGET_GPU)
    return lk_linear_gpu_scratch (program, node, lk_program_get_tensor (program, node->in[0])->rows, w->rows, w->cols, TRUE);
  return MAX (MAX (w->type == LK_TYPE_F32 ? 0 : tile, masked), (guint64) w->cols) * sizeof (float) * workers;
}

typedef struct
{
  LkCpuTask *task;
  const LkNode *node;
  const float *x;
  LkPacked w;
  float *y;
  float *scratch;
  gsize scratch_floats; /* a worker */
  gint64 rows, in, out;
  guint adapter;
} LkLinearJob;

/* u = drop(x)·Aᵀ for a range of rows. */
static void
lk_linear_down_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearJob *job = data;
  const LkNode *node = job->node;
  LkTensor *a = lk_task_tensor (job->task, node->in[LK_LINEAR_A (job->adapter)]);
  float p = node->params.f[LK_LINEAR_DROPOUT];
  const float *x = job->x + begin * job->in;
  float *u = lk_cpu_task_f32 (job->task, node->out[1 + job->adapter]) + begin * a->rows;

  if (p > 0)
    {
      float *masked = job->scratch + worker * job->scratch_floats;

      for (gint64 t = begin; t < end; t++)
        lk_linear_dropout_row (lk_cpu_task_i32 (job->task, node->in[2]), node->params.u[LK_LINEAR_SITE], p, t, job->x + t * job->in,
                               masked + (t - begin) * job->in, job->in, FALSE);
      x = masked;
    }
  lk_cpu_gemm_tile (FALSE, TRUE, end - begin, a->rows, job->in, 1, x, job->in,
               lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_A (job->adapter)]), job->in, 0, u, a->rows);
}

/* y[:, begin…end) += strength·scale·u·Bᵀ */
static void
lk_linear_up (LkLinearJob *job, gint64 begin, gint64 end)
{
  const LkNode *node = job->node;

  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    {
      LkTensor *a = lk_task_tensor (job->task, node->in[LK_LINEAR_A (i)]);
      const float *b = lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_B (i)]);
      float s = node->params.f[LK_LINEAR_SCALES + i] * *lk_cpu_task_f32 (job->task, node->in[LK_LINEAR_STRENGTH (i)]);

      if (s != 0)
        lk_cpu_gemm_tile (FALSE, TRUE, job->rows, end - begin, a->rows, s, lk_cpu_task_f32 (job->task, node->out[1 + i]), a->rows,
                     b + begin * a->rows, a->rows, 1, job->y + begin, job->out);
    }
}

static void
lk_linear_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearJob *job = data;
  float *scratch = job->scratch + worker * job->scratch_floats;
  const LkCpuKernels *kernels = job->task->kernels;

  if (job->rows < LK_LINEAR_MATVEC_ROWS)
    {
      for (gint64 t = 0; t < job->rows; t++)
        kernels->matvec (&job->w, begin, end - begin, job->x + t * job->in, scratch, job->y + t * job->out + begin);
    }
  else
    {
      const float *tile = (const float *) (const void *) (job->w.data + (guint64) begin * job->w.row_bytes);

      if (job->w.type != LK_TYPE_F32)
        {
          kernels->unpack (&job->w, begin, 0, (end - begin) * job->in, scratch);
          tile = scratch;
        }
      lk_cpu_gemm (FALSE, TRUE, job->rows, end - begin, job->in, 1, job->x, job->in, tile, job->in, 0, job->y + begin, job->out);
    }
  lk_linear_up (job, begin, end);
}

static void
lk_linear_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *w = lk_task_tensor (task, node->in[1]);
  guint workers = lk_parallel_get_workers (task->parallel);
  LkLinearJob job = { task, node, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_packed (task, node->in[1]),
                      lk_cpu_task_f32 (task, node->out[0]), (float *) (void *) task->scratch,
                      task->scratch_bytes / sizeof (float) / workers, x->rows, w->cols, w->rows, 0 };

  for (guint i = 0; i < node->params.u[LK_LINEAR_N_ADAPTERS]; i++)
    {
      job.adapter = i;
      lk_parallel_for (task->parallel, job.rows, LK_LINEAR_DROPOUT_ROWS, lk_linear_down_rows, &job);
    }
  lk_parallel_for (task->parallel, job.out, lk_linear_forward_tile (w, workers), lk_linear_columns, &job);
}

/* u = drop(x)·Aᵀ */
static gboolean
lk_linear_record_down (LkGpuTask *task, const LkNode *node, guint i, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *w = lk_program_get_tensor (task->program, node->in[1]);
  LkOpMatmul down = { .m = x->rows, .n = lk_program_get_tensor (task->program, node->in[LK_LINEAR_A (i)])->rows, .k = w->cols,
                      .a = lk_gpu_task_slice (task, node->in[0]), .b = lk_gpu_task_slice (task, node->in[LK_LINEAR_A (i)]), .alpha = 1,
                      .b_type = LK_TYPE_F32, .b_transposed = TRUE, .c = lk_gpu_task_slice (task, node->out[1 + i]), .scratch = task->scratch };

  if (node->params.f[LK_LINEAR_DROPOUT] > 0)
    lk_linear_set_dropout (task, node, node->in[2], LK_OP_DROPOUT_A, &down);
  return lk_op_matmul (task, node, &down, error);
}

/* y = x·Wᵀ + Σ strength·scale·u·Bᵀ */
static gboolean
lk_linear_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *w = lk_program_get_tensor (task->program, node->in[1]);
  LkOpMatmul y = { .m = x->rows, .n = w->rows, .k = w->cols, .a = lk_gpu_task_slice (task, node->in[0]),
                   .b = lk_gpu_task_slice (task, node->in[1]), .alpha = 1, .b_type = w->type, .b_transposed = TRUE,
                   .c = lk_gpu_task_slice (task, node->out[0]), .scratch = task->scratch };

  G_STATIC_ASSERT (LK_OP_MOST_LOW >= LK_LINEAR_MAX_ADAPTERS);
  y.n_low = node->params.u[LK_LINEAR_N_ADAPTERS];
  for (guint i = 0; i < y.n_low; i++)
    {
      y.low[i] = (LkOpLowRank){ lk_program_get_tensor (task->program, node->in[LK_LINEAR_A (i)])->rows,
                                lk_gpu_task_slice (task, node->out[1 + i]), lk_gpu_task_slice (task, node->in[LK_LINEAR_B (i)]),
                                node->params.f[LK_LINEAR_SCALES + i], lk_gpu_task_slice (task, node->in[LK_LINEAR_STRENGTH (i)]) };
      if (!lk_linear_record_down (task, node, i, error))
        return FALSE;
    }
  return lk_op_matmul (task, node, &y, error);
}

static const LkOperation lk_linear = {
  .name = "linear",
  .cost = lk_linear_cost,
  .gradient = lk_linear_gradient,
  .scratch = lk_linear_scratch,
  .run = lk_linear_run,
  .record = lk_linear_record,
};

LkTensorId
lk_op_linear (LkProgram *program, const char *name, LkTensorId x, LkTensorId w, const LkLinearOptions *options)
{
  static const LkLinearOptions plain;
  gint64 rows = lk_program_get_tensor (program, x)->rows;
  LkTensorId in[LK_NODE_MAX_IN] = { x, w };
  LkTensorId out[LK_NODE_MAX_OUT] = { lk_program_tensor (program, name, LK_TYPE_F32, rows, lk_program_get_tensor (program, w)->rows) };
  LkNode *node;
  guint n;

  options = options ? options : &plain;
  n = options->n_adapters;
  g_assert (n <= LK_LINEAR_MAX_ADAPTERS && (options->dropout == 0 || options->random));
  in[2] = options->dropout > 0 ? options->random : 0;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *u = g_strdup_printf ("%s.u%u", name, i);

      in[LK_LINEAR_A (i)] = options->adapters[i].a;
      in[LK_LINEAR_B (i)] = options->adapters[i].b;
      in[LK_LINEAR_STRENGTH (i)] = options->adapters[i].strength;
      out[1 + i] = lk_program_tensor (program, u, LK_TYPE_F32, rows, lk_program_get_tensor (program, options->adapters[i].a)->rows);
    }
  node = lk_program_append (program, &lk_linear, in, LK_LINEAR_ADAPTER_IN + 3 * n, out, 1 + n);
  node->params.u[LK_LINEAR_N_ADAPTERS] = n;
  node->params.u[LK_LINEAR_SITE] = options->site;
  node->params.f[LK_LINEAR_DROPOUT] = options->dropout;
  for (guint i = 0; i < n; i++)
    node->params.f[LK_LINEAR_SCALES + i] = options->adapters[i].scale;
  return out[0];
}
