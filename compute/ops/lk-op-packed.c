/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-matmul-private.h"

#include <string.h>

#define SIDE 64 /* of a tile of shaders/matmul_pack.comp */

/* As Push in shaders/matmul_pack.comp. */
typedef struct
{
  guint32 rows, cols;
  guint32 ld, in_offset;
  guint32 out_ld;
  guint32 b_first;
  guint32 side_offset;
  float factor;
} LkPackPush;

/* As Push in shaders/matmul_packed.glsl. */
typedef struct
{
  guint32 m, n, k;
  guint32 lda, ldb;
  guint32 ldc, c_offset;
  guint32 accumulate;
  float alpha;
  guint32 count_begin;
  guint32 m_tile;
  guint32 k_part, c_part;
} LkPackedPush;

/* One product on its way; slices of its working memory. */
typedef struct
{
  LkGpuTask *task;
  const LkNode *node;
  const LkOpMatmul *product;
  LkMatmulPacking packing;
  LkGpuSlice a, b, partial; /* partial: what is left */
  float a_scale;
} LkPackedRecord;

static guint64
aligned (guint64 bytes)
{
  return (bytes + 255) & ~(guint64) 255;
}

/* Steps of the contraction that products of low rank take. */
static gint64
low_steps (const LkOpMatmul *product)
{
  gint64 steps = 0;

  for (guint i = 0; i < product->n_low; i++)
    steps += lk_matmul_packing_steps (product->low[i].rank);
  return steps;
}

/* Of these, the last ones that are all zero. */
static gint64
unused_steps (const LkOpMatmul *product)
{
  gint64 rank = product->n_low > 0 ? product->low[product->n_low - 1].rank : 0;

  return lk_matmul_packing_steps (rank) - rank;
}

gboolean
lk_op_matmul_is_packed (LkGpuTask *task, const LkOpMatmul *product)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (task->device);
  const LkMatmulShape shape = { product->m, product->n, product->k, 0, FALSE };
  const guint64 room = device->max_binding - lk_gpu_device_get_snapshot (task->device)->min_storage_buffer_alignment;
  LkMatmulPacking packing;
  LkMatmulPlan plan;

  return lk_matmul_path_is_matrix (device->matmul) && product->dropout == LK_OP_DROPOUT_NONE && product->limit != LK_OP_LIMIT_K
         && product->scratch.buffer
         && lk_matmul_packing (product->m, product->n, product->k, product->b_transposed, low_steps (product), &packing)
         && aligned (packing.a_bytes) + packing.b_bytes <= product->scratch.size && MAX (packing.a_bytes, packing.b_bytes) <= room
         && (guint64) packing.rows * lk_op_matmul_row_bytes (product) <= room && lk_matmul_plan_packed (device, &shape, &plan);
}

/* @side, an unpacked matrix of @cols columns, from row @rows on. */
static LkGpuSlice
behind (LkGpuSlice side, gint64 cols, gint64 rows)
{
  const guint64 bytes = (guint64) cols * (guint64) rows * 2;

  return lk_gpu_slice_part (side, bytes, side.size - bytes);
}

/* @rows and @cols: of the unpacked matrix, whole tiles. Everything but where to read from is filled in. @strength: a factor that lies on
 * the device, or NULL. */
static gboolean
record_pack (LkPackedRecord *self, LkGpuDispatch *d, LkPackPush *push, LkType type, gboolean turn, gint64 rows, gint64 cols, LkGpuSlice to,
             const LkGpuSlice *strength, GError **error)
{
  gint64 across = turn ? rows : cols, along = turn ? cols : rows; /* as stored */

  d->constants[d->n_constants++] = (guint32) type;
  d->constants[d->n_constants++] = turn;
  d->constants[d->n_constants++] = lk_op_matmul_has_quads (type, push->ld, push->in_offset);
  d->constants[d->n_constants++] = strength != NULL;
  lk_op_bind_slice (self->task, d, lk_gpu_slice_part (to, 0, (guint64) rows * (guint64) cols * 2), LK_GPU_WRITE);
  lk_op_bind_slice (self->task, d, strength ? *strength : self->product->a, LK_GPU_READ);
  push->out_ld = (guint32) (cols / 4);
  return lk_op_record (self->task, d, push, sizeof *push, (guint32) ((across + SIDE - 1) / SIDE), (guint32) ((along + SIDE - 1) / SIDE),
                       (double) rows * (double) cols, error);
}

/* A's steps [begin, begin + n) of the contraction, as [k, m], @k of them with those that are zero. */
static gboolean
pack_a (LkPackedRecord *self, gint64 begin, gint64 n, gint64 k, GError **error)
{
  const LkOpMatmul *product = self->product;
  LkGpuDispatch d = lk_op_dispatch (self->node, LK_KERNEL_MATMUL_PACK);
  const gint64 stored = product->a_transposed ? product->m : product->k;
  LkPackPush push = { .ld = (guint32) (2 * stored), .factor = self->a_scale };

  push.rows = (guint32) (product->a_transposed ? n : product->m);
  push.cols = (guint32) (product->a_transposed ? product->m : n);
  push.in_offset = 2 * (lk_op_bind_slice (self->task, &d, product->a, LK_GPU_READ)
                        + (guint32) (product->a_transposed ? begin * product->m : begin));
  lk_op_bind_slice (self->task, &d, product->a, LK_GPU_READ);
  return record_pack (self, &d, &push, LK_TYPE_F32, !product->a_transposed, k, self->packing.m, self->a, NULL, error);
}

static gboolean
pack_b (LkPackedRecord *self, const LkMatmulPart *part, gint64 k, GError **error)
{
  const LkOpMatmul *product = self->product;
  LkGpuDispatch d = lk_op_dispatch (self->node, LK_KERNEL_MATMUL_PACK);
  LkPackPush push = { .rows = (guint32) part->n, .cols = (guint32) (product->b_transposed ? product->k : product->n), .factor = 1,
                      .ld = (guint32) (lk_op_matmul_row_bytes (product) / lk_op_row_unit (product->b_type)) };

  push.in_offset = lk_op_matmul_bind_b (self->task, &d, product, part, &push.b_first);
  push.side_offset = lk_op_matmul_bind_side (self->task, &d, product);
  return record_pack (self, &d, &push, product->b_type, product->b_transposed, k, self->packing.n, self->b, NULL, error);
}

/* A float matrix of @rows rows, @cols of them, that begin where @from does. */
static gboolean
pack_low (LkPackedRecord *self, LkGpuSlice from, gint64 rows, gint64 cols, gboolean turn, float factor, const LkGpuSlice *strength,
          gint64 to_cols, LkGpuSlice to, GError **error)
{
  LkGpuDispatch d = lk_op_dispatch (self->node, LK_KERNEL_MATMUL_PACK);
  LkPackPush push = { .rows = (guint32) rows, .cols = (guint32) cols, .ld = (guint32) (2 * cols), .factor = factor };

  push.in_offset = 2 * lk_op_bind_slice (self->task, &d, from, LK_GPU_READ);
  lk_op_bind_slice (self->task, &d, from, LK_GPU_READ);
  return record_pack (self, &d, &push, LK_TYPE_F32, turn, lk_matmul_packing_steps (turn ? cols : rows), to_cols, to, strength, error);
}

/* Products of low rank are further steps of the contraction, behind its @k: what they add costs no pass over C. The left sides
 * are the same for all pieces of B's columns. */
static gboolean
pack_all_low (LkPackedRecord *self, const LkMatmulPart *part, gint64 k, gboolean left, GError **error)
{
  const LkOpMatmul *product = self->product;

  for (guint i = 0; i < product->n_low; k += lk_matmul_packing_steps (product->low[i++].rank))
    {
      const LkOpLowRank *low = &product->low[i];
      const guint64 row_bytes = (guint64) low->rank * sizeof (float);
      LkGpuSlice right = product->b_transposed
                             ? lk_gpu_slice_part (low->right, (guint64) part->begin * row_bytes, (guint64) part->n * row_bytes)
                             : low->right;

      if (left
          && !pack_low (self, low->left, product->m, low->rank, TRUE, low->alpha * self->a_scale / product->alpha,
                        low->strength.buffer ? &low->strength : NULL,
                        self->packing.m, behind (self->a, self->packing.m, k), error))
        return FALSE;
      if (!pack_low (self, right, product->b_transposed ? part->n : low->rank, product->b_transposed ? low->rank : product->n,
                     product->b_transposed, 1, NULL, self->packing.n, behind (self->b, self->packing.n, k), error))
        return FALSE;
    }
  return TRUE;
}

static void
set_constants (LkPackedRecord *self, LkGpuDispatch *d, const LkMatmulPlan *plan, const LkPackedPush *push)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (self->task->device);
  const LkMatmulTile *tile = plan->tile;
  const guint32 constants[] = { tile->bm, tile->bn, tile->bk, tile->tm, tile->tn, plan->threads, self->product->limit == LK_OP_LIMIT_M,
                                plan->parts == 1 && self->product->strength.buffer != NULL, push->ldc % 4 == 0 && push->c_offset % 4 == 0,
                                device->matrix.m, device->matrix.n, device->matrix.k };

  G_STATIC_ASSERT (G_N_ELEMENTS (constants) <= LK_GPU_MAX_CONSTANTS);
  memcpy (d->constants, constants, sizeof constants);
  d->n_constants = plan->path == LK_MATMUL_MATRIX ? G_N_ELEMENTS (constants) : G_N_ELEMENTS (constants) - 3;
  d->subgroup_size = plan->subgroup_size;
}

/* Bands of tiles, as many as one dispatch may take. */
static gboolean
record_tiles (LkPackedRecord *self, const LkMatmulPlan *plan, const LkPackedPush *push, GError **error)
{
  const LkDevicePlan *device = lk_gpu_device_get_plan (self->task->device);
  const LkOpMatmul *product = self->product;
  gint64 tiles = (product->m + plan->tile->bm - 1) / plan->tile->bm;
  double tile_flops = 2.0 * (double) MIN (product->m, plan->tile->bm) * (double) push->n * (double) push->k;
  gint64 step = CLAMP ((gint64) (device->matrix_dispatch_flops / MAX (tile_flops, 1.0)), 1, tiles);

  for (gint64 at = 0; at < tiles; at += step)
    {
      LkGpuDispatch d = lk_op_dispatch (self->node, plan->path == LK_MATMUL_MATRIX ? LK_KERNEL_MATMUL_PACKED : LK_KERNEL_MATMUL_PACKED8);
      LkPackedPush p = *push;
      gint64 n_tiles = MIN (step, tiles - at);

      lk_op_bind_slice (self->task, &d, self->a, LK_GPU_READ);
      lk_op_bind_slice (self->task, &d, self->b, LK_GPU_READ);
      p.c_offset += lk_op_bind_slice (self->task, &d,
                                      plan->parts > 1 ? lk_gpu_slice_part (self->partial, 0, (guint64) p.c_part * plan->parts * sizeof (float))
                                                      : product->c,
                                      LK_GPU_WRITE | (p.accumulate ? LK_GPU_READ : 0));
      lk_op_bind_slice (self->task, &d, product->strength.buffer ? product->strength : product->a, LK_GPU_READ);
      lk_op_bind_slice (self->task, &d, product->counts.buffer ? product->counts : product->a, LK_GPU_READ);
      set_constants (self, &d, plan, &p);
      p.m_tile = (guint32) at;
      d.groups[2] = plan->parts;
      if (!lk_op_record (self->task, &d, &p, sizeof p, (push->n + plan->tile->bn - 1) / plan->tile->bn, (guint32) n_tiles,
                         tile_flops * (double) n_tiles, error))
        return FALSE;
    }
  return TRUE;
}

static gint64
round_up (gint64 n, gint64 to)
{
  return (n + to - 1) / to * to;
}

/* @k: steps of the contraction, in whole tiles of any depth but the last. */
static gboolean
record_part (LkPackedRecord *self, const LkMatmulPart *part, gint64 k, GError **error)
{
  const LkOpMatmul *product = self->product;
  const gboolean whole = !product->b_transposed || part->n == product->n;
  const guint64 each = (guint64) product->m * (guint64) product->n * sizeof (float);
  LkPackedPush push = { .m = (guint32) product->m, .n = (guint32) (product->b_transposed ? part->n : product->n),
                        .ldc = (guint32) product->n, .c_offset = (guint32) (product->b_transposed ? part->begin : 0),
                        .accumulate = product->accumulate || (!product->b_transposed && part->begin > 0), .count_begin = product->counts_begin,
                        .alpha = product->alpha / self->a_scale, .lda = (guint32) (self->packing.m / 8), .ldb = (guint32) (self->packing.n / 8) };
  LkMatmulShape shape = { product->m, push.n, k, self->partial.size, whole && product->limit == LK_OP_LIMIT_NONE };
  LkMatmulPlan plan;
  gboolean accumulate = push.accumulate != 0;

  lk_matmul_plan_packed (lk_gpu_device_get_plan (self->task->device), &shape, &plan);
  push.k = (guint32) round_up (k, plan.tile->bk);
  push.k_part = plan.parts > 1 ? (guint32) plan.k_part : push.k;
  if (plan.parts == 1)
    return record_tiles (self, &plan, &push, error);
  push.c_part = (guint32) (product->m * product->n);
  push.accumulate = FALSE;
  push.alpha = 1 / self->a_scale;
  return record_tiles (self, &plan, &push, error)
         && lk_op_matmul_record_sum (self->task, self->node, product, lk_gpu_slice_part (self->partial, 0, each * plan.parts), plan.parts, 0,
                                     accumulate, error);
}

/* A piece of B: columns of C, or steps of the contraction, the last of which products of low rank are. */
static gboolean
record_piece (LkPackedRecord *self, const LkMatmulPart *part, gint64 rows, GError **error)
{
  const LkOpMatmul *product = self->product;
  const gboolean columns = product->b_transposed, first = part->begin == 0;
  const gint64 k = columns ? product->k : part->n, steps = lk_matmul_packing_steps (k);
  const gboolean low = product->n_low > 0 && (columns || part->begin + part->n == rows);

  if ((!columns || first) && !pack_a (self, columns ? 0 : part->begin, k, steps, error))
    return FALSE;
  if (!pack_b (self, part, steps, error) || (low && !pack_all_low (self, part, steps, !columns || first, error)))
    return FALSE;
  return record_part (self, part, low ? steps + low_steps (product) - unused_steps (product) : k, error);
}

gboolean
lk_op_matmul_packed (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, GError **error)
{
  LkPackedRecord self = { .task = task, .node = node, .product = product, .a_scale = product->a_scale > 0 ? product->a_scale : 1 };
  gint64 rows = product->b_transposed ? product->n : product->k;
  guint64 b_at, rest;

  lk_matmul_packing (product->m, product->n, product->k, product->b_transposed, low_steps (product), &self.packing);
  b_at = aligned (self.packing.a_bytes);
  rest = aligned (b_at + self.packing.b_bytes);
  self.a = lk_gpu_slice_part (product->scratch, 0, self.packing.a_bytes);
  self.b = lk_gpu_slice_part (product->scratch, b_at, self.packing.b_bytes);
  if (rest < product->scratch.size)
    self.partial = lk_gpu_slice_part (product->scratch, rest, product->scratch.size - rest);
  for (gint64 begin = 0; begin < rows; begin += self.packing.rows)
    {
      LkMatmulPart part = { begin, MIN (self.packing.rows, rows - begin) };

      if (!record_piece (&self, &part, rows, error))
        return FALSE;
    }
  return TRUE;
}
