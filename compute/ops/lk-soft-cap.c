/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cap of Gemma 2's logits in generation; the loss head has its own, with the gradient.
 */
#include "lk-op-private.h"

#include <math.h>

#include "lk-op-gpu.h"

/* in: x; out: y; params: f[0] cap */

static void
lk_soft_cap_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 4, cost);
}

typedef struct
{
  const float *x;
  float *y, cap;
} LkSoftCapJob;

static void
lk_soft_cap_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkSoftCapJob *job = data;

  for (gint64 i = begin; i < end; i++)
    job->y[i] = job->cap * tanhf (job->x[i] / job->cap);
}

static void
lk_soft_cap_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]);
  LkSoftCapJob job = { lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->out[0]), node->params.f[0] };

  lk_parallel_for (task->parallel, x->rows * x->cols, 1 << 12, lk_soft_cap_chunk, &job);
}

static gboolean
lk_soft_cap_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_SOFT_CAP);
  struct { guint32 n; float cap; } push = { (guint32) (x->rows * x->cols), node->params.f[0] };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (push.n, 256), 1, 4.0 * push.n, error);
}

static const LkOperation lk_soft_cap = {
  .name = "soft_cap",
  .cost = lk_soft_cap_cost,
  .run = lk_soft_cap_run,
  .record = lk_soft_cap_record,
};

LkTensorId
lk_op_soft_cap (LkProgram *program, const char *name, LkTensorId x, float cap)
{
  LkTensor *t = lk_program_get_tensor (program, x);
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, t->rows, t->cols);

  lk_program_append (program, &lk_soft_cap, &x, 1, &out, 1)->params.f[0] = cap;
  return out;
}
