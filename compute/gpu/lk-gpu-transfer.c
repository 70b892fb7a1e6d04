/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Uploads and downloads: straight through mapped memory where the host reaches it, else in pieces through a
 * staging buffer of two halves, so that the host fills one half while the device empties the other.
 */
#include "lk-gpu-private.h"

#include <string.h>

#define HALF_BYTES (G_GUINT64_CONSTANT (8) << 20)

static gboolean
prepare (LkGpuDevice *device, LkGpuSlice slice, guint64 size, const char *what, GError **error)
{
  if (!lk_gpu_slice_check (device, slice, what, error))
    return FALSE;
  if (size > slice.size)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "%s: %" G_GUINT64_FORMAT " bytes do not fit a slice of %" G_GUINT64_FORMAT " of “%s”.",
                   what, size, slice.size, slice.buffer->label);
      return FALSE;
    }
  if (!lk_gpu_device_check (device, error))
    return FALSE;
  if (slice.buffer->mapped || device->staging)
    return TRUE;
  device->staging = lk_gpu_buffer_new (device, LK_GPU_STAGING, 2 * HALF_BYTES, "staging", error);
  if (!device->staging)
    return FALSE;
  lk_gpu_device_unref (device);
  return TRUE;
}

static double
patience (LkGpuDevice *device)
{
  return device->plan.software ? 0 : LK_GPU_PATIENCE_SECONDS;
}

/* One piece between half @half of the staging buffer and @offset of @buffer. */
static gboolean
copy_piece (LkGpuDevice *device, guint half, LkGpuBuffer *buffer, guint64 offset, guint64 size, gboolean up,
            GError **error)
{
  const VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  const VkBufferCopy region = {
    .srcOffset = up ? half * HALF_BYTES : offset,
    .dstOffset = up ? offset : half * HALF_BYTES,
    .size = size,
  };
  VkCommandBuffer commands = device->transfers[half];
  VkResult result = vkBeginCommandBuffer (commands, &begin);

  if (result != VK_SUCCESS)
    return lk_gpu_device_fail (device, error, result, "Could not record a copy");
  lk_gpu_barrier (commands, FALSE);
  vkCmdCopyBuffer (commands, up ? device->staging->buffer : buffer->buffer,
                   up ? buffer->buffer : device->staging->buffer, 1, &region);
  lk_gpu_barrier (commands, !up);
  result = vkEndCommandBuffer (commands);
  if (result != VK_SUCCESS)
    return lk_gpu_device_fail (device, error, result, "Could not record a copy");
  if (!lk_gpu_device_submit (device, commands, error))
    return FALSE;
  device->transfer_submissions[half] = device->submitted;
  return TRUE;
}

static gboolean
upload_pieces (LkGpuDevice *device, LkGpuSlice slice, const guint8 *data, guint64 size, GError **error)
{
  guint half = 0;

  for (guint64 done = 0; done < size; half ^= 1)
    {
      guint64 piece = MIN (size - done, HALF_BYTES);
      if (!lk_gpu_device_wait (device, device->transfer_submissions[half], patience (device), error))
        return FALSE;
      memcpy (device->staging->mapped + half * HALF_BYTES, data + done, piece);
      if (!copy_piece (device, half, slice.buffer, slice.offset + done, piece, TRUE, error))
        return FALSE;
      done += piece;
    }
  return lk_gpu_device_wait (device, device->submitted, patience (device), error);
}

gboolean
lk_gpu_upload (LkGpuSlice slice, gconstpointer data, guint64 size, GError **error)
{
  LkGpuDevice *device = slice.buffer ? slice.buffer->device : NULL;

  if (!prepare (device, slice, size, "Upload", error))
    return FALSE;
  if (slice.buffer->mapped)
    {
      memcpy (slice.buffer->mapped + slice.offset, data, size);
      return TRUE;
    }
  if (upload_pieces (device, slice, data, size, error))
    return TRUE;
  lk_gpu_device_settle (device);
  return FALSE;
}

static gboolean
download_pieces (LkGpuDevice *device, LkGpuSlice slice, guint8 *data, guint64 size, GError **error)
{
  guint64 asked = 0, done = 0;

  while (done < size)
    {
      guint half = (guint) (done / HALF_BYTES) & 1;
      guint64 piece = MIN (size - done, HALF_BYTES);
      /* Keep the device one piece ahead of the host. */
      for (; asked < size && asked <= done + HALF_BYTES; asked += HALF_BYTES)
        if (!copy_piece (device, (guint) (asked / HALF_BYTES) & 1, slice.buffer, slice.offset + asked,
                         MIN (size - asked, HALF_BYTES), FALSE, error))
          return FALSE;
      if (!lk_gpu_device_wait (device, device->transfer_submissions[half], patience (device), error))
        return FALSE;
      memcpy (data + done, device->staging->mapped + half * HALF_BYTES, piece);
      done += piece;
    }
  return TRUE;
}

gboolean
lk_gpu_download (LkGpuSlice slice, gpointer data, guint64 size, GError **error)
{
  LkGpuDevice *device = slice.buffer ? slice.buffer->device : NULL;

  if (!prepare (device, slice, size, "Download", error))
    return FALSE;
  if (slice.buffer->mapped)
    {
      memcpy (data, slice.buffer->mapped + slice.offset, size);
      return TRUE;
    }
  if (download_pieces (device, slice, data, size, error))
    return TRUE;
  lk_gpu_device_settle (device);
  return FALSE;
}
