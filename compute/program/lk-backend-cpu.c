/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend-cpu.h"

#include <stdlib.h>
#include <string.h>

#include "lk-backend-private.h"
#include "lk-ceiling-cpu.h"
#include "lk-cpu-gemm.h"
#include "lk-error.h"
#include "lk-memory.h"
#include "lk-memory-plan.h"
#include "lk-size.h"

#define LK_CPU_ALIGNMENT 64

typedef struct
{
  LkBackend parent;
  LkParallel *parallel;
  const LkCpuKernels *kernels;
  GHashTable *storage;   /* LkVariable → pointer to its bytes */
  GPtrArray *owned;      /* allocations */
  GPtrArray *sets;       /* LkVariables kept alive */
  guint8 *arena;
  guint64 arena_bytes;
} LkCpuBackend;

typedef struct
{
  LkExecutable parent;
  LkMemoryPlaces places;
  guint8 **data;         /* by tensor id */
  guint8 *resolved_for;  /* the arena data[] was made for */
} LkCpuExecutable;

static guint8 *
lk_cpu_allocate (guint64 bytes)
{
  void *memory = NULL;

  if (posix_memalign (&memory, LK_CPU_ALIGNMENT, MAX (bytes, LK_CPU_ALIGNMENT)) != 0)
    return NULL;
  return memory;
}

static guint8 *
lk_cpu_storage_of (LkCpuBackend *self, LkVariable *variable)
{
  return g_hash_table_lookup (self->storage, variable);
}

static gboolean
lk_cpu_prepare_one (LkCpuBackend *self, LkVariable *variable, GError **error)
{
  guint8 *memory;

  if (lk_cpu_storage_of (self, variable))
    return TRUE;
  if (lk_variable_lies_in_place (variable))
    {
      g_hash_table_insert (self->storage, variable, (gpointer) variable->data);
      return TRUE;
    }
  if (variable->base)
    {
      if (!lk_cpu_prepare_one (self, variable->base, error))
        return FALSE;
      memory = lk_cpu_storage_of (self, variable->base) + variable->base_offset;
    }
  else
    {
      memory = lk_cpu_allocate (variable->bytes);
      if (!memory)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "Not enough memory for “%s”, %" G_GUINT64_FORMAT " bytes", variable->name,
                       variable->bytes);
          return FALSE;
        }
      g_ptr_array_add (self->owned, memory);
      if (variable->fill && !variable->fill (variable, memory, variable->fill_data, error))
        return FALSE;
      if (!variable->fill)
        memset (memory, 0, variable->bytes);
    }
  if (variable->data)
    memcpy (memory, variable->data, variable->bytes);
  g_hash_table_insert (self->storage, variable, memory);
  return TRUE;
}

static guint64
lk_cpu_memory (LkBackend *backend)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  return lk_memory_available (lk_cpu_gemm_mapping (lk_parallel_get_workers (self->parallel)));
}

/* Refuses what would be given by the system and then end the process when it is touched. */
static gboolean
lk_cpu_check_room (LkCpuBackend *self, LkVariables *variables, GError **error)
{
  guint64 needed = 0, left = lk_cpu_memory (&self->parent);
  g_autofree char *need = NULL, *have = NULL;

  for (guint i = 0; i < lk_variables_get_n (variables); i++)
    {
      LkVariable *v = lk_variables_get (variables, i);

      if (!v->base && !lk_cpu_storage_of (self, v) && !lk_variable_lies_in_place (v) && !lk_size_add (needed, v->bytes, &needed))
        needed = G_MAXUINT64;
    }
  if (needed <= left)
    return TRUE;
  need = g_format_size_full (needed, G_FORMAT_SIZE_IEC_UNITS);
  have = g_format_size_full (left, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
               "Weights, adapters and what training keeps for them need %s of memory, but only %s are free", need, have);
  return FALSE;
}

static gboolean
lk_cpu_prepare (LkBackend *backend, LkVariables *variables, GError **error)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  if (!g_ptr_array_find (self->sets, variables, NULL))
    g_ptr_array_add (self->sets, lk_variables_ref (variables));
  if (!lk_cpu_check_room (self, variables, error))
    return FALSE;
  for (guint i = 0; i < lk_variables_get_n (variables); i++)
    if (!lk_cpu_prepare_one (self, lk_variables_get (variables, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
lk_cpu_check_storage (LkCpuBackend *self, LkVariable *variable, GError **error)
{
  if (lk_cpu_storage_of (self, variable))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "“%s” has no storage yet", variable->name);
  return FALSE;
}

static gboolean
lk_cpu_write (LkBackend *backend, LkVariable *variable, guint64 offset, const void *data, gsize size, GError **error)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  if (!lk_cpu_check_storage (self, variable, error))
    return FALSE;
  g_return_val_if_fail (!lk_variable_lies_in_place (variable), FALSE);
  memcpy (lk_cpu_storage_of (self, variable) + offset, data, size);
  return TRUE;
}

static gboolean
lk_cpu_read (LkBackend *backend, LkVariable *variable, guint64 offset, void *data, gsize size, GError **error)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  if (!lk_cpu_check_storage (self, variable, error))
    return FALSE;
  memcpy (data, lk_cpu_storage_of (self, variable) + offset, size);
  return TRUE;
}

static gboolean
lk_cpu_grow_arena (LkCpuBackend *self, LkProgram *program, guint64 bytes, GError **error)
{
  g_autofree char *size = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  guint8 *arena;

  if (bytes <= self->arena_bytes)
    return TRUE;
  arena = bytes > self->arena_bytes + lk_cpu_memory (&self->parent) ? NULL : lk_cpu_allocate (bytes);
  if (!arena)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY, "The working memory of “%s”, %s, does not fit into what is free",
                   lk_program_get_name (program), size);
      return FALSE;
    }
  free (self->arena);
  self->arena = arena;
  self->arena_bytes = bytes;
  return TRUE;
}

static LkExecutable *
lk_cpu_compile (LkBackend *backend, LkProgram *program, GError **error)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;
  LkMemoryPlaces places;
  LkMemoryPlan plan;
  LkCpuExecutable *executable;

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkVariable *variable = lk_program_get_tensor (program, id)->variable;
      if (variable && !lk_cpu_check_storage (self, variable, error))
        return NULL;
    }
  lk_memory_plan (program, &backend->rules, &plan, &places);
  if (!lk_cpu_grow_arena (self, program, plan.activations, error))
    {
      lk_memory_places_clear (&places);
      return NULL;
    }
  executable = g_new0 (LkCpuExecutable, 1);
  executable->places = places;
  executable->data = g_new0 (guint8 *, lk_program_get_n_tensors (program) + 1);
  return &executable->parent;
}

static void
lk_cpu_resolve (LkCpuExecutable *self, LkCpuBackend *backend)
{
  LkProgram *program = self->parent.program;

  if (self->resolved_for && self->resolved_for == backend->arena)
    return;
  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);
      self->data[id] = t->variable ? lk_cpu_storage_of (backend, t->variable) : backend->arena + self->places.tensors[id];
    }
  self->resolved_for = backend->arena;
}

static gboolean
lk_cpu_run (LkExecutable *executable, GError **error)
{
  LkCpuExecutable *self = (LkCpuExecutable *) executable;
  LkCpuBackend *backend = (LkCpuBackend *) executable->backend;
  LkCpuTask task = { executable->program, backend->parallel, backend->kernels, self->data, NULL, 0 };

  lk_cpu_resolve (self, backend);
  for (guint i = 0; i < lk_program_get_n_nodes (executable->program); i++)
    {
      LkNode *node = lk_program_get_node (executable->program, i);
      double begin = backend->parent.times ? _lk_cpu_seconds () : 0;

      task.scratch = backend->arena + self->places.scratch[i];
      task.scratch_bytes = self->places.scratch_bytes[i];
      node->operation->run (&task, node);
      if (backend->parent.times)
        _lk_backend_add_time (&backend->parent, node->operation->name, 1, _lk_cpu_seconds () - begin);
    }
  if (backend->parent.times)
    _lk_backend_add_costs (&backend->parent, executable->program);
  return TRUE;
}

static void
lk_cpu_free_executable (LkExecutable *executable)
{
  LkCpuExecutable *self = (LkCpuExecutable *) executable;

  lk_memory_places_clear (&self->places);
  g_free (self->data);
  g_free (self);
}

static gboolean
lk_cpu_measure (LkBackend *backend, LkCeiling ceiling, guint64 bytes, double *rate, GError **error)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  return _lk_cpu_measure (self->parallel, self->kernels, ceiling, bytes, rate, error);
}

static void
lk_cpu_free (LkBackend *backend)
{
  LkCpuBackend *self = (LkCpuBackend *) backend;

  lk_parallel_free (self->parallel);
  g_hash_table_unref (self->storage);
  g_ptr_array_unref (self->owned);
  g_ptr_array_unref (self->sets);
  free (self->arena);
  g_free (self);
}

static const LkBackendClass lk_cpu_class = {
  .free = lk_cpu_free,
  .prepare = lk_cpu_prepare,
  .write = lk_cpu_write,
  .read = lk_cpu_read,
  .memory = lk_cpu_memory,
  .compile = lk_cpu_compile,
  .run = lk_cpu_run,
  .free_executable = lk_cpu_free_executable,
  .measure = lk_cpu_measure,
};

LkBackend *
lk_backend_new_cpu (guint workers)
{
  LkCpuBackend *self = g_new0 (LkCpuBackend, 1);

  self->parent.klass = &lk_cpu_class;
  g_atomic_ref_count_init (&self->parent.ref_count);
  self->parallel = lk_parallel_new (workers);
  self->kernels = lk_cpu_kernels ();
  self->parent.rules = (LkMemoryRules){ LK_TARGET_CPU, lk_parallel_get_workers (self->parallel), LK_CPU_ALIGNMENT, 0, TRUE };
  self->storage = g_hash_table_new (NULL, NULL);
  self->owned = g_ptr_array_new_with_free_func (free);
  self->sets = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_variables_unref);
  if (g_strcmp0 (g_getenv ("LK_PROFILE"), "1") == 0)
    lk_backend_time_operations (&self->parent);
  self->parent.description
    = g_strdup_printf ("CPU, %u threads, %s", lk_parallel_get_workers (self->parallel), lk_simd_get_name (self->kernels->simd));
  return &self->parent;
}
