/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * “lorikeet-cli bench kernels”: time and rate of every operation beside the ceilings of the device, all measured in one run.
 */
#pragma once

#include "lk-bench-cases.h"

G_BEGIN_DECLS

typedef struct
{
  const char *device;
  LkPrecision precision;
  LkBenchSizes sizes; /* no shape, no tokens: as the device is */
  const char *only;   /* words that a case's name begins with; NULL: all */
  gboolean json;
} LkBenchKernels;

/* Prints them. */
gboolean lk_bench_kernels (const LkBenchKernels *self, GError **error);

G_END_DECLS
