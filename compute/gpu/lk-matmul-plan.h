/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which kernel makes a matrix product, with which tile, and into how many parts its contraction is cut: a pure
 * function of the device's plan and the product's shape. Tiles are rows of a table; the one whose work groups
 * would be done first by a simple model is taken, so that tuning changes numbers of rows and nothing else.
 */
#pragma once

#include "lk-device-plan.h"

G_BEGIN_DECLS

/* One row of the table. */
typedef struct
{
  const char *name;
  LkMatmulPath path; /* LK_MATMUL_FLOAT32 also stands for the 16-bit kernel of the same shape */
  guint bm, bn, bk;  /* the tile of a work group and its depth */
  guint tm, tn;      /* the part of it a thread makes, or a subgroup on matrix units */
  guint stages;      /* slices in shared memory; 1: loaded without registers in between */
  /* How much of the path's rate a device that is full of such tiles reaches, hardware and software; 0: not used
   * there. */
  double hardware, software;
} LkMatmulTile;

typedef struct
{
  gint64 m, n, k;
  guint64 scratch;     /* bytes of working memory at hand for partial sums */
  gboolean splittable; /* neither dropout of the product nor a limit read on the device */
} LkMatmulShape;

typedef struct
{
  LkMatmulPath path;
  const LkMatmulTile *tile;
  guint threads;       /* of a work group */
  guint subgroup_size; /* to be asked for; 0: the driver's choice */
  guint shared_bytes;
  guint parts;         /* the contraction is cut into as many, each of k_part elements */
  gint64 k_part;       /* a multiple of the tile's bk when there are parts, else k */
} LkMatmulPlan;

/* Never fails: the smallest float32 tile runs wherever lk_device_plan_make() succeeds. */
void lk_matmul_plan (const LkDevicePlan *device, const LkMatmulShape *shape, LkMatmulPlan *out);

/* The same for a product whose sides were unpacked first. FALSE where the device has no tile for that. */
gboolean lk_matmul_plan_packed (const LkDevicePlan *device, const LkMatmulShape *shape, LkMatmulPlan *out);

/* How the sides of a product lie once they are unpacked (shaders/matmul_pack.comp): A as [k, m], B as [k, n], 16-bit floats,
 * each length rounded up to whole tiles. B is unpacked as many of its stored rows at a time as a bounded piece of memory
 * holds, so that no second copy of a weight exists: columns of C where it is stored [n, k], steps of the
 * contraction where it is stored [k, n]. */
typedef struct
{
  gint64 m, n, k;           /* rounded up; of one piece */
  gint64 rows;              /* of B in a piece */
  gint64 low;               /* steps behind the last piece's, for products of low rank that are added to this one */
  guint64 a_bytes, b_bytes; /* of one piece */
} LkMatmulPacking;

/* Steps that a contraction of @k takes once it is unpacked: for the low of a product of rank @k, too. */
gint64 lk_matmul_packing_steps (gint64 k);

/* FALSE where a product is too small for it to be worth its time. */
gboolean lk_matmul_packing (gint64 m, gint64 n, gint64 k, gboolean b_transposed, gint64 low, LkMatmulPacking *out);

/* Bytes of working memory with which a product may be cut into parts or have its sides unpacked: a function of its shape
 * alone, because memory is planned before a device is known. 0 where neither can be worth it. */
guint64 lk_matmul_plan_scratch (gint64 m, gint64 n, gint64 k, gboolean b_transposed, gint64 low);

/* The table, ended by a row without a name, and what a row needs on a device. */
const LkMatmulTile *lk_matmul_tiles (void);
guint lk_matmul_tile_threads (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);
guint lk_matmul_tile_shared_bytes (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);
gboolean lk_matmul_tile_fits (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);

G_END_DECLS
