/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

static void
lk_add_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 1, cost);
}

static void
lk_add_gradient (LkGradients *gradients, const LkNode *node)
{
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);

  lk_gradients_pass (gradients, node->in[0], dy);
  lk_gradients_pass (gradients, node->in[1], dy);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *a, *b;
  float *out;
} LkAddJob;

static void
lk_add_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAddJob *job = data;

  job->kernels->add (job->a + begin, job->b + begin, job->out + begin, end - begin);
}

static void
lk_add_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *out = lk_task_tensor (task, node->out[0]);
  LkAddJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                   lk_cpu_task_f32 (task, node->out[0]) };

  lk_parallel_for (task->parallel, out->rows * out->cols, 1 << 16, lk_add_chunk, &job);
}

static gboolean
lk_add_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *out = lk_program_get_tensor (task->program, node->out[0]);
  guint32 n = (guint32) (out->rows * out->cols);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_ADD);

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &n, sizeof n, lk_op_groups (n, 256), 1, n, error);
}

static const LkOperation lk_add = {
  .name = "add",
  .cost = lk_add_cost,
  .gradient = lk_add_gradient,
  .run = lk_add_run,
  .record = lk_add_record,
};

LkTensorId
lk_op_add (LkProgram *program, const char *name, LkTensorId a, LkTensorId b)
{
  LkTensor *t = lk_program_get_tensor (program, a);
  LkTensorId in[] = { a, b };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, t->rows, t->cols);

  lk_program_append (program, &lk_add, in, 2, &out, 1);
  return out;
}
