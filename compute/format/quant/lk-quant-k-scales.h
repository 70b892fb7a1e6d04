/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Q4_K and Q5_K share: eight 6-bit scales and eight 6-bit minimums in 12 bytes, and how they are chosen.
 */
#pragma once

#include "lk-quant-private.h"
#include "lk-quant-search.h"

G_BEGIN_DECLS

#define lk_quant_k_choose LK_QUANT (k_choose)

static inline void
lk_quant_k_scale (const guint8 *packed, int k, int *scale, int *least)
{
  if (k < 4)
    {
      *scale = packed[k] & 63;
      *least = packed[k + 4] & 63;
    }
  else
    {
      *scale = (packed[k + 4] & 15) | (packed[k - 4] >> 6) << 4;
      *least = packed[k + 4] >> 4 | (packed[k] >> 6) << 4;
    }
}

/* Quantises 256 values: writes d, dmin and the packed scales to @header (16 bytes) and the levels, one a byte. */
void lk_quant_k_choose (const LkQuantSearch *search, const float *in, guint8 *header, guint8 *levels);

G_END_DECLS
