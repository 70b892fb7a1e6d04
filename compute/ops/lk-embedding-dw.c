/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dtable[ids[t]] += scale · dy[t]. Rows may repeat, so that each worker owns a range of columns and adds in token order:
 * no atomics, the same sum each time.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* params: f[0] scale */

void lk_op_embedding_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_embedding_dw_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]);

  cost->flops = 2.0 * (double) dy->rows * (double) dy->cols;
  cost->bytes = 12.0 * (double) dy->rows * (double) dy->cols;
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *dy;
  const gint32 *ids;
  float *dtable;
  gint64 rows, cols, vocab;
  float scale;
} LkEmbeddingDwJob;

static void
lk_embedding_dw_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkEmbeddingDwJob *job = data;

  for (gint64 t = 0; t < job->rows; t++)
    {
      gint64 id = CLAMP (job->ids[t], 0, job->vocab - 1);

      job->kernels->axpy (job->scale, job->dy + t * job->cols + begin, job->dtable + id * job->cols + begin, end - begin);
    }
}

static void
lk_embedding_dw_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *dy = lk_task_tensor (task, node->in[0]);
  LkEmbeddingDwJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_i32 (task, node->in[1]),
                           lk_cpu_task_f32 (task, node->out[0]), dy->rows, dy->cols, lk_task_tensor (task, node->out[0])->rows,
                           node->params.f[0] };

  lk_parallel_for (task->parallel, dy->cols, 64, lk_embedding_dw_columns, &job);
}

static gboolean
lk_embedding_dw_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *dtable = lk_program_get_tensor (task->program, node->out[0]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_EMBEDDING_DW);
  struct { guint32 rows[2], cols, vocab, table_offset; float scale; } push
    = { .cols = (guint32) dy->cols, .vocab = (guint32) dtable->rows, .scale = node->params.f[0] };

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  push.table_offset = lk_op_bind (task, &d, node->out[0], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record_rows (task, &d, push.rows, sizeof push, lk_op_groups ((guint64) dy->cols, 64), dy->rows, 2.0 * (double) dy->cols,
                            error);
}

static const LkOperation lk_embedding_dw = {
  .name = "embedding_dw",
  .cost = lk_embedding_dw_cost,
  .run = lk_embedding_dw_run,
  .record = lk_embedding_dw_record,
};

void
lk_op_embedding_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  gboolean accumulate;
  LkTensorId dtable = lk_gradients_target (gradients, node->in[1], &accumulate);
  LkTensorId in[] = { dy, node->in[0] };
  float scale = node->params.f[0];
  LkNode *dw;

  if (!dtable)
    return;
  dw = lk_program_append (lk_gradients_get_program (gradients), &lk_embedding_dw, in, 2, &dtable, 1);
  dw->accumulate = 1;
  dw->params.f[0] = scale;
}
