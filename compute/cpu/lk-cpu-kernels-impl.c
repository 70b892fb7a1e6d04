/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compiled once for each instruction set with LK_SIMD_SET (the table's symbol) and LK_SIMD (the set) defined. Plain loops the
 * compiler vectorises. Long sums run in LK_PARTIAL_SUMS partial sums of a fixed order, so that neither the compiler nor a sanitizer changes
 * what is added to what.
 */
#include "lk-cpu-kernels.h"

#include <math.h>
#include <string.h>

#include "lk-cpu-lanes.h"
#include "lk-half.h"
#include "lk-nf4.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* e^x to about 2 ulp by 2^n·e^r, |r| ≤ ln2/2, r's part by a minimax polynomial of degree 6. Saturates at ±87. */
static inline float
lk_exp (float x)
{
  float n, r, p;
  gint32 i;

  x = x > 88.0f ? 88.0f : x;
  x = x < -87.0f ? -87.0f : x;
  n = rintf (x * 1.44269504f);
  r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  i = (gint32) (((guint32) (gint32) n + 127u) << 23); /* unsigned: what is not a number stays so, whatever the bits */
  memcpy (&n, &i, 4);
  return p * n;
}

static inline float
lk_half_at (const guint8 *p)
{
  guint16 h;
  memcpy (&h, p, 2);
#if defined(__F16C__)
  return _cvtsh_ss (h);
#else
  return lk_f16_to_f32 (h);
#endif
}

static void
dequantise (LkType type, const void *blocks, float *out, gint64 n)
{
  lk_quant_info_for (LK_SIMD, type)->dequantise (blocks, out, n);
}

static inline float
nf4_scale (const LkPacked *w, guint64 block)
{
  float scale;

  if (w->type == LK_TYPE_NF4)
    return lk_nf4_scale (w->side, block);
  memcpy (&scale, w->side + (16 + block) * 4, 4);
  return scale;
}

/* From element @first of the matrix, a multiple of 4 as @n. */
static void
unpack_nf4 (const LkPacked *w, guint64 first, float *restrict out, gint64 n)
{
  float values[16];

  memcpy (values, w->side, sizeof values);
  for (gint64 done = 0; done < n;)
    {
      guint64 at = first + (guint64) done;
      gint64 left = MIN (n - done, (gint64) (LK_NF4_BLOCK - at % LK_NF4_BLOCK)), i = 0;
      float scale = nf4_scale (w, at / LK_NF4_BLOCK);
      const guint8 *codes = w->data + at / 2;

#if defined(__AVX512F__) && defined(__AVX512BW__)
      const __m512 table = _mm512_mul_ps (_mm512_loadu_ps (values), _mm512_set1_ps (scale));

      for (; i + 32 <= left; i += 32)
        {
          __m128i pairs = _mm_loadu_si128 ((const __m128i *) (const void *) (codes + i / 2));
          __m128i high = _mm_and_si128 (_mm_srli_epi16 (pairs, 4), _mm_set1_epi8 (15)), low = _mm_and_si128 (pairs, _mm_set1_epi8 (15));

          _mm512_storeu_ps (out + done + i, _mm512_permutexvar_ps (_mm512_cvtepu8_epi32 (_mm_unpacklo_epi8 (high, low)), table));
          _mm512_storeu_ps (out + done + i + 16, _mm512_permutexvar_ps (_mm512_cvtepu8_epi32 (_mm_unpackhi_epi8 (high, low)), table));
        }
#endif
      for (; i < left; i += 2)
        {
          out[done + i] = values[codes[i / 2] >> 4] * scale;
          out[done + i + 1] = values[codes[i / 2] & 15] * scale;
        }
      done += left;
    }
}

static void
unpack (const LkPacked *w, gint64 row, gint64 col, gint64 n, float *out)
{
  const LkTypeInfo *type;

  if (w->type == LK_TYPE_NF4 || w->type == LK_TYPE_NF4_PLAIN)
    {
      unpack_nf4 (w, (guint64) (row * w->cols + col), out, n);
      return;
    }
  type = lk_type_info (w->type);
  dequantise (w->type, w->data + (guint64) row * w->row_bytes + (guint64) (col / type->block_elements) * type->block_bytes, out, n);
}

/* Partial sums: two of the widest registers, so that one addition need not wait for the one before. */
#define LK_PARTIAL_SUMS 32

static inline float
lk_fold_sums (float *lanes)
{
  for (int width = LK_PARTIAL_SUMS / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++)
      lanes[j] += lanes[j + width];
  return lanes[0];
}

static float
dot (const float *x, const float *y, gint64 n)
{
  float lanes[LK_PARTIAL_SUMS] = { 0 };
  gint64 i = 0;

  for (; i + LK_PARTIAL_SUMS <= n; i += LK_PARTIAL_SUMS)
    for (int j = 0; j < LK_PARTIAL_SUMS; j++)
      lanes[j] += x[i + j] * y[i + j];
  for (int j = 0; i < n; i++, j++)
    lanes[j] += x[i] * y[i];
  return lk_fold_sums (lanes);
}

/* Σ w·x over 32 weights that are @scale times the halves of 16 bytes, in lanes added to @sums. */
static inline LkLanes
add_nibbles (LkLanes sums, const guint8 *bytes, float scale, const float *x)
{
  LkLanes high = lk_lanes_multiply (lk_lanes_high_nibbles (bytes), lk_lanes_load (x + 16));

  return lk_lanes_fma (lk_lanes_fma (lk_lanes_low_nibbles (bytes), lk_lanes_load (x), high), lk_lanes_set (scale), sums);
}

/* Σ w·x over one packed row, without unpacking to memory; @xs: sums of x over blocks of 32. */
static float
dot_q4_1 (const guint8 *b, const float *x, const float *xs, gint64 n)
{
  LkLanes sums = lk_lanes_zero ();
  float least = 0;

  for (gint64 k = 0; k < n; k += 32, b += 20, x += 32)
    {
      sums = add_nibbles (sums, b + 4, lk_half_at (b), x);
      least += lk_half_at (b + 2) * xs[k / 32];
    }
  return least + lk_lanes_sum (sums);
}

static float
dot_q4_0 (const guint8 *b, const float *x, const float *xs, gint64 n)
{
  LkLanes sums = lk_lanes_zero ();
  float middle = 0;

  for (gint64 k = 0; k < n; k += 32, b += 18, x += 32)
    {
      sums = add_nibbles (sums, b + 2, lk_half_at (b), x);
      middle += lk_half_at (b) * xs[k / 32];
    }
  return lk_lanes_sum (sums) - 8.0f * middle;
}

static float
dot_q8_0 (const guint8 *b, const float *x, const float *xs, gint64 n)
{
  LkLanes sums = lk_lanes_zero ();

  for (gint64 k = 0; k < n; k += 32, b += 34, x += 32)
    {
      LkLanes high = lk_lanes_multiply (lk_lanes_signed_bytes (b + 18), lk_lanes_load (x + 16));
      LkLanes both = lk_lanes_fma (lk_lanes_signed_bytes (b + 2), lk_lanes_load (x), high);

      sums = lk_lanes_fma (both, lk_lanes_set (lk_half_at (b)), sums);
    }
  return lk_lanes_sum (sums);
}

typedef float (*DotFunc) (const guint8 *b, const float *x, const float *xs, gint64 n);

static void
matvec (const LkPacked *w, gint64 first, gint64 rows, const float *x, float *scratch, float *y)
{
  LkType type = w->type;
  DotFunc packed = type == LK_TYPE_Q4_1 ? dot_q4_1 : type == LK_TYPE_Q4_0 ? dot_q4_0 : type == LK_TYPE_Q8_0 ? dot_q8_0 : NULL;
  const guint8 *begin = w->data + (guint64) first * w->row_bytes;
  gint64 n = w->cols;

  if (packed)
    {
      for (gint64 k = 0; k < n; k += 32)
        {
          float s = 0;
          for (int j = 0; j < 32; j++)
            s += x[k + j];
          scratch[k / 32] = s;
        }
      for (gint64 r = 0; r < rows; r++)
        y[r] = packed (begin + (gsize) r * w->row_bytes, x, scratch, n);
      return;
    }
  for (gint64 r = 0; r < rows; r++)
    {
      const float *row = (const float *) (const void *) (begin + (gsize) r * w->row_bytes);

      if (type != LK_TYPE_F32)
        {
          unpack (w, first + r, 0, n, scratch);
          row = scratch;
        }
      y[r] = dot (row, x, n);
    }
}

static double
sum_of_squares (const float *x, gint64 n)
{
  double total = 0;

  for (gint64 i = 0; i < n; i += 1024)
    total += dot (x + i, x + i, MIN (1024, n - i));
  return total;
}

static void
axpy (float a, const float *restrict x, float *restrict y, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    y[i] += a * x[i];
}

static void
add (const float *x, const float *y, float *out, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    out[i] = x[i] + y[i];
}

static void
scale (float a, float *x, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    x[i] *= a;
}

/* Norms are made in double: what is lost here is lost for the whole row, and reading it costs more than adding. */
static inline double
sum_products (const float *restrict x, const float *restrict y, const float *restrict w, float plus, gint64 n)
{
  double lanes[LK_PARTIAL_SUMS] = { 0 };
  gint64 i = 0;

  for (; i + LK_PARTIAL_SUMS <= n; i += LK_PARTIAL_SUMS)
    for (int j = 0; j < LK_PARTIAL_SUMS; j++)
      lanes[j] += (double) x[i + j] * (double) y[i + j] * (w ? (double) plus + (double) w[i + j] : 1.0);
  for (int j = 0; i < n; i++, j++)
    lanes[j] += (double) x[i] * (double) y[i] * (w ? (double) plus + (double) w[i] : 1.0);
  for (int width = LK_PARTIAL_SUMS / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++)
      lanes[j] += lanes[j + width];
  return lanes[0];
}

static float
rms_norm (const float *restrict x, const float *restrict w, float *restrict y, gint64 n, float eps, float plus)
{
  float rstd = (float) (1.0 / sqrt (sum_products (x, x, NULL, 0, n) / (double) n + (double) eps));

  for (gint64 i = 0; i < n; i++)
    y[i] = (float) ((double) x[i] * (double) rstd * ((double) plus + (double) w[i]));
  return rstd;
}

static void
rms_norm_dx (const float *restrict dy, const float *restrict x, const float *restrict w, float rstd, float *restrict dx, gint64 n,
             float plus, gboolean accumulate)
{
  double r = (double) rstd, s = sum_products (dy, x, w, plus, n) * r * r / (double) n;

  /* what is left after the part along x is taken away may be small */
  for (gint64 i = 0; i < n; i++)
    dx[i] = (float) ((accumulate ? (double) dx[i] : 0.0) + r * ((double) dy[i] * ((double) plus + (double) w[i]) - (double) x[i] * s));
}

#define LK_GELU_A 1.5957691216057308f /* 2·√(2/π) */
#define LK_GELU_B 0.044715f

static void
glu (LkActivation activation, const float *restrict gate, const float *restrict up, float *restrict out, gint64 n)
{
  if (activation == LK_ACTIVATION_SILU)
    for (gint64 i = 0; i < n; i++)
      out[i] = gate[i] / (1.0f + lk_exp (-gate[i])) * up[i];
  else
    for (gint64 i = 0; i < n; i++)
      out[i] = gate[i] / (1.0f + lk_exp (-LK_GELU_A * gate[i] * (1.0f + LK_GELU_B * gate[i] * gate[i]))) * up[i];
}

static void
glu_dx (LkActivation activation, const float *restrict dy, const float *restrict gate, const float *restrict up, float *restrict dgate,
        float *restrict dup, gint64 n)
{
  if (activation == LK_ACTIVATION_SILU)
    for (gint64 i = 0; i < n; i++)
      {
        float s = 1.0f / (1.0f + lk_exp (-gate[i]));
        float d = dy[i];

        dup[i] = d * gate[i] * s;
        dgate[i] = d * up[i] * s * (1.0f + gate[i] * (1.0f - s));
      }
  else
    for (gint64 i = 0; i < n; i++)
      {
        float square = LK_GELU_B * gate[i] * gate[i];
        float s = 1.0f / (1.0f + lk_exp (-LK_GELU_A * gate[i] * (1.0f + square)));
        float slope = LK_GELU_A * gate[i] * (1.0f + 3.0f * square);

        dup[i] = dy[i] * (gate[i] * s);
        dgate[i] = dy[i] * up[i] * s * (1.0f + slope * (1.0f - s));
      }
}

static float
maximum (const float *x, gint64 n)
{
  float lanes[LK_PARTIAL_SUMS], m = -INFINITY;
  gint64 i = 0;

  for (int j = 0; j < LK_PARTIAL_SUMS; j++)
    lanes[j] = -INFINITY;
  for (; i + LK_PARTIAL_SUMS <= n; i += LK_PARTIAL_SUMS)
    for (int j = 0; j < LK_PARTIAL_SUMS; j++)
      lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  for (int j = 0; j < LK_PARTIAL_SUMS; j++)
    m = lanes[j] > m ? lanes[j] : m;
  for (; i < n; i++)
    m = x[i] > m ? x[i] : m;
  return m;
}

/* A loop of its own, as compilers vectorise a clamp only there. */
static void
exp_minus_each (float *x, gint64 n, float shift)
{
  for (gint64 i = 0; i < n; i++)
    {
      float d = x[i] - shift, e = lk_exp (d);

      x[i] = d < -87.0f ? 0.0f : e;
    }
}

static float
exp_minus (float *x, gint64 n, float shift)
{
  float lanes[LK_PARTIAL_SUMS] = { 0 };
  gint64 i = 0;

  exp_minus_each (x, n, shift);
  for (; i + LK_PARTIAL_SUMS <= n; i += LK_PARTIAL_SUMS)
    for (int j = 0; j < LK_PARTIAL_SUMS; j++)
      lanes[j] += x[i + j];
  for (int j = 0; i < n; i++, j++)
    lanes[j] += x[i];
  return lk_fold_sums (lanes);
}

static void
rope (const float *x, float *out, const float *cosines, const float *sines, float sign, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    {
      float a = x[i], b = x[i + n], c = cosines[i], s = sign * sines[i];

      out[i] = a * c - b * s;
      out[i + n] = b * c + a * s;
    }
}

static void
adamw (float *restrict p, float *restrict g, float *restrict m, float *restrict v, gint64 n, const float *h, float gradient_scale,
       float decay)
{
  const float lr = h[0], b1 = h[1], b2 = h[2], eps = h[3], c1 = h[6], c2 = h[7], one_minus_b1 = h[9], one_minus_b2 = h[10];

  for (gint64 i = 0; i < n; i++)
    {
      float gi = g[i] * gradient_scale;
      float mi = b1 * m[i] + one_minus_b1 * gi;
      float vi = b2 * v[i] + one_minus_b2 * gi * gi;

      p[i] -= decay * p[i] + lr * (mi * c1) / (sqrtf (vi * c2) + eps); /* 1 − decay would be rounded, and at each step the same way */
      m[i] = mi;
      v[i] = vi;
      g[i] = 0;
    }
}

/* As wide as the instruction set's registers. */
#if defined(__AVX512F__)
#define LK_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define LK_VECTOR_BYTES 32
#else
#define LK_VECTOR_BYTES 16
#endif
typedef float LkVector __attribute__ ((vector_size (LK_VECTOR_BYTES)));

#define LK_FMA_CHAINS 12 /* as many as hide a multiplication's latency and leave registers for its factors */

static double
fma_loop (gint64 rounds, float *result)
{
  const LkVector factor = (LkVector){ 0 } + 0.5f + 1e-9f * (float) rounds, term = (LkVector){ 0 } + *result;
  LkVector x[LK_FMA_CHAINS];

  for (int i = 0; i < LK_FMA_CHAINS; i++)
    x[i] = term * (float) i;
  for (gint64 r = 0; r < rounds; r++)
    {
#pragma GCC unroll 12
      for (int i = 0; i < LK_FMA_CHAINS; i++)
        x[i] = x[i] * factor + term;
    }
  for (int i = 1; i < LK_FMA_CHAINS; i++)
    x[0] += x[i];
  *result = x[0][0];
  return 2.0 * LK_FMA_CHAINS * (LK_VECTOR_BYTES / 4) * (double) rounds;
}

const LkCpuKernels LK_SIMD_SET = {
  .simd = LK_SIMD,
  .unpack = unpack,
  .matvec = matvec,
  .dot = dot,
  .sum_of_squares = sum_of_squares,
  .axpy = axpy,
  .add = add,
  .scale = scale,
  .rms_norm = rms_norm,
  .rms_norm_dx = rms_norm_dx,
  .glu = glu,
  .glu_dx = glu_dx,
  .maximum = maximum,
  .exp_minus = exp_minus,
  .rope = rope,
  .fma_loop = fma_loop,
  .adamw = adamw,
};
