/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Linear head and cross-entropy over chunks of rows (after Liger's fused linear cross-entropy): no more than one chunk of
 * logits exists, rows without a target are left out, and the gradient into the hidden state is made in the same pass,
 * d(Σ −log p)/dlogits = p − onehot.
 */
#include "lk-op-private.h"

#include "lk-matmul-plan.h"
#include "lk-op-gpu.h"

/* in: x, W, targets; out: loss, dx or none, logprobs or none, dW or none; params: f[0] soft cap */
enum
{
  OUT_LOSS,
  OUT_DX,
  OUT_LOGPROBS,
  OUT_DW,
  N_OUT,
};

#define LK_HEAD_FLOATS (16 << 20)     /* logits of a chunk at most */
#define LK_HEAD_FLOATS_GPU (32 << 20) /* more there, as every chunk reads the whole head; bound at once: 128 MiB are all that some devices bind */
G_STATIC_ASSERT (LK_HEAD_FLOATS_GPU * sizeof (float) <= 128 << 20);
#define LK_HEAD_TILE 256              /* vocabulary rows a tile */
#define LK_HEAD_DX_DEPTH 256
/* p − onehot lies between −1 and 1, and most of it about 1/vocabulary: below 6.1e-5 16-bit floats lose digits, below 6e-8 they are 0.
 * Raised by this power of two 1 is just half of the largest (65504), and what is above 2e-9 keeps all digits. */
#define LK_HEAD_GRADIENT_SCALE 32768.0f

static gint64
lk_head_chunk (gint64 rows, gint64 vocab, LkTarget target)
{
  gint64 most = CLAMP ((target == LK_TARGET_GPU ? LK_HEAD_FLOATS_GPU : LK_HEAD_FLOATS) / vocab, 16, 512);
  gint64 chunks = MAX (1, (rows + most - 1) / most);

  return MAX (1, (rows + chunks - 1) / chunks);
}

static void
lk_head_loss_cost (LkProgram *program, const LkNode *node, LkCost *cost)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[0]), *w = lk_program_get_tensor (program, node->in[1]);
  double product = 2.0 * (double) x->rows * (double) w->rows * (double) w->cols;

  cost->flops = product * (1 + (node->out[OUT_DX] ? 1 : 0) + (node->out[OUT_DW] ? 1 : 0));
  cost->bytes = lk_node_bytes (program, node);
}

static gint64
lk_head_dx_tile (const LkTensor *w, guint workers)
{
  gint64 block = MAX (32, lk_type_info (w->type)->block_elements);
  gint64 share = MAX (1, workers);
  gint64 tile = (w->cols + share - 1) / share;

  return MIN ((tile + block - 1) / block * block, 1024);
}

/* Where working memory lies: all in floats from the scratch's beginning. */
typedef struct
{
  gsize x, dx, logits, losses, rows, ids, tiles, tile_floats, total;
} LkHeadLayout;

static LkHeadLayout
lk_head_layout (const LkTensor *x, const LkTensor *w, guint workers)
{
  gsize chunk = (gsize) lk_head_chunk (x->rows, w->rows, LK_TARGET_CPU);
  LkHeadLayout l = { 0 };

  l.dx = chunk * (gsize) w->cols;
  l.logits = 2 * l.dx;
  l.losses = l.logits + chunk * (gsize) w->rows;
  l.rows = l.losses + chunk;
  l.ids = l.rows + (gsize) x->rows;
  l.tiles = l.ids + (gsize) x->rows;
  l.tile_floats = MAX ((gsize) LK_HEAD_TILE * (gsize) w->cols, (gsize) lk_head_dx_tile (w, workers) * LK_HEAD_DX_DEPTH);
  l.total = l.tiles + workers * l.tile_floats;
  return l;
}

/* The same on the GPU, in bytes, each on a boundary any device can bind at. */
typedef struct
{
  guint64 counts, rows, losses, x, dx, logits, work, work_bytes, total;
} LkHeadLayoutGpu;

static LkHeadLayoutGpu
lk_head_layout_gpu (const LkTensor *x, const LkTensor *w)
{
  guint64 chunk = (guint64) lk_head_chunk (x->rows, w->rows, LK_TARGET_GPU);
  guint64 sizes[] = { 1, (guint64) x->rows, (guint64) x->rows, chunk * (guint64) w->cols, chunk * (guint64) w->cols,
                      chunk * (guint64) w->rows };
  LkHeadLayoutGpu l = { 0 };
  guint64 *starts[] = { &l.counts, &l.rows, &l.losses, &l.x, &l.dx, &l.logits };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      *starts[i] = l.total;
      l.total += (sizes[i] * sizeof (float) + 255) & ~(guint64) 255;
    }
  l.work = l.total;
  l.work_bytes = MAX (lk_matmul_plan_scratch ((gint64) chunk, w->rows, w->cols, TRUE, 0),
                      lk_matmul_plan_scratch ((gint64) chunk, w->cols, w->rows, FALSE, 0));
  l.total += l.work_bytes;
  return l;
}

static guint64
lk_head_loss_scratch (LkProgram *program, const LkNode *node, LkTarget target, guint workers)
{
  LkTensor *x = lk_program_get_tensor (program, node->in[0]), *w = lk_program_get_tensor (program, node->in[1]);

  if (target == LK_TARGET_GPU)
    return lk_head_layout_gpu (x, w).total;
  return lk_head_layout (x, w, workers).total * sizeof (float);
}

typedef struct
{
  LkCpuTask *task;
  LkPacked w;
  float *x, *dx, *logits, *losses, *tiles;
  float *dw;
  gsize tile_floats;
  gint64 n, hidden, vocab; /* n: rows of the chunk */
  const gint32 *targets;   /* of the chunk's rows */
  gboolean gradient;
  float soft_cap;
} LkHeadJob;

static void
lk_head_logits (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkHeadJob *job = data;
  const float *tile = (const float *) (const void *) (job->w.data + (guint64) begin * job->w.row_bytes);

  if (job->w.type != LK_TYPE_F32)
    {
      float *scratch = job->tiles + worker * job->tile_floats;

      job->task->kernels->unpack (&job->w, begin, 0, (end - begin) * job->hidden, scratch);
      tile = scratch;
    }
  lk_cpu_gemm (FALSE, TRUE, job->n, end - begin, job->hidden, 1, job->x, job->hidden, tile, job->hidden, 0, job->logits + begin, job->vocab);
}

/* The same where logits are capped: they must outlive the sum, as the slope of the cap, 1 − (logit/cap)², is in the gradient. */
static float
lk_head_softmax_capped (LkHeadJob *job, float *row, gint32 target)
{
  double sum = 0;
  float maximum, at_target;

  for (gint64 c = 0; c < job->vocab; c++)
    row[c] = job->soft_cap * tanhf (row[c] / job->soft_cap);
  at_target = row[target];
  maximum = job->task->kernels->maximum (row, job->vocab);
  for (gint64 c = 0; c < job->vocab; c++)
    sum += (double) expf (row[c] - maximum);
  for (gint64 c = 0; job->gradient && c < job->vocab; c++)
    {
      float t = row[c] / job->soft_cap;
      float p = expf (row[c] - maximum) / (float) sum;

      row[c] = (c == target ? p - 1.0f : p) * (1.0f - t * t);
    }
  return logf ((float) sum) + (maximum - at_target);
}

/* −log p of each row's target; logits become p − onehot. */
static void
lk_head_softmax (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkHeadJob *job = data;
  const LkCpuKernels *kernels = job->task->kernels;

  for (gint64 r = begin; r < end; r++)
    {
      float *row = job->logits + r * job->vocab;
      float at_target = row[job->targets[r]], maximum, sum;

      if (job->soft_cap > 0)
        {
          job->losses[r] = lk_head_softmax_capped (job, row, job->targets[r]);
          continue;
        }
      maximum = kernels->maximum (row, job->vocab);
      sum = kernels->exp_minus (row, job->vocab, maximum);

      job->losses[r] = logf (sum) + (maximum - at_target);
      if (job->gradient)
        {
          kernels->scale (1.0f / sum, row, job->vocab);
          row[job->targets[r]] -= 1.0f;
        }
    }
}

static void
lk_head_dx_columns (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkHeadJob *job = data;
  float *scratch = job->tiles + worker * job->tile_floats;

  for (gint64 o = 0; o < job->vocab; o += LK_HEAD_DX_DEPTH)
    {
      gint64 depth = MIN (LK_HEAD_DX_DEPTH, job->vocab - o);
      const float *tile = (const float *) (const void *) (job->w.data + (guint64) o * job->w.row_bytes) + begin;
      gint64 stride = job->hidden;

      if (job->w.type != LK_TYPE_F32)
        {
          for (gint64 r = 0; r < depth; r++)
            job->task->kernels->unpack (&job->w, o + r, begin, end - begin, scratch + r * (end - begin));
          tile = scratch;
          stride = end - begin;
        }
      lk_cpu_gemm (FALSE, FALSE, job->n, end - begin, depth, 1, job->logits + o, job->vocab, tile, stride, o > 0 ? 1 : 0, job->dx + begin,
                   job->hidden);
    }
}

static void
lk_head_dw_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkHeadJob *job = data;

  lk_cpu_gemm (TRUE, FALSE, end - begin, job->hidden, job->n, 1, job->logits + begin, job->vocab, job->x, job->hidden, 1,
               job->dw + begin * job->hidden, job->hidden);
}

/* Rows @rows[0…n) of x through the head; returns Σ −log p. */
static double
lk_head_run_chunk (LkHeadJob *job, const LkNode *node, const gint32 *rows)
{
  LkCpuTask *task = job->task;
  LkParallel *parallel = task->parallel;
  const float *x = lk_cpu_task_f32 (task, node->in[0]);
  float *dx = lk_cpu_task_f32 (task, node->out[OUT_DX]), *logprobs = lk_cpu_task_f32 (task, node->out[OUT_LOGPROBS]);
  gsize row_size = (gsize) job->hidden * sizeof (float);
  double sum = 0;

  for (gint64 r = 0; r < job->n; r++)
    memcpy (job->x + r * job->hidden, x + rows[r] * job->hidden, row_size);
  lk_parallel_for (parallel, job->vocab, LK_HEAD_TILE, lk_head_logits, job);
  lk_parallel_for (parallel, job->n, 8, lk_head_softmax, job);
  if (job->dw)
    lk_parallel_for (parallel, job->vocab, LK_HEAD_TILE, lk_head_dw_rows, job);
  if (dx)
    {
      lk_parallel_for (parallel, job->hidden, lk_head_dx_tile (lk_task_tensor (task, node->in[1]), lk_parallel_get_workers (parallel)),
                       lk_head_dx_columns, job);
      for (gint64 r = 0; r < job->n; r++)
        memcpy (dx + rows[r] * job->hidden, job->dx + r * job->hidden, row_size);
    }
  for (gint64 r = 0; r < job->n; r++)
    {
      sum += (double) job->losses[r];
      if (logprobs)
        logprobs[rows[r]] = -job->losses[r];
    }
  return sum;
}

static void
lk_head_loss_run (LkCpuTask *task, const LkNode *node)
{
  LkTensor *x = lk_task_tensor (task, node->in[0]), *w = lk_task_tensor (task, node->in[1]);
  const gint32 *targets = lk_cpu_task_i32 (task, node->in[2]);
  float *loss = lk_cpu_task_f32 (task, node->out[OUT_LOSS]);
  float *scratch = (float *) (void *) task->scratch;
  LkHeadLayout l = lk_head_layout (x, w, lk_parallel_get_workers (task->parallel));
  gint32 *rows = (gint32 *) (void *) (scratch + l.rows), *ids = (gint32 *) (void *) (scratch + l.ids);
  gint64 n = 0, chunk = lk_head_chunk (x->rows, w->rows, LK_TARGET_CPU);
  double sum = 0;
  LkHeadJob job = { task, lk_cpu_task_packed (task, node->in[1]), scratch + l.x,
                    scratch + l.dx, scratch + l.logits, scratch + l.losses, scratch + l.tiles, lk_cpu_task_f32 (task, node->out[OUT_DW]),
                    l.tile_floats, 0, w->cols, w->rows, NULL, node->out[OUT_DX] || node->out[OUT_DW], node->params.f[0] };

  for (gint64 t = 0; t < x->rows; t++)
    if (targets[t] >= 0 && targets[t] < w->rows)
      {
        rows[n] = (gint32) t;
        ids[n++] = targets[t];
      }
  if (node->out[OUT_DX])
    memset (lk_cpu_task_f32 (task, node->out[OUT_DX]), 0, x->bytes);
  if (node->out[OUT_LOGPROBS])
    memset (lk_cpu_task_f32 (task, node->out[OUT_LOGPROBS]), 0, (gsize) x->rows * sizeof (float));
  for (gint64 r = 0; r < n; r += chunk)
    {
      job.n = MIN (chunk, n - r);
      job.targets = ids + r;
      sum += lk_head_run_chunk (&job, node, rows + r);
    }
  loss[0] += (float) sum;
  loss[1] += (float) n;
}

/* What the dispatches of one node share; slices of its scratch. */
typedef struct
{
  LkGpuTask *task;
  const LkNode *node;
  LkTensor *x, *w;
  LkGpuSlice counts, rows, losses, chunk_x, chunk_dx, logits, work;
  gint64 begin, n; /* of the rows with a target: this chunk */
} LkHeadRecord;

static gboolean
lk_head_record_rows (LkHeadRecord *r, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (r->node, LK_KERNEL_HEAD_ROWS);
  struct { guint32 rows, vocab; } push = { (guint32) r->x->rows, (guint32) r->w->rows };

  lk_op_bind (r->task, &d, r->node->in[2], LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->rows, LK_GPU_WRITE);
  lk_op_bind_slice (r->task, &d, r->counts, LK_GPU_WRITE);
  return lk_op_record (r->task, &d, &push, sizeof push, 1, 1, (double) r->x->rows, error);
}

/* Rows of this chunk between a [T, h] tensor and the chunk's own matrix. */
static gboolean
lk_head_record_move (LkHeadRecord *r, LkKernel kernel, LkGpuSlice from, LkGpuSlice to, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (r->node, kernel);
  struct { guint32 n, cols, rows, begin; } push = { (guint32) r->n, (guint32) r->x->cols, (guint32) r->x->rows,
                                                    (guint32) r->begin };

  d.constants[d.n_constants++] = 1;
  lk_op_bind_slice (r->task, &d, from, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->rows, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->counts, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, to, LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (r->task, &d, &push, sizeof push, lk_op_groups ((guint64) r->n, 1), 1, 0, error);
}

static gboolean
lk_head_record_softmax (LkHeadRecord *r, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (r->node, LK_KERNEL_HEAD_SOFTMAX);
  LkTensorId logprobs = r->node->out[OUT_LOGPROBS];
  struct { guint32 n, vocab, begin; float soft_cap; } push = { (guint32) r->n, (guint32) r->w->rows, (guint32) r->begin,
                                                               r->node->params.f[0] };

  d.constants[d.n_constants++] = r->node->out[OUT_DX] || r->node->out[OUT_DW];
  d.constants[d.n_constants++] = logprobs != 0;
  lk_op_bind_slice (r->task, &d, r->logits, LK_GPU_READ | LK_GPU_WRITE);
  lk_op_bind (r->task, &d, r->node->in[2], LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->rows, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->counts, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->losses, LK_GPU_READ | LK_GPU_WRITE);
  if (logprobs)
    lk_op_bind (r->task, &d, logprobs, LK_GPU_READ | LK_GPU_WRITE);
  else
    lk_op_bind_slice (r->task, &d, r->losses, LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (r->task, &d, &push, sizeof push, lk_op_groups ((guint64) r->n, 1), 1,
                       5.0 * (double) r->n * (double) r->w->rows, error);
}

static gboolean
lk_head_record_chunk (LkHeadRecord *r, GError **error)
{
  LkGpuTask *task = r->task;
  LkGpuSlice w = lk_gpu_task_slice (task, r->node->in[1]);
  LkOpMatmul logits = { .m = r->n, .n = r->w->rows, .k = r->w->cols, .alpha = 1, .a = r->chunk_x, .b = w,
                        .b_type = r->w->type, .b_transposed = TRUE, .c = r->logits, .limit = LK_OP_LIMIT_M,
                        .counts = r->counts, .counts_begin = (guint32) r->begin, .scratch = r->work };
  LkOpMatmul dw = { .m = r->w->rows, .n = r->w->cols, .k = r->n, .alpha = 1, .a = r->logits, .a_transposed = TRUE,
                    .b = r->chunk_x, .b_type = LK_TYPE_F32, .c = lk_gpu_task_slice (task, r->node->out[OUT_DW]),
                    .accumulate = TRUE, .limit = LK_OP_LIMIT_K, .counts = r->counts,
                    .counts_begin = (guint32) r->begin, .a_scale = LK_HEAD_GRADIENT_SCALE };
  LkOpMatmul dx = { .m = r->n, .n = r->w->cols, .k = r->w->rows, .alpha = 1, .a = r->logits, .b = w,
                    .b_type = r->w->type, .c = r->chunk_dx, .limit = LK_OP_LIMIT_M, .counts = r->counts,
                    .counts_begin = (guint32) r->begin, .a_scale = LK_HEAD_GRADIENT_SCALE, .scratch = r->work };

  if (!lk_head_record_move (r, LK_KERNEL_GATHER, lk_gpu_task_slice (task, r->node->in[0]), r->chunk_x, error)
      || !lk_op_matmul (task, r->node, &logits, error) || !lk_head_record_softmax (r, error))
    return FALSE;
  if (r->node->out[OUT_DW] && !lk_op_matmul (task, r->node, &dw, error))
    return FALSE;
  return !r->node->out[OUT_DX]
         || (lk_op_matmul (task, r->node, &dx, error)
             && lk_head_record_move (r, LK_KERNEL_SCATTER, r->chunk_dx,
                                     lk_gpu_task_slice (task, r->node->out[OUT_DX]), error));
}

static gboolean
lk_head_record_sum (LkHeadRecord *r, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (r->node, LK_KERNEL_HEAD_SUM);

  lk_op_bind_slice (r->task, &d, r->losses, LK_GPU_READ);
  lk_op_bind_slice (r->task, &d, r->counts, LK_GPU_READ);
  lk_op_bind (r->task, &d, r->node->out[OUT_LOSS], LK_GPU_READ | LK_GPU_WRITE);
  return lk_op_record (r->task, &d, NULL, 0, 1, 1, (double) r->x->rows, error);
}

/* How many rows have a target is known on the device only: all chunks are recorded, those beyond the count end at once. */
static gboolean
lk_head_loss_record (LkGpuTask *task, const LkNode *node, GError **error)
{
  LkTensor *x = lk_program_get_tensor (task->program, node->in[0]), *w = lk_program_get_tensor (task->program, node->in[1]);
  LkHeadLayoutGpu l = lk_head_layout_gpu (x, w);
  gint64 chunk = lk_head_chunk (x->rows, w->rows, LK_TARGET_GPU);
  guint64 chunk_bytes = (guint64) chunk * (guint64) w->cols * sizeof (float), row_bytes = (guint64) x->rows * sizeof (float);
  LkHeadRecord r = { task, node, x, w, lk_gpu_slice_part (task->scratch, l.counts, sizeof (guint32)),
                     lk_gpu_slice_part (task->scratch, l.rows, row_bytes),
                     lk_gpu_slice_part (task->scratch, l.losses, row_bytes),
                     lk_gpu_slice_part (task->scratch, l.x, chunk_bytes),
                     lk_gpu_slice_part (task->scratch, l.dx, chunk_bytes),
                     lk_gpu_slice_part (task->scratch, l.logits, (guint64) chunk * (guint64) w->rows * sizeof (float)),
                     { 0 }, 0, 0 };

  if (l.work_bytes)
    r.work = lk_gpu_slice_part (task->scratch, l.work, l.work_bytes);
  for (guint i = OUT_DX; i <= OUT_LOGPROBS; i++)
    if (node->out[i] && !lk_gpu_recorder_fill (task->recorder, lk_gpu_task_slice (task, node->out[i]), 0, error))
      return FALSE;
  if (!lk_head_record_rows (&r, error))
    return FALSE;
  for (r.begin = 0; r.begin < x->rows; r.begin += chunk)
    {
      r.n = MIN (chunk, x->rows - r.begin);
      if (!lk_head_record_chunk (&r, error))
        return FALSE;
    }
  return lk_head_record_sum (&r, error);
}

static const LkOperation lk_head_loss = {
  .name = "head_loss",
  .cost = lk_head_loss_cost,
  .scratch = lk_head_loss_scratch,
  .run = lk_head_loss_run,
  .record = lk_head_loss_record,
};

void
lk_op_head_loss (LkProgram *program, LkTensorId x, LkTensorId w, LkTensorId targets, LkTensorId loss, LkTensorId logprobs,
                 float soft_cap, gboolean gradient)
{
  LkTensor *t = lk_program_get_tensor (program, x);
  LkTensor *weight = lk_program_get_tensor (program, w);
  LkTensorId in[] = { x, w, targets };
  LkTensorId out[N_OUT] = { loss, 0, logprobs, 0 };
  LkNode *node;

  if (gradient && weight->needs_gradient)
    out[OUT_DW] = lk_program_variable (program, weight->variable->gradient);
  if (gradient && t->needs_gradient)
    {
      out[OUT_DX] = lk_program_tensor (program, "d.hidden", LK_TYPE_F32, t->rows, t->cols);
      lk_program_set_gradient (program, x, out[OUT_DX]);
    }
  node = lk_program_append (program, &lk_head_loss, in, 3, out, N_OUT);
  node->accumulate = 1u << OUT_LOSS | 1u << OUT_DW;
  node->params.f[0] = soft_cap;
}
