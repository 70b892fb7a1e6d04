/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-private.h"

void
lk_quant_f32_dequantise (const void *blocks, float *out, gint64 n)
{
  memcpy (out, blocks, (gsize) n * sizeof *out);
}

void
lk_quant_f32_quantise (const float *in, void *blocks, gint64 n)
{
  memcpy (blocks, in, (gsize) n * sizeof *in);
}
