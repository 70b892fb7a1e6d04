/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an operation's record function sees.
 */
#pragma once

#include "lk-backend.h"
#include "lk-gpu-recorder.h"

G_BEGIN_DECLS

struct _LkGpuTask
{
  LkProgram *program;
  LkGpuDevice *device;
  LkGpuRecorder *recorder;
  LkGpuSlice scratch;  /* what the operation asked for */
  LkGpuSlice *slices;  /* by tensor id */
};

static inline LkGpuSlice
lk_gpu_task_slice (LkGpuTask *self, LkTensorId id)
{
  return self->slices[id];
}

G_END_DECLS
