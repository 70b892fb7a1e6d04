/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dx = rstd·(v·dy − x·rstd²·mean(v·dy·x)) with v = plus + w.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: dy, x, w, rstd; out: dx; params: f[1] plus */

void lk_op_rms_norm_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_rms_norm_dx_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 8, cost);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *dy, *x, *w, *rstd;
  float *dx;
  gint64 cols;
  float plus;
  gboolean accumulate;
} LkRmsNormDxJob;

static void
lk_rms_norm_dx_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkRmsNormDxJob *job = data;

  for (gint64 t = begin; t < end; t++)
    job->kernels->rms_norm_dx (job->dy + t * job->cols, job->x + t * job->cols, job->w, job->rstd[t], job->dx + t * job->cols, job->cols,
                               job->plus, job->accumulate);
}

static void
lk_rms_norm_dx_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[1]);
  gint64 cols = lk_task_tensor (task, node->in[2])->cols;
  LkRmsNormDxJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                         lk_cpu_task_f32 (task, node->in[2]), lk_cpu_task_f32 (task, node->in[3]),
                         lk_cpu_task_f32 (task, node->out[0]), cols, node->params.f[1], node->accumulate & 1 };

  lk_parallel_for (task->parallel, x->rows * (x->cols / cols), lk_row_grain (cols), lk_rms_norm_dx_rows, &job);
}

static gboolean
lk_rms_norm_dx_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[1]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_RMS_NORM_DX);
  gint64 cols = lk_program_get_tensor (task->program, node->in[2])->cols, rows = x->rows * (x->cols / cols);
  struct { guint32 rows, cols, w_offset, accumulate; float plus; } push
    = { (guint32) rows, (guint32) cols, 0, node->accumulate & 1, node->params.f[1] };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  push.w_offset = lk_op_bind (task, &d, node->in[2], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[3], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) rows, 1), 1,
                       8.0 * (double) x->rows * (double) x->cols, error);
}

static const LkOperation lk_rms_norm_dx = {
  .name = "rms_norm_dx",
  .cost = lk_rms_norm_dx_cost,
  .run = lk_rms_norm_dx_run,
  .record = lk_rms_norm_dx_record,
};

void
lk_op_rms_norm_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  gboolean accumulate;
  LkTensorId in[] = { dy, node->in[0], node->in[1], node->out[1] };
  LkTensorId dx = lk_gradients_target (gradients, node->in[0], &accumulate);
  float plus = node->params.f[1];
  LkNode *back;

  if (!dx)
    return;
  back = lk_program_append (lk_gradients_get_program (gradients), &lk_rms_norm_dx, in, 4, &dx, 1);
  back->accumulate = accumulate ? 1 : 0;
  back->params.f[1] = plus;
}
