/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A Vulkan device in use: headless, one compute queue, a pipeline cache on disk. Everything made from a
 * device must be freed before its last reference goes. Thread-safety: one thread a device, except where said.
 *
 * Environment: LK_VALIDATION=1 runs it under the validation layers (2: with synchronisation checks);
 * LK_GPU_FAULT=allocation:N,submission:N,wait:N makes the N-th of them in this process fail, N+ all from there on; for tests.
 */
#pragma once

#include "lk-device-plan.h"

G_BEGIN_DECLS

typedef struct _LkGpuDevice LkGpuDevice;

typedef enum
{
  LK_GPU_DEFAULT = 0,
  /* Treat device memory as unreachable, so that a unified device tests the copies. */
  LK_GPU_FORCE_STAGING = 1 << 0,
  /* Plan as for hardware, with tiny bindings, dispatches and submissions: tests see everything cut. */
  LK_GPU_SMALL_LIMITS = 1 << 1,
  /* Allocations of 64 KiB at most: tests see weights and activations spread over many. */
  LK_GPU_SMALL_BLOCKS = 1 << 2,
} LkGpuFlags;

/* (transfer full) (element-type LkDeviceSnapshot): the devices of this computer, in the order "vulkan:N"
 * counts. NULL and LK_ERROR_NOT_FOUND when there is no Vulkan. */
GArray *lk_gpu_list_devices (GError **error);

/* Opens the device that lk_device_select() picks for @choice. When that is the CPU backend: NULL and
 * LK_ERROR_NOT_FOUND with the reason. (transfer full) */
LkGpuDevice *lk_gpu_device_new (const LkDeviceChoice *choice, LkGpuFlags flags, GError **error);
LkGpuDevice *lk_gpu_device_ref (LkGpuDevice *self);
void lk_gpu_device_unref (LkGpuDevice *self);

const LkDeviceSnapshot *lk_gpu_device_get_snapshot (LkGpuDevice *self);
const LkDevicePlan *lk_gpu_device_get_plan (LkGpuDevice *self);
/* Why this device was chosen, a sentence. */
const char *lk_gpu_device_get_reason (LkGpuDevice *self);
/* What the user is to be told of the choice, sentences; NULL: nothing. */
const char *lk_gpu_device_get_notice (LkGpuDevice *self);

/* From now on products are made with the row @name of the table of tiles (lk-matmul-plan.h) and no other, for tests and
 * measurements; NULL: with the best again. FALSE when this device has no room for it or the path no such row. */
gboolean lk_gpu_device_set_tile (LkGpuDevice *self, const char *name);

/* TRUE after the driver reported the device lost: every call that uses it fails with LK_ERROR_DEVICE_LOST;
 * free everything and open a new one. */
gboolean lk_gpu_device_is_lost (LkGpuDevice *self);

/* Errors and warnings the validation layers reported so far; 0 without LK_VALIDATION. Any thread. */
guint lk_gpu_device_get_validation_errors (LkGpuDevice *self);

/* Bytes allocated through this device, and how many more may be. */
guint64 lk_gpu_device_get_memory_used (LkGpuDevice *self);
guint64 lk_gpu_device_get_memory_left (LkGpuDevice *self);

/* Where the pipeline cache of this device and driver lies; NULL when there is no place for it. */
const char *lk_gpu_device_get_cache_path (LkGpuDevice *self);
/* Writes the pipeline cache if it grew. Finishing a recorder and freeing the device do it too; failure costs
 * time at the next start only. */
void lk_gpu_device_save_cache (LkGpuDevice *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuDevice, lk_gpu_device_unref)

G_END_DECLS
