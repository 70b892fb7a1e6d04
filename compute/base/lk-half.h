/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 16-bit floats: IEEE half and bfloat16, round to nearest even, NaN kept quiet.
 */
#pragma once

#include <glib.h>
#include <string.h>

static inline float
lk_bf16_to_f32 (guint16 h)
{
  guint32 u = (guint32) h << 16;
  float f;
  memcpy (&f, &u, 4);
  return f;
}

static inline guint16
lk_f32_to_bf16 (float f)
{
  guint32 u;
  memcpy (&u, &f, 4);
  if ((u & 0x7fffffffu) > 0x7f800000u)
    return (guint16) ((u >> 16) | 0x40);
  return (guint16) ((u + (0x7fff + ((u >> 16) & 1))) >> 16);
}

static inline float
lk_f16_to_f32 (guint16 h)
{
  guint32 sign = (guint32) (h & 0x8000) << 16;
  guint32 exponent = (h >> 10) & 31;
  guint32 mantissa = h & 0x3ff;
  guint32 u;
  float f;

  if (exponent == 31)
    u = sign | 0x7f800000u | (mantissa << 13);
  else if (exponent != 0)
    u = sign | ((exponent + 112) << 23) | (mantissa << 13);
  else
    {
      /* subnormal: mantissa · 2^-24 */
      f = (float) mantissa * 5.9604644775390625e-8f;
      memcpy (&u, &f, 4);
      u |= sign;
    }
  memcpy (&f, &u, 4);
  return f;
}

static inline guint16
lk_f32_to_f16 (float f)
{
  guint32 u, sign, absolute;
  memcpy (&u, &f, 4);
  sign = (u >> 16) & 0x8000;
  absolute = u & 0x7fffffffu;
  if (absolute > 0x7f800000u)
    return (guint16) (sign | 0x7e00 | ((absolute >> 13) & 0x1ff));
  if (absolute >= 0x47800000u) /* 65536 and above */
    return (guint16) (sign | 0x7c00);
  if (absolute < 0x38800000u) /* below the smallest normal, 2^-14 */
    {
      /* adding 2^-1·ulp-aligned magic lets the FPU round to nearest even */
      float a;
      guint32 v;
      memcpy (&a, &absolute, 4);
      a += 0.5f;
      memcpy (&v, &a, 4);
      return (guint16) (sign | (v - 0x3f000000u));
    }
  absolute += 0xfff + ((absolute >> 13) & 1);
  return (guint16) (sign | ((absolute - 0x38000000u) >> 13));
}
