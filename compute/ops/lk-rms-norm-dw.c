/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dw += Σ_t dy[t]·x[t]·rstd[t]. Workers own columns and add in token order.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: dy, x, rstd; out: dw */

void lk_op_rms_norm_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_rms_norm_dw_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[1]);

  cost->flops = 3.0 * (double) x->rows * (double) x->cols;
  cost->bytes = lk_node_bytes (program, node);
}

typedef struct
{
  const float *dy, *x, *rstd;
  float *dw;
  gint64 rows, cols;
} LkRmsNormDwJob;

static void
lk_rms_norm_dw_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkRmsNormDwJob *job = data;

  for (gint64 t = 0; t < job->rows; t++)
    {
      const float *dy = job->dy + t * job->cols, *x = job->x + t * job->cols;
      float rstd = job->rstd[t];

      for (gint64 c = begin; c < end; c++)
        job->dw[c] += dy[c] * x[c] * rstd;
    }
}

static void
lk_rms_norm_dw_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[1]);
  gint64 cols = lk_task_tensor (task, node->out[0])->cols;
  LkRmsNormDwJob job = { lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]), lk_cpu_task_f32 (task, node->in[2]),
                         lk_cpu_task_f32 (task, node->out[0]), x->rows * (x->cols / cols), cols };

  lk_parallel_for (task->parallel, cols, 64, lk_rms_norm_dw_columns, &job);
}

static gboolean
lk_rms_norm_dw_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[1]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_RMS_NORM_DW);
  gint64 cols = lk_program_get_tensor (task->program, node->out[0])->cols;
  struct { guint32 rows[2], cols, dw_offset; } push = { .cols = (guint32) cols };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[2], LK_GPU_READ);
  push.dw_offset = lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record_rows (task, &d, push.rows, sizeof push, lk_op_groups ((guint64) cols, 64), x->rows * (x->cols / cols),
                            3.0 * (double) cols, error);
}

static const LkOperation lk_rms_norm_dw = {
  .name = "rms_norm_dw",
  .cost = lk_rms_norm_dw_cost,
  .run = lk_rms_norm_dw_run,
  .record = lk_rms_norm_dw_record,
};

void
lk_op_rms_norm_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  gboolean accumulate;
  LkTensorId in[] = { dy, node->in[0], node->out[1] };
  LkTensorId dw = lk_gradients_target (gradients, node->in[1], &accumulate);

  if (dw)
    lk_program_append (lk_gradients_get_program (gradients), &lk_rms_norm_dw, in, 3, &dw, 1)->accumulate = 1;
}
