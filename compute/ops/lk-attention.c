/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Softmax (scale·q·kᵀ)·v over each query's range of rows, with the running maximum and sum of FlashAttention (Dao et al.,
 * 2022; Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018): no T × T buffer exists. The row
 * log-sum-exp is kept for the backward pass.
 */
#include "lk-attention-private.h"

/* in: q, k, v, ranges; out: o [T, heads·d], lse [T, heads] */

static void
lk_attention_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *q = lk_program_get_tensor (program, node->in[0]), *k = lk_program_get_tensor (program, node->in[1]);

  cost->flops = 4.0 * lk_attention_pairs (node, q->rows, k->rows) * (double) q->cols;
  cost->bytes = lk_node_bytes (program, node);
}

static void
lk_attention_gradient (LkGradients *gradients, const LkNode *node)
{
  lk_op_attention_dx (gradients, node, lk_gradients_of (gradients, node->out[0]));
}

#define LK_ATTENTION_SCRATCH (LK_ATTENTION_Q_BLOCK * (LK_ATTENTION_K_CHUNK + 2))

static guint64
lk_attention_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  return target == LK_TARGET_CPU ? (guint64) workers * LK_ATTENTION_SCRATCH * sizeof (float) : 0;
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *q, *k, *v;
  LkAttentionView view;
  float *o, *lse, *scratch;
  gint64 rows, heads, group, d, q_stride, kv_stride;
  float scale, soft_cap;
} LkAttentionJob;

/* Scores of queries [i, i+n) against keys [j, j+m) become probabilities relative to the running maximum; O so far is
 * rescaled. Keys outside a query's range weigh nothing. */
static void
lk_attention_softmax (LkAttentionJob *job, gint64 i, gint64 n, gint64 j, gint64 m, float *s, float *maxima, float *sums, float *o)
{
  for (gint64 r = 0; r < n; r++)
    {
      float *row = s + r * m, maximum;
      gint64 begin, end;

      lk_attention_part (&job->view, i + r, j, m, &begin, &end);
      maximum = MAX (maxima[r], job->kernels->maximum (row + begin, end - begin));
      memset (row, 0, (gsize) begin * sizeof *row);
      memset (row + end, 0, (gsize) (m - end) * sizeof *row);
      if (begin == end)
        continue;
      if (maximum > maxima[r])
        {
          float correction = maxima[r] == -INFINITY ? 0.0f : expf (maxima[r] - maximum);

          sums[r] *= correction;
          job->kernels->scale (correction, o + r * job->q_stride, job->d);
          maxima[r] = maximum;
        }
      sums[r] += job->kernels->exp_minus (row + begin, end - begin, maximum);
    }
}

/* A few queries: plain dot products, as the matrix product's own packing would cost more. */
static void
lk_attention_scores (LkAttentionJob *job, const float *q, const float *k, gint64 n, gint64 m, float *s)
{
  if (n < 4)
    for (gint64 r = 0; r < n; r++)
      for (gint64 c = 0; c < m; c++)
        s[r * m + c] = job->scale * job->kernels->dot (q + r * job->q_stride, k + c * job->kv_stride, job->d);
  else
    lk_cpu_gemm_tile (FALSE, TRUE, n, m, job->d, job->scale, q, job->q_stride, k, job->kv_stride, 0, s, m);
  if (job->soft_cap > 0)
    for (gint64 i = 0; i < n * m; i++)
      s[i] = job->soft_cap * tanhf (s[i] / job->soft_cap);
}

static void
lk_attention_values (LkAttentionJob *job, const float *s, const float *v, gint64 n, gint64 m, float *o)
{
  if (n < 4)
    for (gint64 r = 0; r < n; r++)
      for (gint64 c = 0; c < m; c++)
        job->kernels->axpy (s[r * m + c], v + c * job->kv_stride, o + r * job->q_stride, job->d);
  else
    lk_cpu_gemm_tile (FALSE, FALSE, n, job->d, m, 1, s, m, v, job->kv_stride, 1, o, job->q_stride);
}

static void
lk_attention_block (LkAttentionJob *job, gint64 i, gint64 n, gint64 head, float *scratch)
{
  float *s = scratch, *maxima = scratch + LK_ATTENTION_Q_BLOCK * LK_ATTENTION_K_CHUNK, *sums = maxima + LK_ATTENTION_Q_BLOCK;
  const float *q = job->q + i * job->q_stride + head * job->d;
  float *o = job->o + i * job->q_stride + head * job->d;
  gint64 offset = head / job->group * job->d;
  gint64 hull_begin, hull_end;

  for (gint64 r = 0; r < n; r++)
    {
      maxima[r] = -INFINITY;
      sums[r] = 0;
      memset (o + r * job->q_stride, 0, (gsize) job->d * sizeof *o);
    }
  lk_attention_hull (&job->view, i, i + n, &hull_begin, &hull_end);
  for (gint64 j = hull_begin; j < hull_end; j += LK_ATTENTION_K_CHUNK)
    {
      gint64 m = MIN (LK_ATTENTION_K_CHUNK, hull_end - j);

      lk_attention_scores (job, q, job->k + j * job->kv_stride + offset, n, m, s);
      lk_attention_softmax (job, i, n, j, m, s, maxima, sums, o);
      lk_attention_values (job, s, job->v + j * job->kv_stride + offset, n, m, o);
    }
  for (gint64 r = 0; r < n; r++)
    {
      if (sums[r] > 0)
        job->kernels->scale (1.0f / sums[r], o + r * job->q_stride, job->d);
      job->lse[(i + r) * job->heads + head] = sums[r] > 0 ? maxima[r] + logf (sums[r]) : 0.0f;
    }
}

static void
lk_attention_tiles (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAttentionJob *job = data;

  for (gint64 tile = begin; tile < end; tile++)
    {
      gint64 i = tile / job->heads * LK_ATTENTION_Q_BLOCK;

      lk_attention_block (job, i, MIN (LK_ATTENTION_Q_BLOCK, job->rows - i), tile % job->heads, job->scratch + worker * LK_ATTENTION_SCRATCH);
    }
}

static void
lk_attention_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *q = lk_task_tensor (task, node->in[0]), *k = lk_task_tensor (task, node->in[1]);
  gint64 heads = node->params.u[LK_ATTENTION_HEADS];
  LkAttentionJob job = { task->kernels, lk_cpu_task_f32 (task, node->in[0]), lk_cpu_task_f32 (task, node->in[1]),
                         lk_cpu_task_f32 (task, node->in[2]), lk_attention_view (node, lk_cpu_task_i32 (task, node->in[3]), k->rows),
                         lk_cpu_task_f32 (task, node->out[0]), lk_cpu_task_f32 (task, node->out[1]),
                         (float *) (void *) task->scratch, q->rows, heads,
                         heads / node->params.u[LK_ATTENTION_KV_HEADS], q->cols / heads, q->cols, k->cols,
                         node->params.f[LK_ATTENTION_SCALE], node->params.f[LK_ATTENTION_SOFT_CAP] };
  gint64 blocks = (q->rows + LK_ATTENTION_Q_BLOCK - 1) / LK_ATTENTION_Q_BLOCK;

  lk_parallel_for (task->parallel, blocks * heads, 1, lk_attention_tiles, &job);
}

/* Up to so many queries, as decoding has, each gets work groups of its own; more share the keys they load. */
#define LK_ATTENTION_ROWS_APART 8

/* Rather than numbers that are wrong: what a software device leaves out, see LK_SOFTWARE_ROUNDS. */
static gboolean
lk_attention_check_rounds (LkGpuTask *task, const LkAttentionPlan *plan, gint64 d, gint64 keys, GError **error)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  double steps = (double) (keys + 2 * plan->block) / plan->step;

  if (!device->software || steps * lk_attention_plan_rounds (plan, device, LK_ATTENTION_FORWARD, d, 1) <= LK_SOFTWARE_ROUNDS)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "“%s” is a software device, which cannot make attention over %" G_GINT64_FORMAT " tokens with heads of %"
               G_GINT64_FORMAT ". The device “cpu” can.", lk_gpu_device_get_snapshot (task->device)->name, keys, d);
  return FALSE;
}

static gboolean
lk_attention_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *q = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *k = lk_program_get_tensor (task->program, node->in[1]);
  guint32 heads = node->params.u[LK_ATTENTION_HEADS];
  LkAttentionPush push = { (guint32) q->rows, (guint32) k->rows, heads, heads / node->params.u[LK_ATTENTION_KV_HEADS],
                           node->params.f[LK_ATTENTION_SCALE], 0, node->params.u[LK_ATTENTION_WINDOW],
                           node->params.f[LK_ATTENTION_SOFT_CAP] };
  gboolean apart = q->rows <= LK_ATTENTION_ROWS_APART;
  gint64 width = q->cols / heads;
  LkAttentionPlan plan;
  guint32 tiles, step;
  double tile_flops;

  if (!lk_attention_check_gpu (width, error))
    return FALSE;
  lk_attention_plan (lk_gpu_device_get_plan (task->device), apart ? LK_ATTENTION_ROW : LK_ATTENTION_FORWARD, width, &plan);
  if (!apart && !lk_attention_check_rounds (task, &plan, width, k->rows, error))
    return FALSE;
  tiles = (guint32) ((q->rows + plan.block - 1) / plan.block);
  tile_flops = 4.0 * plan.block * (double) k->rows * (double) q->cols;
  step = apart ? tiles : lk_attention_step (task, &plan, tile_flops, tiles);
  for (push.tile = 0; push.tile < tiles; push.tile += step)
    {
      LkGpuDispatch d = lk_op_dispatch (node, plan.kernel);
      guint32 n = MIN (step, tiles - push.tile);

      lk_attention_set_kernel (task, node, &plan, width, &d);
      for (guint i = 0; i < 4; i++)
        lk_op_bind (task, &d, node->in[i], LK_GPU_READ);
      lk_op_bind (task, &d, node->out[0], LK_GPU_WRITE);
      lk_op_bind (task, &d, node->out[1], LK_GPU_WRITE);
      if (!lk_op_record (task, &d, &push, sizeof push, n, heads, n * tile_flops, error))
        return FALSE;
    }
  return TRUE;
}

static const LkOperation lk_attention = {
  .name = "attention",
  .cost = lk_attention_cost,
  .gradient = lk_attention_gradient,
  .scratch = lk_attention_scratch,
  .run = lk_attention_run,
  .record = lk_attention_record,
};

LkTensorId
lk_op_attention (LkProgram *program, const char *name, LkTensorId q, LkTensorId k, LkTensorId v, LkTensorId ranges,
                 const LkAttentionOptions *options)
{
  LkTensor *t = lk_program_get_tensor (program, q);
  gint64 rows = t->rows, cols = t->cols;
  g_autofree char *lse = g_strconcat (name, ".lse", NULL);
  LkTensorId in[] = { q, k, v, ranges };
  LkTensorId out[] = { lk_program_tensor (program, name, LK_TYPE_F32, rows, cols),
                       lk_program_tensor (program, lse, LK_TYPE_F32, rows, options->heads) };
  LkNode *node = lk_program_append (program, &lk_attention, in, 4, out, 2);

  node->params.f[LK_ATTENTION_SCALE] = options->scale;
  node->params.u[LK_ATTENTION_HEADS] = options->heads;
  node->params.u[LK_ATTENTION_KV_HEADS] = options->kv_heads;
  node->params.f[LK_ATTENTION_SOFT_CAP] = options->soft_cap;
  node->params.u[LK_ATTENTION_WINDOW] = options->window;
  return out[0];
}
