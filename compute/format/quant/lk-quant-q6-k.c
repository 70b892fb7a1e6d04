/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 210 bytes for 256 elements: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales of sub-blocks
 * of 16, d (half). In each half of 128: group g of 32 elements has its low bits in nibble g/2 of byte
 * 32·(g&1) + l and its upper bits in pair g of byte l.
 */
#include <math.h>

#include "lk-quant-private.h"
#include "lk-quant-search.h"

void
LK_QUANT (q6_k_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[LK_K_BLOCK], upper[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 210, out += LK_K_BLOCK)
    {
      const gint8 *scales = (const gint8 *) block + 192;
      float d = lk_quant_load_half (block + 208);

      lk_quant_pairs (block + 128, upper);
      for (int h = 0; h < 2; h++)
        for (int l = 0; l < 64; l++)
          {
            q[128 * h + l] = block[64 * h + l] & 15;
            q[128 * h + 64 + l] = (gint8) (block[64 * h + l] >> 4);
          }
      for (int i = 0; i < LK_K_BLOCK; i++)
        q[i] = (gint8) ((q[i] | upper[i] << 4) - 32);
      for (int k = 0; k < 16; k++)
        lk_quant_widen (q + 16 * k, 16, d * (float) scales[k], out + 16 * k);
    }
}

static void
choose (const float *in, guint8 *block, guint8 *levels)
{
  float scales[16], largest = 0, inverse, d;
  gint8 *stored = (gint8 *) block + 192;

  for (int k = 0; k < 16; k++)
    {
      scales[k] = lk_quant_search_symmetric (in + 16 * k, 16, 32, levels + 16 * k);
      if (fabsf (scales[k]) > fabsf (largest))
        largest = scales[k];
    }
  if (fabsf (largest) < LK_QUANT_TINY)
    {
      memset (block, 0, 210);
      memset (levels, 0, LK_K_BLOCK);
      return;
    }
  inverse = -128.0f / largest;
  d = lk_quant_store_half (block + 208, 1 / inverse);
  for (int k = 0; k < 16; k++)
    {
      float step;

      stored[k] = (gint8) lk_quant_clamp (lk_quant_nearest (inverse * scales[k]), -128, 127);
      step = d * (float) stored[k];
      if (step == 0)
        continue;
      for (int i = 16 * k; i < 16 * k + 16; i++)
        levels[i] = (guint8) (lk_quant_clamp (lk_quant_nearest (in[i] / step), -32, 31) + 32);
    }
}

void
LK_QUANT (q6_k_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 210, in += LK_K_BLOCK)
    {
      choose (in, block, levels);
      memset (block, 0, 192);
      for (int i = 0; i < LK_K_BLOCK; i++)
        {
          int half = i / 128, group = i / 32 & 3, l = i & 31;

          block[64 * half + 32 * (group & 1) + l] |= (guint8) ((levels[i] & 15) << 4 * (group / 2));
          block[128 + 32 * half + l] |= (guint8) (levels[i] >> 4 << 2 * group);
        }
    }
}
