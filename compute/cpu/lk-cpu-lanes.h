/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sixteen floats that are worked on together, for lk-cpu-kernels-impl.c: in one register with AVX-512, in two with AVX2, in an array
 * the compiler vectorises as it can elsewhere. The compiler may not reorder a sum of floats by itself, and widens bytes poorly: both
 * are said here. Whatever the set, lane j holds what belongs to element j, and lk_lanes_sum() adds the second half to the first, then
 * halves again.
 */
#pragma once

#include <glib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

G_BEGIN_DECLS

#define LK_LANES_N 16

#if defined(__AVX512F__) && defined(__AVX512BW__)

typedef __m512 LkLanes;

#define lk_lanes_zero _mm512_setzero_ps
#define lk_lanes_load _mm512_loadu_ps
#define lk_lanes_set _mm512_set1_ps
#define lk_lanes_multiply _mm512_mul_ps
#define lk_lanes_fma _mm512_fmadd_ps

static inline LkLanes
lk_lanes_of_unsigned (__m128i bytes)
{
  return _mm512_cvtepi32_ps (_mm512_cvtepu8_epi32 (bytes));
}

static inline LkLanes
lk_lanes_of_signed (__m128i bytes)
{
  return _mm512_cvtepi32_ps (_mm512_cvtepi8_epi32 (bytes));
}

#define lk_lanes_sum _mm512_reduce_add_ps

#elif defined(__AVX2__)

typedef struct
{
  __m256 low, high;
} LkLanes;

static inline LkLanes
lk_lanes_zero (void)
{
  return (LkLanes){ _mm256_setzero_ps (), _mm256_setzero_ps () };
}

static inline LkLanes
lk_lanes_load (const float *x)
{
  return (LkLanes){ _mm256_loadu_ps (x), _mm256_loadu_ps (x + 8) };
}

static inline LkLanes
lk_lanes_set (float x)
{
  return (LkLanes){ _mm256_set1_ps (x), _mm256_set1_ps (x) };
}

static inline LkLanes
lk_lanes_multiply (LkLanes a, LkLanes b)
{
  return (LkLanes){ _mm256_mul_ps (a.low, b.low), _mm256_mul_ps (a.high, b.high) };
}

static inline LkLanes
lk_lanes_fma (LkLanes a, LkLanes b, LkLanes c)
{
  return (LkLanes){ _mm256_fmadd_ps (a.low, b.low, c.low), _mm256_fmadd_ps (a.high, b.high, c.high) };
}

static inline LkLanes
lk_lanes_of_unsigned (__m128i bytes)
{
  return (LkLanes){ _mm256_cvtepi32_ps (_mm256_cvtepu8_epi32 (bytes)),
                    _mm256_cvtepi32_ps (_mm256_cvtepu8_epi32 (_mm_srli_si128 (bytes, 8))) };
}

static inline LkLanes
lk_lanes_of_signed (__m128i bytes)
{
  return (LkLanes){ _mm256_cvtepi32_ps (_mm256_cvtepi8_epi32 (bytes)),
                    _mm256_cvtepi32_ps (_mm256_cvtepi8_epi32 (_mm_srli_si128 (bytes, 8))) };
}

static inline float
lk_lanes_sum (LkLanes a)
{
  __m256 eight = _mm256_add_ps (a.low, a.high);
  __m128 four = _mm_add_ps (_mm256_castps256_ps128 (eight), _mm256_extractf128_ps (eight, 1));
  __m128 two = _mm_add_ps (four, _mm_movehl_ps (four, four));

  return _mm_cvtss_f32 (_mm_add_ss (two, _mm_movehdup_ps (two)));
}

#else

typedef struct
{
  float at[LK_LANES_N];
} LkLanes;

static inline LkLanes
lk_lanes_zero (void)
{
  return (LkLanes){ { 0 } };
}

static inline LkLanes
lk_lanes_load (const float *x)
{
  LkLanes a;

  memcpy (a.at, x, sizeof a.at);
  return a;
}

static inline LkLanes
lk_lanes_set (float x)
{
  LkLanes a;

  for (int j = 0; j < LK_LANES_N; j++)
    a.at[j] = x;
  return a;
}

static inline LkLanes
lk_lanes_multiply (LkLanes a, LkLanes b)
{
  for (int j = 0; j < LK_LANES_N; j++)
    a.at[j] *= b.at[j];
  return a;
}

static inline LkLanes
lk_lanes_fma (LkLanes a, LkLanes b, LkLanes c)
{
  for (int j = 0; j < LK_LANES_N; j++)
    c.at[j] += a.at[j] * b.at[j];
  return c;
}

static inline float
lk_lanes_sum (LkLanes a)
{
  for (int width = LK_LANES_N / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++)
      a.at[j] += a.at[j + width];
  return a.at[0];
}

#endif

#if defined(__AVX2__)

static inline __m128i
lk_lanes_bytes (const guint8 *bytes)
{
  return _mm_loadu_si128 ((const __m128i *) (const void *) bytes);
}

/* The low, then the high halves of 16 bytes. */
static inline LkLanes
lk_lanes_low_nibbles (const guint8 *bytes)
{
  return lk_lanes_of_unsigned (_mm_and_si128 (lk_lanes_bytes (bytes), _mm_set1_epi8 (15)));
}

static inline LkLanes
lk_lanes_high_nibbles (const guint8 *bytes)
{
  return lk_lanes_of_unsigned (_mm_and_si128 (_mm_srli_epi16 (lk_lanes_bytes (bytes), 4), _mm_set1_epi8 (15)));
}

static inline LkLanes
lk_lanes_signed_bytes (const guint8 *bytes)
{
  return lk_lanes_of_signed (lk_lanes_bytes (bytes));
}

#else

static inline LkLanes
lk_lanes_low_nibbles (const guint8 *bytes)
{
  LkLanes a;

  for (int j = 0; j < LK_LANES_N; j++)
    a.at[j] = (float) (bytes[j] & 15);
  return a;
}

static inline LkLanes
lk_lanes_high_nibbles (const guint8 *bytes)
{
  LkLanes a;

  for (int j = 0; j < LK_LANES_N; j++)
    a.at[j] = (float) (bytes[j] >> 4);
  return a;
}

static inline LkLanes
lk_lanes_signed_bytes (const guint8 *bytes)
{
  LkLanes a;

  for (int j = 0; j < LK_LANES_N; j++)
    a.at[j] = (float) (gint8) bytes[j];
  return a;
}

#endif

G_END_DECLS
