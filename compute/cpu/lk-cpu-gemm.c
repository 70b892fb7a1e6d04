/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cpu-gemm.h"

#include <cblas.h>

static void
lk_cpu_gemm_single_thread (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      openblas_set_num_threads (1);
      g_once_init_leave (&once, 1);
    }
}

void
lk_cpu_gemm (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
             const float *b, gint64 ldb, float beta, float *c, gint64 ldc)
{
  lk_cpu_gemm_single_thread ();
  cblas_sgemm (CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (blasint) m, (blasint) n,
               (blasint) k, alpha, a, (blasint) lda, b, (blasint) ldb, beta, c, (blasint) ldc);
}

double
lk_cpu_gemm_rate (gint64 m, gint64 n, gint64 k, guint threads, guint repeats)
{
  g_autofree float *a = g_new (float, (gsize) (m * k));
  g_autofree float *b = g_new (float, (gsize) (n * k));
  g_autofree float *c = g_new0 (float, (gsize) (m * n));
  double best = 0;

  for (gint64 i = 0; i < m * k; i++)
    a[i] = (float) (i % 97) * 0.01f - 0.5f;
  for (gint64 i = 0; i < n * k; i++)
    b[i] = (float) (i % 89) * 0.01f - 0.4f;
  lk_cpu_gemm_single_thread ();
  openblas_set_num_threads ((int) threads);
  for (guint r = 0; r < repeats + 1; r++)
    {
      gint64 begin = g_get_monotonic_time ();
      double seconds;

      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint) m, (blasint) n, (blasint) k, 1, a, (blasint) k, b, (blasint) k, 0, c,
                   (blasint) n);
      seconds = (double) (g_get_monotonic_time () - begin) * 1e-6;
      if (r > 0 && seconds > 0)
        best = MAX (best, 2.0 * (double) m * (double) n * (double) k / seconds);
    }
  openblas_set_num_threads (1);
  return best;
}
