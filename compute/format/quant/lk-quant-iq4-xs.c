/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 136 bytes for 256 elements: d (half), upper bit pairs of eight 6-bit scales (16 bits), their low nibbles (4 bytes),
 * 128 bytes of indices, sub-block after sub-block as in IQ4_NL.
 */
#include <math.h>

#include "lk-quant-iq4.h"

void
LK_QUANT (iq4_xs_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 136, out += LK_K_BLOCK)
    {
      float d = lk_quant_load_half (block);
      guint16 high = lk_quant_load16 (block + 2);

      for (int k = 0; k < 8; k++)
        {
          int scale = (block[4 + k / 2] >> 4 * (k & 1) & 15) | (high >> 2 * k & 3) << 4;

          lk_quant_look_up (lk_quant_iq4_values, block + 8 + 16 * k, d * (float) (scale - 32), out + 32 * k);
        }
    }
}

static void
quantise_block (const float *in, guint8 *block)
{
  float scales[8], largest = 0, d, inverse;
  guint16 high = 0;

  for (int k = 0; k < 8; k++)
    {
      scales[k] = lk_quant_iq4_search (in + 32 * k, 7, NULL);
      if (fabsf (scales[k]) > fabsf (largest))
        largest = scales[k];
    }
  /* levels are picked with the scale before it is rounded to a half, as in the reference */
  d = -largest / 32;
  inverse = d != 0 ? 1 / d : 0;
  lk_quant_store_half (block, d);
  memset (block + 4, 0, 4);
  for (int k = 0; k < 8; k++)
    {
      int scale = lk_quant_clamp (lk_quant_nearest (inverse * scales[k]), -32, 31);
      float step = d * (float) scale, to_level = step != 0 ? 1 / step : 0;

      for (int j = 0; j < 16; j++)
        block[8 + 16 * k + j] = (guint8) (lk_quant_iq4_nearest (to_level * in[32 * k + j])
                                          | lk_quant_iq4_nearest (to_level * in[32 * k + 16 + j]) << 4);
      block[4 + k / 2] |= (guint8) (((scale + 32) & 15) << 4 * (k & 1));
      high |= (guint16) ((scale + 32) >> 4 << 2 * k);
    }
  lk_quant_store16 (block + 2, high);
}

void
LK_QUANT (iq4_xs_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 136, in += LK_K_BLOCK)
    quantise_block (in, block);
}
