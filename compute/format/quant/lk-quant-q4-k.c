/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 144 bytes for 256 elements: d and dmin (half each), 12 bytes of 6-bit scales and minimums for eight sub-blocks of
 * 32, 128 bytes of nibbles; 32 bytes hold two sub-blocks, the first in the low nibbles.
 */
#include "lk-quant-k-scales.h"

static const LkQuantSearch search = { .n = 32, .top = 15, .first = -1.0f, .step = 0.1f, .tries = 20 };

void
LK_QUANT (q4_k_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[64];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 144, out += LK_K_BLOCK)
    {
      float d = lk_quant_load_half (block), dmin = lk_quant_load_half (block + 2);

      for (int k = 0; k < 8; k++)
        {
          int scale, least;

          if (k % 2 == 0)
            lk_quant_nibbles32 (block + 16 + 16 * k, q);
          lk_quant_k_scale (block + 4, k, &scale, &least);
          lk_quant_widen_plus (q + 32 * (k & 1), 32, d * (float) scale, -dmin * (float) least, out + 32 * k);
        }
    }
}

void
LK_QUANT (q4_k_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 144, in += LK_K_BLOCK)
    {
      lk_quant_k_choose (&search, in, block, levels);
      for (int c = 0; c < 4; c++)
        for (int l = 0; l < 32; l++)
          block[16 + 32 * c + l] = (guint8) (levels[64 * c + l] | levels[64 * c + 32 + l] << 4);
    }
}
