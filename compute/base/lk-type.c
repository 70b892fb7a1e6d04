/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-type.h"

#include "lk-size.h"

static const LkTypeInfo types[] = {
  { LK_TYPE_F32, "F32", 1, 4 },        { LK_TYPE_F16, "F16", 1, 2 },        { LK_TYPE_BF16, "BF16", 1, 2 },
  { LK_TYPE_Q4_0, "Q4_0", 32, 18 },    { LK_TYPE_Q4_1, "Q4_1", 32, 20 },    { LK_TYPE_Q5_0, "Q5_0", 32, 22 },
  { LK_TYPE_Q5_1, "Q5_1", 32, 24 },    { LK_TYPE_Q8_0, "Q8_0", 32, 34 },    { LK_TYPE_Q2_K, "Q2_K", 256, 84 },
  { LK_TYPE_Q3_K, "Q3_K", 256, 110 },  { LK_TYPE_Q4_K, "Q4_K", 256, 144 },  { LK_TYPE_Q5_K, "Q5_K", 256, 176 },
  { LK_TYPE_Q6_K, "Q6_K", 256, 210 },  { LK_TYPE_IQ4_NL, "IQ4_NL", 32, 18 }, { LK_TYPE_IQ4_XS, "IQ4_XS", 256, 136 },
  { LK_TYPE_TQ1_0, "TQ1_0", 256, 54 }, { LK_TYPE_TQ2_0, "TQ2_0", 256, 66 }, { LK_TYPE_MXFP4, "MXFP4", 32, 17 },
  { LK_TYPE_I8, "I8", 1, 1 },          { LK_TYPE_I16, "I16", 1, 2 },        { LK_TYPE_I32, "I32", 1, 4 },
  { LK_TYPE_I64, "I64", 1, 8 },        { LK_TYPE_F64, "F64", 1, 8 },
  { LK_TYPE_U8, "U8", 1, 1 },
  { LK_TYPE_NF4, "NF4", 4, 2, 1092, 16384, 260 },
  { LK_TYPE_NF4_PLAIN, "NF4_PLAIN", 4, 2, 64, 64, 4 },
};

const LkTypeInfo *
lk_type_info (LkType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == type)
      return &types[i];
  return NULL;
}

const LkTypeInfo *
lk_type_info_at (guint i)
{
  return i < G_N_ELEMENTS (types) ? &types[i] : NULL;
}

LkType
lk_type_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_ascii_strcasecmp (types[i].name, name) == 0)
      return types[i].type;
  return LK_TYPE_INVALID;
}

const char *
lk_type_name (LkType type)
{
  const LkTypeInfo *info = lk_type_info (type);

  return info ? info->name : "unknown";
}

gboolean
lk_type_row_bytes (LkType type, guint64 elements, guint64 *bytes)
{
  const LkTypeInfo *info = lk_type_info (type);

  if (!info || elements % info->block_elements != 0)
    return FALSE;
  return lk_size_mul (elements / info->block_elements, info->block_bytes, bytes);
}

gboolean
lk_type_side_offset (LkType type, guint64 rows, guint64 elements, guint64 *offset)
{
  guint64 row, all;

  return lk_type_row_bytes (type, elements, &row) && lk_size_mul (row, rows, &all)
         && lk_size_align (all, lk_type_info (type)->side_bytes ? 4 : 1, offset);
}

gboolean
lk_type_bytes (LkType type, guint64 rows, guint64 elements, guint64 *bytes)
{
  const LkTypeInfo *info = lk_type_info (type);
  guint64 codes, n, blocks, side;

  if (!lk_type_side_offset (type, rows, elements, &codes))
    return FALSE;
  if (info->side_bytes == 0)
    {
      *bytes = codes;
      return TRUE;
    }
  if (!lk_size_mul (rows, elements, &n))
    return FALSE;
  blocks = n / info->side_block + (n % info->side_block > 0);
  return lk_size_mul (blocks, info->side_block_bytes, &side) && lk_size_add (side, info->side_bytes, &side)
         && lk_size_add (codes, side, bytes);
}
