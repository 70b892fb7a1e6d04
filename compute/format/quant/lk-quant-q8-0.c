/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 34 bytes for 32 elements: scale (half), 32 signed bytes.
 */
#include <math.h>

#include "lk-quant-private.h"

void
LK_QUANT (q8_0_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 34, out += 32)
    lk_quant_widen ((const gint8 *) block + 2, 32, lk_quant_load_half (block), out);
}

void
LK_QUANT (q8_0_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 34, in += 32)
    {
      float largest = 0, d, inverse;

      for (int j = 0; j < 32; j++)
        largest = fabsf (in[j]) > largest ? fabsf (in[j]) : largest;
      d = largest / 127;
      inverse = d != 0 ? 1 / d : 0;
      lk_quant_store_half (block, d);
      for (int j = 0; j < 32; j++)
        {
          float q = roundf (in[j] * inverse);

          /* the bounds only matter for infinities and not-a-numbers */
          block[2 + j] = (guint8) (gint8) (q > 127 ? 127 : q >= -127 ? q : -127);
        }
    }
}
