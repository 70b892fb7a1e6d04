/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 66 bytes for 256 elements of −1, 0 and 1 times a scale: 64 bytes of bit pairs (value + 1) in the order of Q2_K
 * (in each half of 128, pair j of byte l is element 32j + l), d (half).
 */
#include "lk-quant-ternary.h"

void
LK_QUANT (tq2_0_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 66, out += LK_K_BLOCK)
    {
      lk_quant_pairs (block, q);
      for (int i = 0; i < LK_K_BLOCK; i++)
        q[i] = (gint8) (q[i] - 1);
      lk_quant_widen (q, LK_K_BLOCK, lk_quant_load_half (block + 64), out);
    }
}

void
LK_QUANT (tq2_0_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, digits[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 66, in += LK_K_BLOCK)
    {
      lk_quant_store_half (block + 64, lk_quant_ternary (in, digits));
      for (int h = 0; h < 2; h++)
        for (int l = 0; l < 32; l++)
          {
            const guint8 *q = digits + 128 * h + l;

            block[32 * h + l] = (guint8) (q[0] | q[32] << 2 | q[64] << 4 | q[96] << 6);
          }
    }
}
