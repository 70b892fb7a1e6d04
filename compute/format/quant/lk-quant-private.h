/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by the files of this folder: unaligned little-endian access, rounding, and the list of functions that
 * lk-quant.c puts into its table.
 */
#pragma once

#include <string.h>

#include "lk-half.h"
#include "lk-quant.h"

G_BEGIN_DECLS

#define LK_K_BLOCK 256 /* elements of a K type's block */

static inline guint16
lk_quant_load16 (const guint8 *p)
{
  return (guint16) (p[0] | p[1] << 8);
}

static inline void
lk_quant_store16 (guint8 *p, guint16 v)
{
  p[0] = (guint8) v;
  p[1] = (guint8) (v >> 8);
}

static inline guint32
lk_quant_load32 (const guint8 *p)
{
  return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

static inline void
lk_quant_store32 (guint8 *p, guint32 v)
{
  lk_quant_store16 (p, (guint16) v);
  lk_quant_store16 (p + 2, (guint16) (v >> 16));
}

static inline float
lk_quant_load_half (const guint8 *p)
{
  return lk_f16_to_f32 (lk_quant_load16 (p));
}

/* Stores @f and returns what a reader will see. */
static inline float
lk_quant_store_half (guint8 *p, float f)
{
  guint16 h = lk_f32_to_f16 (f);

  lk_quant_store16 (p, h);
  return lk_f16_to_f32 (h);
}

/* Half to even for |f| < 2^22, by the float's own rounding; any other float gives some number, never a trap. */
static inline int
lk_quant_nearest (float f)
{
  gint32 i;

  f += 12582912.0f;
  memcpy (&i, &f, sizeof i);
  return (i & 0x007fffff) - 0x00400000;
}

/* Truncates to 0…@top; not-a-number gives 0. */
static inline guint8
lk_quant_level (float f, int top)
{
  return (guint8) (f >= 0 ? (f < (float) top ? (int) f : top) : 0);
}

#define LK_QUANT_DECLARE(name)                                               \
  void lk_quant_##name##_dequantise (const void *blocks, float *out, gint64 n); \
  void lk_quant_##name##_quantise (const float *in, void *blocks, gint64 n);

LK_QUANT_DECLARE (f32)
LK_QUANT_DECLARE (f16)
LK_QUANT_DECLARE (bf16)
LK_QUANT_DECLARE (q8_0)
LK_QUANT_DECLARE (q4_0)
LK_QUANT_DECLARE (q4_1)
LK_QUANT_DECLARE (q5_0)
LK_QUANT_DECLARE (q5_1)
LK_QUANT_DECLARE (q2_k)
LK_QUANT_DECLARE (q3_k)
LK_QUANT_DECLARE (q4_k)
LK_QUANT_DECLARE (q5_k)
LK_QUANT_DECLARE (q6_k)
LK_QUANT_DECLARE (iq4_nl)
LK_QUANT_DECLARE (iq4_xs)

#undef LK_QUANT_DECLARE

G_END_DECLS
