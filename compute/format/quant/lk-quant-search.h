/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The scale searches of the K types: fit n values by scale·level (+ offset), in the order of operations of the
 * reference quantisers, so that blocks come out bit for bit the same. All arithmetic is float32.
 */
#pragma once

#include "lk-quant-private.h"

G_BEGIN_DECLS

#define lk_quant_search_offset LK_QUANT (search_offset)
#define lk_quant_search_weights LK_QUANT (search_weights)
#define lk_quant_search_symmetric LK_QUANT (search_symmetric)
#define lk_quant_search_descent LK_QUANT (search_descent)

#define LK_QUANT_TINY 1e-15f /* sub-blocks with no larger magnitude are stored as zero */

typedef struct
{
  int n;             /* values of a sub-block, at most 32 */
  int top;           /* levels are 0…top */
  float first, step; /* of the inverse scales tried: (first + step·i + top) / range, i = 0…tries */
  int tries;
  gboolean absolute; /* the error is |difference| and not its square */
} LkQuantSearch;

/* Fits value ≈ scale·level − *offset, offset ≥ 0. Returns the scale; 0 when all values are equal. */
float lk_quant_search_offset (const LkQuantSearch *search, const float *x, const float *weights, guint8 *levels,
                              float *offset);

/* Weights of the 4- and 5-bit types: root mean square of the sub-block plus magnitude. */
void lk_quant_search_weights (const float *x, int n, float *weights);

/* Fits value ≈ scale·(level − top) for levels 0…2·top−1, weights x². Returns the scale, of either sign. */
float lk_quant_search_symmetric (const float *x, int n, int top, guint8 *levels);

/* The same by coordinate descent, for the 3-bit type. */
float lk_quant_search_descent (const float *x, int n, int top, guint8 *levels);

static inline int
lk_quant_clamp (int value, int least, int most)
{
  return value < least ? least : value > most ? most : value;
}

G_END_DECLS
