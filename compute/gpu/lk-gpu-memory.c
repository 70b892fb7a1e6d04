/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-private.h"

#include "lk-size.h"

#include <string.h>

static const char *const class_names[] = { "weights", "activations", "staging", "weights in the computer's memory" };

/* Memory of the computer, which a device with memory of its own does not lack. */
static gboolean
is_beside (LkGpuDevice *device, LkGpuClass cls)
{
  return !device->plan.unified && (cls == LK_GPU_STAGING || cls == LK_GPU_HOST);
}

static gboolean
is_mapped (LkGpuDevice *device, LkGpuClass cls)
{
  return device->plan.unified || cls == LK_GPU_STAGING || cls == LK_GPU_HOST;
}

static double
mib (guint64 bytes)
{
  return (double) bytes / 1048576.0;
}

guint64
lk_gpu_class_get_used (LkGpuDevice *device, LkGpuClass cls)
{
  return device->used[cls];
}

guint64
lk_gpu_device_get_memory_used (LkGpuDevice *self)
{
  guint64 sum = 0;

  for (guint i = 0; i < LK_GPU_N_CLASSES; i++)
    sum += is_beside (self, i) ? 0 : self->used[i];
  return sum;
}

/* What other programs use changes all the time, so the driver's budget is asked anew. A usage above the
 * budget leaves nothing; it must not wrap around. */
guint64
lk_gpu_device_get_memory_left (LkGpuDevice *self)
{
  LkDeviceSnapshot now = { 0 };
  const LkDeviceHeap *heap;
  guint64 used = lk_gpu_device_get_memory_used (self);

  if (!self->snapshot.memory_budget)
    return self->plan.memory_limit > used ? self->plan.memory_limit - used : 0;
  lk_gpu_instance_record (self->instance, self->physical, &now);
  heap = &now.heaps[now.memory_types[self->plan.device_type].heap];
  return heap->budget > heap->usage ? heap->budget - heap->usage : 0;
}

static gboolean
refuse_too_large (LkGpuBuffer *self, GError **error)
{
  LkGpuDevice *device = self->device;
  guint64 left = lk_gpu_device_get_memory_left (device);

  if (self->size > device->plan.max_block)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "“%s” needs %.1f MiB in one piece, but “%s” allocates at most %.1f MiB at once.",
                   self->label, mib (self->size), device->snapshot.name, mib (device->plan.max_block));
      return FALSE;
    }
  if (is_beside (device, self->cls))
    return TRUE;
  if (self->allocated > left)
    {
      g_set_error (
        error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
        "“%s” (%s) needs %.1f MiB, but “%s” has only %.1f MiB left; %.1f MiB are in use by this program.",
        self->label, class_names[self->cls], mib (self->allocated), device->snapshot.name, mib (left),
        mib (lk_gpu_device_get_memory_used (device)));
      return FALSE;
    }
  if (device->n_allocations >= device->snapshot.max_allocation_count)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "“%s” allows no more than %" G_GUINT64_FORMAT
                   " pieces of memory.", device->snapshot.name, device->snapshot.max_allocation_count);
      return FALSE;
    }
  return TRUE;
}

static gboolean
allocate (LkGpuBuffer *self, guint type, const VkMemoryRequirements *needs, GError **error)
{
  LkGpuDevice *device = self->device;
  const VkMemoryDedicatedAllocateInfo dedicated = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
    .buffer = self->buffer,
  };
  const VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &dedicated,
    .allocationSize = needs->size,
    .memoryTypeIndex = type,
  };
  g_autofree char *what
    = g_strdup_printf ("Could not allocate %.1f MiB for “%s”", mib (needs->size), self->label);
  void *mapped = NULL;
  VkResult result;

  if (!(needs->memoryTypeBits & (1u << type)))
    return lk_gpu_device_fail (device, error, VK_ERROR_FEATURE_NOT_PRESENT, what);
  result = lk_gpu_fault (LK_GPU_FAULT_ALLOCATION);
  if (result == VK_SUCCESS)
    result = vkAllocateMemory (device->device, &info, NULL, &self->memory);
  if (result != VK_SUCCESS)
    return lk_gpu_device_fail (device, error, result, what);
  device->used[self->cls] += self->allocated;
  device->n_allocations++;
  result = vkBindBufferMemory (device->device, self->buffer, self->memory, 0);
  if (result == VK_SUCCESS && is_mapped (device, self->cls))
    result = vkMapMemory (device->device, self->memory, 0, VK_WHOLE_SIZE, 0, &mapped);
  self->mapped = mapped;
  return result == VK_SUCCESS || lk_gpu_device_fail (device, error, result, what);
}

LkGpuBuffer *
lk_gpu_buffer_new (LkGpuDevice *device, LkGpuClass cls, guint64 size, const char *label, GError **error)
{
  g_autoptr (LkGpuBuffer) self = g_new0 (LkGpuBuffer, 1);
  /* whole words, so that kernels may read the last byte with its neighbours */
  const guint64 whole = size < 4 ? 4 : size > G_MAXUINT64 - 3 ? size : (size + 3) & ~G_GUINT64_CONSTANT (3);
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = whole,
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT
             | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  VkMemoryRequirements needs;
  VkResult result;

  self->device = lk_gpu_device_ref (device);
  self->cls = cls;
  self->label = g_strdup (label);
  self->size = self->allocated = whole;
  if (!lk_gpu_device_check (device, error) || !refuse_too_large (self, error))
    return NULL;
  result = vkCreateBuffer (device->device, &info, NULL, &self->buffer);
  if (result != VK_SUCCESS)
    {
      lk_gpu_device_fail (device, error, result, "Could not create a buffer");
      return NULL;
    }
  lk_gpu_device_name (device, VK_OBJECT_TYPE_BUFFER, (guint64) (guintptr) self->buffer, label);
  vkGetBufferMemoryRequirements (device->device, self->buffer, &needs);
  self->allocated = needs.size;
  if (!refuse_too_large (self, error)
      || !allocate (self, cls == LK_GPU_STAGING || cls == LK_GPU_HOST ? device->plan.staging_type : device->plan.device_type,
                    &needs, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
lk_gpu_buffer_free (LkGpuBuffer *self)
{
  LkGpuDevice *device;

  if (!self)
    return;
  device = self->device;
  if (!device->hung)
    vkDestroyBuffer (device->device, self->buffer, NULL);
  if (self->memory)
    {
      if (!device->hung)
        vkFreeMemory (device->device, self->memory, NULL);
      device->used[self->cls] -= self->allocated;
      device->n_allocations--;
    }
  g_free (self->label);
  /* The device's own staging buffer holds no reference: it dies with the device. */
  if (device->staging != self)
    lk_gpu_device_unref (device);
  g_free (self);
}

guint64
lk_gpu_buffer_get_size (LkGpuBuffer *self)
{
  return self->size;
}

const char *
lk_gpu_buffer_get_label (LkGpuBuffer *self)
{
  return self->label;
}

gboolean
lk_gpu_slice_check (LkGpuDevice *device, LkGpuSlice slice, const char *what, GError **error)
{
  if (slice.buffer && slice.buffer->device == device
      && lk_size_inside (slice.offset, slice.size, slice.buffer->size))
    return TRUE;
  if (!slice.buffer)
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%s: no buffer is given.", what);
  else
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                 "%s: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " do not lie in “%s”, which has %"
                 G_GUINT64_FORMAT ".", what, slice.offset, slice.offset + slice.size, slice.buffer->label,
                 slice.buffer->size);
  return FALSE;
}

gboolean
lk_gpu_pack (const guint64 *sizes, guint n, guint64 alignment, guint64 max_block, guint *blocks,
             guint64 *offsets, GArray *block_sizes, guint *too_large)
{
  guint64 end = 0;

  g_array_set_size (block_sizes, 0);
  for (guint i = 0; i < n; i++)
    {
      guint64 start = 0;
      gboolean fits = block_sizes->len > 0 && lk_size_align (end, alignment, &start)
                      && lk_size_inside (start, sizes[i], max_block);
      if (sizes[i] > max_block)
        {
          *too_large = i;
          return FALSE;
        }
      if (!fits)
        {
          start = end = 0;
          g_array_append_val (block_sizes, end);
        }
      blocks[i] = block_sizes->len - 1;
      offsets[i] = start;
      end = start + sizes[i];
      g_array_index (block_sizes, guint64, blocks[i]) = end;
    }
  return TRUE;
}

struct _LkGpuPool
{
  LkGpuDevice *device;
  LkGpuClass cls;
  GArray *sizes;     /* guint64 */
  GPtrArray *labels; /* char * */
  GPtrArray *buffers;
  guint *blocks;
  guint64 *offsets;
};

LkGpuPool *
lk_gpu_pool_new (LkGpuDevice *device, LkGpuClass cls)
{
  LkGpuPool *self = g_new0 (LkGpuPool, 1);

  self->device = lk_gpu_device_ref (device);
  self->cls = cls;
  self->sizes = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->labels = g_ptr_array_new_with_free_func (g_free);
  self->buffers = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_gpu_buffer_free);
  return self;
}

void
lk_gpu_pool_free (LkGpuPool *self)
{
  if (!self)
    return;
  g_array_unref (self->sizes);
  g_ptr_array_unref (self->labels);
  g_ptr_array_unref (self->buffers);
  g_free (self->blocks);
  g_free (self->offsets);
  lk_gpu_device_unref (self->device);
  g_free (self);
}

guint
lk_gpu_pool_add (LkGpuPool *self, guint64 size, const char *label)
{
  g_array_append_val (self->sizes, size);
  g_ptr_array_add (self->labels, g_strdup (label));
  return self->sizes->len - 1;
}

static gboolean
allocate_blocks (LkGpuPool *self, const guint64 *sizes, guint n, GError **error)
{
  guint64 total = 0, left = lk_gpu_device_get_memory_left (self->device);

  for (guint i = 0; i < n; i++)
    total += sizes[i];
  if (total > left && !is_beside (self->device, self->cls))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
                   "The %s need %.1f MiB, but “%s” has only %.1f MiB left.", class_names[self->cls],
                   mib (total), self->device->snapshot.name, mib (left));
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *label = g_strdup_printf ("%s %u", class_names[self->cls], i);
      LkGpuBuffer *buffer = lk_gpu_buffer_new (self->device, self->cls, sizes[i], label, error);
      if (!buffer)
        {
          g_ptr_array_set_size (self->buffers, 0);
          return FALSE;
        }
      g_ptr_array_add (self->buffers, buffer);
    }
  return TRUE;
}

gboolean
lk_gpu_pool_allocate (LkGpuPool *self, GError **error)
{
  const LkDevicePlan *plan = &self->device->plan;
  g_autoptr (GArray) block_sizes = g_array_new (FALSE, FALSE, sizeof (guint64));
  const guint64 *sizes = (const guint64 *) (void *) self->sizes->data;
  guint too_large = 0;

  g_free (self->blocks);
  g_free (self->offsets);
  self->blocks = g_new0 (guint, self->sizes->len + 1);
  self->offsets = g_new0 (guint64, self->sizes->len + 1);
  if (!lk_gpu_pack (sizes, self->sizes->len, plan->alignment, plan->max_block, self->blocks, self->offsets,
                    block_sizes, &too_large))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "“%s” needs %.1f MiB in one piece, but “%s” allocates at most %.1f MiB at once.",
                   (const char *) self->labels->pdata[too_large], mib (sizes[too_large]),
                   self->device->snapshot.name, mib (plan->max_block));
      return FALSE;
    }
  return allocate_blocks (self, (const guint64 *) (void *) block_sizes->data, block_sizes->len, error);
}

LkGpuSlice
lk_gpu_pool_get (LkGpuPool *self, guint number)
{
  return (LkGpuSlice){ self->buffers->pdata[self->blocks[number]], self->offsets[number],
                       g_array_index (self->sizes, guint64, number) };
}
