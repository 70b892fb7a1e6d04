/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Vulkan instance: headless, with the validation layers when the environment says LK_VALIDATION=1 (2 adds
 * synchronisation checks), and the recording of device snapshots. Thread-safety: one thread a value.
 */
#pragma once

#include <vulkan/vulkan_core.h>

#include "lk-device-snapshot.h"

G_BEGIN_DECLS

typedef struct _LkGpuInstance LkGpuInstance;

/* NULL and LK_ERROR_NOT_FOUND when there is no Vulkan, or when validation was asked for and is not
 * installed. */
LkGpuInstance *lk_gpu_instance_new (GError **error);
void lk_gpu_instance_free (LkGpuInstance *self);

VkInstance lk_gpu_instance_get_handle (LkGpuInstance *self);
gboolean lk_gpu_instance_get_validates (LkGpuInstance *self);
/* Errors and warnings of the validation layers so far. Any thread. */
guint lk_gpu_instance_get_validation_errors (LkGpuInstance *self);

/* (transfer full) (element-type VkPhysicalDevice): in the driver's order. */
GArray *lk_gpu_instance_list (LkGpuInstance *self, GError **error);
void lk_gpu_instance_record (LkGpuInstance *self, VkPhysicalDevice device, LkDeviceSnapshot *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuInstance, lk_gpu_instance_free)

G_END_DECLS
