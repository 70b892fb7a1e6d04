/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

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

static const LkOperation lk_cache_append = {
  .name = "cache_append",
  .cost = lk_cache_append_cost,
  .run = lk_cache_append_run,
};

LkTensorId
lk_op_cache_append (LkProgram *program, LkTensorId x, LkTensorId slots, LkTensorId cache)
{
  LkTensorId in[] = { x, slots };

  lk_program_append (program, &lk_cache_append, in, 2, &cache, 1)->accumulate = 1;
  return cache;
}
