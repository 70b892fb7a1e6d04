/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

static void
lk_copy_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 1, cost);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *from;
  float *to;
  gboolean add;
} LkCopyJob;

static void
lk_copy_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkCopyJob *job = data;

  if (job->add)
    job->kernels->add (job->to + begin, job->from + begin, job->to + begin, end - begin);
  else
    memcpy (job->to + begin, job->from + begin, (gsize) (end - begin) * sizeof (float));
}

static void
lk_copy_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *to = lk_task_tensor (task, node->out[0]);
  LkCopyJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->out[0]), node->accumulate & 1 };

  lk_parallel_for (task->parallel, to->rows * to->cols, 1 << 16, lk_copy_chunk, &job);
}

static const LkOperation lk_copy = {
  .name = "copy",
  .cost = lk_copy_cost,
  .run = lk_copy_run,
};

void
lk_op_copy (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add)
{
  LkNode *node = lk_program_append (program, &lk_copy, &from, 1, &to, 1);

  node->accumulate = add ? 1 : 0;
}
