/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by the files of this folder: unaligned little-endian access, rounding, and the list of functions that
 * lk-quant.c puts into its table. All files but lk-quant-choose.c are compiled once for each instruction set, with
 * LK_QUANT_SET its name; so that the copies can be told apart, whatever has external linkage is named by LK_QUANT.
 */
#pragma once

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "lk-half.h"
#include "lk-quant.h"

G_BEGIN_DECLS

/* Signed bytes at @p as floats. */
#define LK_QUANT_FLOATS16(p) _mm512_cvtepi32_ps (_mm512_cvtepi8_epi32 (_mm_loadu_si128 ((const __m128i *) (const void *) (p))))
#define LK_QUANT_FLOATS8(p) _mm256_cvtepi32_ps (_mm256_cvtepi8_epi32 (_mm_loadl_epi64 ((const __m128i *) (const void *) (p))))

#define LK_QUANT_PASTE_(set, name) lk_quant_##set##_##name
#define LK_QUANT_PASTE(set, name) LK_QUANT_PASTE_ (set, name)
#define LK_QUANT(name) LK_QUANT_PASTE (LK_QUANT_SET, name)

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
#if defined(__F16C__)
  return _cvtsh_ss (lk_quant_load16 (p));
#else
  return lk_f16_to_f32 (lk_quant_load16 (p));
#endif
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

/* Unpacking goes in two steps, because compilers make poor code of one: the levels as bytes, in loops they vectorise,
 * and these functions. out[i] = step·q[i], and the same plus @plus; @n is a multiple of 16. */
static inline void
lk_quant_widen (const gint8 *q, int n, float step, float *restrict out)
{
  int i = 0;

#if defined(__AVX512F__)
  for (; i < n; i += 16)
    _mm512_storeu_ps (out + i, _mm512_mul_ps (_mm512_set1_ps (step), LK_QUANT_FLOATS16 (q + i)));
#elif defined(__AVX2__)
  for (; i < n; i += 8)
    _mm256_storeu_ps (out + i, _mm256_mul_ps (_mm256_set1_ps (step), LK_QUANT_FLOATS8 (q + i)));
#endif
  for (; i < n; i++)
    out[i] = step * (float) q[i];
}

static inline void
lk_quant_widen_plus (const gint8 *q, int n, float step, float plus, float *restrict out)
{
  int i = 0;

#if defined(__AVX512F__)
  for (; i < n; i += 16)
    _mm512_storeu_ps (out + i, _mm512_fmadd_ps (_mm512_set1_ps (step), LK_QUANT_FLOATS16 (q + i), _mm512_set1_ps (plus)));
#elif defined(__AVX2__)
  for (; i < n; i += 8)
    _mm256_storeu_ps (out + i, _mm256_fmadd_ps (_mm256_set1_ps (step), LK_QUANT_FLOATS8 (q + i), _mm256_set1_ps (plus)));
#endif
  for (; i < n; i++)
    out[i] = step * (float) q[i] + plus;
}

/* 16 bytes of nibbles less @minus: the low ones, then the high ones. */
static inline void
lk_quant_nibbles (const guint8 *packed, gint8 minus, gint8 *restrict q)
{
#if defined(__SSE2__)
  const __m128i both = _mm_loadu_si128 ((const __m128i *) (const void *) packed), mask = _mm_set1_epi8 (15);
  const __m128i less = _mm_set1_epi8 (minus);

  _mm_storeu_si128 ((__m128i *) (void *) q, _mm_sub_epi8 (_mm_and_si128 (both, mask), less));
  _mm_storeu_si128 ((__m128i *) (void *) (q + 16), _mm_sub_epi8 (_mm_and_si128 (_mm_srli_epi16 (both, 4), mask), less));
#else
  for (int j = 0; j < 16; j++)
    {
      q[j] = (gint8) ((packed[j] & 15) - minus);
      q[16 + j] = (gint8) ((packed[j] >> 4) - minus);
    }
#endif
}

/* The same of 32 bytes. */
static inline void
lk_quant_nibbles32 (const guint8 *packed, gint8 *restrict q)
{
  for (int j = 0; j < 32; j++)
    q[j] = packed[j] & 15;
  for (int j = 0; j < 32; j++)
    q[32 + j] = (gint8) (packed[j] >> 4);
}

/* Adds bits to the 32 levels at @q: those of @set where bit i of the 32 at @bits is set, those of @clear where not. */
static inline void
lk_quant_fifth (const guint8 *bits, gint8 set, gint8 clear, gint8 *restrict q)
{
#if defined(__SSSE3__)
  const __m128i one = _mm_set1_epi64x ((gint64) G_GUINT64_CONSTANT (0x8040201008040201)); /* byte i keeps bit i % 8 */
  const __m128i all = _mm_cvtsi32_si128 ((int) lk_quant_load32 (bits));

  for (int h = 0; h < 2; h++)
    {
      __m128i *to = (__m128i *) (void *) (q + 16 * h);
      __m128i from = _mm_set_epi64x (h ? 0x0303030303030303 : 0x0101010101010101, h ? 0x0202020202020202 : 0);
      __m128i is = _mm_cmpeq_epi8 (_mm_and_si128 (_mm_shuffle_epi8 (all, from), one), one);
      __m128i add = _mm_or_si128 (_mm_and_si128 (is, _mm_set1_epi8 (set)), _mm_andnot_si128 (is, _mm_set1_epi8 (clear)));

      _mm_storeu_si128 (to, _mm_or_si128 (_mm_loadu_si128 (to), add));
    }
#else
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);

  for (int k = 0; k < 4; k++)
    {
      /* byte i keeps bit i alone; whatever is there then reaches bit 7, and fills the byte */
      guint64 is = (bits[k] * ones) & G_GUINT64_CONSTANT (0x8040201008040201), levels;

      is = ((is + 127 * ones) >> 7 & ones) * 255;
      memcpy (&levels, q + 8 * k, 8);
      levels |= GUINT64_FROM_LE ((is & (guint8) set * ones) | (~is & (guint8) clear * ones));
      memcpy (q + 8 * k, &levels, 8);
    }
#endif
}

/* 64 bytes of bit pairs of 256 elements: in each half of 128, pair j of byte l is element 32j + l. */
static inline void
lk_quant_pairs (const guint8 *packed, gint8 *restrict q)
{
  for (int h = 0; h < 2; h++, packed += 32, q += 128)
    {
      for (int l = 0; l < 32; l++)
        q[l] = packed[l] & 3;
      for (int l = 0; l < 32; l++)
        q[32 + l] = packed[l] >> 2 & 3;
      for (int l = 0; l < 32; l++)
        q[64 + l] = packed[l] >> 4 & 3;
      for (int l = 0; l < 32; l++)
        q[96 + l] = (gint8) (packed[l] >> 6);
    }
}

/* step·value of 16 bytes of nibbles that count in a table of values. */
static inline void
lk_quant_look_up (const gint8 values[16], const guint8 *packed, float step, float *restrict out)
{
#if defined(__SSSE3__)
  gint8 q[32];
  const __m128i table = _mm_loadu_si128 ((const __m128i *) (const void *) values), mask = _mm_set1_epi8 (15);
  const __m128i both = _mm_loadu_si128 ((const __m128i *) (const void *) packed);

  _mm_storeu_si128 ((__m128i *) (void *) q, _mm_shuffle_epi8 (table, _mm_and_si128 (both, mask)));
  _mm_storeu_si128 ((__m128i *) (void *) (q + 16),
                    _mm_shuffle_epi8 (table, _mm_and_si128 (_mm_srli_epi16 (both, 4), mask)));
  lk_quant_widen (q, 32, step, out);
#else
  for (int j = 0; j < 16; j++)
    {
      out[j] = step * (float) values[packed[j] & 15];
      out[j + 16] = step * (float) values[packed[j] >> 4];
    }
#endif
}

const LkQuantInfo *LK_QUANT (info) (LkType type);

#define LK_QUANT_DECLARE(name)                                                  \
  void LK_QUANT (name##_dequantise) (const void *blocks, float *out, gint64 n); \
  void LK_QUANT (name##_quantise) (const float *in, void *blocks, gint64 n);

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
LK_QUANT_DECLARE (tq1_0)
LK_QUANT_DECLARE (tq2_0)
LK_QUANT_DECLARE (mxfp4)

#undef LK_QUANT_DECLARE

G_END_DECLS
