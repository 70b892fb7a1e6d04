/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For the backends only.
 */
#pragma once

#include "lk-backend.h"
#include "lk-gpu-device.h"

typedef struct
{
  void (*free) (LkBackend *self);
  gboolean (*prepare) (LkBackend *self, LkVariables *variables, GError **error);
  gboolean (*write) (LkBackend *self, LkVariable *variable, guint64 offset, const void *data, gsize size, GError **error);
  gboolean (*read) (LkBackend *self, LkVariable *variable, guint64 offset, void *data, gsize size, GError **error);
  guint64 (*memory) (LkBackend *self);
  guint64 (*memory_used) (LkBackend *self); /* NULL: none of its own */
  LkExecutable *(*compile) (LkBackend *self, LkProgram *program, GError **error);
  gboolean (*run) (LkExecutable *executable, GError **error);
  void (*free_executable) (LkExecutable *executable);
  gboolean (*measure) (LkBackend *self, LkCeiling ceiling, guint64 bytes, double *rate, GError **error);
} LkBackendClass;

struct _LkBackend
{
  const LkBackendClass *klass;
  gatomicrefcount ref_count;
  char *description;
  char *notice; /* NULL: none */
  gboolean gpu, own_memory;
  const LkDevicePlan *device_plan; /* NULL on the CPU */
  LkMemoryRules rules;
  GHashTable *times; /* operation name → LkOperationTime*; NULL: nothing is timed */
};

struct _LkExecutable
{
  LkBackend *backend; /* owned reference */
  LkProgram *program; /* owned reference */
};

/* Where self->times is. */
void _lk_backend_add_time (LkBackend *self, const char *operation, guint64 calls, double seconds);
void _lk_backend_add_costs (LkBackend *self, LkProgram *program);

/* @flags: for tests. */
LkBackend *_lk_backend_new_gpu (const char *device, LkPrecision precision, LkGpuFlags flags, GError **error);
