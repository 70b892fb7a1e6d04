/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 18 bytes for 32 elements: scale (half), 16 bytes whose low nibbles are elements 0–15, high nibbles 16–31.
 */
#include <math.h>

#include "lk-quant-private.h"

void
LK_QUANT (q4_0_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[32];

  for (gint64 b = 0; b < n / 32; b++, block += 18, out += 32)
    {
      lk_quant_nibbles (block + 2, 8, q);
      lk_quant_widen (q, 32, lk_quant_load_half (block), out);
    }
}

void
LK_QUANT (q4_0_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 18, in += 32)
    {
      float largest = 0, d, inverse;

      for (int j = 0; j < 32; j++)
        if (fabsf (in[j]) > fabsf (largest))
          largest = in[j];
      d = largest / -8;
      inverse = d != 0 ? 1 / d : 0;
      lk_quant_store_half (block, d);
      for (int j = 0; j < 16; j++)
        block[2 + j] = (guint8) (lk_quant_level (in[j] * inverse + 8.5f, 15)
                                 | lk_quant_level (in[j + 16] * inverse + 8.5f, 15) << 4);
    }
}
