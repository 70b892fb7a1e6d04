/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant.h"

#include "lk-nf4.h"
#include "lk-quant-private.h"

#define ROW(id, name) { LK_TYPE_##id, lk_quant_##name##_dequantise, lk_quant_##name##_quantise, NULL }

static const LkQuantInfo infos[] = {
  ROW (F32, f32),
  ROW (F16, f16),
  ROW (BF16, bf16),
  ROW (Q8_0, q8_0),
  ROW (Q4_0, q4_0),
  ROW (Q4_1, q4_1),
  ROW (Q5_0, q5_0),
  ROW (Q5_1, q5_1),
  ROW (Q2_K, q2_k),
  ROW (Q3_K, q3_k),
  ROW (Q4_K, q4_k),
  ROW (Q5_K, q5_k),
  ROW (Q6_K, q6_k),
  ROW (IQ4_NL, iq4_nl),
  ROW (IQ4_XS, iq4_xs),
  { LK_TYPE_NF4, NULL, NULL, lk_nf4_dequantise },
  { LK_TYPE_NF4_PLAIN, NULL, NULL, lk_nf4_plain_dequantise },
};

const LkQuantInfo *
lk_quant_info (LkType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (infos); i++)
    if (infos[i].type == type)
      return &infos[i];
  return NULL;
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
