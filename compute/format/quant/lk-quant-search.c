/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-search.h"

#include <math.h>

#include "lk-quant-private.h"

static float
total_error (const LkQuantSearch *search, const float *x, const float *weights, const guint8 *levels, float scale,
             float least)
{
  float sum = 0;

  for (int i = 0; i < search->n; i++)
    {
      float difference = scale * levels[i] + least - x[i];

      difference = search->absolute ? fabsf (difference) : difference * difference;
      sum += weights[i] * difference;
    }
  return sum;
}

/* Weighted least squares of x by the levels: FALSE when they do not determine a line. */
static gboolean
fit_line (const LkQuantSearch *search, const float *x, const float *weights, const guint8 *levels, float sum_w,
          float sum_x, float *scale, float *least)
{
  float sum_l = 0, sum_l2 = 0, sum_xl = 0, determinant;

  for (int i = 0; i < search->n; i++)
    {
      float l = levels[i], w = weights[i];

      sum_l += w * l;
      sum_l2 += w * l * l;
      sum_xl += w * l * x[i];
    }
  determinant = sum_w * sum_l2 - sum_l * sum_l;
  if (!(determinant > 0))
    return FALSE;
  *scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
  *least = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
  if (*least > 0)
    {
      *least = 0;
      *scale = sum_xl / sum_l2;
    }
  return TRUE;
}

static void
pick_levels (const LkQuantSearch *search, const float *x, float inverse, float least, guint8 *levels)
{
  for (int i = 0; i < search->n; i++)
    levels[i] = (guint8) lk_quant_clamp (lk_quant_nearest (inverse * (x[i] - least)), 0, search->top);
}

float
lk_quant_search_offset (const LkQuantSearch *search, const float *x, const float *weights, guint8 *levels,
                        float *offset)
{
  float least = x[0], most = x[0], sum_w = weights[0], sum_x = weights[0] * x[0];
  float inverse, scale, best;
  guint8 candidate[32];

  for (int i = 1; i < search->n; i++)
    {
      least = x[i] < least ? x[i] : least;
      most = x[i] > most ? x[i] : most;
      sum_w += weights[i];
      sum_x += weights[i] * x[i];
    }
  least = least > 0 ? 0 : least;
  *offset = -least;
  if (most == least)
    {
      memset (levels, 0, (gsize) search->n);
      return 0;
    }
  inverse = (float) search->top / (most - least);
  scale = 1 / inverse;
  pick_levels (search, x, inverse, least, levels);
  best = total_error (search, x, weights, levels, scale, least);
  for (int i = 0; i <= search->tries; i++)
    {
      float new_scale, new_least, error;

      /* the range shrinks with each better minimum found, as in the reference */
      inverse = (search->first + search->step * (float) i + (float) search->top) / (most - least);
      pick_levels (search, x, inverse, least, candidate);
      if (!fit_line (search, x, weights, candidate, sum_w, sum_x, &new_scale, &new_least))
        continue;
      error = total_error (search, x, weights, candidate, new_scale, new_least);
      if (error < best)
        {
          memcpy (levels, candidate, (gsize) search->n);
          best = error;
          scale = new_scale;
          least = new_least;
        }
    }
  *offset = -least;
  return scale;
}

void
lk_quant_search_weights (const float *x, int n, float *weights)
{
  float square = 0, mean;

  for (int i = 0; i < n; i++)
    square += x[i] * x[i];
  mean = sqrtf (square / (float) n);
  for (int i = 0; i < n; i++)
    weights[i] = mean + fabsf (x[i]);
}

static float
signed_largest (const float *x, int n)
{
  float magnitude = 0, largest = 0;

  for (int i = 0; i < n; i++)
    if (fabsf (x[i]) > magnitude)
      {
        magnitude = fabsf (x[i]);
        largest = x[i];
      }
  return largest;
}

static void
symmetric_sums (const float *x, int n, int top, float inverse, float *sum_lx, float *sum_l2)
{
  *sum_lx = *sum_l2 = 0;
  for (int i = 0; i < n; i++)
    {
      float w = x[i] * x[i];
      float l = (float) lk_quant_clamp (lk_quant_nearest (inverse * x[i]), -top, top - 1);

      *sum_lx += w * x[i] * l;
      *sum_l2 += w * l * l;
    }
}

float
lk_quant_search_symmetric (const float *x, int n, int top, guint8 *levels)
{
  float largest = signed_largest (x, n);
  float chosen, scale, best, sum_lx, sum_l2;

  for (int i = 0; i < n; i++)
    levels[i] = 0;
  if (fabsf (largest) < LK_QUANT_TINY)
    return 0;
  chosen = (float) -top / largest;
  symmetric_sums (x, n, top, chosen, &sum_lx, &sum_l2);
  scale = sum_l2 != 0 ? sum_lx / sum_l2 : 0;
  best = scale * sum_lx;
  for (int i = -9; i <= 9; i++)
    {
      float inverse = -((float) top + 0.1f * (float) i) / largest;

      if (i == 0)
        continue;
      symmetric_sums (x, n, top, inverse, &sum_lx, &sum_l2);
      if (sum_l2 > 0 && sum_lx * sum_lx > best * sum_l2)
        {
          chosen = inverse;
          scale = sum_lx / sum_l2;
          best = scale * sum_lx;
        }
    }
  for (int i = 0; i < n; i++)
    levels[i] = (guint8) (lk_quant_clamp (lk_quant_nearest (chosen * x[i]), -top, top - 1) + top);
  return scale;
}

float
lk_quant_search_descent (const float *x, int n, int top, guint8 *levels)
{
  float largest = signed_largest (x, n);
  float sum_lx = 0, sum_l2 = 0;
  int l[32];

  for (int i = 0; i < n; i++)
    levels[i] = 0;
  if (fabsf (largest) < LK_QUANT_TINY)
    return 0;
  for (int i = 0; i < n; i++)
    {
      float w = x[i] * x[i];

      l[i] = lk_quant_clamp (lk_quant_nearest ((float) -top / largest * x[i]), -top, top - 1);
      sum_lx += w * x[i] * (float) l[i];
      sum_l2 += w * (float) l[i] * (float) l[i];
    }
  for (int sweep = 0, changed = 1; sweep < 5 && changed; sweep++)
    {
      changed = 0;
      for (int i = 0; i < n; i++)
        {
          float w = x[i] * x[i];
          float lx = sum_lx - w * x[i] * (float) l[i], l2 = sum_l2 - w * (float) l[i] * (float) l[i];
          int level;

          if (!(lx > 0))
            continue;
          level = lk_quant_clamp (lk_quant_nearest (x[i] * l2 / lx), -top, top - 1);
          if (level == l[i])
            continue;
          lx += w * x[i] * (float) level;
          l2 += w * (float) level * (float) level;
          if (l2 > 0 && lx * lx * sum_l2 > sum_lx * sum_lx * l2)
            {
              l[i] = level;
              sum_lx = lx;
              sum_l2 = l2;
              changed = 1;
            }
        }
    }
  for (int i = 0; i < n; i++)
    levels[i] = (guint8) (l[i] + top);
  return sum_l2 > 0 ? sum_lx / sum_l2 : 0;
}
