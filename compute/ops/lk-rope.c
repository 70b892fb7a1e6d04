/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Su et al., "RoFormer", 2021, in the half-split convention: pairs (i, i + r/2) of the r channels that turn. The backward operation is the rotation by
 * the opposite angle. Angles come from a table made on the CPU, as Vulkan leaves the precision of sine and cosine open.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x, positions, table; out: y; params: u[0] heads, f[1] sign */

static void lk_rope_gradient (LkGradients *gradients, const LkNode *node);

static void
lk_rope_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  lk_cost_elementwise (program, node, 3, cost);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *x, *table;
  const gint32 *positions;
  float *y;
  gint64 cols, heads, d, rotated, n_positions;
  float sign;
} LkRopeJob;

static void
lk_rope_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkRopeJob *job = data;
  gint64 half = job->rotated / 2, rest = job->d - job->rotated;

  for (gint64 t = begin; t < end; t++)
    {
      const float *angles = job->table + CLAMP (job->positions[t], 0, job->n_positions - 1) * job->rotated;

      for (gint64 h = 0; h < job->heads; h++)
        {
          gint64 at = t * job->cols + h * job->d;

          job->kernels->rope (job->x + at, job->y + at, angles, angles + half, job->sign, half);
          if (rest > 0)
            memcpy (job->y + at + job->rotated, job->x + at + job->rotated, (gsize) rest * sizeof (float));
        }
    }
}

static void
lk_rope_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *table = lk_task_tensor (task, node->in[2]);
  LkRopeJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[2]),
                    lk_cpu_task_i32 (task, node->in[1]), lk_cpu_task_f32 (task, node->out[0]), x->cols, node->params.u[0],
                    x->cols / node->params.u[0], table->cols, table->rows, node->params.f[1] };

  lk_parallel_for (task->parallel, x->rows, lk_row_grain (x->cols), lk_rope_rows, &job);
}

static gboolean
lk_rope_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *table = lk_program_get_tensor (task->program, node->in[2]);
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_ROPE);
  guint heads = node->params.u[0];
  struct { guint32 rows, heads, half_r, d, positions; float sign; } push
    = { (guint32) x->rows, heads, (guint32) (table->cols / 2), (guint32) (x->cols / heads), (guint32) table->rows, node->params.f[1] };
  guint64 pairs = (guint64) (x->rows * heads) * (push.d - push.half_r);

  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[2], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (pairs, 256), 1, 6.0 * (double) pairs, error);
}

static const LkOperation lk_rope = {
  .name = "rope",
  .cost = lk_rope_cost,
  .gradient = lk_rope_gradient,
  .run = lk_rope_run,
  .record = lk_rope_record,
};

static const LkOperation lk_rope_back = {
  .name = "rope_back",
  .cost = lk_rope_cost,
  .run = lk_rope_run,
  .record = lk_rope_record,
};

static void
lk_rope_gradient (LkGradients *gradients, const LkNode *node)
{
  LkProgram *program = lk_gradients_get_program (gradients);
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);
  LkTensorId in[] = { dy, node->in[1], node->in[2] };
  guint heads = node->params.u[0];
  gboolean accumulate;
  LkTensorId dx = lk_gradients_target (gradients, node->in[0], &accumulate);
  LkTensorId out = dx;
  LkNode *back;

  if (!dx)
    return;
  if (accumulate)
    out = lk_program_tensor (program, "rope_back", LK_TYPE_F32, lk_program_get_tensor (program, dy)->rows,
                             lk_program_get_tensor (program, dy)->cols);
  back = lk_program_append (program, &lk_rope_back, in, 3, &out, 1);
  back->params.u[0] = heads;
  back->params.f[1] = -1.0f;
  if (accumulate)
    lk_op_copy (program, out, dx, TRUE);
}

LkTensorId
lk_op_rope (LkProgram *program, const char *name, LkTensorId x, LkTensorId positions, LkTensorId table, guint heads)
{
  LkTensor *t = lk_program_get_tensor (program, x);
  LkTensorId in[] = { x, positions, table };
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, t->rows, t->cols);
  LkNode *node = lk_program_append (program, &lk_rope, in, 3, &out, 1);

  node->params.u[0] = heads;
  node->params.f[1] = 1.0f;
  return out;
}
