/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x, b; out: y */

void lk_op_bias_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_bias_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 1, cost);
}

static void
lk_bias_gradient (LkGradients *gradients, const LkNode *node)
{
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);

  lk_op_bias_dw (gradients, node, dy);
  lk_gradients_pass (gradients, node->in[0], dy);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *x, *b;
  float *y;
  gint64 cols;
} LkBiasJob;

static void
lk_bias_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkBiasJob *job = data;

  for (gint64 t = begin; t < end; t++)
    job->kernels->add (job->x + t * job->cols, job->b, job->y + t * job->cols, job->cols);
}

static void
lk_bias_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]);
  LkBiasJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                    lk_cpu_task_f32 (task, node->out[0]), x->cols };

  lk_parallel_for (task->parallel, x->rows, lk_row_grain (x->cols), lk_bias_rows, &job);
}

static gboolean
lk_bias_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_BIAS);
  struct { guint32 n, cols, b_offset; } push = { (guint32) (x->rows * x->cols), (guint32) x->cols, 0 };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  push.b_offset = lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (push.n, 256), 1, push.n, error);
}

static const LkOperation lk_bias = {
  .name = "bias",
  .cost = lk_bias_cost,
  .gradient = lk_bias_gradient,
  .run = lk_bias_run,
  .record = lk_bias_record,
};

LkTensorId
lk_op_bias (LkProgram *program, const char *name, LkTensorId x, LkTensorId b)
{
  LkTensor *t = lk_program_get_tensor (program, x);
  LkTensorId in[] = { x, b };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, t->rows, t->cols);

  lk_program_append (program, &lk_bias, in, 2, &out, 1);
  return out;
}
