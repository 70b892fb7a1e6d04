/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 20 bytes for 32 elements: scale and minimum (half each), 16 bytes whose low nibbles are elements 0–15, high
 * nibbles 16–31.
 */
#include "lk-quant-private.h"

void
LK_QUANT (q4_1_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[32];

  for (gint64 b = 0; b < n / 32; b++, block += 20, out += 32)
    {
      lk_quant_nibbles (block + 4, 0, q);
      lk_quant_widen_plus (q, 32, lk_quant_load_half (block), lk_quant_load_half (block + 2), out);
    }
}

void
LK_QUANT (q4_1_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 20, in += 32)
    {
      float least = in[0], most = in[0], d, inverse;

      for (int j = 1; j < 32; j++)
        {
          least = in[j] < least ? in[j] : least;
          most = in[j] > most ? in[j] : most;
        }
      d = (most - least) / 15;
      inverse = d != 0 ? 1 / d : 0;
      lk_quant_store_half (block, d);
      lk_quant_store_half (block + 2, least);
      for (int j = 0; j < 16; j++)
        block[4 + j] = (guint8) (lk_quant_level ((in[j] - least) * inverse + 0.5f, 15)
                                 | lk_quant_level ((in[j + 16] - least) * inverse + 0.5f, 15) << 4);
    }
}
