/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend-private.h"

#include "lk-cpu-gemm.h"
#include "lk-device-plan.h"
#include "lk-error.h"
#include "lk-memory.h"

/* Without address space for its threads and OpenBLAS's, the process would not get as far as an error. */
static LkBackend *
lk_backend_new_cpu_with (LkPrecision precision, const char *notice, GError **error)
{
  guint workers = g_get_num_processors ();
  guint64 needed = lk_cpu_gemm_mapping (workers) + lk_memory_of_threads (workers - 1);
  g_autofree char *size = g_format_size_full (needed, G_FORMAT_SIZE_IEC_UNITS);
  LkBackend *self;

  if (precision > LK_PRECISION_FLOAT32)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "The processor computes in float32 only, not in %s.%s%s",
                   lk_precision_names[precision], notice ? " " : "", notice ? notice : "");
      return NULL;
    }
  if (lk_memory_available (needed) == 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY,
                   "Matrix products on the processor need %s of address space, and a limit (ulimit -v) does not leave it", size);
      return NULL;
    }
  self = lk_backend_new_cpu (0);
  self->notice = g_strdup (notice);
  return self;
}

/* A card that fails is no reason to stop, and none to keep silent; an environment that makes no sense is. */
static LkBackend *
lk_backend_new_auto (const LkDeviceChoice *choice, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GArray) devices = lk_gpu_list_devices (&local_error);
  g_autoptr (LkDeviceSelection) selection = NULL;
  g_autofree char *device = NULL, *notice = NULL;
  LkBackend *self = NULL;

  if (devices)
    selection = lk_device_select ((const LkDeviceSnapshot *) (void *) devices->data, devices->len, choice, &local_error);
  if (selection && selection->index < 0)
    return lk_backend_new_cpu_with (choice->precision, selection->notice, error);
  if (selection)
    {
      device = g_strdup_printf ("vulkan:%d", selection->index);
      self = _lk_backend_new_gpu (device, choice->precision, LK_GPU_DEFAULT, &local_error);
    }
  if (self)
    return self;
  if (g_error_matches (local_error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  notice = g_strdup_printf ("The processor computes. %s", local_error->message);
  return lk_backend_new_cpu_with (choice->precision, notice, error);
}

LkBackend *
lk_backend_new (const char *device, GError **error)
{
  return lk_backend_new_precise (device, LK_PRECISION_FLOAT32, error);
}

LkBackend *
lk_backend_new_precise (const char *device, LkPrecision precision, GError **error)
{
  LkDeviceChoice choice;

  if (!lk_device_choice_parse (device, &choice, error))
    return NULL;
  choice.precision = precision;
  if (choice.want == LK_DEVICE_WANT_CPU)
    return lk_backend_new_cpu_with (precision, NULL, error);
  if (choice.want == LK_DEVICE_WANT_AUTO)
    return lk_backend_new_auto (&choice, error);
  return _lk_backend_new_gpu (device, precision, LK_GPU_DEFAULT, error);
}

LkBackend *
lk_backend_ref (LkBackend *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_backend_unref (LkBackend *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->description, g_free);
  g_clear_pointer (&self->notice, g_free);
  g_clear_pointer (&self->times, g_hash_table_unref);
  self->klass->free (self);
}

const char *
lk_backend_get_description (LkBackend *self)
{
  return self->description;
}

const char *
lk_backend_get_notice (LkBackend *self)
{
  return self->notice;
}

const char *
lk_backend_get_products (LkBackend *self)
{
  return lk_matmul_path_describe (self->device_plan ? self->device_plan->matmul : LK_MATMUL_FLOAT32);
}

gboolean
lk_backend_is_gpu (LkBackend *self)
{
  return self->gpu;
}

gboolean
lk_backend_has_own_memory (LkBackend *self)
{
  return self->own_memory;
}

const LkDevicePlan *
lk_backend_get_device_plan (LkBackend *self)
{
  return self->device_plan;
}

guint64
lk_backend_get_memory (LkBackend *self)
{
  return self->klass->memory (self);
}

guint64
lk_backend_get_memory_used (LkBackend *self)
{
  return self->klass->memory_used ? self->klass->memory_used (self) : 0;
}

gboolean
lk_backend_prepare (LkBackend *self, LkVariables *variables, GError **error)
{
  return self->klass->prepare (self, variables, error);
}

gboolean
lk_backend_write (LkBackend *self, LkVariable *variable, guint64 offset, const void *data, gsize size, GError **error)
{
  g_return_val_if_fail (offset <= variable->bytes && size <= variable->bytes - offset, FALSE);
  return size == 0 || self->klass->write (self, variable, offset, data, size, error);
}

gboolean
lk_backend_read (LkBackend *self, LkVariable *variable, guint64 offset, void *data, gsize size, GError **error)
{
  g_return_val_if_fail (offset <= variable->bytes && size <= variable->bytes - offset, FALSE);
  return size == 0 || self->klass->read (self, variable, offset, data, size, error);
}

gboolean
lk_backend_clear (LkBackend *self, LkVariable *variable, GError **error)
{
  g_autofree guint8 *zeros = g_malloc0 (MIN (variable->bytes, 1 << 20));

  for (guint64 at = 0; at < variable->bytes; at += 1 << 20)
    if (!lk_backend_write (self, variable, at, zeros, MIN (variable->bytes - at, 1 << 20), error))
      return FALSE;
  return TRUE;
}

void
lk_backend_plan (LkBackend *self, LkProgram *program, LkMemoryPlan *plan)
{
  lk_memory_plan (program, &self->rules, plan, NULL);
}

LkExecutable *
lk_backend_compile (LkBackend *self, LkProgram *program, GError **error)
{
  LkExecutable *executable = self->klass->compile (self, program, error);

  if (executable)
    {
      executable->backend = lk_backend_ref (self);
      executable->program = lk_program_ref (program);
    }
  return executable;
}

gboolean
lk_executable_run (LkExecutable *self, GError **error)
{
  return self->backend->klass->run (self, error);
}

void
lk_executable_free (LkExecutable *self)
{
  LkBackend *backend;
  LkProgram *program;

  if (!self)
    return;
  backend = self->backend;
  program = self->program;
  backend->klass->free_executable (self);
  lk_program_unref (program);
  lk_backend_unref (backend);
}

void
lk_backend_time_operations (LkBackend *self)
{
  if (!self->times)
    self->times = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

static LkOperationTime *
lk_backend_time_of (LkBackend *self, const char *operation)
{
  const char *name = g_intern_string (operation);
  LkOperationTime *time = g_hash_table_lookup (self->times, name);

  if (!time)
    {
      time = g_new0 (LkOperationTime, 1);
      time->operation = name;
      g_hash_table_insert (self->times, (gpointer) name, time);
    }
  return time;
}

void
_lk_backend_add_time (LkBackend *self, const char *operation, guint64 calls, double seconds)
{
  LkOperationTime *time = lk_backend_time_of (self, operation);

  time->calls += calls;
  time->seconds += seconds;
}

void
_lk_backend_add_costs (LkBackend *self, LkProgram *program)
{
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);
      LkOperationTime *time = lk_backend_time_of (self, node->operation->name);
      LkCost cost = { 0 };

      node->operation->cost (program, node, &cost);
      time->cost.flops += cost.flops;
      time->cost.bytes += cost.bytes;
    }
}

static int
lk_backend_compare_times (gconstpointer a, gconstpointer b)
{
  const LkOperationTime *x = a, *y = b;

  return x->seconds < y->seconds ? 1 : x->seconds > y->seconds ? -1 : g_strcmp0 (x->operation, y->operation);
}

GArray *
lk_backend_take_times (LkBackend *self)
{
  GArray *times;
  GHashTableIter iter;
  gpointer time;

  if (!self->times)
    return NULL;
  times = g_array_new (FALSE, FALSE, sizeof (LkOperationTime));
  g_hash_table_iter_init (&iter, self->times);
  while (g_hash_table_iter_next (&iter, NULL, &time))
    g_array_append_val (times, *(LkOperationTime *) time);
  g_array_sort (times, lk_backend_compare_times);
  g_hash_table_remove_all (self->times);
  return times;
}

char *
lk_backend_describe_profile (LkBackend *self)
{
  g_autoptr (GArray) times = lk_backend_take_times (self);
  GString *s;

  if (!times)
    return NULL;
  s = g_string_new (NULL);
  for (guint i = 0; i < times->len; i++)
    {
      const LkOperationTime *t = &g_array_index (times, LkOperationTime, i);

      g_string_append_printf (s, "%-16s %9.3f s %8" G_GUINT64_FORMAT " calls %9.2f Gflop/s %8.2f GB/s\n", t->operation, t->seconds,
                              t->calls, t->seconds > 0 ? t->cost.flops / t->seconds * 1e-9 : 0,
                              t->seconds > 0 ? t->cost.bytes / t->seconds * 1e-9 : 0);
    }
  return g_string_free (s, FALSE);
}

gboolean
lk_backend_measure (LkBackend *self, LkCeiling ceiling, guint64 bytes, double *rate, GError **error)
{
  *rate = 0;
  return self->klass->measure (self, ceiling, bytes, rate, error);
}
