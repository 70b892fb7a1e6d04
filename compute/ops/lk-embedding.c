/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* params: f[0] scale */

void lk_op_embedding_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy);

static void
lk_embedding_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *out = lk_program_get_tensor (program, node->out[0]);
  LkTensor *table = lk_program_get_tensor (program, node->in[1]);

  cost->flops = (double) out->rows * (double) out->cols;
  cost->bytes = (double) out->bytes + (double) table->bytes / (double) table->rows * (double) out->rows;
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
  LkPacked table;
  float *out;
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

      job->kernels->unpack (&job->table, id, 0, job->cols, row);
      if (job->scale != 1.0f)
        job->kernels->scale (job->scale, row, job->cols);
    }
}

static void
lk_embedding_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *table = lk_task_tensor (task, node->in[1]);
  LkTensor *out = lk_task_tensor (task, node->out[0]);
  LkEmbeddingJob job = { task->kernels, lk_cpu_task_i32 (task, node->in[0]), lk_cpu_task_packed (task, node->in[1]),
                         lk_cpu_task_f32 (task, node->out[0]), table->cols, table->rows, node->params.f[0] };

  lk_parallel_for (task->parallel, out->rows, lk_row_grain (out->cols), lk_embedding_rows, &job);
}

/* As Push in shaders/embedding.comp. */
typedef struct
{
  guint32 rows, cols, vocab;
  guint32 table_offset, row_units;
  guint32 part_begin, part_end;
  float scale;
} LkEmbeddingPush;

static gboolean
lk_embedding_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *table = lk_program_get_tensor (task->program, node->in[1]);
  LkTensor *out = lk_program_get_tensor (task->program, node->out[0]);
  const LkDeviceSnapshot *device = lk_gpu_device_get_snapshot (task->device);
  guint64 row_bytes = table->bytes / (guint64) table->rows;
  guint64 room = lk_gpu_device_get_plan (task->device)->max_binding - device->min_storage_buffer_alignment;
  gint64 step = MIN (table->rows, MAX (1, (gint64) (room / row_bytes)));
  guint unit = lk_op_row_unit (table->type);

  if (!lk_op_check_type (table->type, FALSE, error))
    return FALSE;
  for (gint64 begin = 0; begin < table->rows; begin += step)
    {
      gint64 n = MIN (step, table->rows - begin);
      LkGpuSlice part = lk_gpu_slice_part (lk_gpu_task_slice (task, node->in[1]), (guint64) begin * row_bytes,
                                           (guint64) n * row_bytes);
      LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_EMBEDDING);
      LkEmbeddingPush push = { (guint32) out->rows, (guint32) out->cols, (guint32) table->rows, 0,
                               (guint32) (row_bytes / unit), (guint32) begin, (guint32) (begin + n), node->params.f[0] };

      d.constants[d.n_constants++] = (guint32) table->type;
      lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
      push.table_offset = (guint32) (lk_op_bind_bytes (task, &d, part, LK_GPU_READ) / unit);
      lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
      if (!lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) out->rows, 1), 1,
                         2.0 * (double) out->rows * (double) out->cols, error))
        return FALSE;
    }
  return TRUE;
}

static const LkOperation lk_embedding = {
  .name = "embedding",
  .cost = lk_embedding_cost,
  .gradient = lk_embedding_gradient,
  .run = lk_embedding_run,
  .record = lk_embedding_record,
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
