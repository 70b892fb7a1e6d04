/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 18 bytes for 32 elements: scale (half), 16 bytes of indices, low nibbles elements 0–15, high nibbles 16–31.
 */
#include "lk-quant-iq4.h"

void
LK_QUANT (iq4_nl_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 18, out += 32)
    lk_quant_look_up (lk_quant_iq4_values, block + 2, lk_quant_load_half (block), out);
}

void
LK_QUANT (iq4_nl_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, levels[32];

  for (gint64 b = 0; b < n / 32; b++, block += 18, in += 32)
    {
      lk_quant_store_half (block, lk_quant_iq4_search (in, 0, levels));
      for (int j = 0; j < 16; j++)
        block[2 + j] = (guint8) (levels[j] | levels[j + 16] << 4);
    }
}
