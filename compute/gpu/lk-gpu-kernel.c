/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-private.h"

#include "lk-shaders.h"

#include <string.h>

static const LkKernelInfo infos[] = {
#define LK_KERNEL(NAME, name, n_bindings, push_bytes) \
  { #name, n_bindings, push_bytes, lk_shader_##name, lk_shader_##name##_bytes },
#define LK_KERNEL_MATRIX LK_KERNEL
#include "kernels.def"
#undef LK_KERNEL
#undef LK_KERNEL_MATRIX
};

const LkKernelInfo *
lk_kernel_info (LkKernel kernel)
{
  return &infos[kernel];
}

gboolean
lk_kernel_is_built (LkKernel kernel)
{
  return infos[kernel].code_bytes > 0;
}

/* Key and value of the device's table of pipelines at once. */
typedef struct
{
  LkKernel kernel;
  guint n_constants;
  guint32 constants[LK_GPU_MAX_CONSTANTS];
  guint subgroup_size;
  VkPipeline pipeline;
} Entry;

static guint
entry_hash (gconstpointer data)
{
  const Entry *entry = data;
  guint hash = 5381 + entry->kernel + 131 * entry->subgroup_size;

  for (guint i = 0; i < entry->n_constants; i++)
    hash = hash * 33 + entry->constants[i];
  return hash;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  return x->kernel == y->kernel && x->n_constants == y->n_constants
         && x->subgroup_size == y->subgroup_size
         && memcmp (x->constants, y->constants, x->n_constants * sizeof x->constants[0]) == 0;
}

static VkResult
make_layouts (LkGpuDevice *self, guint n)
{
  VkDescriptorSetLayoutBinding bindings[LK_GPU_MAX_BINDINGS];
  const VkDescriptorSetLayoutCreateInfo set = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = n,
    .pBindings = bindings,
  };
  const VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, LK_GPU_MAX_PUSH };
  const VkPipelineLayoutCreateInfo layout = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &self->set_layouts[n],
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push,
  };
  VkResult result = VK_SUCCESS;

  for (guint i = 0; i < n; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){ i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                                                  VK_SHADER_STAGE_COMPUTE_BIT, NULL };
  if (!self->set_layouts[n])
    result = vkCreateDescriptorSetLayout (self->device, &set, NULL, &self->set_layouts[n]);
  if (result == VK_SUCCESS && !self->layouts[n])
    result = vkCreatePipelineLayout (self->device, &layout, NULL, &self->layouts[n]);
  return result;
}

static VkResult
make_module (LkGpuDevice *self, LkKernel kernel)
{
  const VkShaderModuleCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = infos[kernel].code_bytes,
    .pCode = infos[kernel].code,
  };

  if (self->modules[kernel])
    return VK_SUCCESS;
  return vkCreateShaderModule (self->device, &info, NULL, &self->modules[kernel]);
}

static VkResult
make_pipeline (LkGpuDevice *self, Entry *entry)
{
  VkSpecializationMapEntry map[LK_GPU_MAX_CONSTANTS];
  const VkSpecializationInfo special = {
    .mapEntryCount = entry->n_constants,
    .pMapEntries = map,
    .dataSize = entry->n_constants * sizeof entry->constants[0],
    .pData = entry->constants,
  };
  const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
    .requiredSubgroupSize = entry->subgroup_size,
  };
  const VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
      .pNext = entry->subgroup_size ? &size : NULL,
      .flags = entry->subgroup_size ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
      .module = self->modules[entry->kernel],
      .pName = "main",
      .pSpecializationInfo = &special,
    },
    .layout = self->layouts[infos[entry->kernel].n_bindings],
  };

  for (guint i = 0; i < entry->n_constants; i++)
    map[i] = (VkSpecializationMapEntry){ i, i * sizeof entry->constants[0], sizeof entry->constants[0] };
  return vkCreateComputePipelines (self->device, self->cache, 1, &info, NULL, &entry->pipeline);
}

gboolean
lk_gpu_kernel_get_pipeline (LkGpuDevice *self, LkKernel kernel, const guint32 *constants, guint n_constants,
                            guint subgroup_size, VkPipeline *pipeline, GError **error)
{
  g_autofree Entry *entry = g_new0 (Entry, 1);
  const Entry *known;
  VkResult result;

  entry->kernel = kernel;
  entry->n_constants = n_constants;
  entry->subgroup_size = self->snapshot.subgroup_size_control ? subgroup_size : 0;
  memcpy (entry->constants, constants, n_constants * sizeof *constants);
  if (!self->pipelines)
    self->pipelines = g_hash_table_new_full (entry_hash, entry_equal, g_free, NULL);
  known = g_hash_table_lookup (self->pipelines, entry);
  if (known)
    {
      *pipeline = known->pipeline;
      return TRUE;
    }
  result = make_layouts (self, infos[kernel].n_bindings);
  if (result == VK_SUCCESS)
    result = make_module (self, kernel);
  if (result == VK_SUCCESS)
    result = make_pipeline (self, entry);
  if (result != VK_SUCCESS)
    {
      g_autofree char *what = g_strdup_printf ("Could not prepare the kernel “%s”", infos[kernel].name);
      return lk_gpu_device_fail (self, error, result, what);
    }
  lk_gpu_device_name (self, VK_OBJECT_TYPE_PIPELINE, (guint64) (guintptr) entry->pipeline,
                      infos[kernel].name);
  *pipeline = entry->pipeline;
  g_hash_table_add (self->pipelines, g_steal_pointer (&entry));
  return TRUE;
}

void
lk_gpu_kernel_close (LkGpuDevice *self)
{
  GHashTableIter iter;
  gpointer key;

  if (self->pipelines)
    {
      g_hash_table_iter_init (&iter, self->pipelines);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        vkDestroyPipeline (self->device, ((Entry *) key)->pipeline, NULL);
      g_hash_table_unref (self->pipelines);
    }
  for (guint i = 0; i < LK_N_KERNELS; i++)
    vkDestroyShaderModule (self->device, self->modules[i], NULL);
  for (guint i = 0; i <= LK_GPU_MAX_BINDINGS; i++)
    {
      vkDestroyPipelineLayout (self->device, self->layouts[i], NULL);
      vkDestroyDescriptorSetLayout (self->device, self->set_layouts[i], NULL);
    }
}
