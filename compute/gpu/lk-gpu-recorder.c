/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-private.h"

#include <string.h>

struct _LkGpuRecorder
{
  LkGpuDevice *device;
  GArray *commands; /* LkGpuCommand */
  gboolean profiling;
};

LkGpuRecorder *
lk_gpu_recorder_new (LkGpuDevice *device)
{
  LkGpuRecorder *self = g_new0 (LkGpuRecorder, 1);

  self->device = lk_gpu_device_ref (device);
  self->commands = g_array_new (FALSE, FALSE, sizeof (LkGpuCommand));
  return self;
}

void
lk_gpu_recorder_free (LkGpuRecorder *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->commands, g_array_unref);
  lk_gpu_device_unref (self->device);
  g_free (self);
}

void
lk_gpu_recorder_set_profiling (LkGpuRecorder *self, gboolean profiling)
{
  self->profiling = profiling;
}

static gboolean
refuse (GError **error, const LkGpuDispatch *dispatch, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError **error, const LkGpuDispatch *dispatch, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s (kernel “%s”): %s", dispatch->label,
               lk_kernel_info (dispatch->kernel)->name, text);
  return FALSE;
}

static gboolean
check_binding (LkGpuRecorder *self, const LkGpuDispatch *dispatch, guint i, GError **error)
{
  const LkDeviceSnapshot *s = &self->device->snapshot;
  LkGpuSlice slice = dispatch->bindings[i].slice;
  g_autofree char *what = g_strdup_printf ("%s, binding %u", dispatch->label, i);

  if (!lk_gpu_slice_check (self->device, slice, what, error))
    return FALSE;
  if (slice.size == 0)
    return refuse (error, dispatch, "binding %u is empty.", i);
  if (slice.size > s->max_storage_buffer_range)
    return refuse (
      error, dispatch,
      "binding %u is %.1f MiB large, but a kernel on “%s” sees at most %.1f MiB at once; the operation "
      "must be cut into parts.",
      i, (double) slice.size / 1048576.0, s->name, (double) s->max_storage_buffer_range / 1048576.0);
  if (slice.offset % s->min_storage_buffer_alignment != 0)
    return refuse (error, dispatch, "binding %u starts at byte %" G_GUINT64_FORMAT
                   ", which is no multiple of %" G_GUINT64_FORMAT ".", i, slice.offset,
                   s->min_storage_buffer_alignment);
  return TRUE;
}

static gboolean
check_dispatch (LkGpuRecorder *self, const LkGpuDispatch *dispatch, GError **error)
{
  const LkKernelInfo *info = lk_kernel_info (dispatch->kernel);
  const LkDeviceSnapshot *s = &self->device->snapshot;
  const guint32 limits[] = { s->max_workgroup_count_x, s->max_workgroup_count_y, s->max_workgroup_count_z };

  if (!lk_kernel_is_built (dispatch->kernel))
    return refuse (error, dispatch, "this build was made without it.");
  if (dispatch->n_bindings != info->n_bindings)
    return refuse (error, dispatch, "%u buffers are given, but it takes %u.", dispatch->n_bindings,
                   info->n_bindings);
  if (dispatch->push_size != info->push_bytes)
    return refuse (error, dispatch, "%u bytes of settings are given, but it takes %u.", dispatch->push_size,
                   info->push_bytes);
  if (dispatch->n_constants > LK_GPU_MAX_CONSTANTS)
    return refuse (error, dispatch, "%u constants are too many.", dispatch->n_constants);
  for (guint i = 0; i < 3; i++)
    if (dispatch->groups[i] > limits[i])
      return refuse (error, dispatch, "%u work groups in direction %u, but “%s” allows %u.",
                     dispatch->groups[i], i, s->name, limits[i]);
  for (guint i = 0; i < dispatch->n_bindings; i++)
    if (!check_binding (self, dispatch, i, error))
      return FALSE;
  return TRUE;
}

gboolean
lk_gpu_recorder_dispatch (LkGpuRecorder *self, const LkGpuDispatch *dispatch, GError **error)
{
  LkGpuCommand command = { .kind = LK_GPU_COMMAND_DISPATCH, .dispatch = *dispatch };

  if (!lk_gpu_device_check (self->device, error) || !check_dispatch (self, dispatch, error))
    return FALSE;
  if (dispatch->groups[0] == 0 || dispatch->groups[1] == 0 || dispatch->groups[2] == 0)
    return TRUE;
  if (!lk_gpu_kernel_get_pipeline (self->device, dispatch->kernel, dispatch->constants, dispatch->n_constants,
                                   dispatch->subgroup_size, &command.pipeline, error))
    return FALSE;
  g_array_append_val (self->commands, command);
  return TRUE;
}

static gboolean
check_words (LkGpuSlice slice, const char *what, GError **error)
{
  if (slice.offset % 4 == 0 && slice.size % 4 == 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "%s: offset %" G_GUINT64_FORMAT " and size %" G_GUINT64_FORMAT
               " in “%s” are not multiples of 4.",
               what, slice.offset, slice.size, slice.buffer->label);
  return FALSE;
}

gboolean
lk_gpu_recorder_fill (LkGpuRecorder *self, LkGpuSlice slice, guint32 value, GError **error)
{
  LkGpuCommand command = { .kind = LK_GPU_COMMAND_FILL, .value = value };

  if (!lk_gpu_slice_check (self->device, slice, "Fill", error) || !check_words (slice, "Fill", error))
    return FALSE;
  if (slice.size == 0)
    return TRUE;
  command.dispatch.label = "fill";
  command.dispatch.bytes = (double) slice.size;
  command.dispatch.n_bindings = 1;
  command.dispatch.bindings[0].slice = slice;
  command.dispatch.bindings[0].access = LK_GPU_WRITE;
  g_array_append_val (self->commands, command);
  return TRUE;
}

gboolean
lk_gpu_recorder_copy (LkGpuRecorder *self, LkGpuSlice from, LkGpuSlice to, GError **error)
{
  LkGpuCommand command = { .kind = LK_GPU_COMMAND_COPY };

  if (!lk_gpu_slice_check (self->device, from, "Copy", error)
      || !lk_gpu_slice_check (self->device, to, "Copy", error))
    return FALSE;
  if (from.size != to.size
      || (from.buffer == to.buffer && from.offset < to.offset + to.size
          && to.offset < from.offset + from.size))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "Copy: the ranges in “%s” and “%s” overlap or differ in size.", from.buffer->label,
                   to.buffer->label);
      return FALSE;
    }
  if (from.size == 0)
    return TRUE;
  command.dispatch.label = "copy";
  command.dispatch.bytes = 2.0 * (double) from.size;
  command.dispatch.n_bindings = 2;
  command.dispatch.bindings[0].slice = from;
  command.dispatch.bindings[0].access = LK_GPU_READ;
  command.dispatch.bindings[1].slice = to;
  command.dispatch.bindings[1].access = LK_GPU_WRITE;
  g_array_append_val (self->commands, command);
  return TRUE;
}

LkGpuRecording *
lk_gpu_recorder_finish (LkGpuRecorder *self, GError **error)
{
  if (!lk_gpu_device_check (self->device, error))
    return NULL;
  /* All pipelines are made: a worker that is killed later need not make them again. */
  lk_gpu_device_save_cache (self->device);
  return lk_gpu_recording_new (self->device, g_steal_pointer (&self->commands), self->profiling, error);
}
