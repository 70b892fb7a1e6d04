/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cpu-gemm.h"

#include <cblas.h>

/* A buffer of OpenBLAS as x86-64 is built by default; other builds have smaller ones. */
#define LK_BLAS_BUFFER (G_GUINT64_CONSTANT (128) << 20)

static int at_work, most_at_work; /* callers of OpenBLAS, now and ever; atomic */

static void
lk_cpu_gemm_enter (void)
{
  int now = g_atomic_int_add (&at_work, 1) + 1, most;

  while ((most = g_atomic_int_get (&most_at_work)) < now && !g_atomic_int_compare_and_exchange (&most_at_work, most, now))
    ;
}

static void
lk_cpu_gemm_leave (void)
{
  g_atomic_int_add (&at_work, -1);
}

guint64
lk_cpu_gemm_mapping (guint threads)
{
  guint have = (guint) g_atomic_int_get (&most_at_work);

  return threads > have ? (threads - have) * LK_BLAS_BUFFER : 0;
}

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

/* Fewer multiplications than this and the product is made in double: it costs next to nothing there, and a small model, where one row of the
 * residual stream easily cancels to a fiftieth of its parts, keeps the digits that a float32 sum would lose. */
#define LK_SMALL_PRODUCT (12 << 20)
#define LK_SMALL_TILE (1 << 19)

static void
lk_cpu_to_double (const float *x, gint64 rows, gint64 cols, gint64 stride, double *out)
{
  for (gint64 r = 0; r < rows; r++)
    for (gint64 c = 0; c < cols; c++)
      out[r * cols + c] = (double) x[r * stride + c];
}

static void
lk_cpu_gemm_double (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
                    const float *b, gint64 ldb, float beta, float *c, gint64 ldc)
{
  static GPrivate kept = G_PRIVATE_INIT (g_free);
  static GPrivate kept_size = G_PRIVATE_INIT (NULL);
  gsize wanted = (gsize) (m * k + k * n + m * n) * sizeof (double);
  double *buffer = g_private_get (&kept), *da, *db, *dc;
  gint64 a_cols = transpose_a ? m : k, b_cols = transpose_b ? k : n;

  if (GPOINTER_TO_SIZE (g_private_get (&kept_size)) < wanted)
    {
      g_private_replace (&kept, buffer = g_malloc (wanted));
      g_private_set (&kept_size, GSIZE_TO_POINTER (wanted));
    }
  da = buffer, db = da + m * k, dc = db + k * n;
  lk_cpu_to_double (a, transpose_a ? k : m, a_cols, lda, da);
  lk_cpu_to_double (b, transpose_b ? n : k, b_cols, ldb, db);
  if (beta != 0)
    lk_cpu_to_double (c, m, n, ldc, dc);
  cblas_dgemm (CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (blasint) m, (blasint) n,
               (blasint) k, (double) alpha, da, (blasint) a_cols, db, (blasint) b_cols, (double) beta, dc, (blasint) n);
  for (gint64 r = 0; r < m; r++)
    for (gint64 i = 0; i < n; i++)
      c[r * ldc + i] = (float) dc[r * n + i];
}

static void
lk_cpu_gemm_limited (gint64 small, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
             const float *b, gint64 ldb, float beta, float *c, gint64 ldc)
{
  lk_cpu_gemm_single_thread ();
  lk_cpu_gemm_enter ();
  if (m * n * k < small)
    lk_cpu_gemm_double (transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  else
    cblas_sgemm (CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (blasint) m,
                 (blasint) n, (blasint) k, alpha, a, (blasint) lda, b, (blasint) ldb, beta, c, (blasint) ldc);
  lk_cpu_gemm_leave ();
}

void
lk_cpu_gemm (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
             const float *b, gint64 ldb, float beta, float *c, gint64 ldc)
{
  lk_cpu_gemm_limited (LK_SMALL_PRODUCT, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void
lk_cpu_gemm_tile (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 lda,
                  const float *b, gint64 ldb, float beta, float *c, gint64 ldc)
{
  lk_cpu_gemm_limited (LK_SMALL_TILE, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
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
