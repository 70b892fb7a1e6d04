/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-private.h"

/* Same result as lk_f16_to_f32 without branches: the half's exponent, moved to a float's place, is 112 too small. */
static inline float
widen (guint16 h)
{
  guint32 u = (guint32) (h & 0x7fff) << 13;
  float f;

  memcpy (&f, &u, sizeof f);
  f *= 0x1p112f;
  memcpy (&u, &f, sizeof u);
  u |= f >= 65536.0f ? 0x7f800000u : 0; /* infinities and not-a-numbers */
  u |= (guint32) (h & 0x8000) << 16;
  memcpy (&f, &u, sizeof f);
  return f;
}

void
LK_QUANT (f16_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *p = blocks;
  gint64 i = 0;

#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (out + i, _mm256_cvtph_ps (_mm_loadu_si128 ((const __m128i *) (const void *) (p + 2 * i))));
#endif
  for (; i < n; i++)
    {
      guint16 h;

      memcpy (&h, p + 2 * i, 2);
      out[i] = widen (h);
    }
}

void
LK_QUANT (f16_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *p = blocks;

  for (gint64 i = 0; i < n; i++)
    {
      guint16 h = lk_f32_to_f16 (in[i]);

      memcpy (p + 2 * i, &h, 2);
    }
}
