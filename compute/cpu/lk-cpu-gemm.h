/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Matrix products of the CPU backend: OpenBLAS, one thread a call; the callers spread tiles over all cores, so that packed
 * weights are unpacked into a worker's own cache and used at once.
 */
#pragma once

#include "lk-cpu-kernels.h"

G_BEGIN_DECLS

/* Address space that OpenBLAS will still map when @threads multiply at once: a buffer for each, kept from then on. Where it cannot
 * have one, it waits for ever. */
guint64 lk_cpu_gemm_mapping (guint threads);

/* C[m,n] = alpha·op(A)·op(B) + beta·C, row-major float32 with leading dimensions. On the calling thread. */
void lk_cpu_gemm (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
                  const float *b, gint64 ldb, float beta, float *c, gint64 ldc);

/* The same for parts of a larger product, as attention's tiles and the slim matrices of adapters are: made in double only where they are
 * really small. */
void lk_cpu_gemm_tile (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
                       const float *b, gint64 ldb, float beta, float *c, gint64 ldc);

/* The rate of sgemm on all cores at m × n × k, in operations a second: the best of @repeats. For benchmarks. */
double lk_cpu_gemm_rate (gint64 m, gint64 n, gint64 k, guint threads, guint repeats);

G_END_DECLS
