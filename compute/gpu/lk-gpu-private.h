/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of this room know of each other. Not for other rooms.
 */
#pragma once

#include "lk-gpu-error.h"
#include "lk-gpu-instance.h"
#include "lk-gpu-recorder.h"

G_BEGIN_DECLS

/* Hardware that needs longer for one submission hangs. */
#define LK_GPU_PATIENCE_SECONDS 30

struct _LkGpuDevice
{
  gatomicrefcount refs;
  LkDeviceSnapshot snapshot;
  LkDevicePlan plan;
  char *reason, *notice;

  LkGpuInstance *instance;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  gboolean lost;
  gboolean hung; /* lost, and what it was given may still run: nothing of it may be destroyed */
  PFN_vkSetDebugUtilsObjectNameEXT set_name; /* NULL without validation */

  VkSemaphore timeline; /* counts submissions */
  guint64 submitted;

  guint64 used[LK_GPU_N_CLASSES];
  guint64 n_allocations;
  LkGpuBuffer *staging; /* made at the first transfer that needs it */
  VkCommandPool transfer_pool;
  VkCommandBuffer transfers[2];    /* one a half of the staging buffer */
  guint64 transfer_submissions[2]; /* the submission that last used it */

  VkPipelineCache cache;
  char *cache_path;
  gsize cache_saved; /* bytes of the cache when last read or written */
  GHashTable *pipelines;
  VkShaderModule modules[LK_N_KERNELS];
  VkDescriptorSetLayout set_layouts[LK_GPU_MAX_BINDINGS + 1]; /* by number of bindings */
  VkPipelineLayout layouts[LK_GPU_MAX_BINDINGS + 1];

  double pace; /* measured seconds per estimated second; 0 before the first measurement */
};

struct _LkGpuBuffer
{
  LkGpuDevice *device;
  LkGpuClass cls;
  char *label;
  guint64 size;
  guint64 allocated; /* what the driver asked for it */
  VkBuffer buffer;
  VkDeviceMemory memory;
  guint8 *mapped; /* NULL when the host cannot reach it */
};

/* Records a lost device; then as lk_gpu_error_set. Always returns FALSE. */
gboolean lk_gpu_device_fail (LkGpuDevice *self, GError **error, VkResult result, const char *what);
/* FALSE and LK_ERROR_DEVICE_LOST when the device is lost. */
gboolean lk_gpu_device_check (LkGpuDevice *self, GError **error);
void lk_gpu_device_name (LkGpuDevice *self, VkObjectType type, guint64 handle, const char *name);
/* Submits @commands and counts the timeline one up. */
gboolean lk_gpu_device_submit (LkGpuDevice *self, VkCommandBuffer commands, GError **error);
/* Waits for submission number @value; @seconds 0 waits without limit. */
gboolean lk_gpu_device_wait (LkGpuDevice *self, guint64 value, double seconds, GError **error);

typedef enum
{
  LK_GPU_COMMAND_DISPATCH,
  LK_GPU_COMMAND_FILL, /* binding 0 with @value */
  LK_GPU_COMMAND_COPY, /* binding 0 to binding 1 */
} LkGpuCommandKind;

/* One thing a recorder was told. Its bindings are what barriers are computed from, whatever the kind. */
typedef struct
{
  LkGpuCommandKind kind;
  LkGpuDispatch dispatch;
  VkPipeline pipeline;
  guint32 value;
} LkGpuCommand;

/* After a failure: what was handed over before must end before anybody frees its buffers. */
void lk_gpu_device_settle (LkGpuDevice *self);

/* lk-gpu-fault.c: what LK_GPU_FAULT can make fail. */
typedef enum
{
  LK_GPU_FAULT_ALLOCATION, /* of memory: VK_ERROR_OUT_OF_DEVICE_MEMORY */
  LK_GPU_FAULT_SUBMISSION, /* VK_ERROR_DEVICE_LOST */
  LK_GPU_FAULT_WAIT,       /* for work: VK_TIMEOUT */
  LK_GPU_N_FAULTS
} LkGpuFault;
/* Reads the environment once; FALSE and LK_ERROR_INVALID_ARGUMENT when it makes no sense. */
gboolean lk_gpu_fault_read (GError **error);
/* VK_SUCCESS, or what the call at hand is to be thought to have returned. Any thread. */
VkResult lk_gpu_fault (LkGpuFault fault);

/* lk-gpu-recording.c: takes @commands. */
LkGpuRecording *lk_gpu_recording_new (LkGpuDevice *device, GArray *commands, gboolean profiling,
                                      GError **error);

/* lk-gpu-cache.c */
void lk_gpu_cache_open (LkGpuDevice *self);
void lk_gpu_cache_close (LkGpuDevice *self);

/* lk-gpu-kernel.c: the pipeline lives as long as the device; its layout is self->layouts[n_bindings]. */
gboolean lk_gpu_kernel_get_pipeline (LkGpuDevice *self, LkKernel kernel, const guint32 *constants,
                                     guint n_constants, guint subgroup_size, VkPipeline *pipeline,
                                     GError **error);
void lk_gpu_kernel_close (LkGpuDevice *self);

/* Everything before is done and seen by everything after, on the device; @to_host: by the host instead. */
void lk_gpu_barrier (VkCommandBuffer commands, gboolean to_host);

/* TRUE when @slice lies inside its buffer and the buffer belongs to @device; @what names it in the error. */
gboolean lk_gpu_slice_check (LkGpuDevice *device, LkGpuSlice slice, const char *what, GError **error);

G_END_DECLS
