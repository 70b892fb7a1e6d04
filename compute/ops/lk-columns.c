/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Some columns of a matrix: the parts of fused products. The backward operation puts the gradient back in their place.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: x; out: y; params: u[0] the first column. Backward in: dy; out: dx, added to or, where it is the first to write, with zeros
 * around */

enum
{
  LK_COLUMNS_TAKE,
  LK_COLUMNS_PUT,
  LK_COLUMNS_ADD,
};

static void
lk_columns_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  cost->bytes = 2.0 * (double) lk_program_get_tensor (program, node->out[0])->bytes;
}

static void
lk_columns_back_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *dy = lk_program_get_tensor (program, node->in[0]);

  if (node->accumulate & 1)
    *cost = (LkCost){ (double) dy->rows * (double) dy->cols, 3.0 * (double) dy->bytes };
  else
    cost->bytes = lk_node_bytes (program, node);
}

typedef struct
{
  const LkCpuKernels *kernels;
  float *wide, *narrow;
  gint64 cols, first, n;
  guint mode;
} LkColumnsJob;

static void
lk_columns_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkColumnsJob *job = data;
  gsize bytes = (gsize) job->n * sizeof (float);

  for (gint64 t = begin; t < end; t++)
    {
      float *row = job->wide + t * job->cols, *wide = row + job->first, *narrow = job->narrow + t * job->n;

      if (job->mode == LK_COLUMNS_TAKE)
        memcpy (narrow, wide, bytes);
      else if (job->mode == LK_COLUMNS_ADD)
        job->kernels->add (wide, narrow, wide, job->n);
      else
        {
          memset (row, 0, (gsize) job->cols * sizeof (float));
          memcpy (wide, narrow, bytes);
        }
    }
}

static void
lk_columns_work (LkCpuTask *task, const LkNode *node, LkTensorId wide, LkTensorId narrow, guint mode)
{
  LkTensor *w = lk_task_tensor (task, wide);
  LkColumnsJob job = { task->kernels, lk_cpu_task_f32 (task, wide), lk_cpu_task_f32 (task, narrow), w->cols, node->params.u[0],
                       lk_task_tensor (task, narrow)->cols, mode };

  lk_parallel_for (task->parallel, w->rows, lk_row_grain (w->cols), lk_columns_rows, &job);
}

static void
lk_columns_run (LkCpuTask *task, const LkNode *node)
{
  lk_columns_work (task, node, node->in[0], node->out[0], LK_COLUMNS_TAKE);
}

static void
lk_columns_back_run (LkCpuTask *task, const LkNode *node)
{
  lk_columns_work (task, node, node->out[0], node->in[0], node->accumulate & 1 ? LK_COLUMNS_ADD : LK_COLUMNS_PUT);
}

static gboolean
lk_columns_dispatch (LkGpuTask *task, const LkNode *node, LkTensor *wide, LkTensor *narrow, guint mode, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_COLUMNS);
  gint64 n = wide->rows * (mode == LK_COLUMNS_PUT ? wide->cols : narrow->cols);
  struct { guint32 n, cols, first, width; } push = { (guint32) n, (guint32) wide->cols, node->params.u[0], (guint32) narrow->cols };

  d.constants[d.n_constants++] = mode;
  lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
  lk_op_bind (task, &d, node->out[0], mode == LK_COLUMNS_ADD ? LK_GPU_READ | LK_GPU_WRITE : LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups ((guint64) n, 256), 1, (double) n, error);
}

static gboolean
lk_columns_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  return lk_columns_dispatch (task, node, lk_program_get_tensor (task->program, node->in[0]),
                              lk_program_get_tensor (task->program, node->out[0]), LK_COLUMNS_TAKE, error);
}

static gboolean
lk_columns_back_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  return lk_columns_dispatch (task, node, lk_program_get_tensor (task->program, node->out[0]),
                              lk_program_get_tensor (task->program, node->in[0]),
                              node->accumulate & 1 ? LK_COLUMNS_ADD : LK_COLUMNS_PUT, error);
}

static const LkOperation lk_columns_back = {
  .name = "columns_back",
  .cost = lk_columns_back_cost,
  .run = lk_columns_back_run,
  .record = lk_columns_back_record,
};

static void
lk_columns_gradient (LkGradients *gradients, const LkNode *node)
{
  LkTensorId dy = lk_gradients_of (gradients, node->out[0]);
  guint32 first = node->params.u[0];
  gboolean accumulate;
  LkTensorId dx = lk_gradients_target (gradients, node->in[0], &accumulate);
  LkNode *back;

  if (!dx)
    return;
  back = lk_program_append (lk_gradients_get_program (gradients), &lk_columns_back, &dy, 1, &dx, 1);
  back->params.u[0] = first;
  back->accumulate = accumulate ? 1 : 0;
}

static const LkOperation lk_columns = {
  .name = "columns",
  .cost = lk_columns_cost,
  .gradient = lk_columns_gradient,
  .run = lk_columns_run,
  .record = lk_columns_record,
};

LkTensorId
lk_op_columns (LkProgram *program, const char *name, LkTensorId x, gint64 first, gint64 n)
{
  LkTensorId out = lk_program_tensor (program, name, LK_TYPE_F32, lk_program_get_tensor (program, x)->rows, n);

  lk_program_append (program, &lk_columns, &x, 1, &out, 1)->params.u[0] = (guint32) first;
  return out;
}
