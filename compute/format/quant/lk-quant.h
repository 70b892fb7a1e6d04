/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Block types: one file each, one row in the table. Dequantisation to float32 and, where we export the type, the
 * reference quantiser, bit for bit as llama.cpp's *_ref functions (reference/formats.md a.3, a.4).
 *
 * Types whose scales stand on the matrix's side (lk-type.h) are unpacked by the place of an element in the matrix.
 */
#pragma once

#include "lk-simd.h"
#include "lk-type.h"

G_BEGIN_DECLS

/* @n elements, a whole number of blocks. @blocks may be unaligned; the two do not overlap. */
typedef void (*LkDequantFunc) (const void *blocks, float *out, gint64 n);
typedef void (*LkQuantFunc) (const float *in, void *blocks, gint64 n);
/* @n elements from @first of the matrix written row by row; both a multiple of 4. @blocks is the matrix's beginning. */
typedef void (*LkDequantSideFunc) (const guint8 *blocks, const guint8 *side, guint64 first, float *out, gint64 n);

typedef struct
{
  LkType type;
  LkDequantFunc dequantise; /* NULL where there is a side */
  LkQuantFunc quantise;     /* NULL: readable only, or a matrix at a time */
  LkDequantSideFunc dequantise_side; /* NULL where there is none */
} LkQuantInfo;

/* NULL for a type without a file in this folder. F32, F16 and BF16 are in the table. The functions are those of
 * lk_simd_choose(). */
const LkQuantInfo *lk_quant_info (LkType type);
/* Those of one instruction set, which must run here (lk_simd_runs). All sets give the same bits, but for the payload
 * of a half that is not a number. */
const LkQuantInfo *lk_quant_info_for (LkSimd simd, LkType type);

/* "F32, F16, …": the types a weight of a GGUF file may have, for messages. */
char *lk_quant_list_types (void);

/* A packed matrix. @data borrowed. */
typedef struct
{
  LkType type;
  const guint8 *data, *side; /* side: NULL where there is none */
  guint64 row_bytes;
  gint64 cols;
} LkPacked;

/* @rows × @cols must be whole blocks. */
LkPacked lk_packed (LkType type, const void *data, gint64 rows, gint64 cols);
/* @n elements from (row, col), of which @col is whole blocks from the row's begin; they may go on in the rows that follow. */
void lk_packed_read (const LkPacked *self, gint64 row, gint64 col, gint64 n, float *out);

G_END_DECLS
