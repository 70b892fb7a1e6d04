/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-attention-plan.h"

#include <math.h>

#define THREADS 256

/* The kernels without matrix units. Blocks for heads up to 64, 128 and 256 wide, and how many tiles of the head's width and of the block's
 * a kernel keeps. */
static const struct
{
  LkKernel kernel;
  guint blocks[3], wide, square;
} plain[LK_N_ATTENTION_PASSES] = {
  [LK_ATTENTION_FORWARD] = { LK_KERNEL_ATTENTION, { 32, 16, 8 }, 2, 1 },
  [LK_ATTENTION_ROW] = { LK_KERNEL_ATTENTION_ROW, { 1, 1, 1 }, 0, 0 },
  [LK_ATTENTION_DKV] = { LK_KERNEL_ATTENTION_DKV, { 16, 8, 4 }, 4, 2 },
  [LK_ATTENTION_DQ] = { LK_KERNEL_ATTENTION_DQ, { 16, 8, 4 }, 4, 1 },
};

/* Tiles on matrix units, the first that fits is taken: work groups that own many rows read the others less often, and what a
 * subgroup keeps in registers (its rows, and sums as wide as a head or its part of one) must be no more than there are. */
typedef struct
{
  LkAttentionPass pass;
  guint widest; /* channels of a head */
  guint subgroups, split, step;
} Tile;

static const Tile tiles[] = {
  { LK_ATTENTION_FORWARD, 128, 8, 1, 32 },
  { LK_ATTENTION_FORWARD, 128, 4, 1, 32 },
  { LK_ATTENTION_FORWARD, 256, 8, 1, 16 },
  { LK_ATTENTION_FORWARD, 256, 4, 1, 16 },
  { LK_ATTENTION_DQ, 128, 8, 1, 32 },
  { LK_ATTENTION_DQ, 128, 4, 1, 32 },
  { LK_ATTENTION_DQ, 256, 8, 1, 16 },
  { LK_ATTENTION_DQ, 256, 4, 1, 16 },
  { LK_ATTENTION_DKV, 64, 8, 1, 32 },
  { LK_ATTENTION_DKV, 128, 8, 2, 32 },
  { LK_ATTENTION_DKV, 128, 4, 2, 32 },
  { LK_ATTENTION_DKV, 128, 4, 1, 32 },
  { LK_ATTENTION_DKV, 256, 8, 2, 32 },
  { LK_ATTENTION_DKV, 256, 4, 2, 16 },
  { LK_ATTENTION_DKV, 256, 4, 1, 16 },
};

/* Rows of so many 16-bit floats lie in shared memory eight longer. */
#define PADDED(n) ((n) + 8)

/* What each keeps in shared memory besides the tiles of its walk: 16-bit numbers for each row it owns and each of the walk's (scores are
 * float32, twice as long), whether places of elements, and bytes for each of both kinds of rows. */
static const struct
{
  guint squares;
  gboolean index;
  guint own_bytes, step_bytes;
} kept[LK_N_ATTENTION_PASSES] = {
  [LK_ATTENTION_FORWARD] = { 3, FALSE, 0, 0 },
  [LK_ATTENTION_DQ] = { 1, TRUE, 8, 0 },
  [LK_ATTENTION_DKV] = { 2, TRUE, 0, 16 },
};

/* As attention_fragments.glsl and what includes it declare it. */
static guint
matrix_shared_bytes (const Tile *tile, const LkMatrixUnit *unit, guint d)
{
  guint own = tile->subgroups / tile->split * unit->m;
  guint walk = 2 * 2 * tile->step * PADDED (d), square = 2 * own * PADDED (tile->step), hulls = 8 * tile->subgroups;
  guint index = kept[tile->pass].index ? 4 * unit->m * unit->n : 0;

  return hulls + walk + kept[tile->pass].squares * square + index + kept[tile->pass].own_bytes * own
         + kept[tile->pass].step_bytes * tile->step;
}

static gboolean
fits (const Tile *tile, const LkDevicePlan *device, guint d)
{
  const LkMatrixUnit *unit = &device->matrix;
  guint lanes = unit->subgroup_size / unit->m; /* that share a row of scores */

  /* dQ keeps what it knows of at most 16 elements of a lane. */
  return d <= tile->widest && unit->subgroup_size % unit->m == 0 && lanes >= 1 && lanes <= 4
         && unit->m * unit->n <= 16 * unit->subgroup_size && unit->m * unit->n % unit->subgroup_size == 0
         && tile->step % (4 * lanes) == 0 && tile->step % unit->m == 0 && tile->step % unit->k == 0
         && tile->step % (unit->n * tile->split) == 0 && d % (unit->n * tile->split) == 0 && d % unit->k == 0
         && tile->subgroups * unit->subgroup_size <= device->max_threads
         && matrix_shared_bytes (tile, unit, d) <= device->shared_memory;
}

static gboolean
plan_matrix (const LkDevicePlan *device, LkAttentionPass pass, guint d, LkAttentionPlan *out)
{
  static const LkKernel kernels[LK_N_ATTENTION_PASSES][2] = {
    [LK_ATTENTION_FORWARD] = { LK_KERNEL_ATTENTION_MATRIX, LK_KERNEL_ATTENTION_MATRIX8 },
    [LK_ATTENTION_DKV] = { LK_KERNEL_ATTENTION_DKV_MATRIX, LK_KERNEL_ATTENTION_DKV_MATRIX8 },
    [LK_ATTENTION_DQ] = { LK_KERNEL_ATTENTION_DQ_MATRIX, LK_KERNEL_ATTENTION_DQ_MATRIX8 },
  };

  if (!lk_matmul_path_is_matrix (device->matmul) || device->matrix.m == 0 || pass == LK_ATTENTION_ROW || d % 16 != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++)
    {
      const Tile *tile = &tiles[i];

      if (tile->pass != pass || !fits (tile, device, d))
        continue;
      out->kernel = kernels[pass][device->matmul == LK_MATMUL_MATRIX8];
      out->block = tile->subgroups / tile->split * device->matrix.m;
      out->step = tile->step;
      out->subgroups = tile->subgroups;
      out->split = tile->split;
      out->subgroup_size = device->matrix.subgroup_size;
      out->threads = tile->subgroups * out->subgroup_size;
      out->shared_bytes = matrix_shared_bytes (tile, &device->matrix, d);
      return TRUE;
    }
  return FALSE;
}

void
lk_attention_plan (const LkDevicePlan *device, LkAttentionPass pass, gint64 d, LkAttentionPlan *out)
{
  guint block = plain[pass].blocks[d <= 64 ? 0 : d <= 128 ? 1 : 2];

  *out = (LkAttentionPlan){ .kernel = plain[pass].kernel, .block = block, .step = block };
  if (plan_matrix (device, pass, (guint) d, out))
    return;
  if (pass == LK_ATTENTION_ROW)
    {
      out->threads = THREADS;
      out->shared_bytes = sizeof (float) * ((guint) d + THREADS + THREADS); /* the last for sums and maxima of the group */
      return;
    }
  out->threads = pass == LK_ATTENTION_FORWARD ? THREADS : block * block;
  /* Rows one float longer: neighbours lie in other banks. */
  out->shared_bytes = sizeof (float) * block * (plain[pass].wide * ((guint) d + 1) + plain[pass].square * (block + 1));
}

/* As if none of the loops over fragments were unrolled. */
static double
matrix_rounds (const LkAttentionPlan *self, const LkMatrixUnit *unit, LkAttentionPass pass, double d)
{
  double step = self->step, own = unit->m * unit->n / (double) unit->subgroup_size; /* elements of a fragment */
  double share = 2 * (step * d / 4 / self->threads + 1), cols = d / unit->n / self->split;
  double scores = step / unit->n / self->split * (1 + d / unit->k + own), sums = step / unit->k * (1 + cols);

  return share + scores + sums + (pass == LK_ATTENTION_FORWARD ? 2 * step + own * (1 + cols) : step);
}

double
lk_attention_plan_rounds (const LkAttentionPlan *self, const LkDevicePlan *device, LkAttentionPass pass, gint64 d, guint repeats)
{
  double block = self->block, width = (double) d;
  gint64 run = d % 16 == 0 ? 16 : d % 4 == 0 ? 4 : 1; /* as STEP in attention.comp */

  if (self->subgroups > 0)
    return repeats * matrix_rounds (self, &device->matrix, pass, width) + self->step; /* a step of the search for where the walk begins */
  if (pass != LK_ATTENTION_FORWARD)
    return block + repeats * (2.0 * width / block + width + block);
  return 2.0 * ceil (block * width / THREADS) + ceil (block * block / THREADS) * (1.0 + (double) (d / run)) + 2.0 * block
         + ceil (block / (THREADS / block));
}
