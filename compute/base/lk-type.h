/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Element types of tensors. Numbers are GGUF's own type ids, so that a file's id needs no translation; GGUF has no
 * such type where they are 256 or more. Rows are contiguous; a row is a whole number of blocks. Of some types the scales
 * stand apart from the rows, on their side: behind the last row, for the matrix as a whole.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_TYPE_F32 = 0,
  LK_TYPE_F16 = 1,
  LK_TYPE_Q4_0 = 2,
  LK_TYPE_Q4_1 = 3,
  LK_TYPE_Q5_0 = 6,
  LK_TYPE_Q5_1 = 7,
  LK_TYPE_Q8_0 = 8,
  LK_TYPE_Q2_K = 10,
  LK_TYPE_Q3_K = 11,
  LK_TYPE_Q4_K = 12,
  LK_TYPE_Q5_K = 13,
  LK_TYPE_Q6_K = 14,
  LK_TYPE_IQ4_NL = 20,
  LK_TYPE_IQ4_XS = 23,
  LK_TYPE_I8 = 24,
  LK_TYPE_I16 = 25,
  LK_TYPE_I32 = 26,
  LK_TYPE_I64 = 27,
  LK_TYPE_F64 = 28,
  LK_TYPE_BF16 = 30,
  LK_TYPE_TQ1_0 = 34,
  LK_TYPE_TQ2_0 = 35,
  LK_TYPE_MXFP4 = 39,
  LK_TYPE_NF4 = 256,       /* bitsandbytes' 4-bit NormalFloat, double quantised scales */
  LK_TYPE_NF4_PLAIN = 257, /* the same with F32 scales */
  LK_TYPE_U8 = 258,
  LK_TYPE_INVALID = -1,
} LkType;

typedef struct
{
  LkType type;
  const char *name;      /* "Q4_1" */
  guint block_elements;  /* elements of a block */
  guint block_bytes;     /* bytes of a block */
  /* The side: so many bytes, and behind them side_block_bytes for each begun side_block elements of the matrix. */
  guint side_bytes;      /* 0: there is none */
  guint side_block, side_block_bytes;
} LkTypeInfo;

#define LK_TYPE_NOT_GGUF 256 /* the first number that is none of GGUF's */

/* NULL for a type this table does not list. */
const LkTypeInfo *lk_type_info (LkType type);
/* Row @i of the table; NULL behind its end. */
const LkTypeInfo *lk_type_info_at (guint i);
/* Case-insensitive; LK_TYPE_INVALID when unknown. */
LkType lk_type_from_name (const char *name);
const char *lk_type_name (LkType type);

/* Bytes of a row of @elements. FALSE on an unknown type, a partial block or overflow. */
gboolean lk_type_row_bytes (LkType type, guint64 elements, guint64 *bytes);
/* Bytes of @rows rows of @elements each, and of what stands on their side. */
gboolean lk_type_bytes (LkType type, guint64 rows, guint64 elements, guint64 *bytes);
/* Where the side begins, a multiple of 4; the end of the rows where there is none. */
gboolean lk_type_side_offset (LkType type, guint64 rows, guint64 elements, guint64 *offset);

G_END_DECLS
