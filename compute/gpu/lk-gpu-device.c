/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "lorikeet-gpu"
#include "lk-gpu-private.h"

#include "lk-matmul-plan.h"
#include "lk-vulkan-matrix.h"

/* Never freed. */
static GSList *hung_devices;

GArray *
lk_gpu_list_devices (GError **error)
{
  g_autoptr (LkGpuInstance) instance = lk_gpu_instance_new (error);
  g_autoptr (GArray) devices = instance ? lk_gpu_instance_list (instance, error) : NULL;
  GArray *snapshots;

  if (!devices)
    return NULL;
  snapshots = g_array_new (FALSE, TRUE, sizeof (LkDeviceSnapshot));
  g_array_set_size (snapshots, devices->len);
  for (guint i = 0; i < devices->len; i++)
    lk_gpu_instance_record (instance, g_array_index (devices, VkPhysicalDevice, i),
                            &g_array_index (snapshots, LkDeviceSnapshot, i));
  return snapshots;
}

static gboolean
choose (LkGpuDevice *self, const LkDeviceChoice *choice, GError **error)
{
  g_autoptr (GArray) devices = lk_gpu_instance_list (self->instance, error);
  g_autofree LkDeviceSnapshot *snapshots = NULL;
  g_autoptr (LkDeviceSelection) selection = NULL;

  if (!devices)
    return FALSE;
  snapshots = g_new0 (LkDeviceSnapshot, devices->len + 1);
  for (guint i = 0; i < devices->len; i++)
    lk_gpu_instance_record (self->instance, g_array_index (devices, VkPhysicalDevice, i), &snapshots[i]);
  selection = lk_device_select (snapshots, devices->len, choice, error);
  if (!selection)
    return FALSE;
  if (selection->index < 0)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_NOT_FOUND, selection->reason);
      return FALSE;
    }
  self->snapshot = snapshots[selection->index];
  self->physical = g_array_index (devices, VkPhysicalDevice, selection->index);
  self->reason = g_steal_pointer (&selection->reason);
  self->notice = g_steal_pointer (&selection->notice);
  if (!lk_device_plan_make (&self->snapshot, &self->plan, error))
    return FALSE;
  if (!lk_kernel_is_built (LK_KERNEL_MATMUL_MATRIX))
    lk_device_plan_forget_matrix (&self->plan, LK_DEVICE_MATRIX_NOT_BUILT);
  return lk_device_plan_set_precision (&self->plan, choice->precision, error);
}

static gboolean
create_device (LkGpuDevice *self, GError **error)
{
  const float priority = 1.0f;
  const LkDeviceSnapshot *s = &self->snapshot;
  const gboolean matrix = self->plan.matrix.m > 0;
  const char *extensions[2];
  guint n_extensions = 0;
  const VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = self->plan.queue_family,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
    .cooperativeMatrix = VK_TRUE,
  };
  VkPhysicalDeviceVulkan13Features f13 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
    .pNext = matrix ? &matrices : NULL,
    .subgroupSizeControl = s->subgroup_size_control,
    .computeFullSubgroups = s->subgroup_size_control,
  };
  VkPhysicalDeviceVulkan12Features f12 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
    .pNext = s->api_version >= VK_API_VERSION_1_3 ? (void *) &f13 : matrix ? (void *) &matrices : NULL,
    .storageBuffer8BitAccess = VK_TRUE,
    .shaderFloat16 = s->shader_float16,
    .timelineSemaphore = VK_TRUE,
    .vulkanMemoryModel = matrix,
  };
  VkPhysicalDeviceVulkan11Features f11 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
    .pNext = &f12,
    .storageBuffer16BitAccess = VK_TRUE,
  };
  const VkPhysicalDeviceFeatures2 features = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    .pNext = &f11,
  };
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .pNext = &features,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
    .ppEnabledExtensionNames = extensions,
  };
  VkResult result;

  if (self->snapshot.memory_budget)
    extensions[n_extensions++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
  if (matrix)
    extensions[n_extensions++] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
  info.enabledExtensionCount = n_extensions;
  result = vkCreateDevice (self->physical, &info, NULL, &self->device);
  if (result != VK_SUCCESS)
    return lk_gpu_error_set (error, result, "Could not open “%s”", self->snapshot.name);
  vkGetDeviceQueue (self->device, self->plan.queue_family, 0, &self->queue);
  return TRUE;
}

static gboolean
create_commands (LkGpuDevice *self, GError **error)
{
  const VkSemaphoreTypeCreateInfo type = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
    .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
  };
  const VkSemaphoreCreateInfo semaphore
    = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type };
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    .queueFamilyIndex = self->plan.queue_family,
  };
  VkCommandBufferAllocateInfo commands = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = G_N_ELEMENTS (self->transfers),
  };
  VkResult result = vkCreateSemaphore (self->device, &semaphore, NULL, &self->timeline);

  if (result == VK_SUCCESS)
    result = vkCreateCommandPool (self->device, &pool, NULL, &self->transfer_pool);
  commands.commandPool = self->transfer_pool;
  if (result == VK_SUCCESS)
    result = vkAllocateCommandBuffers (self->device, &commands, self->transfers);
  return result == VK_SUCCESS
         || lk_gpu_device_fail (self, error, result, "Could not prepare the command queue");
}

LkGpuDevice *
lk_gpu_device_new (const LkDeviceChoice *choice, LkGpuFlags flags, GError **error)
{
  g_autoptr (LkGpuDevice) self = g_new0 (LkGpuDevice, 1);

  g_atomic_ref_count_init (&self->refs);
  if (!lk_gpu_fault_read (error))
    return NULL;
  self->instance = lk_gpu_instance_new (error);
  if (!self->instance || !choose (self, choice, error) || !create_device (self, error))
    return NULL;
  if (flags & LK_GPU_FORCE_STAGING)
    self->plan.unified = FALSE;
  if (flags & LK_GPU_SMALL_LIMITS)
    {
      self->plan.software = FALSE;
      self->plan.max_binding = 16 << 10;
      self->plan.dispatch_flops = self->plan.matrix_dispatch_flops = 2e5;
      self->plan.submission_seconds = 1e-3;
    }
  if (flags & LK_GPU_SMALL_BLOCKS)
    self->plan.max_block = 64 << 10;
  if (lk_gpu_instance_get_validates (self->instance))
    self->set_name = (PFN_vkSetDebugUtilsObjectNameEXT)
      vkGetDeviceProcAddr (self->device, "vkSetDebugUtilsObjectNameEXT");
  if (!create_commands (self, error))
    return NULL;
  lk_gpu_cache_open (self);
  return g_steal_pointer (&self);
}

LkGpuDevice *
lk_gpu_device_ref (LkGpuDevice *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
lk_gpu_device_unref (LkGpuDevice *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->refs))
    return;
  /* A driver that hangs is left as it is until the process ends; waiting for it would hang too. */
  if (self->hung)
    {
      hung_devices = g_slist_prepend (hung_devices, self);
      return;
    }
  if (self->device)
    {
      vkDeviceWaitIdle (self->device);
      lk_gpu_buffer_free (self->staging);
      lk_gpu_cache_close (self);
      lk_gpu_kernel_close (self);
      vkDestroyCommandPool (self->device, self->transfer_pool, NULL);
      vkDestroySemaphore (self->device, self->timeline, NULL);
      vkDestroyDevice (self->device, NULL);
    }
  lk_gpu_instance_free (self->instance);
  g_free (self->cache_path);
  g_free (self->reason);
  g_free (self->notice);
  g_free (self);
}

const LkDeviceSnapshot *
lk_gpu_device_get_snapshot (LkGpuDevice *self)
{
  return &self->snapshot;
}

const LkDevicePlan *
lk_gpu_device_get_plan (LkGpuDevice *self)
{
  return &self->plan;
}

const char *
lk_gpu_device_get_reason (LkGpuDevice *self)
{
  return self->reason;
}

const char *
lk_gpu_device_get_notice (LkGpuDevice *self)
{
  return self->notice;
}

gboolean
lk_gpu_device_set_tile (LkGpuDevice *self, const char *name)
{
  const char *before = self->plan.tile;

  self->plan.tile = NULL;
  if (!name)
    return TRUE;
  for (const LkMatmulTile *tile = lk_matmul_tiles (); tile->name; tile++)
    {
      self->plan.tile = tile->name;
      if (g_str_equal (tile->name, name) && lk_matmul_tile_fits (tile, &self->plan, self->plan.matmul))
        return TRUE;
    }
  self->plan.tile = before;
  return FALSE;
}

gboolean
lk_gpu_device_is_lost (LkGpuDevice *self)
{
  return self->lost;
}

guint
lk_gpu_device_get_validation_errors (LkGpuDevice *self)
{
  return lk_gpu_instance_get_validation_errors (self->instance);
}

const char *
lk_gpu_device_get_cache_path (LkGpuDevice *self)
{
  return self->cache_path;
}

gboolean
lk_gpu_device_fail (LkGpuDevice *self, GError **error, VkResult result, const char *what)
{
  if (result == VK_ERROR_DEVICE_LOST)
    self->lost = TRUE;
  return lk_gpu_error_set (error, result, "%s on “%s”", what, self->snapshot.name);
}

gboolean
lk_gpu_device_check (LkGpuDevice *self, GError **error)
{
  if (!self->lost)
    return TRUE;
  return lk_gpu_error_set (error, VK_ERROR_DEVICE_LOST, "“%s” cannot be used any more", self->snapshot.name);
}

void
lk_gpu_device_name (LkGpuDevice *self, VkObjectType type, guint64 handle, const char *name)
{
  const VkDebugUtilsObjectNameInfoEXT info = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
    .objectType = type,
    .objectHandle = handle,
    .pObjectName = name,
  };

  if (self->set_name)
    self->set_name (self->device, &info);
}

void
lk_gpu_barrier (VkCommandBuffer commands, gboolean to_host)
{
  const VkMemoryBarrier barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
    .dstAccessMask = to_host ? VK_ACCESS_HOST_READ_BIT
                             : VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
  };

  vkCmdPipelineBarrier (commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                        to_host ? VK_PIPELINE_STAGE_HOST_BIT : VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1,
                        &barrier, 0, NULL, 0, NULL);
}

gboolean
lk_gpu_device_submit (LkGpuDevice *self, VkCommandBuffer commands, GError **error)
{
  const guint64 value = self->submitted + 1;
  const VkTimelineSemaphoreSubmitInfo timeline = {
    .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
    .signalSemaphoreValueCount = 1,
    .pSignalSemaphoreValues = &value,
  };
  const VkSubmitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .pNext = &timeline,
    .commandBufferCount = 1,
    .pCommandBuffers = &commands,
    .signalSemaphoreCount = 1,
    .pSignalSemaphores = &self->timeline,
  };
  VkResult result = lk_gpu_fault (LK_GPU_FAULT_SUBMISSION);

  if (result == VK_SUCCESS)
    result = vkQueueSubmit (self->queue, 1, &info, VK_NULL_HANDLE);
  if (result != VK_SUCCESS)
    return lk_gpu_device_fail (self, error, result, "Could not hand over work");
  self->submitted = value;
  return TRUE;
}

gboolean
lk_gpu_device_wait (LkGpuDevice *self, guint64 value, double seconds, GError **error)
{
  const VkSemaphoreWaitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &self->timeline,
    .pValues = &value,
  };
  VkResult result = lk_gpu_fault (LK_GPU_FAULT_WAIT);

  if (result == VK_SUCCESS)
    result = vkWaitSemaphores (self->device, &info, seconds > 0 ? (guint64) (seconds * 1e9) : G_MAXUINT64);
  if (result == VK_SUCCESS)
    return TRUE;
  /* Work that never ends keeps its buffers busy: nothing of this device can be trusted or freed safely. */
  if (result == VK_TIMEOUT)
    self->lost = self->hung = TRUE;
  return lk_gpu_device_fail (self, error, result, "Waiting for work failed");
}

void
lk_gpu_device_settle (LkGpuDevice *self)
{
  const VkSemaphoreWaitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &self->timeline,
    .pValues = &self->submitted,
  };

  if (!self->hung
      && vkWaitSemaphores (self->device, &info, (guint64) LK_GPU_PATIENCE_SECONDS * 1000000000u) == VK_TIMEOUT)
    self->lost = self->hung = TRUE;
}
