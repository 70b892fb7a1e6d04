/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an operation's run function sees.
 */
#pragma once

#include "lk-backend.h"
#include "lk-cpu-kernels.h"
#include "lk-parallel.h"

G_BEGIN_DECLS

struct _LkCpuTask
{
  LkProgram *program;
  LkParallel *parallel;
  const LkCpuKernels *kernels;
  guint8 **data;      /* by tensor id */
  guint8 *scratch;    /* what the operation asked for, aligned to 64 */
  guint64 scratch_bytes;
};

static inline float *
lk_cpu_task_f32 (LkCpuTask *self, LkTensorId id)
{
  return id ? (float *) (void *) self->data[id] : NULL;
}

static inline gint32 *
lk_cpu_task_i32 (LkCpuTask *self, LkTensorId id)
{
  return id ? (gint32 *) (void *) self->data[id] : NULL;
}

static inline const guint8 *
lk_cpu_task_bytes (LkCpuTask *self, LkTensorId id)
{
  return id ? self->data[id] : NULL;
}

static inline LkPacked
lk_cpu_task_packed (LkCpuTask *self, LkTensorId id)
{
  LkTensor *t = lk_program_get_tensor (self->program, id);

  return lk_packed (t->type, self->data[id], t->rows, t->cols);
}

G_END_DECLS
