/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 17 bytes for 32 elements: exponent of a power of two (8 bits, 127 is 1), 16 bytes of 4-bit floats (sign, two bits
 * of exponent, one of mantissa), low nibbles elements 0–15, high nibbles 16–31 (OCP Microscaling Formats 1.0, in
 * GGUF's order). The table holds them doubled, to be integers, and the scale is halved.
 */
#include <math.h>

#include "lk-quant-private.h"

static const gint8 doubled[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

/* 2^(e − 128); the first two are subnormal. */
static inline float
half_scale (guint8 e)
{
  guint32 bits = e < 2 ? 0x00200000u << e : (guint32) (e - 1) << 23;
  float f;

  memcpy (&f, &bits, sizeof f);
  return f;
}

void
LK_QUANT (mxfp4_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 17, out += 32)
    lk_quant_look_up (doubled, block + 1, half_scale (block[0]), out);
}

/* The first of the nearest. */
static guint8
nearest (float x, float scale)
{
  float best = fabsf (x);
  guint8 index = 0;

  for (guint8 i = 1; i < 16; i++)
    {
      float error = fabsf ((float) doubled[i] * scale - x);

      if (error < best)
        {
          best = error;
          index = i;
        }
    }
  return index;
}

void
LK_QUANT (mxfp4_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks;

  for (gint64 b = 0; b < n / 32; b++, block += 17, in += 32)
    {
      float largest = 0, exponent, scale;

      for (int j = 0; j < 32; j++)
        largest = fabsf (in[j]) > largest ? fabsf (in[j]) : largest;
      /* the largest value is 1.5·2² */
      exponent = largest > 0 ? floorf (log2f (largest)) - 2 + 127 : 0;
      block[0] = (guint8) (exponent > 0 ? (exponent < 254 ? exponent : 254) : 0);
      scale = half_scale (block[0]);
      for (int j = 0; j < 16; j++)
        block[1 + j] = (guint8) (nearest (in[j], scale) | nearest (in[j + 16], scale) << 4);
    }
}
