/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * db += Σ_t dy[t]. Workers own columns and add in token order.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: dy; out: db */

void lk_op_bias_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_bias_dw_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]);

  cost->flops = (double) dy->rows * (double) dy->cols;
  cost->bytes = lk_node_bytes (program, node);
}

typedef struct
{
  const float *dy;
  float *db;
  gint64 rows, cols;
} LkBiasDwJob;

static void
lk_bias_dw_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkBiasDwJob *job = data;

  for (gint64 t = 0; t < job->rows; t++)
    for (gint64 c = begin; c < end; c++)
      job->db[c] += job->dy[t * job->cols + c];
}

static void
lk_bias_dw_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *dy = lk_task_tensor (task, node->in[0]);
  LkBiasDwJob job = { lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->out[0]), dy->rows, dy->cols };

  lk_parallel_for (task->parallel, dy->cols, 64, lk_bias_dw_columns, &job);
}

static gboolean
lk_bias_dw_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_BIAS_DW);
  struct { guint32 rows[2], cols, db_offset; } push = { .cols = (guint32) dy->cols };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  push.db_offset = lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record_rows (task, &d, push.rows, sizeof push, lk_op_groups ((guint64) dy->cols, 64), dy->rows, (double) dy->cols, error);
}

static const LkOperation lk_bias_dw = {
  .name = "bias_dw",
  .cost = lk_bias_dw_cost,
  .run = lk_bias_dw_run,
  .record = lk_bias_dw_record,
};

void
lk_op_bias_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  gboolean accumulate;
  LkTensorId db = lk_gradients_target (gradients, node->in[1], &accumulate);

  if (db)
    lk_program_append (lk_gradients_get_program (gradients), &lk_bias_dw, &dy, 1, &db, 1)->accumulate = 1;
}
