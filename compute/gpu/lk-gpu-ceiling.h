/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a device cannot pass, measured by kernels that do one thing (shaders/ceiling_*.comp), each the best of several runs timed on the
 * device: the yardstick of benchmarks. LK_ERROR_UNSUPPORTED where the device keeps no time. Thread-safety: as the device.
 */
#pragma once

#include "lk-gpu-device.h"

G_BEGIN_DECLS

/* Operations a second of float32 multiplied and added, two each. */
gboolean lk_gpu_measure_fma (LkGpuDevice *device, double *per_second, GError **error);
/* The same on the matrix units in the way the plan's products use them; 0 where they use none. */
gboolean lk_gpu_measure_matrix (LkGpuDevice *device, double *per_second, GError **error);
/* Bytes a second that a kernel reads and writes, counted apart, of @bytes together, at most what it can see at once. */
gboolean lk_gpu_measure_copy (LkGpuDevice *device, guint64 bytes, double *per_second, GError **error);

G_END_DECLS
