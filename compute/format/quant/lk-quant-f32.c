/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-private.h"

void
LK_QUANT (f32_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  memcpy (out, blocks, (gsize) n * sizeof *out);
}

void
LK_QUANT (f32_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  memcpy (blocks, in, (gsize) n * sizeof *in);
}
