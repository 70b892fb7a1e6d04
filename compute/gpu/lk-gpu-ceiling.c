/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gpu-ceiling.h"

#include "lk-error.h"
#include "lk-gpu-recorder.h"
#include "lk-half.h"
#include "lk-random.h"

#include <string.h>

#define MEASUREMENTS 6 /* at least; the best one counts */
#define MOST_MEASUREMENTS 100
#define LEAST_SECONDS 4e-3 /* of one measurement of a loop, and of all of a copy */
#define MOST_ROUNDS 32768 /* a software device leaves loops after 65535 */
#define LEAST_GROUPS 64
#define GROUPS_A_UNIT 32

/* As the shaders have them. */
#define FMA_THREADS 256
#define FMA_CHAINS 12
#define FMA_STEPS 8
#define MATRIX_SUBGROUPS 4
#define MATRIX_CHAINS 8 /* at most */
#define COPY_THREADS 256

typedef struct
{
  guint32 rounds;
  float factor, term;
} Push;

/* The best time of the one thing that was recorded. */
static gboolean
time_recorded (LkGpuDevice *device, LkGpuRecorder *recorder, double *seconds, GError **error)
{
  g_autoptr (LkGpuRecording) recording = lk_gpu_recorder_finish (recorder, error);

  double spent = 0;

  *seconds = G_MAXDOUBLE;
  for (guint i = 0; recording && (i <= MEASUREMENTS || (spent < LEAST_SECONDS && i <= MOST_MEASUREMENTS)); i++)
    {
      g_autoptr (GArray) timings = NULL;
      double one;

      if (!lk_gpu_recording_run (recording, error))
        return FALSE;
      timings = lk_gpu_recording_get_timings (recording);
      if (!timings)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” keeps no time, so that its kernels cannot be timed",
                       lk_gpu_device_get_snapshot (device)->name);
          return FALSE;
        }
      one = g_array_index (timings, LkGpuTiming, 0).seconds;
      spent += one;
      if (i > 0) /* the first one warms up */
        *seconds = MIN (*seconds, one);
    }
  return recording != NULL;
}

static gboolean
time_dispatch (LkGpuDevice *device, const LkGpuDispatch *dispatch, double *seconds, GError **error)
{
  g_autoptr (LkGpuRecorder) recorder = lk_gpu_recorder_new (device);

  lk_gpu_recorder_set_profiling (recorder, TRUE);
  return lk_gpu_recorder_dispatch (recorder, dispatch, error) && time_recorded (device, recorder, seconds, error);
}

static guint32
count_groups (LkGpuDevice *device)
{
  return MIN (MAX (LEAST_GROUPS, lk_gpu_device_get_plan (device)->compute_units * GROUPS_A_UNIT), 65535);
}

static void
bind (LkGpuDispatch *dispatch, LkGpuBuffer *buffer, guint64 size, LkGpuAccess access)
{
  dispatch->bindings[dispatch->n_bindings].slice = (LkGpuSlice){ buffer, 0, size };
  dispatch->bindings[dispatch->n_bindings++].access = access;
}

/* More and more rounds until they take long enough to be timed: from few, because the pace of a device is not known before.
 * @operations: of one round. */
static gboolean
measure_rounds (LkGpuDevice *device, LkGpuDispatch *dispatch, double operations, double *per_second, GError **error)
{
  for (guint32 rounds = 16; rounds <= MOST_ROUNDS; rounds *= 2)
    {
      const Push push = { rounds, 0.5f, 0.25f };
      double seconds;

      memcpy (dispatch->push, &push, sizeof push);
      dispatch->push_size = sizeof push;
      dispatch->flops = operations * rounds;
      if (!time_dispatch (device, dispatch, &seconds, error))
        return FALSE;
      if (seconds > 0)
        *per_second = MAX (*per_second, dispatch->flops / seconds);
      if (seconds >= LEAST_SECONDS)
        break;
    }
  return TRUE;
}

gboolean
lk_gpu_measure_fma (LkGpuDevice *device, double *per_second, GError **error)
{
  guint32 groups = count_groups (device);
  guint64 size = (guint64) groups * FMA_THREADS * sizeof (float);
  g_autoptr (LkGpuBuffer) out = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "ceiling", error);
  LkGpuDispatch dispatch = { .kernel = LK_KERNEL_CEILING_FMA, .groups = { groups, 1, 1 }, .label = "ceiling_fma" };

  *per_second = 0;
  if (!out)
    return FALSE;
  bind (&dispatch, out, size, LK_GPU_WRITE);
  return measure_rounds (device, &dispatch, 2.0 * FMA_CHAINS * FMA_STEPS * FMA_THREADS * groups, per_second, error);
}

/* Two fragments of small 16-bit numbers, the one behind the other. */
static LkGpuBuffer *
make_fragments (LkGpuDevice *device, guint64 size, GError **error)
{
  g_autofree guint16 *values = g_malloc (size);
  LkRandom random = lk_random (11, 12);
  LkGpuBuffer *buffer;

  for (guint64 i = 0; i < size / sizeof *values; i++)
    values[i] = lk_f32_to_f16 (0.1f * lk_random_normal (&random));
  buffer = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "ceiling", error);
  if (buffer && lk_gpu_upload ((LkGpuSlice){ buffer, 0, size }, values, size, error))
    return buffer;
  lk_gpu_buffer_free (buffer);
  return NULL;
}

gboolean
lk_gpu_measure_matrix (LkGpuDevice *device, double *per_second, GError **error)
{
  const LkDevicePlan *plan = lk_gpu_device_get_plan (device);
  const LkMatrixUnit *unit = &plan->matrix;
  const LkKernel kernel = plan->matmul == LK_MATMUL_MATRIX8 ? LK_KERNEL_CEILING_MATRIX8 : LK_KERNEL_CEILING_MATRIX;
  guint32 groups = count_groups (device);
  guint64 size = (guint64) groups * MATRIX_SUBGROUPS * unit->m * unit->n * sizeof (float);
  guint64 fragments = (guint64) (unit->m + unit->n) * unit->k * sizeof (guint16);
  g_autoptr (LkGpuBuffer) in = NULL, out = NULL;

  *per_second = 0;
  if (!lk_matmul_path_is_matrix (plan->matmul))
    return TRUE;
  in = make_fragments (device, fragments, error);
  out = in ? lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "ceiling", error) : NULL;
  if (!out)
    return FALSE;
  /* How many sums at once keep the units busy and still fit registers differs from device to device. */
  for (guint32 chains = 1; chains <= MATRIX_CHAINS; chains *= 2)
    {
      LkGpuDispatch dispatch = { .kernel = kernel,
                                 .constants = { MATRIX_SUBGROUPS * unit->subgroup_size, chains, unit->m, unit->n, unit->k },
                                 .n_constants = 5,
                                 .subgroup_size = unit->subgroup_size,
                                 .groups = { groups, 1, 1 },
                                 .label = "ceiling_matrix" };

      bind (&dispatch, in, fragments, LK_GPU_READ);
      bind (&dispatch, out, size, LK_GPU_WRITE);
      if (!measure_rounds (device, &dispatch,
                           2.0 * unit->m * unit->n * unit->k * chains * MATRIX_SUBGROUPS * groups, per_second, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
time_copy_kernel (LkGpuDevice *device, LkGpuSlice from, LkGpuSlice to, double *seconds, GError **error)
{
  guint32 n = (guint32) (from.size / 16);
  LkGpuDispatch dispatch = { .kernel = LK_KERNEL_CEILING_COPY,
                             .bindings = { { from, LK_GPU_READ }, { to, LK_GPU_WRITE } },
                             .n_bindings = 2,
                             .push_size = sizeof n,
                             .groups = { MIN ((n + COPY_THREADS - 1) / COPY_THREADS, 65535), 1, 1 },
                             .bytes = 2.0 * (double) from.size,
                             .label = "ceiling_copy" };

  memcpy (dispatch.push, &n, sizeof n);
  return time_dispatch (device, &dispatch, seconds, error);
}

/* By the driver's own means. */
static gboolean
time_copy_command (LkGpuDevice *device, LkGpuSlice from, LkGpuSlice to, double *seconds, GError **error)
{
  g_autoptr (LkGpuRecorder) recorder = lk_gpu_recorder_new (device);

  lk_gpu_recorder_set_profiling (recorder, TRUE);
  return lk_gpu_recorder_copy (recorder, from, to, error) && time_recorded (device, recorder, seconds, error);
}

/* Whichever is fastest: a kernel from one place to another, one within one place (what plays graphics card reads what it is about to
 * overwrite), or the driver's command. */
gboolean
lk_gpu_measure_copy (LkGpuDevice *device, guint64 bytes, double *per_second, GError **error)
{
  const LkDevicePlan *plan = lk_gpu_device_get_plan (device);
  guint64 size = CLAMP (bytes / 2, 4096, MIN (plan->max_binding, plan->max_block)) & ~G_GUINT64_CONSTANT (15);
  g_autoptr (LkGpuBuffer) a = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "ceiling", error);
  g_autoptr (LkGpuBuffer) b = a ? lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "ceiling", error) : NULL;
  LkGpuSlice from = { a, 0, size }, to = { b, 0, size };
  double apart, in_place, command, best;

  *per_second = 0;
  if (!b || !time_copy_kernel (device, from, to, &apart, error) || !time_copy_kernel (device, from, from, &in_place, error)
      || !time_copy_command (device, from, to, &command, error))
    return FALSE;
  best = MIN (apart, MIN (in_place, command));
  *per_second = best > 0 ? 2.0 * (double) size / best : 0;
  return TRUE;
}
