/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one Vulkan device says of itself, as plain data: everything the choice of a device and the plan of its
 * use (lk-device-plan.h) need. A snapshot is recorded once from a live device (lk-gpu-instance.h) or read
 * from JSON, so that the plan for a card can be tested on a machine without it.
 *
 * Sizes are bytes. Numbers above G_MAXINT64 are recorded as G_MAXINT64. Copy by assignment; nothing to free.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_DEVICE_MAX_HEAPS 16
#define LK_DEVICE_MAX_MEMORY_TYPES 32
#define LK_DEVICE_MAX_QUEUE_FAMILIES 16
#define LK_DEVICE_MAX_MATRICES 64

/* Numbers are VkPhysicalDeviceType's. */
typedef enum
{
  LK_DEVICE_OTHER = 0,
  LK_DEVICE_INTEGRATED = 1,
  LK_DEVICE_DISCRETE = 2,
  LK_DEVICE_VIRTUAL = 3,
  LK_DEVICE_SOFTWARE = 4, /* the processor plays graphics card: llvmpipe, SwiftShader */
} LkDeviceKind;

typedef struct
{
  guint64 size;
  guint64 budget; /* what this process may use now, 0 when the driver does not tell */
  guint64 usage;  /* what it uses now */
  gboolean device_local;
} LkDeviceHeap;

typedef struct
{
  guint32 heap;
  guint32 flags; /* VkMemoryPropertyFlags */
} LkDeviceMemoryType;

typedef struct
{
  guint32 flags; /* VkQueueFlags */
  guint32 count;
  guint32 timestamp_bits;
} LkDeviceQueueFamily;

/* One row of VkCooperativeMatrixPropertiesKHR; types and scope are Vulkan's numbers. */
typedef struct
{
  guint32 m, n, k;
  guint32 a_type, b_type, c_type, result_type;
  guint32 scope;
} LkDeviceMatrix;

typedef struct
{
  char name[256];
  char driver_name[256];
  char driver_info[256];
  char device_uuid[33]; /* hexadecimal */
  char cache_uuid[33];  /* pipelineCacheUUID, hexadecimal */
  LkDeviceKind kind;
  guint32 vendor_id, device_id, driver_id, driver_version, api_version;

  guint32 subgroup_size, subgroup_size_min, subgroup_size_max;
  guint32 subgroup_operations, subgroup_stages; /* VkSubgroupFeatureFlags, VkShaderStageFlags */
  guint32 max_workgroup_count_x, max_workgroup_count_y, max_workgroup_count_z;
  guint32 max_workgroup_size_x, max_workgroup_size_y, max_workgroup_size_z;
  guint32 max_workgroup_invocations;
  guint32 max_shared_memory;
  guint32 max_push_constants;
  guint32 max_storage_buffers;
  guint64 max_storage_buffer_range;
  guint64 min_storage_buffer_alignment;
  guint64 max_allocation_size;
  guint64 max_allocation_count;
  guint64 max_buffer_size;
  guint32 compute_units;   /* multiprocessors, compute units, Xe cores; 0 when the driver does not tell */
  double timestamp_period; /* nanoseconds a tick; 0 when the device keeps no time */

  gboolean storage_8bit, storage_16bit, timeline_semaphore; /* required, see lk-device-plan.h */
  gboolean shader_float16, shader_int8, shader_int16;       /* the rest is used where it is there */
  gboolean scalar_block_layout, buffer_device_address, vulkan_memory_model, subgroup_size_control;
  gboolean integer_dot_product;       /* 4×8-bit packed signed, accelerated */
  gboolean integer_dot_product_mixed; /* 4×8-bit packed of mixed signedness, accelerated */
  gboolean cooperative_matrix;
  gboolean memory_budget; /* VK_EXT_memory_budget */

  guint n_heaps, n_memory_types, n_queue_families, n_matrices;
  LkDeviceHeap heaps[LK_DEVICE_MAX_HEAPS];
  LkDeviceMemoryType memory_types[LK_DEVICE_MAX_MEMORY_TYPES];
  LkDeviceQueueFamily queue_families[LK_DEVICE_MAX_QUEUE_FAMILIES];
  LkDeviceMatrix matrices[LK_DEVICE_MAX_MATRICES];
} LkDeviceSnapshot;

/* "discrete", "integrated", "virtual", "software", "other". */
const char *lk_device_kind_name (LkDeviceKind kind);

/* (transfer full) An object node; every member is written. */
JsonNode *lk_device_snapshot_to_json (const LkDeviceSnapshot *self);
/* Members that are missing stay zero. @source names the file in errors. */
gboolean lk_device_snapshot_from_json (JsonObject *object, const char *source, LkDeviceSnapshot *out,
                                       GError **error);

/* Bytes of the largest heap that is the device's own. */
guint64 lk_device_snapshot_get_memory (const LkDeviceSnapshot *self);

G_END_DECLS
