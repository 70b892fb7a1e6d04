/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The pipeline cache on disk: $XDG_CACHE_HOME/lorikeet/vulkan-<vendor>-<device>-<driver>.cache, a SHA-256 of
 * the driver's bytes and then the bytes. It is a hint: whatever goes wrong with it is a miss. The digest is
 * there because drivers have crashed on damaged caches.
 */
#include "lk-gpu-private.h"

#include "lk-file.h"

#include <string.h>

#define DIGEST_BYTES 32
#define MAX_CACHE_BYTES (G_GUINT64_CONSTANT (256) << 20)

static void
digest_of (gconstpointer data, gsize size, guint8 digest[DIGEST_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DIGEST_BYTES;

  for (const guint8 *p = data; size > 0;)
    {
      gsize part = MIN (size, (gsize) 1 << 30);
      g_checksum_update (checksum, p, (gssize) part);
      p += part;
      size -= part;
    }
  g_checksum_get_digest (checksum, digest, &length);
}

/* The driver's bytes in @file, or NULL when they are not whole. */
static const guint8 *
check_file (GBytes *file, gsize *size)
{
  guint8 digest[DIGEST_BYTES];
  gsize total = 0;
  const guint8 *data = g_bytes_get_data (file, &total);

  if (total <= DIGEST_BYTES)
    return NULL;
  digest_of (data + DIGEST_BYTES, total - DIGEST_BYTES, digest);
  if (memcmp (data, digest, DIGEST_BYTES) != 0)
    return NULL;
  *size = total - DIGEST_BYTES;
  return data + DIGEST_BYTES;
}

void
lk_gpu_cache_open (LkGpuDevice *self)
{
  const LkDeviceSnapshot *s = &self->snapshot;
  g_autofree char *name = g_strdup_printf ("vulkan-%04x-%04x-%08x-%s.cache", s->vendor_id, s->device_id,
                                           s->driver_version, s->cache_uuid);
  g_autoptr (GBytes) file = NULL;
  VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };

  self->cache_path = g_build_filename (g_get_user_cache_dir (), "lorikeet", name, NULL);
  file = lk_file_read (self->cache_path, MAX_CACHE_BYTES, NULL);
  if (file)
    info.pInitialData = check_file (file, &info.initialDataSize);
  self->cache_saved = info.initialDataSize;
  if (vkCreatePipelineCache (self->device, &info, NULL, &self->cache) == VK_SUCCESS)
    return;
  info.pInitialData = NULL;
  info.initialDataSize = self->cache_saved = 0;
  if (vkCreatePipelineCache (self->device, &info, NULL, &self->cache) != VK_SUCCESS)
    self->cache = VK_NULL_HANDLE;
}

void
lk_gpu_device_save_cache (LkGpuDevice *self)
{
  g_autofree char *folder = NULL;
  g_autofree guint8 *data = NULL;
  gsize size = 0;

  if (!self->cache || self->lost
      || vkGetPipelineCacheData (self->device, self->cache, &size, NULL) != VK_SUCCESS
      || size == self->cache_saved || size > MAX_CACHE_BYTES - DIGEST_BYTES)
    return;
  data = g_try_malloc (size + DIGEST_BYTES);
  if (!data || vkGetPipelineCacheData (self->device, self->cache, &size, data + DIGEST_BYTES) != VK_SUCCESS)
    return;
  digest_of (data + DIGEST_BYTES, size, data);
  folder = g_path_get_dirname (self->cache_path);
  if (g_mkdir_with_parents (folder, 0700) == 0
      && lk_file_write (self->cache_path, data, (gssize) (size + DIGEST_BYTES), NULL))
    self->cache_saved = size;
}

void
lk_gpu_cache_close (LkGpuDevice *self)
{
  lk_gpu_device_save_cache (self);
  vkDestroyPipelineCache (self->device, self->cache, NULL);
}
