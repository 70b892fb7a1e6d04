/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, in torch's order: p ← p·(1 − lr·wd); m, v; p ← p −
 * lr·m̂/(√v̂ + eps). Gradients are scaled by 1/targets and clipped to the global norm on the way, and cleared.
 */
#include "lk-op-private.h"

#include "lk-op-gpu.h"

/* in: hyper, norm; out: parameters, gradients, m, v, all added to; params: i[0], i[1] n_decayed low and high word */

static void
lk_adamw_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *p = lk_program_get_tensor (program, node->out[0]);

  cost->flops = 14.0 * (double) p->cols;
  cost->bytes = 8.0 * (double) p->bytes;
}

typedef struct
{
  const LkCpuKernels *kernels;
  float *p, *g, *m, *v;
  const float *hyper;
  float gradient_scale;
  gboolean apply;
  gint64 n_decayed;
} LkAdamwJob;

static void
lk_adamw_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAdamwJob *job = data;
  float decay = job->hyper[LK_HYPER_LEARNING_RATE] * job->hyper[LK_HYPER_WEIGHT_DECAY];
  gint64 border = CLAMP (job->n_decayed, begin, end);

  if (!job->apply)
    {
      memset (job->g + begin, 0, (gsize) (end - begin) * sizeof (float));
      return;
    }
  job->kernels->adamw (job->p + begin, job->g + begin, job->m + begin, job->v + begin, border - begin, job->hyper, job->gradient_scale,
                       decay);
  job->kernels->adamw (job->p + border, job->g + border, job->m + border, job->v + border, end - border, job->hyper, job->gradient_scale,
                       0);
}

static void
lk_adamw_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *p = lk_task_tensor (task, node->out[0]);
  const float *hyper = lk_cpu_task_f32 (task, node->in[0]), *norm = lk_cpu_task_f32 (task, node->in[1]);
  float max_norm = hyper[LK_HYPER_MAX_NORM];
  float clip = max_norm > 0 ? MIN (1.0f, max_norm / (norm[0] + 1e-6f)) : 1.0f;
  LkAdamwJob job = { task->kernels, lk_cpu_task_f32 (task, node->out[0]), lk_cpu_task_f32 (task, node->out[1]),
                     lk_cpu_task_f32 (task, node->out[2]), lk_cpu_task_f32 (task, node->out[3]), hyper,
                     hyper[LK_HYPER_GRADIENT_SCALE] * clip, norm[1] != 0,
                     (gint64) ((guint64) node->params.u[0] | (guint64) node->params.u[1] << 32) };

  lk_parallel_for (task->parallel, p->cols, 1 << 15, lk_adamw_chunk, &job);
}

static gboolean
lk_adamw_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *p = lk_program_get_tensor (task->program, node->out[0]);
  guint64 most = lk_gpu_device_get_plan (task->device)->max_binding / sizeof (float) & ~(guint64) 1023;
  guint64 n_decayed = (guint64) node->params.u[0] | (guint64) node->params.u[1] << 32;

  for (guint64 begin = 0; begin < (guint64) p->cols; begin += most)
    {
      guint64 n = MIN (most, (guint64) p->cols - begin);
      struct { guint32 n, n_decayed; } push = { (guint32) n, (guint32) MIN (n, n_decayed - MIN (n_decayed, begin)) };
      LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_ADAMW);

      lk_op_bind (task, &d, node->in[0], LK_GPU_READ);
      lk_op_bind (task, &d, node->in[1], LK_GPU_READ);
      for (guint i = 0; i < 4; i++)
        lk_op_bind_slice (task, &d, lk_gpu_slice_part (lk_gpu_task_slice (task, node->out[i]), begin * sizeof (float),
                                                       n * sizeof (float)), LK_GPU_READ | LK_GPU_WRITE);
      if (!lk_op_record (task, &d, &push, sizeof push, lk_op_groups (n, 256), 1, 14.0 * (double) n, error))
        return FALSE;
    }
  return TRUE;
}

static const LkOperation lk_adamw = {
  .name = "adamw",
  .cost = lk_adamw_cost,
  .run = lk_adamw_run,
  .record = lk_adamw_record,
};

void
lk_op_adamw (LkProgram *program, LkTensorId parameters, LkTensorId gradients, LkTensorId m, LkTensorId v, LkTensorId hyper,
             LkTensorId norm, gint64 n_decayed)
{
  LkTensorId in[] = { hyper, norm };
  LkTensorId out[] = { parameters, gradients, m, v };
  LkNode *node = lk_program_append (program, &lk_adamw, in, 2, out, 4);

  node->accumulate = 15;
  node->params.u[0] = (guint32) n_decayed;
  node->params.u[1] = (guint32) ((guint64) n_decayed >> 32);
}
