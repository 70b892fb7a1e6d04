/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 84 bytes for 256 elements: 16 bytes of scales (low nibble) and minimums (high nibble) for sub-blocks of 16,
 * 64 bytes of bit pairs, d and dmin (half each). In each half of 128, pair j of byte l is element 32j + l.
 */
#include <math.h>

#include "lk-quant-private.h"
#include "lk-quant-search.h"

static const LkQuantSearch search = { .n = 16, .top = 3, .first = -0.5f, .step = 0.1f, .tries = 15, .absolute = TRUE };

void
LK_QUANT (q2_k_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 84, out += LK_K_BLOCK)
    {
      float d = lk_quant_load_half (block + 80), dmin = lk_quant_load_half (block + 82);

      lk_quant_pairs (block + 16, q);
      for (int k = 0; k < 16; k++)
        lk_quant_widen_plus (q + 16 * k, 16, d * (float) (block[k] & 15), -dmin * (float) (block[k] >> 4), out + 16 * k);
    }
}

static void
choose (const float *in, guint8 *block, guint8 *levels)
{
  float scales[16], offsets[16], weights[16], largest_scale = 0, largest_offset = 0, to_scale, to_offset, d, dmin;

  for (int k = 0; k < 16; k++)
    {
      for (int l = 0; l < 16; l++)
        weights[l] = fabsf (in[16 * k + l]);
      scales[k] = lk_quant_search_offset (&search, in + 16 * k, weights, levels + 16 * k, &offsets[k]);
      largest_scale = scales[k] > largest_scale ? scales[k] : largest_scale;
      largest_offset = offsets[k] > largest_offset ? offsets[k] : largest_offset;
    }
  to_scale = largest_scale > 0 ? 15.0f / largest_scale : 0;
  to_offset = largest_offset > 0 ? 15.0f / largest_offset : 0;
  d = lk_quant_store_half (block + 80, largest_scale / 15.0f);
  dmin = lk_quant_store_half (block + 82, largest_offset / 15.0f);
  for (int k = 0; k < 16; k++)
    {
      int scale = lk_quant_clamp (lk_quant_nearest (to_scale * scales[k]), 0, 15);
      int least = lk_quant_clamp (lk_quant_nearest (to_offset * offsets[k]), 0, 15);
      float step = d * (float) scale, offset = dmin * (float) least;

      block[k] = (guint8) (scale | least << 4);
      if (step == 0)
        continue;
      for (int i = 16 * k; i < 16 * k + 16; i++)
        levels[i] = (guint8) lk_quant_clamp (lk_quant_nearest ((in[i] + offset) / step), 0, 3);
    }
}

void
LK_QUANT (q2_k_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 84, in += LK_K_BLOCK)
    {
      choose (in, block, levels);
      memset (block + 16, 0, 64);
      for (int i = 0; i < LK_K_BLOCK; i++)
        block[16 + 32 * (i / 128) + (i & 31)] |= (guint8) (levels[i] << 2 * (i / 32 & 3));
    }
}
