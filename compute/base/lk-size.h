/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Checked arithmetic: the only way sizes, offsets and shape products of files from outside are computed.
 * Each returns FALSE on overflow and leaves *out untouched.
 */
#pragma once

#include <glib.h>

static inline gboolean
lk_size_add (guint64 a, guint64 b, guint64 *out)
{
  guint64 r;
  if (__builtin_add_overflow (a, b, &r))
    return FALSE;
  *out = r;
  return TRUE;
}

static inline gboolean
lk_size_mul (guint64 a, guint64 b, guint64 *out)
{
  guint64 r;
  if (__builtin_mul_overflow (a, b, &r))
    return FALSE;
  *out = r;
  return TRUE;
}

/* Rounds @a up to a multiple of the power of two @alignment. */
static inline gboolean
lk_size_align (guint64 a, guint64 alignment, guint64 *out)
{
  guint64 r;
  if (__builtin_add_overflow (a, alignment - 1, &r))
    return FALSE;
  *out = r & ~(alignment - 1);
  return TRUE;
}

/* TRUE when [offset, offset + length) lies inside [0, total). */
static inline gboolean
lk_size_inside (guint64 offset, guint64 length, guint64 total)
{
  return offset <= total && length <= total - offset;
}

/* Product of @n factors. A zero factor gives zero. */
static inline gboolean
lk_size_product (const guint64 *factors, guint n, guint64 *out)
{
  guint64 r = 1;
  for (guint i = 0; i < n; i++)
    if (!lk_size_mul (r, factors[i], &r))
      return FALSE;
  *out = r;
  return TRUE;
}
