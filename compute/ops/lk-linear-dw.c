/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dW += dyᵀ·x, only where full tuning asks for it.
 */
#include "lk-linear-private.h"

/* in: dy, x; out: dW [out, in] */

static void
lk_linear_dw_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]), *dw = lk_program_get_tensor (program, node->out[0]);

  cost->flops = 2.0 * (double) dy->rows * (double) dw->rows * (double) dw->cols;
  cost->bytes = lk_node_bytes (program, node);
}

static guint64
lk_linear_dw_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]), *dw = lk_program_get_tensor (program, node->out[0]);

  return target == LK_TARGET_GPU ? lk_matmul_plan_scratch (dw->rows, dw->cols, dy->rows, FALSE, 0) : 0;
}

typedef struct
{
  const float *dy, *x;
  float *dw;
  gint64 rows, in, out;
} LkLinearDwJob;

static void
lk_linear_dw_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkLinearDwJob *job = data;

  lk_cpu_gemm (TRUE, FALSE, end - begin, job->in, job->rows, 1, job->dy + begin, job->out, job->x, job->in, 1, job->dw + begin * job->in,
               job->in);
}

static void
lk_linear_dw_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *dy = lk_task_tensor (task, node->in[0]), *dw = lk_task_tensor (task, node->out[0]);
  LkLinearDwJob job = { lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]), lk_cpu_task_f32 (task, node->out[0]),
                        dy->rows, dw->cols, dw->rows };

  lk_parallel_for (task->parallel, dw->rows, lk_linear_tile (dw->rows, lk_parallel_get_workers (task->parallel), 512, 16),
                   lk_linear_dw_rows, &job);
}

static gboolean
lk_linear_dw_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *dy = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *dw = lk_program_get_tensor (task->program, node->out[0]);
  LkOpMatmul product = { .m = dw->rows, .n = dw->cols, .k = dy->rows, .a = lk_gpu_task_slice (task, node->in[0]),
                         .a_transposed = TRUE, .b = lk_gpu_task_slice (task, node->in[1]), .alpha = 1, .b_type = LK_TYPE_F32,
                         .c = lk_gpu_task_slice (task, node->out[0]), .accumulate = TRUE, .scratch = task->scratch,
                         .a_scale = LK_OP_GRADIENT_SCALE };

  return lk_op_matmul (task, node, &product, error);
}

static const LkOperation lk_linear_dw = {
  .name = "linear_dw",
  .cost = lk_linear_dw_cost,
  .scratch = lk_linear_dw_scratch,
  .run = lk_linear_dw_run,
  .record = lk_linear_dw_record,
};

void
lk_op_linear_dw (LkGradients *gradients, const LkNode *node, LkTensorId dy)
{
  gboolean accumulate;
  LkTensorId in[] = { dy, node->in[0] };
  LkTensorId dw = lk_gradients_target (gradients, node->in[1], &accumulate);

  if (dw)
    lk_program_append (lk_gradients_get_program (gradients), &lk_linear_dw, in, 2, &dw, 1)->accumulate = 1;
}
