/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The norm of all gradients together, of the mean (gradients are sums; hyper holds 1/targets). Partial sums over fixed
 * ranges are added in order.
 */
#include "lk-op-private.h"

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

static const LkOperation lk_gradient_norm = {
  .name = "gradient_norm",
  .cost = lk_gradient_norm_cost,
  .scratch = lk_gradient_norm_scratch,
  .run = lk_gradient_norm_run,
};

void
lk_op_gradient_norm (LkProgram *program, LkTensorId gradients, LkTensorId hyper, LkTensorId norm)
{
  LkTensorId in[] = { gradients, hyper };

  lk_program_append (program, &lk_gradient_norm, in, 2, &norm, 1);
}
