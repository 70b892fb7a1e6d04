/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 176 bytes for 256 elements: d and dmin (half each), 12 bytes of 6-bit scales and minimums for eight sub-blocks of
 * 32, 32 bytes of fifth bits (bit k of byte l is element l of sub-block k), 128 bytes of nibbles as in Q4_K.
 */
#include "lk-quant-k-scales.h"

static const LkQuantSearch search = { .n = 32, .top = 31, .first = -0.5f, .step = 0.1f, .tries = 15 };

void
LK_QUANT (q5_k_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 176, out += LK_K_BLOCK)
    {
      float d = lk_quant_load_half (block), dmin = lk_quant_load_half (block + 2);

      for (int c = 0; c < 4; c++)
        lk_quant_nibbles32 (block + 48 + 32 * c, q + 64 * c);
      for (int k = 0; k < 8; k++)
        {
          int scale, least;

          for (int l = 0; l < 32; l++)
            q[32 * k + l] = (gint8) (q[32 * k + l] | (block[16 + l] >> k & 1) << 4);
          lk_quant_k_scale (block + 4, k, &scale, &least);
          lk_quant_widen_plus (q + 32 * k, 32, d * (float) scale, -dmin * (float) least, out + 32 * k);
        }
    }
}

void
LK_QUANT (q5_k_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 176, in += LK_K_BLOCK)
    {
      guint8 *fifth = block + 16;

      lk_quant_k_choose (&search, in, block, levels);
      memset (fifth, 0, 32);
      for (int k = 0; k < 8; k++)
        for (int l = 0; l < 32; l++)
          fifth[l] |= (guint8) (levels[32 * k + l] >> 4 << k);
      for (int c = 0; c < 4; c++)
        for (int l = 0; l < 32; l++)
          block[48 + 32 * c + l] = (guint8) ((levels[64 * c + l] & 15) | (levels[64 * c + 32 + l] & 15) << 4);
    }
}
