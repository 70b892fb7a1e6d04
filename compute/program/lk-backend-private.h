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
  LkExecutable *(*compile) (LkBackend *self, LkProgram *program, GError **error);
  gboolean (*run) (LkExecutable *executable, GError **error);
  void (*free_executable) (LkExecutable *executable);
  char *(*describe_profile) (LkBackend *self);
} LkBackendClass;

struct _LkBackend
{
  const LkBackendClass *klass;
  gatomicrefcount ref_count;
  char *description;
  char *notice; /* NULL: none */
  gboolean gpu, own_memory;
  LkMemoryRules rules;
};

struct _LkExecutable
{
  LkBackend *backend; /* owned reference */
  LkProgram *program; /* owned reference */
};

/* @flags: for tests. */
LkBackend *_lk_backend_new_gpu (const char *device, LkPrecision precision, LkGpuFlags flags, GError **error);
