/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend-private.h"

#include "lk-device-plan.h"
#include "lk-error.h"

LkBackend *
lk_backend_new (const char *device, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  LkDeviceChoice choice;
  LkBackend *self;

  if (!lk_device_choice_parse (device, &choice, error))
    return NULL;
  if (choice.want == LK_DEVICE_WANT_CPU)
    return lk_backend_new_cpu (0);
  self = _lk_backend_new_gpu (device, LK_GPU_DEFAULT, &local_error);
  if (!self && choice.want == LK_DEVICE_WANT_AUTO)
    {
      g_info ("%s", local_error->message);
      return lk_backend_new_cpu (0);
    }
  if (!self)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return self;
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
  self->klass->free (self);
}

const char *
lk_backend_get_description (LkBackend *self)
{
  return self->description;
}

gboolean
lk_backend_is_gpu (LkBackend *self)
{
  return self->gpu;
}

guint64
lk_backend_get_memory (LkBackend *self)
{
  return self->klass->memory (self);
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

char *
lk_backend_describe_profile (LkBackend *self)
{
  return self->klass->describe_profile (self);
}
