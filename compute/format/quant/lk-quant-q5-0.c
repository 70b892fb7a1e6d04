/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 22 bytes for 32 elements: scale (half), fifth bits (32 bits, bit j is element j), 16 bytes whose low nibbles are
 * elements 0–15, high nibbles 16–31.
 */
#include <math.h>

#include "lk-quant-private.h"

void
LK_QUANT (q5_0_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[32];

  for (gint64 b = 0; b < n / 32; b++, block += 22, out += 32)
    {
      lk_quant_nibbles (block + 6, 0, q);
      lk_quant_fifth (block + 2, 0, -16, q);
      lk_quant_widen (q, 32, lk_quant_load_half (block), out);
    }
}

void
LK_QUANT (q5_0_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 22, in += 32)
    {
      float largest = 0, d, inverse;
      guint32 fifth = 0;

      for (int j = 0; j < 32; j++)
        if (fabsf (in[j]) > fabsf (largest))
          largest = in[j];
      d = largest / -16;
      inverse = d != 0 ? 1 / d : 0;
      lk_quant_store_half (block, d);
      for (int j = 0; j < 16; j++)
        {
          guint8 low = lk_quant_level (in[j] * inverse + 16.5f, 31);
          guint8 high = lk_quant_level (in[j + 16] * inverse + 16.5f, 31);

          block[6 + j] = (guint8) ((low & 15) | (high & 15) << 4);
          fifth |= (guint32) (low >> 4) << j | (guint32) (high >> 4) << (j + 16);
        }
      lk_quant_store32 (block + 2, fifth);
    }
}
