/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shazeer, "GLU Variants Improve Transformer", 2020.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: gate, up; out: y; params: u[0] activation */

void lk_op_glu_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_glu_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 5, cost);
}

static void
lk_glu_gradient (LkGradients *gradients, const LkNode *node)
{
  lk_op_glu_dx (gradients, node, lk_gradients_of (gradients, node->out[0]));
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *gate, *up;
  float *y;
  LkActivation activation;
} LkGluJob;

static void
lk_glu_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkGluJob *job = data;

  job->kernels->glu (job->activation, job->gate + begin, job->up + begin, job->y + begin, end - begin);
}

static void
lk_glu_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *y = lk_task_tensor (task, node->out[0]);
  LkGluJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                   lk_cpu_task_f32 (task, node->out[0]), (LkActivation) node->params.u[0] };

  lk_parallel_for (task->parallel, y->rows * y->cols, 1 << 14, lk_glu_chunk, &job);
}

static gboolean
lk_glu_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *y = lk_program_get_tensor (task->program, node->out[0]);
  guint32 n = (guint32) (y->rows * y->cols);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_GLU);

  d.constants[d.n_constants++] = node->params.u[0];
  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &n, sizeof n, lk_op_groups (n, 256), 1, 5.0 * n, error);
}

static const LkOperation lk_glu = {
  .name = "glu",
  .cost = lk_glu_cost,
  .gradient = lk_glu_gradient,
  .run = lk_glu_run,
  .record = lk_glu_record,
};

LkTensorId
lk_op_glu (LkProgram *program, const char *name, LkTensorId gate, LkTensorId up, LkActivation activation)
{
  LkTensor *t = lk_program_get_tensor (program, gate);
  LkTensorId in[] = { gate, up };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, t->rows, t->cols);

  lk_program_append (program, &lk_glu, in, 2, &out, 1)->params.u[0] = activation;
  return out;
}
