/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 110 bytes for 256 elements: 32 bytes of third bits (bit k of byte l is element 32k + l, set where the value is not
 * negative), 64 bytes of bit pairs as in Q2_K, 12 bytes of sixteen 6-bit scales, d (half).
 */
#include <math.h>

#include "lk-quant-private.h"
#include "lk-quant-search.h"

static inline int
unpack_scale (const guint8 *packed, int k)
{
  int low = k < 8 ? packed[k] & 15 : packed[k - 8] >> 4;
  int high = packed[8 + (k & 3)] >> 2 * (k >> 2) & 3;

  return (low | high << 4) - 32;
}

void
LK_QUANT (q3_k_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 110, out += LK_K_BLOCK)
    {
      float d = lk_quant_load_half (block + 108);

      lk_quant_pairs (block + 32, q);
      for (int k = 0; k < 8; k++)
        for (int l = 0; l < 32; l++)
          q[32 * k + l] = (gint8) (q[32 * k + l] + (block[l] >> k & 1) * 4 - 4);
      for (int k = 0; k < 16; k++)
        lk_quant_widen (q + 16 * k, 16, d * (float) unpack_scale (block + 96, k), out + 16 * k);
    }
}

static void
choose (const float *in, guint8 *block, guint8 *levels)
{
  float scales[16], largest = 0, inverse, d = 0;
  guint8 *packed = block + 96;

  for (int k = 0; k < 16; k++)
    {
      scales[k] = lk_quant_search_descent (in + 16 * k, 16, 4, levels + 16 * k);
      if (fabsf (scales[k]) > fabsf (largest))
        largest = scales[k];
    }
  memset (packed, 0, 12);
  lk_quant_store_half (block + 108, 0);
  if (largest == 0)
    return;
  inverse = -32.0f / largest;
  d = lk_quant_store_half (block + 108, 1 / inverse);
  for (int k = 0; k < 16; k++)
    {
      int scale = lk_quant_clamp (lk_quant_nearest (inverse * scales[k]), -32, 31);
      float step = d * (float) scale;

      packed[k & 7] |= (guint8) (((scale + 32) & 15) << (k < 8 ? 0 : 4));
      packed[8 + (k & 3)] |= (guint8) ((scale + 32) >> 4 << 2 * (k >> 2));
      if (step == 0)
        continue;
      for (int i = 16 * k; i < 16 * k + 16; i++)
        levels[i] = (guint8) (lk_quant_clamp (lk_quant_nearest (in[i] / step), -4, 3) + 4);
    }
}

void
LK_QUANT (q3_k_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 110, in += LK_K_BLOCK)
    {
      choose (in, block, levels);
      memset (block, 0, 96);
      for (int i = 0; i < LK_K_BLOCK; i++)
        {
          block[i & 31] |= (guint8) (levels[i] >> 2 << i / 32);
          block[32 + 32 * (i / 128) + (i & 31)] |= (guint8) ((levels[i] & 3) << 2 * (i / 32 & 3));
        }
    }
}
