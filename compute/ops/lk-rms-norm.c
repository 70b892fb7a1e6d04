/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x, w; out: y, rstd [T, groups]; params: f[0] eps, f[1] plus. A row of x is norm of w's width after norm: heads side by side are normed each. */

void lk_op_rms_norm_dx (LkGradients *gradients, const LkNode *node, LkTensorId dy);
void lk_op_rms_norm_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_rms_norm_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 4, cost);
}

static void
lk_rms_norm_gradient (LkGradients *gradients, const LkNode *node)
{
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);

  lk_op_rms_norm_dw (gradients, node, dy);
  lk_op_rms_norm_dx (gradients, node, dy);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *x, *w;
  float *y, *rstd;
  gint64 cols;
  float eps, plus;
} LkRmsNormJob;

static void
lk_rms_norm_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkRmsNormJob *job = data;

  for (gint64 t = begin; t < end; t++)
    job->rstd[t] = job->kernels->rms_norm (job->x + t * job->cols, job->w, job->y + t * job->cols, job->cols, job->eps,
                                           job->plus);
}

static void
lk_rms_norm_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]);
  gint64 cols = lk_task_tensor (task, node->in[1])->cols;
  LkRmsNormJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                       lk_cpu_task_f32 (task, node->out[0]), lk_cpu_task_f32 (task, node->out[1]), cols, node->params.f[0],
                       node->params.f[1] };

  lk_parallel_for (task->parallel, x->rows * (x->cols / cols), lk_row_grain (cols), lk_rms_norm_rows, &job);
}

static gboolean
lk_rms_norm_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_RMS_NORM);
  gint64 cols = lk_program_get_tensor (task->program, node->in[1])->cols, rows = x->rows * (x->cols / cols);
  struct { guint32 rows, cols, w_offset; float eps, plus; } push
    = { (guint32) rows, (guint32) cols, 0, node->params.f[0], node->params.f[1] };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  push.w_offset = lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  lk_op_bind (task, &d, node->out[1], LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) rows, 1), 1,
                       4.0 * (double) x->rows * (double) x->cols, error);
}

static const LkOperation lk_rms_norm = {
  .name = "rms_norm",
  .cost = lk_rms_norm_cost,
  .gradient = lk_rms_norm_gradient,
  .run = lk_rms_norm_run,
  .record = lk_rms_norm_record,
};

LkTensorId
lk_op_rms_norm (LkProgram *program, const char *name, LkTensorId x, LkTensorId w, float eps, float plus)
{
  LkTensor *t = lk_program_get_tensor (program, x);
  gint64 rows = t->rows, cols = t->cols, groups = cols / lk_program_get_tensor (program, w)->cols;
  g_autofree char *rstd_name = g_strconcat (name, ".rstd", NULL);
  LkTensorId in[] = { x, w };
  LkTensorId out[] = { lk_program_tensor (program, name, LK_TYPE_F32, rows, cols),
                       lk_program_tensor (program, rstd_name, LK_TYPE_F32, rows, groups) };
  LkNode *node = lk_program_append (program, &lk_rms_norm, in, 2, out, 2);

  node->params.f[0] = eps;
  node->params.f[1] = plus;
  return out[0];
}
