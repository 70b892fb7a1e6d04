/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * With s = σ(z) of the activation: dup = dy·gate·s, dgate = dy·up·s·(1 + gate·z'·(1 − s)).
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: dy, gate, up; out: dgate, dup, both written (never added to) */

void lk_op_glu_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_glu_dx_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 12, cost);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *dy, *gate, *up;
  float *dgate, *dup;
  LkActivation activation;
} LkGluDxJob;

static void
lk_glu_dx_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkGluDxJob *job = data;

  job->kernels->glu_dx (job->activation, job->dy + begin, job->gate + begin, job->up + begin, job->dgate + begin, job->dup + begin, end - begin);
}

static void
lk_glu_dx_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *dy = lk_task_tensor (task, node->in[0]);
  LkGluDxJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                        lk_cpu_task_f32 (task, node->in[2]), lk_cpu_task_f32 (task, node->out[0]),
                        lk_cpu_task_f32 (task, node->out[1]), (LkActivation) node->params.u[0] };

  lk_parallel_for (task->parallel, dy->rows * dy->cols, 1 << 14, lk_glu_dx_chunk, &job);
}

static gboolean
lk_glu_dx_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  guint32 n = (guint32) (dy->rows * dy->cols);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_GLU_DX);

  d.constants[d.n_constants++] = node->params.u[0];
  for (guint i = 0; i < 3; i++)
    lk_op_bind (task, &d, node->in[i], LK_GPU_READ);
  for (guint i = 0; i < 2; i++)
    lk_op_bind (task, &d, node->out[i], LK_GPU_WRITE);
  return lk_op_record (task, &d, &n, sizeof n, lk_op_groups (n, 256), 1, 12.0 * n, error);
}

static const LkOperation lk_glu_dx = {
  .name = "glu_dx",
  .cost = lk_glu_dx_cost,
  .run = lk_glu_dx_run,
  .record = lk_glu_dx_record,
};

void
lk_op_glu_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  LkProgram *program = lk_gradients_get_program (gradients);
  LkTensor *t = lk_program_get_tensor (program, dy);
  gint64 rows = t->rows, cols = t->cols;
  guint32 activation = node->params.u[0];
  LkTensorId in[] = { dy, node->in[0], node->in[1] };
  LkTensorId of[] = { node->in[0], node->in[1] };
  LkTensorId out[] = { lk_program_tensor (program, "d.gate", LK_TYPE_F32, rows, cols),
                       lk_program_tensor (program, "d.up", LK_TYPE_F32, rows, cols) };

  lk_program_append (program, &lk_glu_dx, in, 3, out, 2)->params.u[0] = activation;
  for (guint i = 0; i < 2; i++)
    lk_gradients_pass (gradients, of[i], out[i]);
}
