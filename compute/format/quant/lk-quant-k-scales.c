/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-k-scales.h"

static void
pack (guint8 *packed, int k, int scale, int least)
{
  if (k < 4)
    {
      packed[k] = (guint8) scale;
      packed[k + 4] = (guint8) least;
    }
  else
    {
      packed[k + 4] = (guint8) ((scale & 15) | (least & 15) << 4);
      packed[k - 4] |= (guint8) ((scale >> 4) << 6);
      packed[k] |= (guint8) ((least >> 4) << 6);
    }
}

void
lk_quant_k_choose (const LkQuantSearch *search, const float *in, guint8 *header, guint8 *levels)
{
  float scales[8], offsets[8], weights[32], largest_scale = 0, largest_offset = 0, to_scale, to_offset, d, dmin;

  for (int k = 0; k < 8; k++)
    {
      lk_quant_search_weights (in + 32 * k, 32, weights);
      scales[k] = lk_quant_search_offset (search, in + 32 * k, weights, levels + 32 * k, &offsets[k]);
      largest_scale = scales[k] > largest_scale ? scales[k] : largest_scale;
      largest_offset = offsets[k] > largest_offset ? offsets[k] : largest_offset;
    }
  to_scale = largest_scale > 0 ? 63.0f / largest_scale : 0;
  to_offset = largest_offset > 0 ? 63.0f / largest_offset : 0;
  for (int k = 0; k < 8; k++)
    pack (header + 4, k, lk_quant_clamp (lk_quant_nearest (to_scale * scales[k]), 0, 63),
          lk_quant_clamp (lk_quant_nearest (to_offset * offsets[k]), 0, 63));
  d = lk_quant_store_half (header, largest_scale / 63.0f);
  dmin = lk_quant_store_half (header + 2, largest_offset / 63.0f);
  for (int k = 0; k < 8; k++)
    {
      int scale, least;
      float step, offset;

      lk_quant_k_scale (header + 4, k, &scale, &least);
      step = d * (float) scale;
      offset = dmin * (float) least;
      if (step == 0)
        continue;
      for (int i = 32 * k; i < 32 * k + 32; i++)
        levels[i] = (guint8) lk_quant_clamp (lk_quant_nearest ((in[i] + offset) / step), 0, search->top);
    }
}
