/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 24 bytes for 32 elements: scale and minimum (half each), fifth bits (32 bits, bit j is element j), 16 bytes whose
 * low nibbles are elements 0–15, high nibbles 16–31.
 */
#include "lk-quant-private.h"

void
LK_QUANT (q5_1_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  gint8 q[32];

  for (gint64 b = 0; b < n / 32; b++, block += 24, out += 32)
    {
      lk_quant_nibbles (block + 8, 0, q);
      lk_quant_fifth (block + 4, 16, 0, q);
      lk_quant_widen_plus (q, 32, lk_quant_load_half (block), lk_quant_load_half (block + 2), out);
    }
}

void
LK_QUANT (q5_1_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 24, in += 32)
    {
      float least = in[0], most = in[0], d, inverse;
      guint32 fifth = 0;

      for (int j = 1; j < 32; j++)
        {
          least = in[j] < least ? in[j] : least;
          most = in[j] > most ? in[j] : most;
        }
      d = (most - least) / 31;
      inverse = d != 0 ? 1 / d : 0;
      lk_quant_store_half (block, d);
      lk_quant_store_half (block + 2, least);
      for (int j = 0; j < 16; j++)
        {
          guint8 low = lk_quant_level ((in[j] - least) * inverse + 0.5f, 31);
          guint8 high = lk_quant_level ((in[j + 16] - least) * inverse + 0.5f, 31);

          block[8 + j] = (guint8) ((low & 15) | (high & 15) << 4);
          fifth |= (guint32) (low >> 4) << j | (guint32) (high >> 4) << (j + 16);
        }
      lk_quant_store32 (block + 4, fifth);
    }
}
