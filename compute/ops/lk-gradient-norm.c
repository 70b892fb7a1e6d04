/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The norm of all gradients together, of the mean (gradients are sums; hyper holds 1/targets). Partial sums over fixed
 * ranges are added in order.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: gradients, hyper; out: norm [1, 2] */

#define LK_NORM_CHUNK (1 << 16)

static void
lk_gradient_norm_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *g = lk_program_get_tensor (program, node->in[0]);

  cost->flops = 2.0 * (double) g->cols;
  cost->bytes = (double) g->bytes;
}

static guint64
lk_gradient_norm_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *g = lk_program_get_tensor (program, node->in[0]);

  return ((guint64) g->cols / LK_NORM_CHUNK + 1) * sizeof (double);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *g;
  double *partial;
} LkNormJob;

static void
lk_gradient_norm_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkNormJob *job = data;

  for (gint64 i = begin; i < end; i += LK_NORM_CHUNK)
    job->partial[i / LK_NORM_CHUNK] = job->kernels->sum_of_squares (job->g + i, MIN (LK_NORM_CHUNK, end - i));
}

static void
lk_gradient_norm_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *g = lk_task_tensor (task, node->in[0]);
  float *norm = lk_cpu_task_f32 (task, node->out[0]);
  LkNormJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), (double *) (void *) task->scratch };
  double sum = 0;

  lk_parallel_for (task->parallel, g->cols, LK_NORM_CHUNK, lk_gradient_norm_chunk, &job);
  for (gint64 i = 0; i * LK_NORM_CHUNK < g->cols; i++)
    sum += job.partial[i];
  norm[0] = (float) (sqrt (sum) * (double) lk_cpu_task_f32 (task, node->in[1])[LK_HYPER_GRADIENT_SCALE]);
  norm[1] = isfinite (norm[0]) ? 1.0f : 0.0f;
}

static gboolean
lk_gradient_norm_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *g = lk_program_get_tensor (task->program, node->in[0]);
  /* 64 partial sums fill the boundary any device can bind at */
  guint64 unit = 64 * LK_NORM_CHUNK;
  guint64 most = MAX (1, lk_gpu_device_get_plan (task->device)->max_binding / sizeof (float) / unit) * unit;
  LkGpuDispatch sum = lk_op_dispatch (node, LK_KERNEL_GRADIENT_NORM_SUM);
  guint32 partials = (guint32) (((guint64) g->cols + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK);

  for (guint64 begin = 0; begin < (guint64) g->cols; begin += most)
    {
      guint32 n = (guint32) MIN (most, (guint64) g->cols - begin), chunks = (n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;
      LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_GRADIENT_NORM);

      d.constants[d.n_constants++] = LK_NORM_CHUNK;
      lk_op_bind_slice (task, &d, lk_gpu_slice_part (lk_gpu_task_slice (task, node->in[0]), begin * sizeof (float),
                                                     n * sizeof (float)), LK_GPU_READ);
      lk_op_bind_slice (task, &d, lk_gpu_slice_part (task->scratch, begin / LK_NORM_CHUNK * sizeof (float),
                                                     chunks * sizeof (float)), LK_GPU_WRITE);
      if (!lk_op_record (task, &d, &n, sizeof n, lk_op_groups (chunks, 1), 1, 2.0 * n, error))
        return FALSE;
    }
  sum.constants[sum.n_constants++] = LK_HYPER_GRADIENT_SCALE;
  lk_op_bind_slice (task, &sum, task->scratch, LK_GPU_READ);
  lk_op_bind (task, &sum, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &sum, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &sum, &partials, sizeof partials, 1, 1, partials, error);
}

static const LkOperation lk_gradient_norm = {
  .name = "gradient_norm",
  .cost = lk_gradient_norm_cost,
  .scratch = lk_gradient_norm_scratch,
  .run = lk_gradient_norm_run,
  .record = lk_gradient_norm_record,
};

void
lk_op_gradient_norm (LkProgram *program, LkTensorId gradients, LkTensorId hyper, LkTensorId norm)
{
  LkTensorId in[] = { gradients, hyper };

  lk_program_append (program, &lk_gradient_norm, in, 2, &norm, 1);
}
