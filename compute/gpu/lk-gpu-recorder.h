/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work for the device, recorded once and replayed any number of times. A dispatch says what it reads and
 * writes; barriers are put only where byte ranges overlap a write or read that is not yet ordered. A
 * recording becomes several submissions of at most the plan's estimated time each, because drivers kill work
 * that runs too long. Nothing that changes from run to run may be baked in: it comes from buffers.
 * Thread-safety: as the device.
 */
#pragma once

#include "lk-gpu-kernel.h"
#include "lk-gpu-memory.h"

G_BEGIN_DECLS

typedef enum
{
  LK_GPU_READ = 1,
  LK_GPU_WRITE = 2, /* read and written: LK_GPU_READ | LK_GPU_WRITE */
} LkGpuAccess;

typedef struct
{
  LkKernel kernel;
  guint32 constants[LK_GPU_MAX_CONSTANTS]; /* specialization constants 0 … n-1 */
  guint n_constants;
  guint subgroup_size; /* the kernel must run with full subgroups of this size, where it can be asked for; 0: any */
  struct
  {
    LkGpuSlice slice;
    LkGpuAccess access;
  } bindings[LK_GPU_MAX_BINDINGS];
  guint n_bindings; /* what the kernel declares */
  guint8 push[LK_GPU_MAX_PUSH];
  guint push_size;
  guint32 groups[3];
  double flops, bytes; /* the estimate, for splitting and for rates in timings */
  const char *label;   /* names it in errors and timings; must outlive the recording (static or interned) */
} LkGpuDispatch;

typedef struct _LkGpuRecorder LkGpuRecorder;
typedef struct _LkGpuRecording LkGpuRecording;

typedef struct
{
  const char *label;
  guint count; /* dispatches of this label in one run */
  double seconds, flops, bytes;
} LkGpuTiming;

LkGpuRecorder *lk_gpu_recorder_new (LkGpuDevice *device);
void lk_gpu_recorder_free (LkGpuRecorder *self);

/* Times each dispatch of the recording alone; slows it down. Before finish. */
void lk_gpu_recorder_set_profiling (LkGpuRecorder *self, gboolean profiling);

/* Each checks what it is given against the device's limits and names @dispatch->label in its error;
 * afterwards the recorder holds a copy. Pipelines are made here, not in a run. Zero groups: nothing is
 * recorded. */
gboolean lk_gpu_recorder_dispatch (LkGpuRecorder *self, const LkGpuDispatch *dispatch, GError **error);
/* Offset and size must be multiples of 4. */
gboolean lk_gpu_recorder_fill (LkGpuRecorder *self, LkGpuSlice slice, guint32 value, GError **error);
/* Sizes must be equal; the ranges must not overlap. */
gboolean lk_gpu_recorder_copy (LkGpuRecorder *self, LkGpuSlice from, LkGpuSlice to, GError **error);

/* Afterwards only free is allowed on the recorder. The recording keeps the device; its buffers must outlive
 * it. (transfer full) */
LkGpuRecording *lk_gpu_recorder_finish (LkGpuRecorder *self, GError **error);

/* Submits everything and waits once, at the end. What was uploaded before is seen, what was written can be
 * downloaded after. A submission that does not end within 30 s on hardware is an error. */
gboolean lk_gpu_recording_run (LkGpuRecording *self, GError **error);
void lk_gpu_recording_free (LkGpuRecording *self);

guint lk_gpu_recording_get_n_submissions (LkGpuRecording *self);
guint lk_gpu_recording_get_n_dispatches (LkGpuRecording *self);
guint lk_gpu_recording_get_n_barriers (LkGpuRecording *self);

/* (transfer full) (element-type LkGpuTiming): of the last run, one entry a label in order of first use; NULL
 * unless profiling was on, the device can time, and there was a run. */
GArray *lk_gpu_recording_get_timings (LkGpuRecording *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuRecorder, lk_gpu_recorder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGpuRecording, lk_gpu_recording_free)

G_END_DECLS
