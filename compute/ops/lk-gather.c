/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x, rows; out: y */

static void
lk_gather_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *y = lk_program_get_tensor (program, node->out[0]);

  cost->bytes = 2.0 * (double) y->bytes;
}

static void
lk_gather_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *y = lk_task_tensor (task, node->out[0]);
  const gint32 *rows = lk_cpu_task_i32 (task, node->in[1]);

  for (gint64 i = 0; i < y->rows; i++)
    memcpy (lk_cpu_task_f32 (task, node->out[0]) + i * y->cols,
            lk_cpu_task_f32 (task, node->in[0]) + CLAMP (rows[i], 0, x->rows - 1) * x->cols, (gsize) y->cols * sizeof (float));
}

static gboolean
lk_gather_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *y = lk_program_get_tensor (task->program, node->out[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_GATHER);
  struct { guint32 n, cols, x_rows, begin; } push = { (guint32) y->rows, (guint32) y->cols, (guint32) x->rows, 0 };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) y->rows, 1), 1, 0, error);
}

static const LkOperation lk_gather = {
  .name = "gather",
  .cost = lk_gather_cost,
  .run = lk_gather_run,
  .record = lk_gather_record,
};

LkTensorId
lk_op_gather (LkProgram *program, const char *name, LkTensorId x, LkTensorId rows)
{
  LkTensorId in[] = { x, rows };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, lk_program_get_tensor (program, rows)->cols,
                                      lk_program_get_tensor (program, x)->cols);

  lk_program_append (program, &lk_gather, in, 2, &out, 1);
  return out;
}
