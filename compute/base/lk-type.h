/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Element types of tensors. Numbers are GGUF's own type ids, so that a file's id needs no translation.
 * Rows are contiguous; a row is a whole number of blocks.
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
  LK_TYPE_INVALID = -1,
} LkType;

typedef struct
{
  LkType type;
  const char *name;      /* "Q4_1" */
  guint block_elements;  /* elements of a block */
  guint block_bytes;     /* bytes of a block */
} LkTypeInfo;

/* NULL for a type this table does not list. */
const LkTypeInfo *lk_type_info (LkType type);
/* Case-insensitive; LK_TYPE_INVALID when unknown. */
LkType lk_type_from_name (const char *name);
const char *lk_type_name (LkType type);

/* Bytes of a row of @elements. FALSE on an unknown type, a partial block or overflow. */
gboolean lk_type_row_bytes (LkType type, guint64 elements, guint64 *bytes);
/* Bytes of @rows rows of @elements each. */
gboolean lk_type_bytes (LkType type, guint64 rows, guint64 elements, guint64 *bytes);

G_END_DECLS
