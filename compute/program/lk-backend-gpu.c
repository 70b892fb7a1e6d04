/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend-gpu.h"

#include "lk-backend-private.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-gpu-ceiling.h"
#include "lk-memory-plan.h"

typedef struct
{
  LkBackend parent;
  LkGpuDevice *device;
  GHashTable *storage; /* LkVariable → LkGpuSlice* */
  GPtrArray *pools;
  GPtrArray *sets;
  LkGpuPool *arena;    /* activations of all programs, in slices of parent.rules.block; NULL before the first */
  guint64 arena_bytes;
  GPtrArray *executables; /* borrowed */
} LkGpuBackend;

typedef struct
{
  LkExecutable parent;
  LkMemoryPlaces places;
  LkGpuRecording *recording; /* NULL: the arena it was made for is gone */
} LkGpuExecutable;

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

/* A pool for all variables of @cls that have no storage yet. */
static gboolean
lk_gpu_prepare_class (LkGpuBackend *self, LkVariables *variables, LkGpuClass cls, GError **error)
{
  LkGpuPool *pool = NULL;
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < lk_variables_get_n (variables); i++)
    {
      LkVariable *variable = lk_variables_get (variables, i);
      if (!variable->base && variable->beside == (cls == LK_GPU_HOST) && !lk_gpu_storage_of (self, variable))
        {
          guint number;

          if (!pool)
            g_ptr_array_add (self->pools, pool = lk_gpu_pool_new (self->device, cls));
          number = lk_gpu_pool_add (pool, variable->bytes, variable->name);
          g_ptr_array_add (fresh, variable);
          g_array_append_val (numbers, number);
        }
    }
  if (pool && !lk_gpu_pool_allocate (pool, error))
    return FALSE;
  for (guint i = 0; i < fresh->len; i++)
    {
      LkVariable *variable = g_ptr_array_index (fresh, i);

      lk_gpu_store (self, variable, lk_gpu_pool_get (pool, g_array_index (numbers, guint, i)));
      if (!lk_gpu_upload_initial (self, variable, error))
        return FALSE;
    }
  return TRUE;
}

/* Views point into their base. */
static gboolean
lk_gpu_prepare (LkBackend *backend, LkVariables *variables, GError **error)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;

  if (!g_ptr_array_find (self->sets, variables, NULL))
    g_ptr_array_add (self->sets, lk_variables_ref (variables));
  if (!lk_gpu_prepare_class (self, variables, LK_GPU_WEIGHTS, error) || !lk_gpu_prepare_class (self, variables, LK_GPU_HOST, error))
    return FALSE;
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

static guint64
lk_gpu_memory_used (LkBackend *backend)
{
  return lk_gpu_device_get_memory_used (((LkGpuBackend *) backend)->device);
}

static gboolean
lk_gpu_make_arena (LkGpuBackend *self, guint64 bytes, GError **error)
{
  LkGpuPool *arena = lk_gpu_pool_new (self->device, LK_GPU_ACTIVATIONS);
  guint64 block = self->parent.rules.block;

  for (guint64 at = 0; at < bytes; at += block)
    lk_gpu_pool_add (arena, MIN (block, bytes - at), "working memory");
  if (!lk_gpu_pool_allocate (arena, error))
    {
      lk_gpu_pool_free (arena);
      return FALSE;
    }
  self->arena = arena;
  self->arena_bytes = bytes;
  return TRUE;
}

/* There is one arena at a time, so that what is in use is what was planned: a larger one takes the smaller one's place, and what was
 * recorded for that is recorded again when it runs. Where there is no room for it the smaller one is made anew. */
static gboolean
lk_gpu_grow_arena (LkGpuBackend *self, guint64 bytes, GError **error)
{
  guint64 before = self->arena ? self->arena_bytes : 0;

  if (self->arena && bytes <= before)
    return TRUE;
  for (guint i = 0; i < self->executables->len; i++)
    {
      LkGpuExecutable *executable = g_ptr_array_index (self->executables, i);

      g_clear_pointer (&executable->recording, lk_gpu_recording_free);
    }
  g_clear_pointer (&self->arena, lk_gpu_pool_free);
  if (lk_gpu_make_arena (self, MAX (bytes, 256), error))
    return TRUE;
  if (before > 0)
    lk_gpu_make_arena (self, before, NULL);
  return FALSE;
}

/* Empty where nothing is asked for. */
static LkGpuSlice
lk_gpu_arena_slice (LkGpuBackend *self, guint64 at, guint64 bytes)
{
  guint64 block = self->parent.rules.block;

  if (bytes == 0)
    return (LkGpuSlice){ 0 };
  return lk_gpu_slice_part (lk_gpu_pool_get (self->arena, (guint) (at / block)), at % block, bytes);
}

static gboolean
lk_gpu_record_nodes (LkGpuBackend *self, LkProgram *program, const LkMemoryPlaces *places, LkGpuRecorder *recorder, GError **error)
{
  g_autofree LkGpuSlice *slices = g_new0 (LkGpuSlice, lk_program_get_n_tensors (program) + 1);
  LkGpuTask task = { .program = program, .device = self->device, .recorder = recorder, .slices = slices };

  if (!self->arena)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "The working memory of “%s” could not be had again",
                   lk_program_get_name (program));
      return FALSE;
    }
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
        slices[id] = lk_gpu_arena_slice (self, places->tensors[id], t->bytes);
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);

      if (!node->operation->record)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "The operation “%s” does not run on a GPU yet", node->operation->name);
          return FALSE;
        }
      task.scratch = lk_gpu_arena_slice (self, places->scratch[i], places->scratch_bytes[i]);
      if (!node->operation->record (&task, node, error))
        {
          g_prefix_error (error, "%s: ", node->operation->name);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
lk_gpu_record (LkGpuBackend *self, LkProgram *program, LkGpuExecutable *executable, GError **error)
{
  g_autoptr (LkGpuRecorder) recorder = lk_gpu_recorder_new (self->device);

  lk_gpu_recorder_set_profiling (recorder, self->parent.times != NULL);
  if (lk_gpu_record_nodes (self, program, &executable->places, recorder, error))
    executable->recording = lk_gpu_recorder_finish (recorder, error);
  return executable->recording != NULL;
}

static void
lk_gpu_free_executable (LkExecutable *executable)
{
  LkGpuExecutable *self = (LkGpuExecutable *) executable;

  if (executable->backend)
    g_ptr_array_remove (((LkGpuBackend *) executable->backend)->executables, self);
  lk_gpu_recording_free (self->recording);
  lk_memory_places_clear (&self->places);
  g_free (self);
}

static gboolean
lk_gpu_check_pieces (LkGpuBackend *self, LkProgram *program, const LkMemoryPlan *plan, GError **error)
{
  guint64 block = self->parent.rules.block;
  g_autofree char *need = g_format_size_full (plan->largest, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *most = g_format_size_full (block, G_FORMAT_SIZE_IEC_UNITS);

  if (plan->largest <= block)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” needs %s of working memory in one piece, but “%s” gives at most %s at once",
               lk_program_get_name (program), need, self->parent.description, most);
  return FALSE;
}

static LkExecutable *
lk_gpu_compile (LkBackend *backend, LkProgram *program, GError **error)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;
  LkGpuExecutable *executable = g_new0 (LkGpuExecutable, 1);
  LkMemoryPlan plan;

  lk_memory_plan (program, &backend->rules, &plan, &executable->places);
  if (!lk_gpu_check_pieces (self, program, &plan, error) || !lk_gpu_grow_arena (self, plan.activations, error)
      || !lk_gpu_record (self, program, executable, error))
    {
      lk_gpu_free_executable (&executable->parent);
      return NULL;
    }
  g_ptr_array_add (self->executables, executable);
  return &executable->parent;
}

static void
lk_gpu_add_times (LkGpuBackend *self, LkProgram *program, LkGpuRecording *recording)
{
  g_autoptr (GArray) timings = lk_gpu_recording_get_timings (recording);

  for (guint i = 0; timings && i < timings->len; i++)
    {
      LkGpuTiming *t = &g_array_index (timings, LkGpuTiming, i);

      _lk_backend_add_time (&self->parent, t->label, t->count, t->seconds);
    }
  if (timings)
    _lk_backend_add_costs (&self->parent, program);
}

static gboolean
lk_gpu_run (LkExecutable *executable, GError **error)
{
  LkGpuExecutable *self = (LkGpuExecutable *) executable;
  LkGpuBackend *backend = (LkGpuBackend *) executable->backend;

  if (!self->recording && !lk_gpu_record (backend, executable->program, self, error))
    return FALSE;
  if (!lk_gpu_recording_run (self->recording, error))
    return FALSE;
  if (backend->parent.times)
    lk_gpu_add_times (backend, executable->program, self->recording);
  return TRUE;
}

static gboolean
lk_gpu_measure (LkBackend *backend, LkCeiling ceiling, guint64 bytes, double *rate, GError **error)
{
  LkGpuDevice *device = ((LkGpuBackend *) backend)->device;

  if (ceiling == LK_CEILING_COPY)
    return lk_gpu_measure_copy (device, bytes, rate, error);
  return ceiling == LK_CEILING_FMA ? lk_gpu_measure_fma (device, rate, error) : lk_gpu_measure_matrix (device, rate, error);
}

static void
lk_gpu_free (LkBackend *backend)
{
  LkGpuBackend *self = (LkGpuBackend *) backend;

  g_hash_table_unref (self->storage);
  lk_gpu_pool_free (self->arena);
  g_ptr_array_unref (self->executables);
  g_ptr_array_unref (self->pools);
  g_ptr_array_unref (self->sets);
  lk_gpu_device_unref (self->device);
  g_free (self);
}

static const LkBackendClass lk_gpu_class = {
  .free = lk_gpu_free,
  .prepare = lk_gpu_prepare,
  .write = lk_gpu_write,
  .read = lk_gpu_read,
  .memory = lk_gpu_memory,
  .memory_used = lk_gpu_memory_used,
  .compile = lk_gpu_compile,
  .run = lk_gpu_run,
  .free_executable = lk_gpu_free_executable,
  .measure = lk_gpu_measure,
};

LkBackend *
_lk_backend_new_gpu (const char *device, LkPrecision precision, LkGpuFlags flags, GError **error)
{
  const LkDevicePlan *plan;
  LkGpuBackend *self;
  LkDeviceChoice choice;
  LkGpuDevice *gpu;

  if (!lk_device_choice_parse (device, &choice, error))
    return NULL;
  choice.precision = precision;
  gpu = lk_gpu_device_new (&choice, flags, error);
  if (!gpu)
    return NULL;
  self = g_new0 (LkGpuBackend, 1);
  self->parent.klass = &lk_gpu_class;
  g_atomic_ref_count_init (&self->parent.ref_count);
  self->parent.gpu = TRUE;
  plan = lk_gpu_device_get_plan (gpu);
  self->parent.own_memory = !plan->unified;
  self->parent.device_plan = plan;
  self->parent.rules = (LkMemoryRules){ LK_TARGET_GPU, 1, plan->alignment, plan->max_block, FALSE };
  self->device = gpu;
  self->parent.description = g_strdup (lk_gpu_device_get_snapshot (gpu)->name);
  self->parent.notice = g_strdup (lk_gpu_device_get_notice (gpu));
  self->storage = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->executables = g_ptr_array_new ();
  self->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_gpu_pool_free);
  self->sets = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_variables_unref);
  if (g_strcmp0 (g_getenv ("LK_PROFILE"), "1") == 0)
    lk_backend_time_operations (&self->parent);
  return &self->parent;
}
