/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A driver that fails: memory runs out, the device is lost, work never ends, at each place in turn. Each is an
 * error in words and nothing worse, everything can be freed, and a device opened afterwards works. Each case is
 * a process of its own, as the fault is read once a process.
 */
#include <string.h>

#include "lk-backend.h"
#include "lk-error.h"
#include "lk-gpu-recorder.h"
#include "lk-ops.h"

#define N 1237

/* The answer of a small product on @backend, made from nothing; FALSE and what went wrong. */
static gboolean
compute (LkBackend *backend, float *out, GError **error)
{
  g_autoptr (LkVariables) variables = lk_variables_new ();
  g_autoptr (LkProgram) program = lk_program_new ("sum", variables);
  g_autoptr (LkExecutable) executable = NULL;
  LkVariable *x = lk_variables_add_f32 (variables, "x", LK_VARIABLE_INPUT, 1, N);
  LkVariable *y = lk_variables_add_f32 (variables, "y", LK_VARIABLE_STATE, 1, N);
  LkTensorId two = lk_op_add (program, "2x", lk_program_variable (program, x), lk_program_variable (program, x));
  float values[N];

  lk_op_copy (program, lk_op_add (program, "3x", two, lk_program_variable (program, x)),
              lk_program_variable (program, y), FALSE);
  for (guint i = 0; i < N; i++)
    values[i] = (float) i;
  executable = lk_backend_prepare (backend, variables, error) ? lk_backend_compile (backend, program, error) : NULL;
  return executable && lk_backend_write (backend, x, 0, values, sizeof values, error)
         && lk_executable_run (executable, error) && lk_executable_run (executable, error)
         && lk_backend_read (backend, y, 0, out, N * sizeof *out, error);
}

/* In the child: fails as @code says, and works afterwards. */
static void
run_with_fault (const char *fault, LkError code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) first = NULL;
  g_autoptr (LkBackend) second = NULL;
  float out[N];

  g_setenv ("LK_GPU_FAULT", fault, TRUE);
  lk_ops_init ();
  first = lk_backend_new ("vulkan", &error);
  g_assert_no_error (error);
  g_assert_false (compute (first, out, &error));
  g_assert_error (error, LK_ERROR, code);
  g_assert_cmpuint (strlen (error->message), >, 30);
  g_clear_error (&error);
  g_clear_pointer (&first, lk_backend_unref);
  second = lk_backend_new ("vulkan", &error);
  g_assert_no_error (error);
  g_assert_true (compute (second, out, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < N; i++)
    g_assert_cmpfloat (out[i], ==, 3.0f * (float) i);
}

typedef struct
{
  const char *path, *fault;
  LkError code;
} Case;

static const Case cases[] = {
  { "/gpu/faults/allocation-1", "allocation:1", LK_ERROR_OUT_OF_MEMORY },
  { "/gpu/faults/allocation-2", "allocation:2", LK_ERROR_OUT_OF_MEMORY },
  { "/gpu/faults/submission-1", "submission:1", LK_ERROR_DEVICE_LOST },
  { "/gpu/faults/submission-2", "submission:2", LK_ERROR_DEVICE_LOST },
  { "/gpu/faults/wait-1", "wait:1", LK_ERROR_DEVICE_LOST },
};

static gboolean
have_device (void)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuDevice) device = lk_gpu_device_new (&choice, LK_GPU_DEFAULT, &error);

  if (!device)
    g_test_skip (error->message);
  return device != NULL;
}

static void
test_fault (gconstpointer data)
{
  const Case *c = data;

  if (g_test_subprocess ())
    {
      run_with_fault (c->fault, c->code);
      return;
    }
  if (!have_device ())
    return;
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

/* Copies through the staging buffer: the second piece of three is refused while the first is on its way. */
static void
test_transfer (void)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  const gsize size = 20 << 20;
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuDevice) device = NULL;
  g_autoptr (LkGpuBuffer) buffer = NULL;
  g_autofree guint8 *bytes = NULL;
  LkGpuSlice slice;

  if (!g_test_subprocess ())
    {
      if (!have_device ())
        return;
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("LK_GPU_FAULT", "submission:2", TRUE);
  device = lk_gpu_device_new (&choice, LK_GPU_FORCE_STAGING, &error);
  g_assert_no_error (error);
  buffer = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, size, "test", &error);
  g_assert_no_error (error);
  slice = (LkGpuSlice){ buffer, 0, size };
  bytes = g_malloc0 (size);
  g_assert_false (lk_gpu_upload (slice, bytes, size, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_DEVICE_LOST);
  g_assert_true (lk_gpu_device_is_lost (device));
  g_clear_error (&error);
  /* and it stays so, in words */
  g_assert_false (lk_gpu_download (slice, bytes, size, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_DEVICE_LOST);
  g_assert_cmpuint (lk_gpu_device_get_validation_errors (device), ==, 0);
}

/* What cannot be understood is said, not ignored. */
static void
test_nonsense (void)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  g_autoptr (GError) error = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("LK_GPU_FAULT", "allocation:0", TRUE);
  g_assert_null (lk_gpu_device_new (&choice, LK_GPU_DEFAULT, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, &cases[i], test_fault);
  g_test_add_func ("/gpu/faults/transfer", test_transfer);
  g_test_add_func ("/gpu/faults/nonsense", test_nonsense);
  return g_test_run ();
}
