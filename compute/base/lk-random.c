/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-random.h"

#include <math.h>

guint32
lk_random_below (LkRandom *self, guint32 n)
{
  guint32 threshold = -n % n;

  for (;;)
    {
      guint64 product = (guint64) lk_random_u32 (self) * n;
      if ((guint32) product >= threshold)
        return (guint32) (product >> 32);
    }
}

float
lk_random_normal (LkRandom *self)
{
  double u = (lk_random_u32 (self) + 1.0) * 0x1p-32;
  double v = lk_random_u32 (self) * 0x1p-32;

  return (float) (sqrt (-2.0 * log (u)) * cos (2.0 * G_PI * v));
}

void
lk_random_permutation (LkRandom *self, guint32 *order, guint32 n)
{
  for (guint32 i = 0; i < n; i++)
    order[i] = i;
  for (guint32 i = n; i > 1; i--)
    {
      guint32 j = lk_random_below (self, i);
      guint32 t = order[i - 1];
      order[i - 1] = order[j];
      order[j] = t;
    }
}
