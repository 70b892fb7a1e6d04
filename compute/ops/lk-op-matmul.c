/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-gpu.h"

#include <string.h>

/* As in shaders/matvec.comp. */
#define MATVEC_ROWS 4
#define MATVEC_OUTPUTS 4

/* As Push in shaders/matmul.comp. */
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
} LkMatmulPush;

/* The longest sum one dispatch makes on a software device, see lk_op_matmul. */
#define LK_SOFTWARE_DEPTH 16384

/* A tile of C, and the part of it one thread makes. */
typedef struct
{
  guint32 bm, bn, tm, tn;
} LkMatmulTile;

/* The more one thread makes, the fewer reads of shared memory a product costs; but hardware wants many
 * threads. */
static LkMatmulTile
choose_tile (const LkDevicePlan *plan, gint64 m, gint64 n)
{
  static const LkMatmulTile large = { 128, 128, 8, 8 }, software = { 64, 64, 8, 8 };
  static const LkMatmulTile tiles[2][2] = { { { 64, 64, 4, 4 }, { 64, 16, 4, 4 } },
                                            { { 16, 64, 4, 4 }, { 16, 16, 2, 2 } } };

  if (m <= 16 || n <= 16)
    return tiles[m <= 16][n <= 16];
  if (plan->software)
    return software;
  return m > 128 && n > 128 ? large : tiles[0][0];
}

/* Rows [begin, begin + n) of B as packed in its file. */
typedef struct
{
  gint64 begin, n;
} LkMatmulPart;

static guint64
row_bytes (const LkOpMatmul *product)
{
  guint64 bytes = 0;

  /* The program's tensors are whole blocks, so that this cannot fail. */
  lk_type_row_bytes (product->b_type, (guint64) (product->b_transposed ? product->k : product->n), &bytes);
  return bytes;
}

/* The rows of @part, and what stands on the matrix's side, which all parts share. */
static void
bind_b (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product, const LkMatmulPart *part, LkMatmulPush *push)
{
  const guint64 bytes = row_bytes (product);
  const guint unit = lk_op_row_unit (product->b_type);

  push->b_offset = (guint32) (lk_op_bind_bytes (task, d, lk_gpu_slice_part (product->b, (guint64) part->begin * bytes, (guint64) part->n * bytes),
                                                LK_GPU_READ)
                              / unit);
  push->b_first = (guint32) ((guint64) part->begin * bytes / unit) - push->b_offset;
}

static void
bind_side (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product, LkMatmulPush *push)
{
  gint64 rows = product->b_transposed ? product->n : product->k, cols = product->b_transposed ? product->k : product->n;
  guint64 begin = 0, all = 0;
  LkGpuSlice side = product->a;

  if (lk_type_info (product->b_type)->side_bytes > 0 && lk_type_side_offset (product->b_type, (guint64) rows, (guint64) cols, &begin)
      && lk_type_bytes (product->b_type, (guint64) rows, (guint64) cols, &all))
    side = lk_gpu_slice_part (product->b, begin, all - begin);
  push->side_offset = lk_op_bind_slice (task, d, side, LK_GPU_READ);
}

static void
set_constants (LkGpuDispatch *d, const LkOpMatmul *product, const LkMatmulTile *tile)
{
  const guint32 constants[] = {
    (guint32) product->b_type, product->a_transposed, product->b_transposed, product->dropout, product->limit,
    product->strength.buffer != NULL, tile->bm, tile->bn, tile->tm, tile->tn,
    tile->bm / tile->tm * (tile->bn / tile->tn),
  };

  memcpy (d->constants, constants, sizeof constants);
  d->n_constants = G_N_ELEMENTS (constants);
}

static void
fill_push (LkMatmulPush *push, const LkOpMatmul *product, const LkMatmulPart *part)
{
  gint64 first_k = product->b_transposed ? 0 : part->begin;

  push->m = (guint32) product->m;
  push->n = (guint32) (product->b_transposed ? part->n : product->n);
  push->k = (guint32) (product->b_transposed ? product->k : part->n);
  push->lda = (guint32) (product->a_transposed ? product->m : product->k);
  push->ldb = (guint32) (row_bytes (product) / lk_op_row_unit (product->b_type));
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
  bind_b (task, &d, product, part, &push);
  push.c_offset
    += lk_op_bind_slice (task, &d, product->c, LK_GPU_WRITE | (push.accumulate ? LK_GPU_READ : 0));
  lk_op_bind_slice (task, &d, product->strength.buffer ? product->strength : product->a, LK_GPU_READ);
  bind_side (task, &d, product, &push);
  return lk_op_record (task, &d, &push, sizeof push, lk_op_groups (push.n, MATVEC_OUTPUTS), 1,
                       2.0 * (double) product->m * (double) push.n * (double) push.k, error);
}

static gboolean
record_part (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, const LkMatmulPart *part,
             GError **error)
{
  const LkDevicePlan *plan = lk_gpu_device_get_plan (task->device);
  const LkMatmulTile tile = choose_tile (plan, product->m, product->n);
  LkMatmulPush push = { 0 };
  double tile_flops, k;
  gint64 tiles = (product->m + tile.bm - 1) / tile.bm, step;

  fill_push (&push, product, part);
  k = (double) push.k;
  tile_flops = 2.0 * (double) MIN (product->m, tile.bm) * (double) push.n * k;
  step = CLAMP ((gint64) (plan->dispatch_flops / MAX (tile_flops, 1.0)), 1, tiles);
  for (gint64 at = 0; at < tiles; at += step)
    {
      LkGpuDispatch d = lk_op_dispatch (node, LK_KERNEL_MATMUL);
      LkMatmulPush p = push;
      gint64 n_tiles = MIN (step, tiles - at);

      set_constants (&d, product, &tile);
      p.a_offset += lk_op_bind_slice (task, &d, product->a, LK_GPU_READ);
      bind_b (task, &d, product, part, &p);
      p.c_offset
        += lk_op_bind_slice (task, &d, product->c, LK_GPU_WRITE | (push.accumulate ? LK_GPU_READ : 0));
      lk_op_bind_slice (task, &d, product->strength.buffer ? product->strength : product->a, LK_GPU_READ);
      lk_op_bind_slice (task, &d, product->random.buffer ? product->random : product->a, LK_GPU_READ);
      lk_op_bind_slice (task, &d, product->counts.buffer ? product->counts : product->a, LK_GPU_READ);
      bind_side (task, &d, product, &p);
      p.m_tile = (guint32) at;
      if (!lk_op_record (task, &d, &p, sizeof p, (push.n + tile.bn - 1) / tile.bn, (guint32) n_tiles,
                         tile_flops * (double) n_tiles, error))
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
  const guint64 bytes = row_bytes (product);
  gint64 rows = product->b_transposed ? product->n : product->k;
  gint64 step = rows;

  if (!lk_op_check_type (product->b_type, TRUE, error))
    return FALSE;
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
  return TRUE;
}
