/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The CPU's ceilings, and its clock, for lk-backend-cpu.c.
 */
#pragma once

#include "lk-backend.h"
#include "lk-cpu-kernels.h"
#include "lk-parallel.h"

/* Of a clock that only goes forward. */
double _lk_cpu_seconds (void);
/* As lk_backend_measure, on all workers of @parallel. */
gboolean _lk_cpu_measure (LkParallel *parallel, const LkCpuKernels *kernels, LkCeiling ceiling, guint64 bytes, double *rate,
                          GError **error);
