/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "lk-nf4.h"
#include "lk-quant-private.h"

const float lk_nf4_values[16] = {
  -1.0f,
  -0.6961928009986877f,
  -0.5250730514526367f,
  -0.39491748809814453f,
  -0.28444138169288635f,
  -0.18477343022823334f,
  -0.09105003625154495f,
  0.0f,
  0.07958029955625534f,
  0.16093020141124725f,
  0.24611230194568634f,
  0.33791524171829224f,
  0.44070982933044434f,
  0.5626170039176941f,
  0.7229568362236023f,
  1.0f,
};

/* Halfway between two values. */
static const float bounds[15] = {
  -0.8480964004993439f,
  -0.6106329262256622f,
  -0.4599952697753906f,
  -0.33967943489551544f,
  -0.23460740596055984f,
  -0.13791173323988914f,
  -0.045525018125772476f,
  0.03979014977812767f,
  0.1202552504837513f,
  0.2035212516784668f,
  0.2920137718319893f,
  0.3893125355243683f,
  0.5016634166240692f,
  0.6427869200706482f,
  0.8614784178118011f,
};

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  const float *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* Seven decades below 1, each with twice the values of the one below: the middles of 2^i steps from 0.1 to 1 (formats: g.2).
 * The steps are taken from both ends, as torch's linspace does, in float32. */
static void
make_map (float *map)
{
  guint at = 0;

  for (int i = 0; i < 7; i++)
    {
      int n = 1 << i;
      float step = (1.0f - 0.1f) / (float) n, decade = (float) pow (10, i - 6);

      for (int k = 0; k < n; k++)
        {
          float edges[2], middle;

          for (int e = 0; e < 2; e++)
            edges[e] = k + e < (n + 1) / 2 ? fmaf (step, (float) (k + e), 0.1f) : fmaf (-step, (float) (n - k - e), 1.0f);
          middle = (edges[0] + edges[1]) / 2.0f * decade;
          map[at++] = middle;
          map[at++] = -middle;
        }
    }
  map[at++] = 0;
  map[at++] = 1;
  g_assert (at == 256);
  qsort (map, at, sizeof *map, compare_floats);
}

const float *
lk_nf4_map (void)
{
  static float map[256];
  static gsize once;

  if (g_once_init_enter (&once))
    {
      make_map (map);
      g_once_init_leave (&once, 1);
    }
  return map;
}

static inline float
at_word (const guint8 *side, guint64 word)
{
  float f;

  memcpy (&f, side + word * 4, 4);
  return f;
}

static inline void
put_word (guint8 *side, guint64 word, float f)
{
  memcpy (side + word * 4, &f, 4);
}

static float
largest (const float *in, guint n)
{
  float most = 0;

  for (guint i = 0; i < n; i++)
    most = fmaxf (most, fabsf (in[i]));
  return most;
}

/* Values of the whole by the largest, between −1 and 1. bitsandbytes multiplies by the inverse but in the last, short block. */
static float
fit (const float *in, guint n, gboolean whole, float *out)
{
  float most = largest (in, n);
  float divisor = fmaxf (most, 1e-38f), inverse = 1.0f / divisor;

  for (guint i = 0; i < n; i++)
    {
      float x = whole ? in[i] * inverse : in[i] / divisor;
      out[i] = x < -1.0f ? -1.0f : x > 1.0f ? 1.0f : x;
    }
  return whole ? most : divisor;
}

float
lk_nf4_quantise_block (const float *in, guint n, guint8 *codes)
{
  float fitted[LK_NF4_BLOCK] = { 0 };
  float scale = fit (in, n, n == LK_NF4_BLOCK, fitted);

  for (guint i = 0; i < n; i += 2)
    {
      guint8 code[2] = { 0, 0 };

      for (guint k = 0; k < 2; k++)
        for (guint b = 0; b < G_N_ELEMENTS (bounds); b++)
          code[k] += fitted[i + k] > bounds[b];
      codes[i / 2] = (guint8) (code[0] << 4 | code[1]);
    }
  return scale;
}

/* Index of the nearest value; of two equally near the lower one. */
static guint8
nearest_in_map (const float *map, float x)
{
  guint low = 0, high = 255;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (x > (map[middle] + map[middle + 1]) / 2.0f)
        low = middle + 1;
      else
        high = middle;
    }
  return (guint8) low;
}

void
lk_nf4_quantise_scales (float *scales, guint64 n, guint8 *side)
{
  const float *map = lk_nf4_map ();
  double sum = 0;
  float mean, fitted[LK_NF4_NESTED];

  for (guint64 i = 0; i < n; i++)
    sum += (double) scales[i];
  mean = (float) (sum / (double) MAX (n, 1));
  memcpy (side, lk_nf4_values, sizeof lk_nf4_values);
  memcpy (side + LK_NF4_MAP * 4, map, 256 * sizeof (float));
  put_word (side, LK_NF4_MEAN, mean);
  for (guint64 first = 0; first < n; first += LK_NF4_NESTED)
    {
      guint count = (guint) MIN (LK_NF4_NESTED, n - first);
      guint8 *nest = side + (LK_NF4_NESTS + first / LK_NF4_NESTED * 65) * 4;

      for (guint i = 0; i < count; i++)
        scales[first + i] -= mean;
      put_word (nest, 0, fit (scales + first, count, TRUE, fitted));
      memset (nest + 4, 0, LK_NF4_NESTED);
      for (guint i = 0; i < count; i++)
        nest[4 + i] = nearest_in_map (map, fitted[i]);
    }
}

float
lk_nf4_scale (const guint8 *side, guint64 block)
{
  const guint8 *nest = side + (LK_NF4_NESTS + block / LK_NF4_NESTED * 65) * 4;

  return at_word (side, LK_NF4_MAP + (guint64) nest[4 + block % LK_NF4_NESTED]) * at_word (nest, 0) + at_word (side, LK_NF4_MEAN);
}

static inline void
dequantise_part (const guint8 *codes, const guint8 *side, guint64 first, float *out, gint64 n, gboolean plain)
{
  float values[16];

  memcpy (values, side, sizeof values);
  for (gint64 done = 0; done < n;)
    {
      guint64 at = first + (guint64) done, block = at / LK_NF4_BLOCK;
      gint64 left = MIN (n - done, (gint64) (LK_NF4_BLOCK - at % LK_NF4_BLOCK));
      float scale = plain ? at_word (side, 16 + block) : lk_nf4_scale (side, block);

      for (gint64 i = 0; i < left; i += 2)
        {
          guint8 pair = codes[(at + (guint64) i) / 2];

          out[done + i] = values[pair >> 4] * scale;
          out[done + i + 1] = values[pair & 15] * scale;
        }
      done += left;
    }
}

void
lk_nf4_dequantise (const guint8 *codes, const guint8 *side, guint64 first, float *out, gint64 n)
{
  dequantise_part (codes, side, first, out, n, FALSE);
}

void
lk_nf4_plain_dequantise (const guint8 *codes, const guint8 *side, guint64 first, float *out, gint64 n)
{
  dequantise_part (codes, side, first, out, n, TRUE);
}
