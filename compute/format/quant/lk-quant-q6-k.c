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
lk_quant_q6_k_dequantise (const void *blocks, float *out, gint64 n)
{
  const guint8 *block = blocks;

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 210, out += LK_K_BLOCK)
    {
      const gint8 *scales = (const gint8 *) block + 192;
      float d = lk_quant_load_half (block + 208);

      for (int k = 0; k < 16; k++)
        {
          int half = k / 8, group = k / 2 & 3;
          const guint8 *low = block + 64 * half + 32 * (group & 1) + 16 * (k & 1);
          const guint8 *high = block + 128 + 32 * half + 16 * (k & 1);
          float step = d * (float) scales[k];

          for (int l = 0; l < 16; l++)
            {
              int q = (low[l] >> 4 * (group / 2) & 15) | (high[l] >> 2 * group & 3) << 4;

              out[16 * k + l] = step * (float) (q - 32);
            }
        }
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
lk_quant_q6_k_quantise (const float *in, void *blocks, gint64 n)
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
