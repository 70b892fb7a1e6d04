/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Vulkan results in words. One table: result → error code, its Vulkan name, and what it means to a person.
 */
#pragma once

#include <glib.h>
#include <vulkan/vulkan_core.h>

#include "lk-error.h"

G_BEGIN_DECLS

/* "the graphics card ran out of memory". Never NULL; an unlisted result gives a general sentence. */
const char *lk_gpu_result_words (VkResult result);
/* "VK_ERROR_OUT_OF_DEVICE_MEMORY", or "VkResult" for a result the table does not list. */
const char *lk_gpu_result_name (VkResult result);
LkError lk_gpu_result_code (VkResult result);

/* Sets *error to "<what was tried>: <words> (<name>, <number>)". Always returns FALSE. */
gboolean lk_gpu_error_set (GError **error, VkResult result, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
