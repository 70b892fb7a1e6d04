/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-quant.h"

#include "lk-quant-private.h"

#define ROW(id, name) \
  [LK_TYPE_##id] = { LK_TYPE_##id, LK_QUANT (name##_dequantise), LK_QUANT (name##_quantise), NULL }

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
  ROW (TQ1_0, tq1_0),
  ROW (TQ2_0, tq2_0),
  ROW (MXFP4, mxfp4),
};

const LkQuantInfo *
LK_QUANT (info) (LkType type)
{
  return (guint) type < G_N_ELEMENTS (infos) && infos[type].dequantise ? &infos[type] : NULL;
}
