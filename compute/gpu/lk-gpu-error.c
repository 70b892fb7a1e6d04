/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-error.h"

typedef struct
{
  VkResult result;
  LkError code;
  const char *name;
  const char *words;
} Row;

#define ROW(result, code, words) { result, code, #result, words }

static const Row rows[] = {
  ROW (VK_NOT_READY, LK_ERROR_DEVICE, "the graphics card has not finished yet"),
  ROW (VK_TIMEOUT, LK_ERROR_DEVICE_LOST, "the graphics card did not answer in time"),
  ROW (VK_INCOMPLETE, LK_ERROR_DEVICE, "the driver had more to tell than was asked for"),
  ROW (VK_ERROR_OUT_OF_HOST_MEMORY, LK_ERROR_OUT_OF_MEMORY, "the computer ran out of memory"),
  ROW (VK_ERROR_OUT_OF_DEVICE_MEMORY, LK_ERROR_OUT_OF_MEMORY, "the graphics card ran out of memory"),
  ROW (VK_ERROR_OUT_OF_POOL_MEMORY, LK_ERROR_OUT_OF_MEMORY, "a pool of the graphics driver is full"),
  ROW (VK_ERROR_FRAGMENTED_POOL, LK_ERROR_OUT_OF_MEMORY, "a pool of the graphics driver is fragmented"),
  ROW (VK_ERROR_FRAGMENTATION, LK_ERROR_OUT_OF_MEMORY, "the memory of the graphics card is fragmented"),
  ROW (VK_ERROR_TOO_MANY_OBJECTS, LK_ERROR_OUT_OF_MEMORY, "the driver cannot hold so many objects"),
  ROW (VK_ERROR_INITIALIZATION_FAILED, LK_ERROR_DEVICE, "the graphics driver could not start"),
  ROW (VK_ERROR_DEVICE_LOST, LK_ERROR_DEVICE_LOST,
       "the graphics card stopped working (a time limit of the driver, a suspend, or a driver fault)"),
  ROW (VK_ERROR_MEMORY_MAP_FAILED, LK_ERROR_DEVICE, "the memory of the graphics card could not be mapped"),
  ROW (VK_ERROR_LAYER_NOT_PRESENT, LK_ERROR_NOT_FOUND, "a Vulkan layer that was asked for is not installed"),
  ROW (VK_ERROR_EXTENSION_NOT_PRESENT, LK_ERROR_UNSUPPORTED, "the driver lacks an extension asked for"),
  ROW (VK_ERROR_FEATURE_NOT_PRESENT, LK_ERROR_UNSUPPORTED, "the graphics card lacks a feature asked for"),
  ROW (VK_ERROR_INCOMPATIBLE_DRIVER, LK_ERROR_NOT_FOUND, "no Vulkan driver is installed"),
  ROW (VK_ERROR_INVALID_SHADER_NV, LK_ERROR_DEVICE,
       "the driver could not compile a program for the graphics card"),
  ROW (VK_ERROR_VALIDATION_FAILED_EXT, LK_ERROR_DEVICE, "the Vulkan validation layer found a mistake"),
  ROW (VK_ERROR_UNKNOWN, LK_ERROR_DEVICE, "the graphics driver failed and did not say why"),
};

static const Row *
find_row (VkResult result)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].result == result)
      return &rows[i];
  return NULL;
}

const char *
lk_gpu_result_words (VkResult result)
{
  const Row *row = find_row (result);

  return row ? row->words : "the graphics driver reported a result this program does not know";
}

const char *
lk_gpu_result_name (VkResult result)
{
  const Row *row = find_row (result);

  return row ? row->name : "VkResult";
}

LkError
lk_gpu_result_code (VkResult result)
{
  const Row *row = find_row (result);

  return row ? row->code : LK_ERROR_DEVICE;
}

gboolean
lk_gpu_error_set (GError **error, VkResult result, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, LK_ERROR, lk_gpu_result_code (result), "%s: %s (%s, %d)", what,
               lk_gpu_result_words (result), lk_gpu_result_name (result), result);
  return FALSE;
}
