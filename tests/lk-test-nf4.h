/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small matrix as NF4 or NF4_PLAIN, in one thread.
 */
#pragma once

#include <string.h>

#include "lk-nf4.h"
#include "lk-quant.h"

static inline void
lk_test_nf4_quantise (LkType type, const float *in, gint64 rows, gint64 cols, guint8 *out)
{
  guint64 side = 0, n = (guint64) (rows * cols), blocks = (n + LK_NF4_BLOCK - 1) / LK_NF4_BLOCK;
  g_autofree float *scales = g_new (float, blocks);

  g_assert_true (lk_type_side_offset (type, (guint64) rows, (guint64) cols, &side));
  for (guint64 b = 0; b < blocks; b++)
    scales[b] = lk_nf4_quantise_block (in + b * LK_NF4_BLOCK, (guint) MIN (LK_NF4_BLOCK, n - b * LK_NF4_BLOCK),
                                       out + b * LK_NF4_BLOCK / 2);
  if (type == LK_TYPE_NF4)
    lk_nf4_quantise_scales (scales, blocks, out + side);
  else
    {
      memcpy (out + side, lk_nf4_values, sizeof lk_nf4_values);
      memcpy (out + side + sizeof lk_nf4_values, scales, blocks * sizeof *scales);
    }
}
