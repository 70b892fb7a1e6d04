/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

/* params: f[0] scale */

void lk_op_embedding_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_embedding_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *out = lk_program_get_tensor (program, node->out[0]);

  cost->flops = 2.0 * (double) out->rows * (double) out->cols;
  cost->bytes = 8.0 * (double) out->rows * (double) out->cols;
}

static void
lk_embedding_gradient (LkGradients *gradients, const LkNode *node)
{
  lk_op_embedding_dw (gradients, node, lk_gradients_of (gradients, node->out[0]));
}

typedef struct
{
  const LkCpuKernels *kernels;
  const gint32 *ids;
  const guint8 *table;
  float *out;
  LkType type;
  guint64 row_bytes;
  gint64 cols, vocab;
  float scale;
} LkEmbeddingJob;

static void
lk_embedding_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkEmbeddingJob *job = data;

  for (gint64 t = begin; t < end; t++)
    {
      float *row = job->out + t * job->cols;
      gint64 id = CLAMP (job->ids[t], 0, job->vocab - 1);

      job->kernels->dequantise (job->type, job->table + (guint64) id * job->row_bytes, row, job->cols);
      if (job->scale != 1.0f)
        job->kernels->scale (job->scale, row, job->cols);
    }
}

static void
lk_embedding_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *table = lk_task_tensor (task, node->in[1]);
  LkTensor *out = lk_task_tensor (task, node->out[0]);
  LkEmbeddingJob job = { task->kernels, lk_cpu_task_i32 (task, node->in[0]), lk_cpu_task_bytes (task, node->in[1]),
                         lk_cpu_task_f32 (task, node->out[0]), table->type, table->bytes / (guint64) table->rows,
                         table->cols, table->rows, node->params.f[0] };

  lk_parallel_for (task->parallel, out->rows, lk_row_grain (out->cols), lk_embedding_rows, &job);
}

static const LkOperation lk_embedding = {
  .name = "embedding",
  .cost = lk_embedding_cost,
  .gradient = lk_embedding_gradient,
  .run = lk_embedding_run,
};

LkTensorId
lk_op_embedding (LkProgram *program, const char *name, LkTensorId ids, LkTensorId table, float scale)
{
  LkTensorId in[] = { ids, table };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, lk_program_get_tensor (program, ids)->cols,
                                      lk_program_get_tensor (program, table)->cols);
  LkNode *node = lk_program_append (program, &lk_embedding, in, 2, &out, 1);

  node->params.f[0] = scale;
  return out;
}
