/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant.h"

#include "lk-nf4.h"

const LkQuantInfo *lk_quant_baseline_info (LkType type);
#if defined(__x86_64__)
const LkQuantInfo *lk_quant_avx2_info (LkType type);
const LkQuantInfo *lk_quant_avx512_info (LkType type);
#endif

static const LkQuantInfo *(*const sets[LK_N_SIMD]) (LkType type) = {
  [LK_SIMD_BASELINE] = lk_quant_baseline_info,
#if defined(__x86_64__)
  [LK_SIMD_AVX2] = lk_quant_avx2_info,
  [LK_SIMD_AVX512] = lk_quant_avx512_info,
#endif
};

/* Types that no instruction set has a file of its own for. */
static const LkQuantInfo common[] = {
  { LK_TYPE_NF4, NULL, NULL, lk_nf4_dequantise },
  { LK_TYPE_NF4_PLAIN, NULL, NULL, lk_nf4_plain_dequantise },
};

const LkQuantInfo *
lk_quant_info_for (LkSimd simd, LkType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (common); i++)
    if (common[i].type == type)
      return &common[i];
  return sets[simd] (type);
}

const LkQuantInfo *
lk_quant_info (LkType type)
{
  return lk_quant_info_for (lk_simd_choose (), type);
}

char *
lk_quant_list_types (void)
{
  g_autoptr (GString) list = g_string_new (NULL);
  const LkTypeInfo *info;

  for (guint i = 0; (info = lk_type_info_at (i)); i++)
    if (info->type < LK_TYPE_NOT_GGUF && lk_quant_info (info->type))
      g_string_append_printf (list, "%s%s", list->len ? ", " : "", info->name);
  return g_string_free (g_steal_pointer (&list), FALSE);
}

LkPacked
lk_packed (LkType type, const void *data, gint64 rows, gint64 cols)
{
  LkPacked self = { .type = type, .data = data, .cols = cols };
  guint64 side = 0;
  gboolean whole = lk_type_row_bytes (type, (guint64) cols, &self.row_bytes)
                   && lk_type_side_offset (type, (guint64) rows, (guint64) cols, &side);

  g_assert (whole);
  self.side = lk_type_info (type)->side_bytes ? self.data + side : NULL;
  return self;
}

void
lk_packed_read (const LkPacked *self, gint64 row, gint64 col, gint64 n, float *out)
{
  const LkQuantInfo *info = lk_quant_info (self->type);
  const LkTypeInfo *type = lk_type_info (self->type);

  if (self->side)
    info->dequantise_side (self->data, self->side, (guint64) (row * self->cols + col), out, n);
  else
    info->dequantise (self->data + (guint64) row * self->row_bytes + (guint64) (col / type->block_elements) * type->block_bytes, out, n);
}
