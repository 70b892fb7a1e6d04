/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

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

static gboolean
lk_copy_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *to = lk_program_get_tensor (task->program, node->out[0]);
  guint32 n = (guint32) (to->rows * to->cols);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_ADD);

  if (!(node->accumulate & 1))
    return lk_gpu_recorder_copy (task->recorder, lk_gpu_task_slice (task, node->in[0]),
                                 lk_gpu_task_slice (task, node->out[0]), error);
  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (task, &d, &n, sizeof n, lk_op_groups (n, 256), 1, n, error);
}

static const LkOperation lk_copy = {
  .name = "copy",
  .cost = lk_copy_cost,
  .run = lk_copy_run,
  .record = lk_copy_record,
};

void
lk_op_copy (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add)
{
  LkNode *node = lk_program_append (program, &lk_copy, &from, 1, &to, 1);

  node->accumulate = add ? 1 : 0;
}
