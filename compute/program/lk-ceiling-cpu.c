/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-ceiling-cpu.h"

#include <string.h>
#include <time.h>

#include "lk-error.h"

#define MEASUREMENTS 24    /* at least; the best one counts */
#define LEAST_SECONDS 5e-4 /* of one multiplying loop, so that starting the workers is no part of it */
#define COPY_SECONDS 4e-3  /* of all copies together, at least */
#define COPY_GRAIN 16384   /* floats a worker copies at a time */

typedef struct
{
  const LkCpuKernels *kernels;
  gint64 rounds;
  double operations; /* of one chunk */
  float *from, *to; /* the same: in place */
} Loop;

double
_lk_cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void
multiply (gint64 begin, gint64 end, guint worker, gpointer data)
{
  Loop *loop = data;
  float result = 1.0f + (float) worker;
  double operations = loop->kernels->fma_loop (loop->rounds, &result);

  if (begin == 0)
    loop->operations = operations;
}

static double
measure_fma (LkParallel *parallel, const LkCpuKernels *kernels)
{
  const gint64 workers = lk_parallel_get_workers (parallel);
  Loop loop = { .kernels = kernels, .rounds = 1 << 12 };
  double best = 0;

  for (guint i = 0; i < MEASUREMENTS;)
    {
      double began = _lk_cpu_seconds (), seconds;

      lk_parallel_for (parallel, workers, 1, multiply, &loop);
      seconds = _lk_cpu_seconds () - began;
      if (seconds < LEAST_SECONDS)
        {
          loop.rounds *= 2;
          continue;
        }
      best = MAX (best, (double) workers * loop.operations / seconds);
      i++;
    }
  return best;
}

static void
copy (gint64 begin, gint64 end, guint worker, gpointer data)
{
  Loop *loop = data;

  if (loop->from == loop->to)
    loop->kernels->scale (-1, loop->to + begin, end - begin);
  else
    memcpy (loop->to + begin, loop->from + begin, (gsize) (end - begin) * sizeof (float));
}

/* Bytes a second of @n floats read and written. */
static double
measure_loop (LkParallel *parallel, Loop *loop, gint64 n)
{
  double best = G_MAXDOUBLE, spent = 0;

  for (guint i = 0; i < MEASUREMENTS || spent < COPY_SECONDS; i++)
    {
      double began = _lk_cpu_seconds (), seconds;

      lk_parallel_for (parallel, n, COPY_GRAIN, copy, loop);
      seconds = _lk_cpu_seconds () - began;
      best = MIN (best, seconds);
      spent += seconds;
    }
  return 2.0 * sizeof (float) * (double) n / MAX (best, 1e-9);
}

/* From one place to another and within one place, whichever is faster: processors read what they are about to overwrite. */
static gboolean
measure_copy (LkParallel *parallel, const LkCpuKernels *kernels, guint64 bytes, double *rate, GError **error)
{
  gint64 n = (gint64) MAX (bytes / (2 * sizeof (float)), COPY_GRAIN);
  g_autofree float *memory = g_try_new0 (float, 2 * n);
  Loop apart = { .kernels = kernels, .from = memory, .to = memory ? memory + n : NULL };
  Loop in_place = { .kernels = kernels, .from = memory, .to = memory };

  if (!memory)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "Not enough memory to copy %" G_GINT64_FORMAT " floats", n);
      return FALSE;
    }
  *rate = MAX (measure_loop (parallel, &apart, n), measure_loop (parallel, &in_place, n));
  return TRUE;
}

gboolean
_lk_cpu_measure (LkParallel *parallel, const LkCpuKernels *kernels, LkCeiling ceiling, guint64 bytes, double *rate, GError **error)
{
  if (ceiling == LK_CEILING_COPY)
    return measure_copy (parallel, kernels, bytes, rate, error);
  *rate = ceiling == LK_CEILING_FMA ? measure_fma (parallel, kernels) : 0;
  return TRUE;
}
