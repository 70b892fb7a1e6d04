/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Block types: one file each, one row in the table. Dequantisation to float32 and, where we export the type, the
 * reference quantiser, bit for bit as llama.cpp's *_ref functions (reference/formats.md a.3, a.4).
 */
#pragma once

#include "lk-type.h"

G_BEGIN_DECLS

/* @n elements, a whole number of blocks. @blocks may be unaligned. */
typedef void (*LkDequantFunc) (const void *blocks, float *out, gint64 n);
typedef void (*LkQuantFunc) (const float *in, void *blocks, gint64 n);

typedef struct
{
  LkType type;
  LkDequantFunc dequantise; /* never NULL */
  LkQuantFunc quantise;     /* NULL: readable only */
} LkQuantInfo;

/* NULL for a type without a file in this folder. F32, F16 and BF16 are in the table. */
const LkQuantInfo *lk_quant_info (LkType type);

G_END_DECLS
