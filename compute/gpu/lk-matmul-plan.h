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
  guint64 scratch;    /* bytes of working memory at hand for partial sums */
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

/* Bytes of working memory with which a product may be cut into parts: a function of its shape alone, because memory is
 * planned before a device is known. 0 where cutting cannot be worth it. */
guint64 lk_matmul_plan_scratch (gint64 m, gint64 n, gint64 k);

/* The table, ended by a row without a name, and what a row needs on a device. */
const LkMatmulTile *lk_matmul_tiles (void);
guint lk_matmul_tile_threads (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);
guint lk_matmul_tile_shared_bytes (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);
gboolean lk_matmul_tile_fits (const LkMatmulTile *tile, const LkDevicePlan *device, LkMatmulPath path);

G_END_DECLS
