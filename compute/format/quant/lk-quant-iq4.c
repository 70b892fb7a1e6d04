/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant-iq4.h"

#include <math.h>

const gint8 lk_quant_iq4_values[16] = {
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
};

int
lk_quant_iq4_nearest (float x)
{
  int upper = 1;

  if (!(x > lk_quant_iq4_values[0]))
    return 0;
  while (upper < 15 && !(x < lk_quant_iq4_values[upper]))
    upper++;
  return x - lk_quant_iq4_values[upper - 1] < lk_quant_iq4_values[upper] - x ? upper - 1 : upper;
}

static void
sums (const float *x, float inverse, guint8 *levels, float *sum_qx, float *sum_q2)
{
  *sum_qx = *sum_q2 = 0;
  for (int j = 0; j < 32; j++)
    {
      int level = lk_quant_iq4_nearest (inverse * x[j]);
      float q = lk_quant_iq4_values[level], w = x[j] * x[j];

      *sum_qx += w * q * x[j];
      *sum_q2 += w * q * q;
      if (levels)
        levels[j] = (guint8) level;
    }
}

float
lk_quant_iq4_search (const float *x, int tries, guint8 *levels)
{
  float largest = 0, d, best, sum_qx, sum_q2;

  if (levels)
    memset (levels, 0, 32);
  for (int j = 0; j < 32; j++)
    if (fabsf (x[j]) > fabsf (largest))
      largest = x[j];
  if (fabsf (largest) < LK_QUANT_TINY)
    return 0;
  d = (tries > 0 ? -largest : largest) / lk_quant_iq4_values[0];
  sums (x, 1 / d, levels, &sum_qx, &sum_q2);
  d = sum_qx / sum_q2;
  best = d * sum_qx;
  for (int i = -tries; tries > 0 && i <= tries; i++)
    {
      sums (x, (float) (i + lk_quant_iq4_values[0]) / largest, NULL, &sum_qx, &sum_q2);
      if (sum_q2 > 0 && sum_qx * sum_qx > best * sum_q2)
        {
          d = sum_qx / sum_q2;
          best = d * sum_qx;
        }
    }
  return d;
}
