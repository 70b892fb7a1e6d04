/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend-gpu.h"

#include "lk-backend-private.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-memory-plan.h"

/* Activations of programs; kept by every recording that refers to it. */
typedef struct
{
  gatomicrefcount ref_count;
  LkGpuBuffer *buffer;
  guint64 bytes;
} LkGpuArena;

typedef struct
{
  LkBackend parent;
  LkGpuDevice *device;
  GHashTable *storage; /* LkVariable → LkGpuSlice* */
  GPtrArray *pools;
  GPtrArray *sets;
  LkGpuArena *arena;
  GHashTable *profile; /* label → LkGpuTiming*; NULL when off */
} LkGpuBackend;

typedef struct
{
  LkExecutable parent;
  LkGpuRecording *recording;
  LkGpuArena *arena;
} LkGpuExecutable;

static void
lk_gpu_arena_unref (LkGpuArena *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  lk_gpu_buffer_free (self->buffer);
  g_free (self);
}

static LkGpuSlice *
lk_gpu_storage_of (LkGpuBackend *self, LkVariable *variable)
{
  return g_hash_table_lookup (self->storage, variable);
}

static void
lk_gpu_store (LkGpuBackend *self, LkVariable *variable, LkGpuSlice slice)
{
  g_hash_table_insert (self->storage, variable, g_memdup2 (&slice, sizeof slice));
}

/* Bytes of a mapped file that are in memory at one time while they are uploaded. */
#define LK_GPU_MAPPED_PIECE (G_GUINT64_CONSTANT (64) << 20)

static gboolean
lk_gpu_upload_mapped (LkGpuSlice slice, const LkVariable *variable, GError **error)
{
  for (guint64 at = 0; at < variable->bytes; at += LK_GPU_MAPPED_PIECE)
    {
      guint64 size = MIN (variable->bytes - at, LK_GPU_MAPPED_PIECE);

      if (!lk_gpu_upload (lk_gpu_slice_part (slice, at, size), variable->data + at, size, error))
        return FALSE;
      lk_file_release (variable->data + at, size);
    }
  return TRUE;
}

static gboolean
lk_gpu_upload_made (LkGpuSlice slice, const LkVariable *variable, GError **error)
{
  g_autofree guint8 *made = g_try_malloc (variable->bytes);

  if (!made)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "Not enough memory to make “%s”, %" G_GUINT64_FORMAT " bytes", variable->name,
                   variable->bytes);
      return FALSE;
    }
  return variable->fill (variable, made, variable->fill_data, error) && lk_gpu_upload (slice, made, variable->bytes, error);
}

static gboolean
lk_gpu_upload_initial (LkGpuBackend *self, LkVariable *variable, GError **error)
{
  g_autofree guint8 *zeros = NULL;
  LkGpuSlice slice = *lk_gpu_storage_of (self, variable);

  if (variable->fill)
    return lk_gpu_upload_made (slice, variable, error);
  if (variable->data && variable->mapped)
    return lk_gpu_upload_mapped (slice, variable, error);
  if (variable->data)
    return lk_gpu_upload (slice, variable->data, variable->bytes, error);
  if (variable->base)
    return TRUE;
  zeros = g_malloc0 (MIN (variable->bytes, 1 << 22));
  for (guint64 at = 0; at < variable->bytes; at += 1 << 22)
    {
      guint64 size = MIN (variable->bytes - at, 1 << 22);
      if (!lk_gpu_upload (lk_gpu_slice_part (slice, at, size), zeros, size, error))
        return FALSE;
    }
  return TRUE;
}

/* One pool for all variables that have no storage yet; views point into their base. */
static gboolean
lk_gpu_prepare (LkBackend *backend, LkVariables *variables, GError **error)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;
  LkGpuPool *pool = lk_gpu_pool_new (self->device, LK_GPU_WEIGHTS);
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < lk_variables_get_n (variables); i++)
    {
      LkVariable *variable = lk_variables_get (variables, i);
      if (!variable->base && !lk_gpu_storage_of (self, variable))
        {
          guint number = lk_gpu_pool_add (pool, variable->bytes, variable->name);
          g_ptr_array_add (fresh, variable);
          g_array_append_val (numbers, number);
        }
    }
  g_ptr_array_add (self->pools, pool);
  if (!g_ptr_array_find (self->sets, variables, NULL))
    g_ptr_array_add (self->sets, lk_variables_ref (variables));
  if (!lk_gpu_pool_allocate (pool, error))
    return FALSE;
  for (guint i = 0; i < fresh->len; i++)
    {
      LkVariable *variable = g_ptr_array_index (fresh, i);

      lk_gpu_store (self, variable, lk_gpu_pool_get (pool, g_array_index (numbers, guint, i)));
      if (!lk_gpu_upload_initial (self, variable, error))
        return FALSE;
    }
  for (guint i = 0; i < lk_variables_get_n (variables); i++)
    {
      LkVariable *variable = lk_variables_get (variables, i);

      if (!variable->base || lk_gpu_storage_of (self, variable))
        continue;
      lk_gpu_store (self, variable,
                    lk_gpu_slice_part (*lk_gpu_storage_of (self, variable->base), variable->base_offset, variable->bytes));
      if (!lk_gpu_upload_initial (self, variable, error))
        return FALSE;
    }
  return TRUE;
}

static LkGpuSlice *
lk_gpu_check_storage (LkGpuBackend *self, LkVariable *variable, GError **error)
{
  LkGpuSlice *slice = lk_gpu_storage_of (self, variable);

  if (!slice)
    g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "“%s” has no storage yet", variable->name);
  return slice;
}

static gboolean
lk_gpu_write (LkBackend *backend, LkVariable *variable, guint64 offset, const void *data, gsize size, GError **error)
{
  LkGpuSlice *slice = lk_gpu_check_storage ((LkGpuBackend *) backend, variable, error);

  return slice && lk_gpu_upload (lk_gpu_slice_part (*slice, offset, size), data, size, error);
}

static gboolean
lk_gpu_read (LkBackend *backend, LkVariable *variable, guint64 offset, void *data, gsize size, GError **error)
{
  LkGpuSlice *slice = lk_gpu_check_storage ((LkGpuBackend *) backend, variable, error);

  return slice && lk_gpu_download (lk_gpu_slice_part (*slice, offset, size), data, size, error);
}

static guint64
lk_gpu_memory (LkBackend *backend)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;

  return lk_gpu_device_get_memory_left (self->device);
}

static gboolean
lk_gpu_grow_arena (LkGpuBackend *self, LkProgram *program, guint64 bytes, GError **error)
{
  LkGpuArena *arena;
  LkGpuBuffer *buffer;

  if (self->arena && bytes <= self->arena->bytes)
    return TRUE;
  g_clear_pointer (&self->arena, lk_gpu_arena_unref);
  buffer = lk_gpu_buffer_new (self->device, LK_GPU_ACTIVATIONS, MAX (bytes, 256), lk_program_get_name (program), error);
  if (!buffer)
    return FALSE;
  arena = g_new0 (LkGpuArena, 1);
  g_atomic_ref_count_init (&arena->ref_count);
  arena->buffer = buffer;
  arena->bytes = bytes;
  self->arena = arena;
  return TRUE;
}

static gboolean
lk_gpu_record_nodes (LkGpuBackend *self, LkProgram *program, LkGpuRecorder *recorder, GError **error)
{
  g_autofree LkGpuSlice *slices = g_new0 (LkGpuSlice, lk_program_get_n_tensors (program) + 1);
  LkGpuTask task = { .program = program, .device = self->device, .recorder = recorder, .slices = slices };

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);

      if (t->variable)
        {
          LkGpuSlice *slice = lk_gpu_check_storage (self, t->variable, error);
          if (!slice)
            return FALSE;
          slices[id] = *slice;
        }
      else
        slices[id] = (LkGpuSlice){ self->arena->buffer, t->offset, t->bytes };
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);

      if (!node->operation->record)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "The operation “%s” does not run on a GPU yet", node->operation->name);
          return FALSE;
        }
      task.scratch = (LkGpuSlice){ self->arena->buffer, node->scratch_offset, node->scratch_bytes };
      if (!node->operation->record (&task, node, error))
        {
          g_prefix_error (error, "%s: ", node->operation->name);
          return FALSE;
        }
    }
  return TRUE;
}

static LkExecutable *
lk_gpu_compile (LkBackend *backend, LkProgram *program, GError **error)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;
  const LkDevicePlan *device_plan = lk_gpu_device_get_plan (self->device);
  g_autoptr (LkGpuRecorder) recorder = NULL;
  LkGpuRecording *recording;
  LkGpuExecutable *executable;
  LkMemoryPlan plan;

  lk_memory_plan (program, LK_TARGET_GPU, 1, (guint) MAX (device_plan->alignment, 256), &plan);
  if (!lk_gpu_grow_arena (self, program, plan.activations, error))
    return NULL;
  recorder = lk_gpu_recorder_new (self->device);
  lk_gpu_recorder_set_profiling (recorder, self->profile != NULL);
  if (!lk_gpu_record_nodes (self, program, recorder, error) || !(recording = lk_gpu_recorder_finish (recorder, error)))
    return NULL;
  executable = g_new0 (LkGpuExecutable, 1);
  executable->recording = recording;
  executable->arena = self->arena;
  g_atomic_ref_count_inc (&self->arena->ref_count);
  return &executable->parent;
}

static void
lk_gpu_profile_add (LkGpuBackend *self, LkGpuRecording *recording)
{
  g_autoptr (GArray) timings = lk_gpu_recording_get_timings (recording);

  for (guint i = 0; timings && i < timings->len; i++)
    {
      LkGpuTiming *t = &g_array_index (timings, LkGpuTiming, i);
      LkGpuTiming *sum = g_hash_table_lookup (self->profile, t->label);

      if (!sum)
        {
          sum = g_new0 (LkGpuTiming, 1);
          sum->label = g_intern_string (t->label);
          g_hash_table_insert (self->profile, (gpointer) sum->label, sum);
        }
      sum->count += t->count;
      sum->seconds += t->seconds;
      sum->flops += t->flops;
      sum->bytes += t->bytes;
    }
}

static gboolean
lk_gpu_run (LkExecutable *executable, GError **error)
{
  LkGpuExecutable *self = (LkGpuExecutable *) executable;
  LkGpuBackend *backend = (LkGpuBackend *) executable->backend;

  if (!lk_gpu_recording_run (self->recording, error))
    return FALSE;
  if (backend->profile)
    lk_gpu_profile_add (backend, self->recording);
  return TRUE;
}

static void
lk_gpu_free_executable (LkExecutable *executable)
{
  LkGpuExecutable *self = (LkGpuExecutable *) executable;

  lk_gpu_recording_free (self->recording);
  lk_gpu_arena_unref (self->arena);
  g_free (self);
}

static char *
lk_gpu_describe_profile (LkBackend *backend)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;
  GHashTableIter iter;
  gpointer value;
  GString *s;

  if (!self->profile)
    return NULL;
  s = g_string_new (NULL);
  g_hash_table_iter_init (&iter, self->profile);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      LkGpuTiming *t = value;
      g_string_append_printf (s, "%-20s %9.3f s %8u calls %9.2f Gflop/s %8.2f GB/s\n", t->label, t->seconds, t->count,
                              t->seconds > 0 ? t->flops / t->seconds * 1e-9 : 0, t->seconds > 0 ? t->bytes / t->seconds * 1e-9 : 0);
    }
  return g_string_free (s, FALSE);
}

static void
lk_gpu_free (LkBackend *backend)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;

  g_hash_table_unref (self->storage);
  g_clear_pointer (&self->arena, lk_gpu_arena_unref);
  g_ptr_array_unref (self->pools);
  g_ptr_array_unref (self->sets);
  g_clear_pointer (&self->profile, g_hash_table_unref);
  lk_gpu_device_unref (self->device);
  g_free (self);
}

static const LkBackendClass lk_gpu_class = {
  .free = lk_gpu_free,
  .prepare = lk_gpu_prepare,
  .write = lk_gpu_write,
  .read = lk_gpu_read,
  .memory = lk_gpu_memory,
  .compile = lk_gpu_compile,
  .run = lk_gpu_run,
  .free_executable = lk_gpu_free_executable,
  .describe_profile = lk_gpu_describe_profile,
};

LkBackend *
_lk_backend_new_gpu (const char *device, GError **error)
{
  LkGpuBackend *self;
  LkDeviceChoice choice;
  LkGpuDevice *gpu;

  if (!lk_device_choice_parse (device, &choice, error) || !(gpu = lk_gpu_device_new (&choice, LK_GPU_DEFAULT, error)))
    return NULL;
  self = g_new0 (LkGpuBackend, 1);
  self->parent.klass = &lk_gpu_class;
  g_atomic_ref_count_init (&self->parent.ref_count);
  self->parent.gpu = TRUE;
  self->device = gpu;
  self->parent.description = g_strdup (lk_gpu_device_get_snapshot (gpu)->name);
  self->storage = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_gpu_pool_free);
  self->sets = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_variables_unref);
  if (g_strcmp0 (g_getenv ("LK_PROFILE"), "1") == 0)
    self->profile = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return &self->parent;
}
