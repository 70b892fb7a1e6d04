/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The recording of a snapshot from a live device: the only place that asks Vulkan what a device can do.
 */
#include "lk-gpu-instance.h"
#include "lk-vulkan-matrix.h"

#include <string.h>

typedef struct
{
  VkPhysicalDevice device;
  guint32 api_version;
  VkExtensionProperties *extensions;
  guint32 n_extensions;
  LkDeviceSnapshot *out;
} Recorder;

static gboolean
has_extension (const Recorder *r, const char *name)
{
  for (guint i = 0; i < r->n_extensions; i++)
    if (g_str_equal (r->extensions[i].extensionName, name))
      return TRUE;
  return FALSE;
}

static guint64
clamp (guint64 value)
{
  return MIN (value, (guint64) G_MAXINT64);
}

static void
write_uuid (char *out, const guint8 *uuid)
{
  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_snprintf (out + 2 * i, 3, "%02x", uuid[i]);
}

static void
record_limits (Recorder *r, const VkPhysicalDeviceLimits *limits)
{
  LkDeviceSnapshot *s = r->out;

  s->max_workgroup_count_x = limits->maxComputeWorkGroupCount[0];
  s->max_workgroup_count_y = limits->maxComputeWorkGroupCount[1];
  s->max_workgroup_count_z = limits->maxComputeWorkGroupCount[2];
  s->max_workgroup_size_x = limits->maxComputeWorkGroupSize[0];
  s->max_workgroup_size_y = limits->maxComputeWorkGroupSize[1];
  s->max_workgroup_size_z = limits->maxComputeWorkGroupSize[2];
  s->max_workgroup_invocations = limits->maxComputeWorkGroupInvocations;
  s->max_shared_memory = limits->maxComputeSharedMemorySize;
  s->max_push_constants = limits->maxPushConstantsSize;
  s->max_storage_buffers = MIN (MIN (limits->maxPerStageDescriptorStorageBuffers,
                                     limits->maxDescriptorSetStorageBuffers), limits->maxPerStageResources);
  s->max_storage_buffer_range = limits->maxStorageBufferRange;
  s->min_storage_buffer_alignment = limits->minStorageBufferOffsetAlignment;
  s->max_allocation_count = limits->maxMemoryAllocationCount;
  s->timestamp_period = limits->timestampPeriod;
}

static void
record_properties (Recorder *r)
{
  LkDeviceSnapshot *s = r->out;
  VkPhysicalDeviceVulkan13Properties p13
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES };
  VkPhysicalDeviceMaintenance4Properties m4 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES };
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV sm
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV };
  VkPhysicalDeviceShaderCoreProperties2AMD cores
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_2_AMD };
  VkPhysicalDeviceShaderCorePropertiesAMD counts
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD, .pNext = &cores };
  VkPhysicalDeviceVulkan12Properties p12
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES };
  VkPhysicalDeviceVulkan11Properties p11 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
                                             .pNext = &p12 };
  VkPhysicalDeviceProperties2 p = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 };

  if (r->api_version >= VK_API_VERSION_1_2)
    p.pNext = &p11;
  if (r->api_version >= VK_API_VERSION_1_3)
    p12.pNext = &p13;
  else if (has_extension (r, VK_KHR_MAINTENANCE_4_EXTENSION_NAME))
    p12.pNext = &m4;
  if (has_extension (r, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME))
    {
      sm.pNext = p.pNext;
      p.pNext = &sm;
    }
  else if (has_extension (r, VK_AMD_SHADER_CORE_PROPERTIES_2_EXTENSION_NAME))
    {
      cores.pNext = p.pNext;
      p.pNext = &counts;
    }
  vkGetPhysicalDeviceProperties2 (r->device, &p);

  g_strlcpy (s->name, p.properties.deviceName, sizeof s->name);
  g_strlcpy (s->driver_name, p12.driverName, sizeof s->driver_name);
  g_strlcpy (s->driver_info, p12.driverInfo, sizeof s->driver_info);
  write_uuid (s->device_uuid, p11.deviceUUID);
  write_uuid (s->cache_uuid, p.properties.pipelineCacheUUID);
  s->kind = (LkDeviceKind) p.properties.deviceType;
  s->vendor_id = p.properties.vendorID;
  s->device_id = p.properties.deviceID;
  s->driver_id = p12.driverID;
  s->driver_version = p.properties.driverVersion;
  s->subgroup_size = s->subgroup_size_min = s->subgroup_size_max = p11.subgroupSize;
  s->subgroup_operations = p11.subgroupSupportedOperations;
  s->subgroup_stages = p11.subgroupSupportedStages;
  record_limits (r, &p.properties.limits);
  s->max_allocation_size = clamp (p11.maxMemoryAllocationSize);
  s->max_buffer_size = clamp (p13.maxBufferSize ? p13.maxBufferSize
                              : m4.maxBufferSize ? m4.maxBufferSize : p11.maxMemoryAllocationSize);
  if (p13.maxSubgroupSize)
    {
      s->subgroup_size_min = p13.minSubgroupSize;
      s->subgroup_size_max = p13.maxSubgroupSize;
      s->subgroup_size_control = (p13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
    }
  s->integer_dot_product = p13.integerDotProduct4x8BitPackedSignedAccelerated;
  s->integer_dot_product_mixed = p13.integerDotProduct4x8BitPackedMixedSignednessAccelerated;
  s->compute_units = MAX (sm.shaderSMCount, cores.activeComputeUnitCount);
}

static void
record_features (Recorder *r)
{
  LkDeviceSnapshot *s = r->out;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices
    = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR };
  VkPhysicalDeviceVulkan13Features f13 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES };
  VkPhysicalDeviceVulkan12Features f12 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES };
  VkPhysicalDeviceVulkan11Features f11 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                           .pNext = &f12 };
  VkPhysicalDeviceFeatures2 f = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2 };

  if (r->api_version >= VK_API_VERSION_1_2)
    f.pNext = &f11;
  if (r->api_version >= VK_API_VERSION_1_3)
    f12.pNext = &f13;
  if (has_extension (r, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
    {
      matrices.pNext = f.pNext;
      f.pNext = &matrices;
    }
  vkGetPhysicalDeviceFeatures2 (r->device, &f);

  s->storage_8bit = f12.storageBuffer8BitAccess;
  s->storage_16bit = f11.storageBuffer16BitAccess;
  s->timeline_semaphore = f12.timelineSemaphore;
  s->shader_float16 = f12.shaderFloat16;
  s->shader_int8 = f12.shaderInt8;
  s->shader_int16 = f.features.shaderInt16;
  s->scalar_block_layout = f12.scalarBlockLayout;
  s->buffer_device_address = f12.bufferDeviceAddress;
  s->vulkan_memory_model = f12.vulkanMemoryModel;
  /* May a compute pipeline ask for the size, and for full subgroups? (the stages are there since the properties) */
  s->subgroup_size_control = s->subgroup_size_control && f13.subgroupSizeControl && f13.computeFullSubgroups;
  s->memory_budget = has_extension (r, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  s->cooperative_matrix
    = matrices.cooperativeMatrix && has_extension (r, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
}

static void
record_memory (Recorder *r)
{
  LkDeviceSnapshot *s = r->out;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT };
  VkPhysicalDeviceMemoryProperties2 m = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 };

  if (s->memory_budget)
    m.pNext = &budget;
  vkGetPhysicalDeviceMemoryProperties2 (r->device, &m);
  s->n_heaps = MIN (m.memoryProperties.memoryHeapCount, LK_DEVICE_MAX_HEAPS);
  for (guint i = 0; i < s->n_heaps; i++)
    s->heaps[i] = (LkDeviceHeap){
      .size = clamp (m.memoryProperties.memoryHeaps[i].size),
      .budget = clamp (budget.heapBudget[i]),
      .usage = clamp (budget.heapUsage[i]),
      .device_local = (m.memoryProperties.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0,
    };
  s->n_memory_types = MIN (m.memoryProperties.memoryTypeCount, LK_DEVICE_MAX_MEMORY_TYPES);
  for (guint i = 0; i < s->n_memory_types; i++)
    s->memory_types[i] = (LkDeviceMemoryType){ .heap = m.memoryProperties.memoryTypes[i].heapIndex,
                                               .flags = m.memoryProperties.memoryTypes[i].propertyFlags };
}

static void
record_queues (Recorder *r)
{
  LkDeviceSnapshot *s = r->out;
  VkQueueFamilyProperties families[LK_DEVICE_MAX_QUEUE_FAMILIES];
  guint32 n = LK_DEVICE_MAX_QUEUE_FAMILIES;

  vkGetPhysicalDeviceQueueFamilyProperties (r->device, &n, families);
  s->n_queue_families = n;
  for (guint i = 0; i < n; i++)
    s->queue_families[i] = (LkDeviceQueueFamily){ .flags = families[i].queueFlags,
                                                  .count = families[i].queueCount,
                                                  .timestamp_bits = families[i].timestampValidBits };
}

static void
record_matrices (Recorder *r, VkInstance instance)
{
  LkDeviceSnapshot *s = r->out;
  VkCooperativeMatrixPropertiesKHR rows[LK_DEVICE_MAX_MATRICES];
  PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR get
    = (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)
      vkGetInstanceProcAddr (instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  guint32 n = LK_DEVICE_MAX_MATRICES;

  for (guint i = 0; i < n; i++)
    rows[i]
      = (VkCooperativeMatrixPropertiesKHR){ .sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR };
  if (!s->cooperative_matrix || !get || get (r->device, &n, rows) < 0)
    return;
  s->n_matrices = n;
  for (guint i = 0; i < n; i++)
    s->matrices[i] = (LkDeviceMatrix){ rows[i].MSize, rows[i].NSize, rows[i].KSize,      (guint32) rows[i].AType,
                                       (guint32) rows[i].BType, (guint32) rows[i].CType, (guint32) rows[i].ResultType,
                                       (guint32) rows[i].scope };
}

void
lk_gpu_instance_record (LkGpuInstance *self, VkPhysicalDevice device, LkDeviceSnapshot *out)
{
  VkPhysicalDeviceProperties basic;
  Recorder r = { .device = device, .out = out };

  memset (out, 0, sizeof *out);
  vkGetPhysicalDeviceProperties (device, &basic);
  out->api_version = r.api_version = basic.apiVersion;
  if (vkEnumerateDeviceExtensionProperties (device, NULL, &r.n_extensions, NULL) < 0)
    r.n_extensions = 0;
  r.extensions = g_new0 (VkExtensionProperties, r.n_extensions + 1);
  if (vkEnumerateDeviceExtensionProperties (device, NULL, &r.n_extensions, r.extensions) < 0)
    r.n_extensions = 0;
  record_properties (&r);
  record_features (&r);
  record_memory (&r);
  record_queues (&r);
  record_matrices (&r, lk_gpu_instance_get_handle (self));
  g_free (r.extensions);
}
