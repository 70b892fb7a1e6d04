/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What TQ1_0 and TQ2_0 share: 256 elements become −1, 0 or 1 times the largest magnitude.
 */
#pragma once

#include "lk-quant-private.h"

G_BEGIN_DECLS

/* Digits 0, 1 and 2 for −1, 0 and 1, halves away from zero; returns the scale. */
static inline float
lk_quant_ternary (const float *x, guint8 *digits)
{
  float d = 0, inverse;

  for (int i = 0; i < LK_K_BLOCK; i++)
    {
      float magnitude = x[i] < 0 ? -x[i] : x[i];

      d = magnitude > d ? magnitude : d;
    }
  inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < LK_K_BLOCK; i++)
    digits[i] = (guint8) (1 + (x[i] * inverse >= 0.5f) - (x[i] * inverse <= -0.5f));
  return d;
}

G_END_DECLS
