/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The live device: uploads, downloads, kernels, barriers, replay, timings, errors. Runs on whatever “vulkan”
 * picks, a software device included; skipped with the reason when there is none.
 */
#include "lk-error.h"
#include "lk-gpu-recorder.h"

#include <glib/gstdio.h>
#include <string.h>

#define GUARD 0xa5

typedef struct
{
  LkGpuDevice *device;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  g_autoptr (GError) error = NULL;

  f->device = lk_gpu_device_new (&choice, (LkGpuFlags) GPOINTER_TO_UINT (data), &error);
  if (!f->device)
    {
      g_assert_error (error, LK_ERROR, LK_ERROR_NOT_FOUND);
      g_test_skip (error->message);
    }
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (!f->device)
    return;
  g_assert_cmpuint (lk_gpu_device_get_validation_errors (f->device), ==, 0);
  g_clear_pointer (&f->device, lk_gpu_device_unref);
}

static LkGpuBuffer *
new_buffer (Fixture *f, guint64 size)
{
  g_autoptr (GError) error = NULL;
  LkGpuBuffer *buffer = lk_gpu_buffer_new (f->device, LK_GPU_ACTIVATIONS, size, "test", &error);

  g_assert_no_error (error);
  return buffer;
}

static void
upload (LkGpuSlice slice, gconstpointer data, guint64 size)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_gpu_upload (slice, data, size, &error));
  g_assert_no_error (error);
}

static void
download (LkGpuSlice slice, gpointer data, guint64 size)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_gpu_download (slice, data, size, &error));
  g_assert_no_error (error);
}

/* Odd sizes at odd offsets, more than both halves of the staging buffer, and nothing beside them is touched.
 */
static void
test_transfer (Fixture *f, gconstpointer data)
{
  static const guint64 sizes[] = { 1, 3, 4, 255, 65537, (8 << 20) + 1, (24 << 20) + 7 };
  static const guint64 offsets[] = { 0, 1, 7, 256, 4099 };
  const guint64 total = (25 << 20) + 11;
  g_autofree guint8 *in = NULL, *out = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;

  if (!f->device)
    return;
  buffer = new_buffer (f, total);
  in = g_malloc (total);
  out = g_malloc (total);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      guint64 size = sizes[i], offset = offsets[i % G_N_ELEMENTS (offsets)];
      memset (in, GUARD, total);
      upload ((LkGpuSlice){ buffer, 0, total }, in, total);
      for (guint64 k = 0; k < size; k++)
        in[offset + k] = (guint8) (k * 31 + (k >> 8) + i);
      upload ((LkGpuSlice){ buffer, offset, size }, in + offset, size);
      memset (out, 0, total);
      download ((LkGpuSlice){ buffer, 0, total }, out, total);
      g_assert_cmpmem (in, total, out, total);
      memset (out, 0, total);
      download ((LkGpuSlice){ buffer, offset, size }, out + 5, size);
      g_assert_cmpmem (in + offset, size, out + 5, size);
      g_assert_cmpuint (out[4], ==, 0);
      g_assert_cmpuint (out[5 + size], ==, 0);
    }
}

static LkGpuDispatch
add (LkGpuSlice x, LkGpuSlice y, LkGpuSlice z, guint32 n)
{
  LkGpuDispatch d
    = { .kernel = LK_KERNEL_ADD, .n_bindings = 3, .push_size = 4, .groups = { 3, 1, 1 }, .label = "add" };

  d.bindings[0].slice = x, d.bindings[0].access = LK_GPU_READ;
  d.bindings[1].slice = y, d.bindings[1].access = LK_GPU_READ;
  d.bindings[2].slice = z, d.bindings[2].access = LK_GPU_WRITE;
  memcpy (d.push, &n, sizeof n);
  d.flops = n;
  d.bytes = 12.0 * n;
  return d;
}

static void
dispatch (LkGpuRecorder *recorder, LkGpuDispatch d)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_gpu_recorder_dispatch (recorder, &d, &error));
  g_assert_no_error (error);
}

static void
run (LkGpuRecording *recording)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_gpu_recording_run (recording, &error));
  g_assert_no_error (error);
}

/* z = x + y on an odd count, guard bytes around, run three times with fresh uploads. */
static void
test_replay (Fixture *f, gconstpointer data)
{
  enum { N = 1237, SPAN = 8192 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;
  g_autoptr (LkGpuRecorder) recorder = NULL;
  g_autoptr (LkGpuRecording) recording = NULL;
  g_autofree guint8 *guards = g_malloc (3 * SPAN), *out = g_malloc (3 * SPAN);
  LkGpuSlice slices[3];
  float x[N], y[N];

  if (!f->device)
    return;
  buffer = new_buffer (f, 3 * SPAN);
  memset (guards, GUARD, 3 * SPAN);
  upload ((LkGpuSlice){ buffer, 0, 3 * SPAN }, guards, 3 * SPAN);
  for (guint i = 0; i < 3; i++)
    slices[i] = (LkGpuSlice){ buffer, i * SPAN + 256, N * sizeof (float) };
  recorder = lk_gpu_recorder_new (f->device);
  dispatch (recorder, add (slices[0], slices[1], slices[2], N));
  recording = lk_gpu_recorder_finish (recorder, &error);
  g_assert_no_error (error);
  for (guint round = 0; round < 3; round++)
    {
      const float *z = (const float *) (void *) (out + 2 * SPAN + 256);
      for (guint i = 0; i < N; i++)
        x[i] = (float) (i + round), y[i] = (float) i * 0.5f;
      upload (slices[0], x, sizeof x);
      upload (slices[1], y, sizeof y);
      run (recording);
      download ((LkGpuSlice){ buffer, 0, 3 * SPAN }, out, 3 * SPAN);
      for (guint i = 0; i < N; i++)
        g_assert_cmpfloat (z[i], ==, x[i] + y[i]);
      for (guint k = 0; k < 3; k++)
        {
          g_assert_cmpmem (out + k * SPAN, 256, guards, 256);
          g_assert_cmpmem (out + k * SPAN + 256 + sizeof x, SPAN - 256 - sizeof x, guards,
                           SPAN - 256 - sizeof x);
        }
    }
}

/* A chain of sums that is right only when each sees the one before; independent work gets no barrier. */
static void
test_barriers (Fixture *f, gconstpointer data)
{
  enum { N = 4099, STEPS = 20, SPAN = 32768 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;
  g_autoptr (LkGpuRecorder) recorder = NULL;
  g_autoptr (LkGpuRecording) recording = NULL;
  LkGpuSlice s[4];
  float out[N];

  if (!f->device)
    return;
  buffer = new_buffer (f, 4 * SPAN);
  for (guint i = 0; i < 4; i++)
    s[i] = (LkGpuSlice){ buffer, i * SPAN, N * sizeof (float) };
  recorder = lk_gpu_recorder_new (f->device);
  g_assert_true (lk_gpu_recorder_fill (recorder, s[0], 0x3f800000, &error)); /* 1.0 */
  g_assert_true (lk_gpu_recorder_fill (recorder, s[1], 0, &error));
  /* one barrier each: 1 → 2 → 1 … ; the first also waits for the fills */
  for (guint i = 0; i < STEPS; i++)
    dispatch (recorder, add (s[0], s[1 + i % 2], s[2 - i % 2], N));
  /* reads what is read, writes what nobody touched: none */
  dispatch (recorder, add (s[0], s[0], s[3], N));
  /* a write over what was read: one */
  g_assert_true (lk_gpu_recorder_copy (recorder, s[1], s[0], &error));
  g_assert_no_error (error);
  recording = lk_gpu_recorder_finish (recorder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_gpu_recording_get_n_dispatches (recording), ==, STEPS + 1);
  g_assert_cmpuint (lk_gpu_recording_get_n_barriers (recording), ==, STEPS + 1);
  for (guint round = 0; round < 2; round++)
    {
      run (recording);
      download (s[0], out, sizeof out);
      for (guint i = 0; i < N; i++)
        g_assert_cmpfloat (out[i], ==, STEPS);
      download (s[3], out, sizeof out);
      for (guint i = 0; i < N; i++)
        g_assert_cmpfloat (out[i], ==, 2);
    }
}

static void
test_timings (Fixture *f, gconstpointer data)
{
  enum { N = 65536 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;
  g_autoptr (LkGpuRecorder) recorder = NULL;
  g_autoptr (LkGpuRecording) recording = NULL;
  g_autoptr (GArray) timings = NULL;
  LkGpuSlice s;

  if (!f->device)
    return;
  if (!lk_gpu_device_get_plan (f->device)->timestamps)
    {
      g_test_skip ("This device keeps no time.");
      return;
    }
  buffer = new_buffer (f, N * sizeof (float));
  s = (LkGpuSlice){ buffer, 0, N * sizeof (float) };
  recorder = lk_gpu_recorder_new (f->device);
  lk_gpu_recorder_set_profiling (recorder, TRUE);
  g_assert_true (lk_gpu_recorder_fill (recorder, s, 0, &error));
  for (guint i = 0; i < 5; i++)
    dispatch (recorder, add (s, s, s, N));
  recording = lk_gpu_recorder_finish (recorder, &error);
  g_assert_no_error (error);
  g_assert_null (lk_gpu_recording_get_timings (recording));
  run (recording);
  timings = lk_gpu_recording_get_timings (recording);
  g_assert_cmpuint (timings->len, ==, 2);
  g_assert_cmpstr (g_array_index (timings, LkGpuTiming, 0).label, ==, "fill");
  g_assert_cmpstr (g_array_index (timings, LkGpuTiming, 1).label, ==, "add");
  g_assert_cmpuint (g_array_index (timings, LkGpuTiming, 1).count, ==, 5);
  g_assert_cmpfloat (g_array_index (timings, LkGpuTiming, 1).seconds, >, 0);
  g_assert_cmpfloat (g_array_index (timings, LkGpuTiming, 1).seconds, <, 60);
  g_assert_cmpfloat (g_array_index (timings, LkGpuTiming, 1).flops, ==, 5.0 * N);
}

static void
assert_refused (LkGpuRecorder *recorder, LkGpuDispatch d, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (lk_gpu_recorder_dispatch (recorder, &d, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_nonnull (strstr (error->message, "add"));
}

static void
test_refusals (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;
  g_autoptr (LkGpuRecorder) recorder = NULL;
  g_autoptr (LkGpuRecording) recording = NULL;
  const LkDeviceSnapshot *snapshot;
  LkGpuSlice s;
  LkGpuDispatch d;

  if (!f->device)
    return;
  snapshot = lk_gpu_device_get_snapshot (f->device);
  buffer = new_buffer (f, 4096);
  s = (LkGpuSlice){ buffer, 0, 4096 };
  recorder = lk_gpu_recorder_new (f->device);
  d = add (s, s, s, 1024);
  d.n_bindings = 2;
  assert_refused (recorder, d, "2 buffers");
  d = add (s, s, s, 1024);
  d.push_size = 8;
  assert_refused (recorder, d, "8 bytes of settings");
  d = add (s, s, s, 1024);
  d.groups[1] = snapshot->max_workgroup_count_y + 1;
  assert_refused (recorder, d, "work groups");
  assert_refused (recorder, add (s, (LkGpuSlice){ buffer, 2048, 2049 }, s, 1), "binding 1");
  assert_refused (recorder, add (s, s, (LkGpuSlice){ buffer, 0, 0 }, 1), "empty");
  assert_refused (recorder, add (s, s, (LkGpuSlice){ 0 }, 1), "no buffer");
  if (snapshot->min_storage_buffer_alignment > 1)
    assert_refused (recorder, add ((LkGpuSlice){ buffer, 1, 64 }, s, s, 1), "multiple");
  g_assert_false (lk_gpu_recorder_fill (recorder, (LkGpuSlice){ buffer, 0, 3 }, 0, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (lk_gpu_recorder_copy (recorder, s, (LkGpuSlice){ buffer, 4, 4092 }, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (lk_gpu_upload ((LkGpuSlice){ buffer, 4090, 6 }, "1234567", 7, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  /* nothing was recorded: an empty recording runs */
  recording = lk_gpu_recorder_finish (recorder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_gpu_recording_get_n_submissions (recording), ==, 0);
  run (recording);
}

static void
test_memory_limits (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const LkDevicePlan *plan;
  guint64 before, left;

  if (!f->device)
    return;
  plan = lk_gpu_device_get_plan (f->device);
  g_assert_null (lk_gpu_buffer_new (f->device, LK_GPU_WEIGHTS, plan->max_block + 1, "huge", &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "huge"));
  g_clear_error (&error);
  before = lk_gpu_device_get_memory_used (f->device);
  left = lk_gpu_device_get_memory_left (f->device);
  {
    /* more than is left in pieces that each would fit: refused whole, nothing allocated */
    g_autoptr (LkGpuPool) pool = lk_gpu_pool_new (f->device, LK_GPU_WEIGHTS);
    for (guint64 sum = 0; sum <= left; sum += plan->max_block / 2)
      lk_gpu_pool_add (pool, plan->max_block / 2, "piece");
    g_assert_false (lk_gpu_pool_allocate (pool, &error));
    g_assert_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY);
    g_clear_error (&error);
    g_assert_cmpuint (lk_gpu_device_get_memory_used (f->device), ==, before);
  }
  {
    g_autoptr (LkGpuPool) pool = lk_gpu_pool_new (f->device, LK_GPU_WEIGHTS);
    guint a = lk_gpu_pool_add (pool, 1000, "a"), b = lk_gpu_pool_add (pool, 5, "b");
    g_assert_true (lk_gpu_pool_allocate (pool, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (lk_gpu_pool_get (pool, a).offset, ==, 0);
    g_assert_cmpuint (lk_gpu_pool_get (pool, b).offset, ==, 1024);
    g_assert_cmpuint (lk_gpu_pool_get (pool, b).size, ==, 5);
    g_assert_cmpuint (lk_gpu_class_get_used (f->device, LK_GPU_WEIGHTS), >=, 1029);
  }
  g_assert_cmpuint (lk_gpu_device_get_memory_used (f->device), ==, before);
}

/* The cache is written, read again, and a damaged one is a miss. */
static void
test_cache (Fixture *f, gconstpointer data)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  g_autofree char *path = NULL, *content = NULL;
  gsize size = 0;

  if (!f->device)
    return;
  path = g_strdup (lk_gpu_device_get_cache_path (f->device));
  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkGpuDevice) device = lk_gpu_device_new (&choice, LK_GPU_DEFAULT, &error);
      g_autoptr (LkGpuBuffer) buffer = NULL;
      g_autoptr (LkGpuRecorder) recorder = NULL;
      LkGpuSlice s;

      g_assert_no_error (error);
      g_assert_cmpstr (lk_gpu_device_get_cache_path (device), ==, path);
      buffer = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, 64, "s", &error);
      g_assert_no_error (error);
      s = (LkGpuSlice){ buffer, 0, 64 };
      recorder = lk_gpu_recorder_new (device);
      dispatch (recorder, add (s, s, s, 16));
      lk_gpu_device_save_cache (device);
      g_assert_true (g_file_get_contents (path, &content, &size, NULL));
      g_assert_cmpuint (size, >, 32);
      content[size / 2] ^= 1;
      g_assert_true (g_file_set_contents (path, content, (gssize) (round == 1 ? size / 2 : size), NULL));
      g_clear_pointer (&content, g_free);
      g_assert_cmpuint (lk_gpu_device_get_validation_errors (device), ==, 0);
    }
}

static void
test_list (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) devices = lk_gpu_list_devices (&error);

  if (!devices)
    {
      g_assert_error (error, LK_ERROR, LK_ERROR_NOT_FOUND);
      g_test_skip (error->message);
      return;
    }
  for (guint i = 0; i < devices->len; i++)
    {
      const LkDeviceSnapshot *s = &g_array_index (devices, LkDeviceSnapshot, i);
      g_test_message ("%u: %s (%s), %s %s", i, s->name, lk_device_kind_name (s->kind), s->driver_name,
                      s->driver_info);
      g_assert_cmpuint (strlen (s->name), >, 0);
      g_assert_cmpuint (s->n_heaps, >, 0);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *cache = g_dir_make_tmp ("lorikeet-gpu-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  g_test_init (&argc, &argv, NULL);
#define ADD(path, flags, func) g_test_add (path, Fixture, GUINT_TO_POINTER (flags), set_up, func, tear_down)
  g_test_add_func ("/gpu/list", test_list);
  ADD ("/gpu/transfer/default", LK_GPU_DEFAULT, test_transfer);
  ADD ("/gpu/transfer/staging", LK_GPU_FORCE_STAGING, test_transfer);
  ADD ("/gpu/replay/default", LK_GPU_DEFAULT, test_replay);
  ADD ("/gpu/replay/staging", LK_GPU_FORCE_STAGING, test_replay);
  ADD ("/gpu/barriers", LK_GPU_FORCE_STAGING, test_barriers);
  ADD ("/gpu/timings", LK_GPU_DEFAULT, test_timings);
  ADD ("/gpu/refusals", LK_GPU_DEFAULT, test_refusals);
  ADD ("/gpu/memory", LK_GPU_DEFAULT, test_memory_limits);
  ADD ("/gpu/cache", LK_GPU_DEFAULT, test_cache);
  status = g_test_run ();
  {
    g_autofree char *folder = g_build_filename (cache, "lorikeet", NULL);
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name (dir)))
      {
        g_autofree char *file = g_build_filename (folder, name, NULL);
        g_unlink (file);
      }
    g_rmdir (folder);
    g_rmdir (cache);
  }
  return status;
}
