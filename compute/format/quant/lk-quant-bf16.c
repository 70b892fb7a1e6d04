/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-private.h"

void
LK_QUANT (bf16_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *p = blocks;

  for (gint64 i = 0; i < n; i++)
    {
      guint16 h;

      memcpy (&h, p + 2 * i, 2);
      out[i] = lk_bf16_to_f32 (h);
    }
}

void
LK_QUANT (bf16_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *p = blocks;

  for (gint64 i = 0; i < n; i++)
    {
      guint16 h = lk_f32_to_bf16 (in[i]);

      memcpy (p + 2 * i, &h, 2);
    }
}
