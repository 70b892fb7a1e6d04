/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Device memory by lifetime. A buffer is one allocation, made once before the first step; what a step uses
 * are slices of it. An allocation that would pass what the device plan allows is refused before the driver
 * sees it: over-committed device memory moves to the host and makes everything a hundred times slower.
 */
#pragma once

#include "lk-gpu-device.h"

G_BEGIN_DECLS

typedef enum
{
  LK_GPU_WEIGHTS,     /* as long as the model */
  LK_GPU_ACTIVATIONS, /* as long as a program */
  LK_GPU_STAGING,     /* host memory the device can copy from and to */
  LK_GPU_HOST,        /* weights in such memory, which kernels read where it is: what is read rarely */
  LK_GPU_N_CLASSES
} LkGpuClass;

/* A part of a device's memory. Thread-safety: as the device. */
typedef struct _LkGpuBuffer LkGpuBuffer;

/* @label names it in errors and debuggers. Content is undefined. The buffer keeps a reference on @device.
 * LK_ERROR_OUT_OF_MEMORY when it does not fit, LK_ERROR_UNSUPPORTED when it is larger than one buffer may
 * be. */
LkGpuBuffer *lk_gpu_buffer_new (LkGpuDevice *device, LkGpuClass cls, guint64 size, const char *label,
                                GError **error);
void lk_gpu_buffer_free (LkGpuBuffer *self);
guint64 lk_gpu_buffer_get_size (LkGpuBuffer *self);
const char *lk_gpu_buffer_get_label (LkGpuBuffer *self);
/* Bytes allocated in @cls through @device. */
guint64 lk_gpu_class_get_used (LkGpuDevice *device, LkGpuClass cls);

/* Borrows the buffer. Plain data. */
typedef struct
{
  LkGpuBuffer *buffer;
  guint64 offset, size;
} LkGpuSlice;

/* Part of @slice; @offset and @size must lie inside it (checked by whoever uses the result). */
static inline LkGpuSlice
lk_gpu_slice_part (LkGpuSlice slice, guint64 offset, guint64 size)
{
  return (LkGpuSlice){ slice.buffer, slice.offset + offset, size };
}

/* Copy @size bytes to or from the start of @slice and wait. Any size and alignment. Not while a recording
 * runs. */
gboolean lk_gpu_upload (LkGpuSlice slice, gconstpointer data, guint64 size, GError **error);
gboolean lk_gpu_download (LkGpuSlice slice, gpointer data, guint64 size, GError **error);

/* Where @n sizes go: each starts on a multiple of @alignment, none crosses from one block to the next, blocks
 * are at most @max_block large, in the order given. Fills blocks[i] and offsets[i]; block_sizes gets one
 * guint64 a block. FALSE and the index in *too_large when a size does not fit a block (or overflows).
 * Pure. */
gboolean lk_gpu_pack (const guint64 *sizes, guint n, guint64 alignment, guint64 max_block, guint *blocks,
                      guint64 *offsets, GArray *block_sizes, guint *too_large);

/* Many slices of one lifetime, planned first and allocated together: all or nothing. */
typedef struct _LkGpuPool LkGpuPool;

LkGpuPool *lk_gpu_pool_new (LkGpuDevice *device, LkGpuClass cls);
void lk_gpu_pool_free (LkGpuPool *self);
/* Returns the slice's number. Only before allocate. */
guint lk_gpu_pool_add (LkGpuPool *self, guint64 size, const char *label);
gboolean lk_gpu_pool_allocate (LkGpuPool *self, GError **error);
LkGpuSlice lk_gpu_pool_get (LkGpuPool *self, guint number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuBuffer, lk_gpu_buffer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuPool, lk_gpu_pool_free)

G_END_DECLS
