/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-matmul-plan.h"

/* Largest first; among equals the earlier row wins. Efficiencies are first numbers after what is published of
 * kernels of this design, relative to the largest tile. */
static const LkMatmulTile tiles[] = {
  { "128x128x32", LK_MATMUL_MATRIX, 128, 128, 32, 64, 32, 2, 1.00, 0 },
  { "128x128x16", LK_MATMUL_MATRIX, 128, 128, 16, 64, 32, 2, 0.90, 0 },
  { "64x64x32", LK_MATMUL_MATRIX, 64, 64, 32, 32, 32, 2, 0.70, 1.0 },
  { "64x64x16", LK_MATMUL_MATRIX, 64, 64, 16, 32, 32, 2, 0.60, 0.9 },
  { "128x32x32", LK_MATMUL_MATRIX, 128, 32, 32, 32, 32, 2, 0.50, 0.7 },
  { "32x128x32", LK_MATMUL_MATRIX, 32, 128, 32, 32, 32, 2, 0.50, 0.7 },
  { "64x16x32", LK_MATMUL_MATRIX, 64, 16, 32, 16, 16, 2, 0.25, 0.4 },
  { "16x64x32", LK_MATMUL_MATRIX, 16, 64, 32, 16, 16, 2, 0.25, 0.4 },

  { "128x128x16", LK_MATMUL_FLOAT32, 128, 128, 16, 8, 8, 2, 1.00, 0 },
  { "128x128x8", LK_MATMUL_FLOAT32, 128, 128, 8, 8, 8, 2, 0.95, 0 },
  { "128x64x16", LK_MATMUL_FLOAT32, 128, 64, 16, 8, 8, 2, 0.85, 0 },
  { "64x64x16", LK_MATMUL_FLOAT32, 64, 64, 16, 8, 4, 2, 0.75, 0 },
  { "64x32x16", LK_MATMUL_FLOAT32, 64, 32, 16, 4, 4, 2, 0.50, 0 },
  { "32x64x16", LK_MATMUL_FLOAT32, 32, 64, 16, 4, 4, 2, 0.50, 0 },
  { "64x16x16", LK_MATMUL_FLOAT32, 64, 16, 16, 4, 4, 2, 0.30, 0 },
  { "16x64x16", LK_MATMUL_FLOAT32, 16, 64, 16, 4, 4, 2, 0.30, 0 },
  { "64x64x16 of one stage", LK_MATMUL_FLOAT32, 64, 64, 16, 8, 8, 1, 0, 1.0 },
  { "64x16x16 of one stage", LK_MATMUL_FLOAT32, 64, 16, 16, 4, 4, 1, 0, 0.5 },
  { "16x64x16 of one stage", LK_MATMUL_FLOAT32, 16, 64, 16, 4, 4, 1, 0, 0.5 },
  { "16x16x16 of one stage", LK_MATMUL_FLOAT32, 16, 16, 16, 4, 4, 1, 0, 0.3 },
  { NULL },
};

/* The same for sides that were unpacked first (shaders/matmul_packed.glsl). */
static const LkMatmulTile packed_tiles[] = {
  { "packed 128x128x32", LK_MATMUL_MATRIX, 128, 128, 32, 64, 64, 1, 1.00, 0 },
  { "packed 128x64x32", LK_MATMUL_MATRIX, 128, 64, 32, 64, 32, 1, 0.70, 0 },
  { "packed 64x64x32", LK_MATMUL_MATRIX, 64, 64, 32, 32, 32, 1, 0.55, 0 },
  { "packed 32x32x16", LK_MATMUL_MATRIX, 32, 32, 16, 16, 16, 1, 0, 1.0 },
  { NULL },
};

/* Sums a lane may hold: more are spilled. */
#define MOST_SUMS 128

/* Whole tiles of every row of the table; the smallest product that is worth it; of B at a time. */
#define PACKED_SIDE 128
#define PACKED_DEPTH 64
#define PACKED_LEAST_ROWS 256
#define PACKED_BYTES (64 << 20)

/* A product is cut into parts only where each still sums this much, and never into more than so many. */
#define LEAST_PART 512
#define MOST_PARTS 16

/* Partial sums beyond this many floats cost more traffic than idle units are worth. */
#define MOST_PARTIAL_SUMS (4 << 20)

/* Work groups a unit holds at once: the next one loads while this one multiplies. */
#define GROUPS_A_UNIT 2

const LkMatmulTile *
lk_matmul_tiles (void)
{
  return tiles;
}

guint
lk_matmul_tile_threads (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path)
{
  guint parts = tile->bm / tile->tm * (tile->bn / tile->tn);

  return lk_matmul_path_is_matrix (path) ? parts * device->matrix.subgroup_size : parts;
}

/* As shaders/matmul_threads.glsl and matmul_matrix.glsl declare it. */
guint
lk_matmul_tile_shared_bytes (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path)
{
  const LkMatrixUnit *unit = &device->matrix;
  guint fragments;

  if (!lk_matmul_path_is_matrix (path))
    return tile->stages * tile->bk * (tile->bm + 4 + tile->bn + 4) * (path == LK_MATMUL_FLOAT32 ? 4 : 2);
  /* Each slice in whichever of its two directions takes more. */
  fragments = tile->bm / tile->tm * (tile->bn / tile->tn) * unit->m * unit->n * 4;
  return fragments
         + tile->stages * 2 * (MAX (tile->bm * (tile->bk + 8), tile->bk * (tile->bm + 8))
                               + MAX (tile->bn * (tile->bk + 8), tile->bk * (tile->bn + 8)));
}

gboolean
lk_matmul_tile_fits (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path)
{
  const LkMatrixUnit *unit = &device->matrix;
  gboolean matrix = lk_matmul_path_is_matrix (path);
  guint largest = matrix ? device->largest_matrix_tile : device->largest_tile;

  if (matrix != (tile->path == LK_MATMUL_MATRIX)
      || (!device->tile && (device->software ? tile->software : tile->hardware) <= 0))
    return FALSE;
  if (matrix
      && (unit->m == 0 || tile->tm % unit->m || tile->tn % unit->n || tile->bk % unit->k))
    return FALSE;
  return (device->tile ? g_str_equal (tile->name, device->tile) : tile->bm * tile->bn <= largest)
         && lk_matmul_tile_threads (tile, device, path) <= device->max_threads
         && lk_matmul_tile_shared_bytes (tile, device, path) <= device->shared_memory;
}

/* As shaders/matmul_packed.glsl declares it. */
static guint
packed_shared_bytes (const LkMatmulTile *tile, const LkDevicePlan *device)
{
  const LkMatrixUnit *unit = &device->matrix;

  return tile->bk * (tile->bm / 8 + 1 + tile->bn / 8 + 1) * 16 + tile->bm / tile->tm * (tile->bn / tile->tn) * unit->m * unit->n * 4;
}

static gboolean
packed_fits (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path)
{
  const LkMatrixUnit *unit = &device->matrix;
  guint threads;

  if (!lk_matmul_path_is_matrix (path) || (device->software ? tile->software : tile->hardware) <= 0
      || tile->tm % unit->m || tile->tn % unit->n || tile->bk % unit->k || tile->bm * tile->bn > device->largest_matrix_tile)
    return FALSE;
  threads = lk_matmul_tile_threads (tile, device, path);
  return threads <= device->max_threads && tile->tm * tile->tn <= MOST_SUMS * unit->subgroup_size
         && threads % (tile->bm / 8) == 0 && threads % (tile->bn / 8) == 0 && tile->bm * tile->bk / 8 % threads == 0
         && tile->bn * tile->bk / 8 % threads == 0 && packed_shared_bytes (tile, device) <= device->shared_memory;
}

static gint64
divide_up (gint64 n, gint64 d)
{
  return (n + d - 1) / d;
}

/* Into how many parts to cut so that no unit idles, as far as scratch and depth go. */
static guint
choose_parts (const LkDevicePlan *device, const LkMatmulShape *shape, const LkMatmulTile *tile)
{
  gint64 groups = divide_up (shape->m, tile->bm) * divide_up (shape->n, tile->bn);
  gint64 room = (gint64) device->compute_units * GROUPS_A_UNIT;
  guint64 each = (guint64) shape->m * (guint64) shape->n * sizeof (float);
  gint64 parts = MIN (room / groups, MIN (shape->k / LEAST_PART, MOST_PARTS));

  if (!shape->splittable || 2 * groups > room)
    return 1;
  return (guint) MAX (1, MIN (parts, (gint64) (shape->scratch / each)));
}

/* Time in units of one element's sum at the path's full rate on one unit. */
static double
estimate (const LkDevicePlan *device, const LkMatmulShape *shape, const LkMatmulTile *tile, guint parts)
{
  double groups = (double) (divide_up (shape->m, tile->bm) * divide_up (shape->n, tile->bn)) * parts;
  double room = (double) device->compute_units * GROUPS_A_UNIT;
  double waves = groups <= room ? 1 : (double) divide_up ((gint64) groups, (gint64) room);
  double depth = (double) divide_up (divide_up (shape->k, parts), tile->bk) * tile->bk;

  return waves * depth * tile->bm * tile->bn / MAX (device->software ? tile->software : tile->hardware, 0.1);
}

typedef gboolean (*TileFits) (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);

/* The row of @table that would be done first; NULL where none fits. */
static void
choose_tile (const LkDevicePlan *device, const LkMatmulShape *shape, const LkMatmulTile *table, TileFits fits, LkMatmulPlan *out)
{
  double best = G_MAXDOUBLE;

  for (const LkMatmulTile *tile = table; tile->name; tile++)
    {
      guint parts;
      double time;

      if (!fits (tile, device, out->path))
        continue;
      parts = choose_parts (device, shape, tile);
      time = estimate (device, shape, tile, parts);
      if (out->tile && time >= best)
        continue;
      best = time;
      out->tile = tile;
      out->parts = parts;
    }
}

static void
finish_plan (const LkDevicePlan *device, const LkMatmulShape *shape, LkMatmulPlan *out)
{
  out->threads = lk_matmul_tile_threads (out->tile, device, out->path);
  out->subgroup_size = lk_matmul_path_is_matrix (out->path) ? device->matrix.subgroup_size : 0;
  out->k_part = shape->k;
  if (out->parts > 1)
    {
      out->k_part = divide_up (divide_up (shape->k, out->parts), out->tile->bk) * out->tile->bk;
      out->parts = (guint) divide_up (shape->k, out->k_part);
    }
}

void
lk_matmul_plan (const LkDevicePlan *device, const LkMatmulShape *shape, LkMatmulPlan *out)
{
  *out = (LkMatmulPlan){ .path = device->matmul };
  choose_tile (device, shape, tiles, lk_matmul_tile_fits, out);
  g_assert (out->tile);
  finish_plan (device, shape, out);
  out->shared_bytes = lk_matmul_tile_shared_bytes (out->tile, device, out->path);
}

gboolean
lk_matmul_plan_packed (const LkDevicePlan *device, const LkMatmulShape *shape, LkMatmulPlan *out)
{
  *out = (LkMatmulPlan){ .path = device->matmul };
  choose_tile (device, shape, packed_tiles, packed_fits, out);
  if (!out->tile)
    return FALSE;
  finish_plan (device, shape, out);
  out->shared_bytes = packed_shared_bytes (out->tile, device);
  return TRUE;
}

static gint64
round_up (gint64 n, gint64 to)
{
  return divide_up (n, to) * to;
}

gint64
lk_matmul_packing_steps (gint64 k)
{
  return round_up (k, PACKED_DEPTH);
}

gboolean
lk_matmul_packing (gint64 m, gint64 n, gint64 k, gboolean b_transposed, gint64 low, LkMatmulPacking *out)
{
  gint64 width = b_transposed ? lk_matmul_packing_steps (k) : round_up (n, PACKED_SIDE);
  gint64 least = b_transposed ? PACKED_SIDE : PACKED_DEPTH;
  gint64 most = MAX (least, PACKED_BYTES / 2 / width / least * least);

  if (m < PACKED_LEAST_ROWS || n < PACKED_SIDE || k < PACKED_SIDE)
    return FALSE;
  out->rows = MIN (b_transposed ? n : k, most);
  out->m = round_up (m, PACKED_SIDE);
  out->n = b_transposed ? round_up (out->rows, PACKED_SIDE) : width;
  out->k = b_transposed ? width : lk_matmul_packing_steps (out->rows);
  out->low = low;
  out->a_bytes = (guint64) out->m * (guint64) (out->k + low) * 2;
  out->b_bytes = (guint64) out->n * (guint64) (out->k + low) * 2;
  return TRUE;
}

guint64
lk_matmul_plan_scratch (gint64 m, gint64 n, gint64 k, gboolean b_transposed, gint64 low)
{
  gint64 parts = MIN (k / LEAST_PART, MOST_PARTS);
  LkMatmulPacking packing;
  guint64 bytes = 0;

  if (lk_matmul_packing (m, n, k, b_transposed, low, &packing))
    bytes = packing.a_bytes + packing.b_bytes;
  if (parts < 2 || n > MOST_PARTIAL_SUMS / m)
    return bytes;
  parts = MIN (parts, MOST_PARTIAL_SUMS / (m * n));
  return parts < 2 ? bytes : bytes + (guint64) (parts * m * n) * sizeof (float);
}
