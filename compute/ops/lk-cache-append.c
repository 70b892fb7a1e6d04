/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x, slots; out: cache (other rows keep their content) */

static void
lk_cache_append_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  cost->bytes = 2.0 * (double) lk_program_get_tensor (program, node->in[0])->bytes;
}

static void
lk_cache_append_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *cache = lk_task_tensor (task, node->out[0]);
  const gint32 *slots = lk_cpu_task_i32 (task, node->in[1]);

  for (gint64 t = 0; t < x->rows; t++)
    if (slots[t] >= 0 && slots[t] < cache->rows)
      memcpy (lk_cpu_task_f32 (task, node->out[0]) + slots[t] * cache->cols, lk_cpu_task_f32 (task, node->in[0]) + t * x->cols,
              (gsize) x->cols * sizeof (float));
}

static gboolean
lk_cache_append_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *cache = lk_program_get_tensor (task->program, node->out[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_SCATTER);
  struct { guint32 n, cols, y_rows, begin; } push = { (guint32) x->rows, (guint32) x->cols, (guint32) cache->rows, 0 };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) x->rows, 1), 1, 0, error);
}

static const LkOperation lk_cache_append = {
  .name = "cache_append",
  .cost = lk_cache_append_cost,
  .run = lk_cache_append_run,
  .record = lk_cache_append_record,
};

LkTensorId
lk_op_cache_append (LkProgram *program, LkTensorId x, LkTensorId slots, LkTensorId cache)
{
  LkTensorId in[] = { x, slots };

  lk_program_append (program, &lk_cache_append, in, 2, &cache, 1)->accumulate = 1;
  return cache;
}
