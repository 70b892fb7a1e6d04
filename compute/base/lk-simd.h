/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Instruction sets the inner loops are compiled for; which of them this processor runs is found out once.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In the order of preference, the best last. */
typedef enum
{
  LK_SIMD_BASELINE, /* what the compiler takes for granted */
  LK_SIMD_AVX2,     /* with FMA and F16C */
  LK_SIMD_AVX512,   /* F, BW, VL and DQ */
  LK_N_SIMD,
} LkSimd;

/* "baseline", "AVX2", "AVX-512" */
const char *lk_simd_get_name (LkSimd simd);
/* FALSE where the processor lacks it, or is of another kind. */
gboolean lk_simd_runs (LkSimd simd);
/* The best that runs; LK_SIMD=baseline|avx2|avx512 in the environment asks for a lesser one. Any thread. */
LkSimd lk_simd_choose (void);

G_END_DECLS
