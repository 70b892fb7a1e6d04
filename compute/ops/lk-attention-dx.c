/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Backward of attention after FlashAttention-2 (Dao, 2023) in two deterministic passes: dQ over blocks of queries, dK and
 * dV over blocks of keys. P = exp(S − lse) is made again; with D = Σ dO·O, dS = P·(dP − D).
 */
#include "lk-attention-private.h"

/* in: q, k, v, ranges, o, lse, do; out: dq, dk, dv, all written; params as attention */

static void
lk_attention_dx_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *q = lk_program_get_tensor (program, node->in[0]), *k = lk_program_get_tensor (program, node->in[1]);

  /* five products where forward has two */
  cost->flops = 10.0 * lk_attention_pairs (node, q->rows, k->rows) * (double) q->cols;
  cost->bytes = lk_node_bytes (program, node);
}

#define LK_ATTENTION_DX_TILE (LK_ATTENTION_Q_BLOCK * LK_ATTENTION_K_CHUNK)

static guint64
lk_attention_dx_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *q = lk_program_get_tensor (program, node->in[0]);
  guint64 d_sums = (guint64) q->rows * node->params.u[LK_ATTENTION_HEADS];

  return (d_sums + (target == LK_TARGET_CPU ? (guint64) workers * 2 * LK_ATTENTION_DX_TILE : 0)) * sizeof (float);
}

typedef struct
{
  const LkCpuKernels *kernels;
  const float *q, *k, *v, *o, *lse, *d_o;
  LkAttentionView view;
  float *dq, *dk, *dv;
  float *sums;    /* D, [T, heads] */
  float *scratch; /* two tiles a worker */
  gint64 rows, n_keys, heads, kv_heads, group, d, q_stride, kv_stride;
  float scale, soft_cap;
} LkAttentionDxJob;

static void
lk_attention_dx_sums (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAttentionDxJob *job = data;

  for (gint64 t = begin; t < end; t++)
    for (gint64 h = 0; h < job->heads; h++)
      job->sums[t * job->heads + h]
        = job->kernels->dot (job->d_o + t * job->q_stride + h * job->d, job->o + t * job->q_stride + h * job->d, job->d);
}

/* Scores become cap·tanh(score/cap), and dP − D is multiplied by the slope of that, 1 − tanh². */
static void
lk_attention_dx_cap (float cap, float *s, float *dp, float sum, gint64 n)
{
  for (gint64 c = 0; c < n; c++)
    {
      float t = tanhf (s[c] / cap);

      s[c] = cap * t;
      dp[c] = (dp[c] - sum) * (1.0f - t * t);
    }
}

/* P and dS of queries [i, i+n) against keys [j, j+m) of one head, both n × m. */
static void
lk_attention_dx_tile (LkAttentionDxJob *job, gint64 i, gint64 n, gint64 j, gint64 m, gint64 head, float *p, float *ds)
{
  gint64 q_at = i * job->q_stride + head * job->d, k_at = j * job->kv_stride + head / job->group * job->d;

  lk_cpu_gemm_tile (FALSE, TRUE, n, m, job->d, job->scale, job->q + q_at, job->q_stride, job->k + k_at, job->kv_stride, 0, p, m);
  lk_cpu_gemm_tile (FALSE, TRUE, n, m, job->d, 1, job->d_o + q_at, job->q_stride, job->v + k_at, job->kv_stride, 0, ds, m);
  for (gint64 r = 0; r < n; r++)
    {
      float *p_row = p + r * m, *ds_row = ds + r * m;
      float sum = job->sums[(i + r) * job->heads + head];
      gint64 begin, end;

      lk_attention_part (&job->view, i + r, j, m, &begin, &end);
      memset (p_row, 0, (gsize) begin * sizeof *p_row);
      memset (p_row + end, 0, (gsize) (m - end) * sizeof *p_row);
      if (job->soft_cap > 0)
        lk_attention_dx_cap (job->soft_cap, p_row + begin, ds_row + begin, sum, end - begin);
      job->kernels->exp_minus (p_row + begin, end - begin, job->lse[(i + r) * job->heads + head]);
      if (job->soft_cap > 0)
        for (gint64 c = 0; c < m; c++)
          ds_row[c] *= p_row[c] * job->scale;
      else
        for (gint64 c = 0; c < m; c++)
          ds_row[c] = p_row[c] * (ds_row[c] - sum) * job->scale;
    }
}

static void
lk_attention_dx_queries (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAttentionDxJob *job = data;
  float *p = job->scratch + worker * 2 * LK_ATTENTION_DX_TILE, *ds = p + LK_ATTENTION_DX_TILE;

  for (gint64 tile = begin; tile < end; tile++)
    {
      gint64 head = tile % job->heads, i = tile / job->heads * LK_ATTENTION_Q_BLOCK;
      gint64 n = MIN (LK_ATTENTION_Q_BLOCK, job->rows - i);
      float *dq = job->dq + i * job->q_stride + head * job->d;
      gint64 hull_begin, hull_end;

      for (gint64 r = 0; r < n; r++)
        memset (dq + r * job->q_stride, 0, (gsize) job->d * sizeof *dq);
      lk_attention_hull (&job->view, i, i + n, &hull_begin, &hull_end);
      for (gint64 j = hull_begin; j < hull_end; j += LK_ATTENTION_K_CHUNK)
        {
          gint64 m = MIN (LK_ATTENTION_K_CHUNK, hull_end - j);

          lk_attention_dx_tile (job, i, n, j, m, head, p, ds);
          lk_cpu_gemm_tile (FALSE, FALSE, n, job->d, m, 1, ds, m, job->k + j * job->kv_stride + head / job->group * job->d, job->kv_stride, 1, dq,
                       job->q_stride);
        }
    }
}

static void
lk_attention_dx_keys (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkAttentionDxJob *job = data;
  float *p = job->scratch + worker * 2 * LK_ATTENTION_DX_TILE, *ds = p + LK_ATTENTION_DX_TILE;

  for (gint64 tile = begin; tile < end; tile++)
    {
      gint64 kv = tile % job->kv_heads, j = tile / job->kv_heads * LK_ATTENTION_K_BLOCK;
      gint64 m = MIN (LK_ATTENTION_K_BLOCK, job->n_keys - j);
      float *dk = job->dk + j * job->kv_stride + kv * job->d, *dv = job->dv + j * job->kv_stride + kv * job->d;

      for (gint64 r = 0; r < m; r++)
        {
          memset (dk + r * job->kv_stride, 0, (gsize) job->d * sizeof *dk);
          memset (dv + r * job->kv_stride, 0, (gsize) job->d * sizeof *dv);
        }
      for (gint64 i = 0; i < job->rows; i += LK_ATTENTION_Q_BLOCK)
        {
          gint64 n = MIN (LK_ATTENTION_Q_BLOCK, job->rows - i), hull_begin, hull_end;

          lk_attention_hull (&job->view, i, i + n, &hull_begin, &hull_end);
          if (hull_end <= j || hull_begin >= j + m)
            continue;
          for (gint64 head = kv * job->group; head < (kv + 1) * job->group; head++)
            {
              gint64 q_at = i * job->q_stride + head * job->d;

              lk_attention_dx_tile (job, i, n, j, m, head, p, ds);
              lk_cpu_gemm_tile (TRUE, FALSE, m, job->d, n, 1, p, m, job->d_o + q_at, job->q_stride, 1, dv, job->kv_stride);
              lk_cpu_gemm_tile (TRUE, FALSE, m, job->d, n, 1, ds, m, job->q + q_at, job->q_stride, 1, dk, job->kv_stride);
            }
        }
    }
}

static void
lk_attention_dx_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *q = lk_task_tensor (task, node->in[0]), *k = lk_task_tensor (task, node->in[1]);
  gint64 heads = node->params.u[LK_ATTENTION_HEADS], kv_heads = node->params.u[LK_ATTENTION_KV_HEADS];
  gint64 q_blocks = (q->rows + LK_ATTENTION_Q_BLOCK - 1) / LK_ATTENTION_Q_BLOCK;
  gint64 k_blocks = (k->rows + LK_ATTENTION_K_BLOCK - 1) / LK_ATTENTION_K_BLOCK;
  LkAttentionDxJob job = { .kernels = task->kernels };

  job.q = lk_cpu_task_f32 (task, node->in[0]);
  job.k = lk_cpu_task_f32 (task, node->in[1]);
  job.v = lk_cpu_task_f32 (task, node->in[2]);
  job.view = lk_attention_view (node, lk_cpu_task_i32 (task, node->in[3]), k->rows);
  job.o = lk_cpu_task_f32 (task, node->in[4]);
  job.lse = lk_cpu_task_f32 (task, node->in[5]);
  job.d_o = lk_cpu_task_f32 (task, node->in[6]);
  job.dq = lk_cpu_task_f32 (task, node->out[0]);
  job.dk = lk_cpu_task_f32 (task, node->out[1]);
  job.dv = lk_cpu_task_f32 (task, node->out[2]);
  job.sums = (float *) (void *) task->scratch;
  job.scratch = job.sums + q->rows * heads;
  job.rows = q->rows, job.n_keys = k->rows;
  job.heads = heads, job.kv_heads = kv_heads, job.group = heads / kv_heads;
  job.d = q->cols / heads, job.q_stride = q->cols, job.kv_stride = k->cols;
  job.scale = node->params.f[LK_ATTENTION_SCALE];
  job.soft_cap = node->params.f[LK_ATTENTION_SOFT_CAP];

  lk_parallel_for (task->parallel, q->rows, lk_row_grain (q->cols), lk_attention_dx_sums, &job);
  lk_parallel_for (task->parallel, q_blocks * heads, 1, lk_attention_dx_queries, &job);
  lk_parallel_for (task->parallel, k_blocks * kv_heads, 1, lk_attention_dx_keys, &job);
}

#define LK_ATTENTION_SUMS 16 /* of a work group, as SUMS in shaders/attention_sums.comp */

static gboolean
lk_attention_dx_record_sums (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *q = lk_program_get_tensor (task->program, node->in[0]);
  guint32 heads = node->params.u[LK_ATTENTION_HEADS];
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_ATTENTION_SUMS);
  struct { guint32 n, d; } push = { (guint32) q->rows * heads, (guint32) (q->cols / heads) };

  lk_op_bind (task, &d, node->in[6], LK_GPU_READ);
  lk_op_bind (task, &d, node->in[4], LK_GPU_READ);
  lk_op_bind_slice (task, &d, task->scratch, LK_GPU_WRITE);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (push.n, LK_ATTENTION_SUMS), 1,
                       2.0 * (double) q->rows * (double) q->cols, error);
}

/* As Push in shaders/attention_dx.glsl. */
typedef struct
{
  LkAttentionPush attention;
  guint32 begin, end;
} LkAttentionDxPush;

/* One of the two passes: a tile of @rows rows (queries for dQ, keys for dK and dV) for each of @heads heads walks over @others rows,
 * @repeats times each (the heads of queries that share a head of keys). */
typedef struct
{
  LkAttentionPass pass;
  guint first_out, n_out;
  gint64 rows, others;
  guint32 heads, repeats;
  double flops;
} LkAttentionDxPass;

/* Rows of the walk one dispatch makes: all, but on a software device no more than it has rounds for. */
static guint32
lk_attention_dx_walk (LkGpuTask *task, const LkAttentionDxPass *pass, const LkAttentionPlan *plan, gint64 d)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  double most = G_MAXUINT32 / plan->step;

  if (device->software)
    most = LK_SOFTWARE_ROUNDS / lk_attention_plan_rounds (plan, device, pass->pass, d, pass->repeats);
  return (guint32) MIN (pass->others, (gint64) MAX (1.0, most) * plan->step);
}

static gboolean
lk_attention_dx_record_tiles (LkGpuTask *task, const LkNode *node, const LkAttentionDxPass *pass, const LkAttentionDxPush *push,
                              const LkAttentionPlan *plan, guint32 n, double flops, GError **error)
{
  LkTensor *q = lk_program_get_tensor (task->program, node->in[0]);
  LkGpuDispatch d = lk_op_dispatch (node, plan->kernel);
  static const guint inputs[] = { 0, 1, 2, 3, 5, 6 };

  lk_attention_set_kernel (task, node, plan, q->cols / push->attention.heads, &d);
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++)
    lk_op_bind (task, &d, node->in[inputs[i]], LK_GPU_READ);
  lk_op_bind_slice (task, &d, task->scratch, LK_GPU_READ);
  for (guint i = 0; i < pass->n_out; i++)
    lk_op_bind (task, &d, node->out[pass->first_out + i], LK_GPU_WRITE | (push->begin > 0 ? LK_GPU_READ : 0));
  return lk_op_record (task, &d, push, sizeof *push, n, pass->heads, flops, error);
}

static gboolean
lk_attention_dx_record_pass (LkGpuTask *task, const LkNode *node, const LkAttentionDxPass *pass, GError **error)
{
  LkTensor *q = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *k = lk_program_get_tensor (task->program, node->in[1]);
  guint32 q_heads = node->params.u[LK_ATTENTION_HEADS];
  LkAttentionDxPush push = { { (guint32) q->rows, (guint32) k->rows, q_heads, q_heads / node->params.u[LK_ATTENTION_KV_HEADS],
                               node->params.f[LK_ATTENTION_SCALE], 0, node->params.u[LK_ATTENTION_WINDOW],
                               node->params.f[LK_ATTENTION_SOFT_CAP] }, 0, 0 };
  LkAttentionPlan plan;
  guint32 tiles, walk, step;
  double tile_flops;

  lk_attention_plan (lk_gpu_device_get_plan (task->device), pass->pass, q->cols / q_heads, &plan);
  tiles = (guint32) ((pass->rows + plan.block - 1) / plan.block);
  walk = lk_attention_dx_walk (task, pass, &plan, q->cols / q_heads);
  tile_flops = pass->flops / tiles * walk / (double) MAX (1, pass->others);
  step = lk_attention_step (task, &plan, tile_flops, tiles);
  for (; push.begin < pass->others; push.begin += walk)
    {
      push.end = (guint32) MIN (pass->others, (gint64) push.begin + walk);
      for (push.attention.tile = 0; push.attention.tile < tiles; push.attention.tile += step)
        {
          guint32 n = MIN (step, tiles - push.attention.tile);

          if (!lk_attention_dx_record_tiles (task, node, pass, &push, &plan, n, n * tile_flops, error))
            return FALSE;
        }
    }
  return TRUE;
}

static gboolean
lk_attention_dx_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *q = lk_program_get_tensor (task->program, node->in[0]);
  LkTensor *k = lk_program_get_tensor (task->program, node->in[1]);
  guint32 heads = node->params.u[LK_ATTENTION_HEADS], kv_heads = node->params.u[LK_ATTENTION_KV_HEADS];
  double pairs = (double) q->rows * (double) k->rows * (double) q->cols;
  const LkAttentionDxPass dq = { LK_ATTENTION_DQ, 0, 1, q->rows, k->rows, heads, 1, 6.0 * pairs };
  const LkAttentionDxPass dkv = { LK_ATTENTION_DKV, 1, 2, k->rows, q->rows, kv_heads, heads / kv_heads, 8.0 * pairs };

  return lk_attention_check_gpu (q->cols / heads, error)
         && lk_attention_dx_record_sums (task, node, error)
         && lk_attention_dx_record_pass (task, node, &dq, error)
         && lk_attention_dx_record_pass (task, node, &dkv, error);
}

static const LkOperation lk_attention_dx = {
  .name = "attention_dx",
  .cost = lk_attention_dx_cost,
  .scratch = lk_attention_dx_scratch,
  .run = lk_attention_dx_run,
  .record = lk_attention_dx_record,
};

void
lk_op_attention_dx (LkGradients *gradients, const LkNode *node, LkTensorId d_out)
{
  LkProgram *program = lk_gradients_get_program (gradients);
  LkTensorId in[] = { node->in[0], node->in[1], node->in[2], node->in[3], node->out[0], node->out[1], d_out };
  static const char *const names[] = { "d.q", "d.k", "d.v" };
  LkTensorId of[3], out[3];
  LkNode *dx;

  for (guint i = 0; i < 3; i++)
    {
      LkTensor *t = lk_program_get_tensor (program, node->in[i]);
      of[i] = node->in[i];
      out[i] = lk_program_tensor (program, names[i], LK_TYPE_F32, t->rows, t->cols);
    }
  dx = lk_program_append (program, &lk_attention_dx, in, 7, out, 3);
  dx->params = node->params;
  for (guint i = 0; i < 3; i++)
    lk_gradients_pass (gradients, of[i], out[i]);
}
