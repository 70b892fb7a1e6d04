/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-matmul-private.h"

#include <string.h>

/* As in shaders/matvec.comp. */
#define MATVEC_ROWS 4
#define MATVEC_OUTPUTS 4

/* As Push in shaders/matmul.glsl. */
typedef struct
{
  guint32 m, n, k;
  guint32 lda, ldb, ldc;
  guint32 a_offset, b_offset, c_offset;
  guint32 accumulate;
  float alpha;
  guint32 count_begin;
  guint32 site, threshold;
  float keep;
  guint32 b_cols;
  guint32 m_tile;
  guint32 b_first, side_offset;
  guint32 k_part, c_part;
  float a_scale;
} LkMatmulPush;

/* As Push in shaders/matmul_sum.comp. */
typedef struct
{
  guint32 n, n_parts;
  guint32 parts_offset, c_offset;
  guint32 accumulate;
  float alpha;
} LkMatmulSumPush;

/* As in shaders/matmul_sum.comp. */
#define SUM_THREADS 128

/* The longest sum one dispatch makes on a software device, see lk_op_matmul. */
#define LK_SOFTWARE_DEPTH 16384

guint64
lk_op_matmul_row_bytes (const LkOpMatmul *product)
{
  guint64 bytes = 0;

  /* The program's tensors are whole blocks, so that this cannot fail. */
  lk_type_row_bytes (product->b_type, (guint64) (product->b_transposed ? product->k : product->n), &bytes);
  return bytes;
}

guint32
lk_op_matmul_bind_b (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product, const LkMatmulPart *part, guint32 *first)
{
  const guint64 bytes = lk_op_matmul_row_bytes (product);
  const guint unit = lk_op_row_unit (product->b_type);
  guint32 offset = (guint32) (lk_op_bind_bytes (task, d, lk_gpu_slice_part (product->b, (guint64) part->begin * bytes, (guint64) part->n * bytes),
                                                LK_GPU_READ)
                              / unit);

  *first = (guint32) ((guint64) part->begin * bytes / unit) - offset;
  return offset;
}

guint32
lk_op_matmul_bind_side (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product)
{
  gint64 rows = product->b_transposed ? product->n : product->k, cols = product->b_transposed ? product->k : product->n;
  guint64 begin = 0, all = 0;
  LkGpuSlice side = product->a;

  if (lk_type_info (product->b_type)->side_bytes > 0 && lk_type_side_offset (product->b_type, (guint64) rows, (guint64) cols, &begin)
      && lk_type_bytes (product->b_type, (guint64) rows, (guint64) cols, &all))
    side = lk_gpu_slice_part (product->b, begin, all - begin);
  return lk_op_bind_slice (task, d, side, LK_GPU_READ);
}

/* Rows of A begin on 16 bytes. */
static gboolean
has_quads_a (const LkMatmulPush *push)
{
  return push->lda % 4 == 0 && push->a_offset % 4 == 0;
}

gboolean
lk_op_matmul_has_quads (LkType type, guint32 ld, guint32 offset)
{
  guint32 words = type == LK_TYPE_F32 ? 8 : type == LK_TYPE_F16 || type == LK_TYPE_BF16 ? 4 : 0;

  return words && ld % words == 0 && offset % words == 0;
}

static void
set_constants (LkGpuDispatch *d, const LkDevicePlan *device, const LkOpMatmul *product, const LkMatmulPlan *plan,
               const LkMatmulPush *push)
{
  static const LkKernel kernels[] = {
    [LK_MATMUL_FLOAT32] = LK_KERNEL_MATMUL, [LK_MATMUL_FLOAT16] = LK_KERNEL_MATMUL_HALF,
    [LK_MATMUL_MATRIX] = LK_KERNEL_MATMUL_MATRIX, [LK_MATMUL_MATRIX8] = LK_KERNEL_MATMUL_MATRIX8,
  };
  const LkMatmulTile *tile = plan->tile;
  const guint32 constants[] = {
    (guint32) product->b_type, product->a_transposed, product->b_transposed, product->dropout, product->limit,
    plan->parts == 1 && product->strength.buffer != NULL, tile->bm, tile->bn, tile->bk, tile->tm, tile->tn,
    tile->stages, has_quads_a (push), lk_op_matmul_has_quads (product->b_type, push->ldb, push->b_offset), plan->threads,
    device->matrix.m, device->matrix.n, device->matrix.k,
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (constants) <= LK_GPU_MAX_CONSTANTS);
  d->kernel = kernels[plan->path];
  memcpy (d->constants, constants, sizeof constants);
  d->n_constants = plan->path == LK_MATMUL_MATRIX ? G_N_ELEMENTS (constants) : G_N_ELEMENTS (constants) - 3;
  d->subgroup_size = plan->subgroup_size;
}

static void
fill_push (LkMatmulPush *push, const LkOpMatmul *product, const LkMatmulPart *part)
{
  gint64 first_k = product->b_transposed ? 0 : part->begin;

  push->m = (guint32) product->m;
  push->n = (guint32) (product->b_transposed ? part->n : product->n);
  push->k = (guint32) (product->b_transposed ? product->k : part->n);
  push->lda = (guint32) (product->a_transposed ? product->m : product->k);
  push->ldb = (guint32) (lk_op_matmul_row_bytes (product) / lk_op_row_unit (product->b_type));
  push->ldc = (guint32) product->n;
  push->a_offset = (guint32) (product->a_transposed ? first_k * product->m : first_k);
  push->c_offset = (guint32) (product->b_transposed ? part->begin : 0);
  push->accumulate = product->accumulate || first_k > 0;
  push->alpha = product->alpha;
  push->count_begin = product->counts_begin + (product->limit == LK_OP_LIMIT_K ? (guint32) first_k : 0);
  push->site = product->site;
  push->threshold = (guint32) ((double) product->dropout_p * 4294967296.0);
  push->keep = 1.0f / (1.0f - product->dropout_p);
  push->b_cols = (guint32) (product->b_transposed ? product->k : product->n);
  push->k_part = push->k;
  push->a_scale = 1;
}

/* Decoding: a few rows against packed rows. Dropout and limits belong to training. */
static gboolean
is_matvec (const LkOpMatmul *product)
{
  return product->m <= MATVEC_ROWS && product->b_transposed && !product->a_transposed
         && product->dropout == LK_OP_DROPOUT_NONE && product->limit == LK_OP_LIMIT_NONE;
}

static gboolean
record_matvec (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, const LkMatmulPart *part,
               GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_MATVEC);
  LkMatmulPush push = { 0 };

  fill_push (&push, product, part);
  d.constants[d.n_constants++] = (guint32) product->b_type;
  d.constants[d.n_constants++] = product->strength.buffer != NULL;
  d.constants[d.n_constants++] = (guint32) product->m;
  push.a_offset += lk_op_bind_slice (task, &d, product->a, LK_GPU_READ);
  push.b_offset = lk_op_matmul_bind_b (task, &d, product, part, &push.b_first);
  push.c_offset
    += lk_op_bind_slice (task, &d, product->c, LK_GPU_WRITE | (push.accumulate ? LK_GPU_READ : 0));
  lk_op_bind_slice (task, &d, product->strength.buffer ? product->strength : product->a, LK_GPU_READ);
  push.side_offset = lk_op_matmul_bind_side (task, &d, product);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (push.n, MATVEC_OUTPUTS), 1,
                       2.0 * (double) product->m * (double) push.n * (double) push.k, error);
}

gboolean
lk_op_matmul_record_sum (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, LkGpuSlice partial, guint parts, guint32 c_offset,
                         gboolean accumulate, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_MATMUL_SUM);
  LkMatmulSumPush sum = { .n = (guint32) (product->m * product->n), .n_parts = parts, .accumulate = accumulate, .alpha = product->alpha };

  d.constants[d.n_constants++] = product->strength.buffer != NULL;
  sum.parts_offset = lk_op_bind_slice (task, &d, partial, LK_GPU_READ);
  sum.c_offset = c_offset + lk_op_bind_slice (task, &d, product->c, LK_GPU_WRITE | (accumulate ? LK_GPU_READ : 0));
  lk_op_bind_slice (task, &d, product->strength.buffer ? product->strength : partial, LK_GPU_READ);
  return lk_op_record (task, &d, &sum, sizeof sum, lk_op_groups (sum.n, SUM_THREADS), 1, (double) sum.n * parts, error);
}

static void
bind_all (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product, const LkMatmulPart *part, LkGpuSlice c, LkMatmulPush *push)
{
  push->a_offset += lk_op_bind_slice (task, d, product->a, LK_GPU_READ);
  push->b_offset = lk_op_matmul_bind_b (task, d, product, part, &push->b_first);
  push->c_offset += lk_op_bind_slice (task, d, c, LK_GPU_WRITE | (push->accumulate ? LK_GPU_READ : 0));
  lk_op_bind_slice (task, d, product->strength.buffer ? product->strength : product->a, LK_GPU_READ);
  lk_op_bind_slice (task, d, product->random.buffer ? product->random : product->a, LK_GPU_READ);
  lk_op_bind_slice (task, d, product->counts.buffer ? product->counts : product->a, LK_GPU_READ);
  push->side_offset = lk_op_matmul_bind_side (task, d, product);
}

/* A part of a product over all of C's columns may be cut between work groups: then C is dense. */
static LkMatmulPlan
plan_part (LkGpuTask *task, const LkOpMatmul *product, const LkMatmulPush *push)
{
  const gboolean whole = push->n == (guint32) product->n;
  const LkMatmulShape shape = {
    push->m, push->n, push->k, product->scratch.buffer ? product->scratch.size : 0,
    whole && product->limit == LK_OP_LIMIT_NONE && product->dropout != LK_OP_DROPOUT_PRODUCT,
  };
  LkMatmulPlan plan;

  lk_matmul_plan (lk_gpu_device_get_plan (task->device), &shape, &plan);
  return plan;
}

static gboolean
record_part (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, const LkMatmulPart *part,
             GError **error)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  LkMatmulPush push = { 0 }, whole;
  LkMatmulPlan plan;
  LkGpuSlice partial = { 0 };
  double tile_flops, most;
  gint64 tiles, step;

  fill_push (&push, product, part);
  whole = push;
  plan = plan_part (task, product, &push);
  push.k_part = (guint32) plan.k_part;
  if (plan.parts > 1)
    {
      push.c_part = push.m * push.n;
      push.accumulate = FALSE;
      push.alpha = 1;
      partial = lk_gpu_slice_part (product->scratch, 0, (guint64) push.c_part * plan.parts * sizeof (float));
    }
  if (device->matmul != LK_MATMUL_FLOAT32)
    {
      push.a_scale = product->a_scale > 0 ? product->a_scale : 1;
      push.alpha /= push.a_scale;
    }
  tiles = (product->m + plan.tile->bm - 1) / plan.tile->bm;
  tile_flops = 2.0 * (double) MIN (product->m, plan.tile->bm) * (double) push.n * (double) push.k;
  most = lk_matmul_path_is_matrix (plan.path) ? device->matrix_dispatch_flops : device->dispatch_flops;
  step = CLAMP ((gint64) (most / MAX (tile_flops, 1.0)), 1, tiles);
  for (gint64 at = 0; at < tiles; at += step)
    {
      LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_MATMUL);
      LkMatmulPush p = push;
      gint64 n_tiles = MIN (step, tiles - at);

      bind_all (task, &d, product, part, plan.parts > 1 ? partial : product->c, &p);
      set_constants (&d, device, product, &plan, &p);
      p.m_tile = (guint32) at;
      d.groups[2] = plan.parts;
      if (!lk_op_record (task, &d, &p, sizeof p, (push.n + plan.tile->bn - 1) / plan.tile->bn, (guint32) n_tiles,
                         tile_flops * (double) n_tiles, error))
        return FALSE;
    }
  return plan.parts == 1 || lk_op_matmul_record_sum (task, node, product, partial, plan.parts, whole.c_offset, whole.accumulate != 0, error);
}

/* One after the other, where they are not part of the contraction. */
static gboolean
record_low (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, GError **error)
{
  for (guint i = 0; i < product->n_low; i++)
    {
      const LkOpLowRank *low = &product->low[i];
      const LkOpMatmul added = { .m = product->m, .n = product->n, .k = low->rank, .a = low->left, .b = low->right, .b_type = LK_TYPE_F32,
                                 .b_transposed = product->b_transposed, .c = product->c, .accumulate = TRUE, .alpha = low->alpha,
                                 .strength = low->strength, .a_scale = product->a_scale };

      if (!lk_op_matmul (task, node, &added, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lk_op_matmul (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, GError **error)
{
  const LkDevicePlan *plan = lk_gpu_device_get_plan (task->device);
  const guint64 room
    = plan->max_binding - lk_gpu_device_get_snapshot (task->device)->min_storage_buffer_alignment;
  const guint64 bytes = lk_op_matmul_row_bytes (product);
  gint64 rows = product->b_transposed ? product->n : product->k;
  gint64 step = rows;

  if (!lk_op_check_type (product->b_type, TRUE, error))
    return FALSE;
  if (lk_op_matmul_is_packed (task, product))
    return lk_op_matmul_packed (task, node, product, error);
  /* With its mask on B a part's rows would be counted from its own beginning; such a B is an activation,
   * which other operations must see whole anyway. */
  if ((guint64) rows * bytes > room && product->dropout != LK_OP_DROPOUT_B)
    step = MAX (1, (gint64) (room / bytes));
  /* llvmpipe leaves a kernel's loops after 65535 rounds, all loops counted together, and says nothing. */
  if (plan->software && !product->b_transposed && product->dropout != LK_OP_DROPOUT_B)
    step = MIN (step, LK_SOFTWARE_DEPTH);
  /* whole tiles where there is room for one */
  if (step < rows && step >= 64)
    step &= ~(gint64) 63;
  for (gint64 begin = 0; begin < rows; begin += step)
    {
      LkMatmulPart part = { begin, MIN (step, rows - begin) };

      if (!(is_matvec (product) ? record_matvec : record_part) (task, node, product, &part, error))
        return FALSE;
    }
  return record_low (task, node, product, error);
}
