/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dA += gᵀ·drop(x), dB += s·dyᵀ·u with s = strength·scale, g = s·dy·B and u = drop(x)·Aᵀ kept from before.
 */
#include "lk-linear-private.h"

/* in: x, u, dy, g, strength, random; out: dA or none, dB or none; params: u[1] site, f[2] dropout, f[3] scale */

static void
lk_lora_gradient_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[0]), *u = lk_program_get_tensor (program, node->in[1]);
  LkTensor *dy = lk_program_get_tensor (program, node->in[2]);

  cost->flops = 2.0 * (double) x->rows * (double) u->cols * (double) (x->cols + dy->cols);
  cost->bytes = lk_node_bytes (program, node);
}

static guint64
lk_lora_gradient_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[0]), *dy = lk_program_get_tensor (program, node->in[2]);
  gint64 rank = lk_program_get_tensor (program, node->in[1])->cols;

  if (target == LK_TARGET_GPU)
    return MAX (lk_matmul_plan_scratch (rank, x->cols, x->rows, FALSE, 0), lk_matmul_plan_scratch (dy->cols, rank, x->rows, FALSE, 0));
  return node->params.f[LK_LINEAR_DROPOUT] > 0 ? x->bytes : 0;
}

typedef struct
{
  LkCpuTask *task;
  const LkNode *node;
  const float *x;  /* after dropout */
  float *masked;
  gint64 rows, in, out, rank;
  float s;
} LkLoraJob;

static void
lk_lora_mask_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLoraJob *job = data;

  for (gint64 t = begin; t < end; t++)
    lk_linear_dropout_row (lk_cpu_task_i32 (job->task, job->node->in[5]), job->node->params.u[LK_LINEAR_SITE],
                           job->node->params.f[LK_LINEAR_DROPOUT], t, lk_cpu_task_f32 (job->task, job->node->in[0]) + t * job->in,
                           job->masked + t * job->in, job->in, FALSE);
}

static void
lk_lora_da_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLoraJob *job = data;

  lk_cpu_gemm_tile (TRUE, FALSE, job->rank, end - begin, job->rows, 1, lk_cpu_task_f32 (job->task, job->node->in[3]), job->rank, job->x + begin,
               job->in, 1, lk_cpu_task_f32 (job->task, job->node->out[0]) + begin, job->in);
}

static void
lk_lora_db_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLoraJob *job = data;

  lk_cpu_gemm_tile (TRUE, FALSE, end - begin, job->rank, job->rows, job->s, lk_cpu_task_f32 (job->task, job->node->in[2]) + begin, job->out,
               lk_cpu_task_f32 (job->task, job->node->in[1]), job->rank, 1,
               lk_cpu_task_f32 (job->task, job->node->out[1]) + begin * job->rank, job->rank);
}

static void
lk_lora_gradient_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *u = lk_task_tensor (task, node->in[1]), *dy = lk_task_tensor (task, node->in[2]);
  guint workers = lk_parallel_get_workers (task->parallel);
  LkLoraJob job = { task, node, lk_cpu_task_f32 (task, node->in[0]), (float *) (void *) task->scratch, x->rows, x->cols, dy->cols, u->cols,
                    node->params.f[LK_LINEAR_SCALES] * *lk_cpu_task_f32 (task, node->in[4]) };

  if (node->params.f[LK_LINEAR_DROPOUT] > 0)
    {
      lk_parallel_for (task->parallel, job.rows, 16, lk_lora_mask_rows, &job);
      job.x = job.masked;
    }
  if (node->out[0])
    lk_parallel_for (task->parallel, job.in, lk_linear_tile (job.in, workers, 4096, 32), lk_lora_da_columns, &job);
  if (node->out[1])
    lk_parallel_for (task->parallel, job.out, lk_linear_tile (job.out, workers, 4096, 32), lk_lora_db_rows, &job);
}

static gboolean
lk_lora_gradient_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[2]);
  gint64 rank = lk_program_get_tensor (task->program, node->in[1])->cols;
  LkOpMatmul da = { .m = rank, .n = x->cols, .k = x->rows, .a = lk_gpu_task_slice (task, node->in[3]),
                    .a_transposed = TRUE, .b = lk_gpu_task_slice (task, node->in[0]), .alpha = 1, .b_type = LK_TYPE_F32,
                    .c = lk_gpu_task_slice (task, node->out[0]), .accumulate = TRUE, .scratch = task->scratch,
                    .a_scale = LK_OP_GRADIENT_SCALE };
  LkOpMatmul db = { .m = dy->cols, .n = rank, .k = dy->rows, .a = lk_gpu_task_slice (task, node->in[2]),
                    .a_transposed = TRUE, .b = lk_gpu_task_slice (task, node->in[1]), .b_type = LK_TYPE_F32,
                    .c = lk_gpu_task_slice (task, node->out[1]), .accumulate = TRUE,
                    .alpha = node->params.f[LK_LINEAR_SCALES],
                    .strength = lk_gpu_task_slice (task, node->in[4]), .scratch = task->scratch, .a_scale = LK_OP_GRADIENT_SCALE };

  if (node->params.f[LK_LINEAR_DROPOUT] > 0)
    lk_linear_set_dropout (task, node, node->in[5], LK_OP_DROPOUT_B, &da);
  return (!node->out[0] || lk_op_matmul (task, node, &da, error)) && (!node->out[1] || lk_op_matmul (task, node, &db, error));
}

static const LkOperation lk_lora_gradient = {
  .name = "lora_gradient",
  .cost = lk_lora_gradient_cost,
  .scratch = lk_lora_gradient_scratch,
  .run = lk_lora_gradient_run,
  .record = lk_lora_gradient_record,
};

void
lk_op_lora_gradient (LkGradients *gradients, const LkNode *node, guint adapter, LkTensorId dy, LkTensorId g)
{
  gboolean accumulate;
  LkTensorId in[] = { node->in[0], node->out[1 + adapter], dy, g, node->in[LK_LINEAR_STRENGTH (adapter)], node->in[2] };
  LkTensorId out[] = { lk_gradients_target (gradients, node->in[LK_LINEAR_A (adapter)], &accumulate),
                       lk_gradients_target (gradients, node->in[LK_LINEAR_B (adapter)], &accumulate) };
  LkNode *lora;

  if (!out[0] && !out[1])
    return;
  lora = lk_program_append (lk_gradients_get_program (gradients), &lk_lora_gradient, in, 6, out, 2);
  lora->accumulate = 3;
  lora->params.u[LK_LINEAR_SITE] = node->params.u[LK_LINEAR_SITE];
  lora->params.f[LK_LINEAR_DROPOUT] = node->params.f[LK_LINEAR_DROPOUT];
  lora->params.f[LK_LINEAR_SCALES] = node->params.f[LK_LINEAR_SCALES + adapter];
}
