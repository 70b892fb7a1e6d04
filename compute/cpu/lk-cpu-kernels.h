/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inner loops of the CPU backend. One source (lk-cpu-kernels-impl.c) is compiled once for each instruction set; the
 * best one the processor has is chosen at run time. All pointers are to distinct memory unless said otherwise.
 */
#pragma once

#include "lk-quant.h"

G_BEGIN_DECLS

/* The gate of a gated linear unit: gate·σ(z), z = gate for SiLU and 2·√(2/π)·(gate + 0.044715·gate³) for GELU in its tanh form. */
typedef enum
{
  LK_ACTIVATION_SILU,
  LK_ACTIVATION_GELU_TANH,
} LkActivation;

typedef struct
{
  LkSimd simd;

  /* As lk_packed_read. */
  void (*unpack) (const LkPacked *w, gint64 row, gint64 col, gint64 n, float *out);
  /* y[r] = Σ_i w[first + r][i]·x[i] for @rows packed rows. @scratch: w's cols floats. */
  void (*matvec) (const LkPacked *w, gint64 first, gint64 rows, const float *x, float *scratch, float *y);
  float (*dot) (const float *x, const float *y, gint64 n);
  double (*sum_of_squares) (const float *x, gint64 n);
  void (*axpy) (float a, const float *x, float *y, gint64 n); /* y += a·x */
  void (*add) (const float *x, const float *y, float *out, gint64 n); /* out may be x or y */
  void (*scale) (float a, float *x, gint64 n);
  /* y = x/√(mean x² + eps) · (plus + w); returns the factor 1/√(…) */
  float (*rms_norm) (const float *x, const float *w, float *y, gint64 n, float eps, float plus);
  /* dx (=|+=) rstd·(v·dy − x·rstd²·mean(v·dy·x)) with v = plus + w */
  void (*rms_norm_dx) (const float *dy, const float *x, const float *w, float rstd, float *dx, gint64 n, float plus, gboolean accumulate);
  void (*glu) (LkActivation activation, const float *gate, const float *up, float *out, gint64 n); /* activation(gate)·up */
  void (*glu_dx) (LkActivation activation, const float *dy, const float *gate, const float *up, float *dgate, float *dup, gint64 n);
  float (*maximum) (const float *x, gint64 n); /* −∞ for n = 0 */
  float (*exp_minus) (float *x, gint64 n, float shift); /* x = exp(x − shift) in place; returns the sum */
  /* x' = x·cos − y·sin, y' = y·cos + x·sin on the pairs (i, i + n); @sign −1 turns back. In place allowed. */
  void (*rope) (const float *x, float *out, const float *cos, const float *sin, float sign, gint64 n);
  /* Nothing but multiplications with additions, all in registers, @rounds times; returns how many operations that were, two each.
   * @result: what came out, so that it is not left out. */
  double (*fma_loop) (gint64 rounds, float *result);
  /* torch's AdamW; h: see lk-adamw.c */
  void (*adamw) (float *p, float *g, float *m, float *v, gint64 n, const float *h, float gradient_scale, float decay);
} LkCpuKernels;

/* The set of lk_simd_choose(). */
const LkCpuKernels *lk_cpu_kernels (void);
/* The set of one that runs here (lk_simd_runs). */
const LkCpuKernels *lk_cpu_kernels_for (LkSimd simd);

G_END_DECLS
