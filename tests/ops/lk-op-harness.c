/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-harness.h"

#include <math.h>
#include <string.h>

#include "lk-quant.h"
#include "../lk-test-nf4.h"
#include "lk-random.h"

#define LK_GUARD 256 /* bytes before and after each variable; a storage buffer's alignment */
#define LK_GUARD_BYTE 0xa5
#define LK_SAMPLES 24

/* A program with its variables, each in the middle of a guarded one. */
typedef struct
{
  LkVariables *variables;
  LkProgram *program;
  LkBackend *backend;
  LkExecutable *executable;
  LkVariable *inputs[LK_CASE_MAX_INPUTS];
  LkVariable *projection, *output;
  GPtrArray *guarded; /* the views */
  float *values[LK_CASE_MAX_INPUTS]; /* what F32 inputs hold */
  float *weights;                    /* what projection holds */
  guint n_inputs;
  gsize n_output;
} LkRun;

void
lk_guard_add (LkVariables *variables, LkVariable *view)
{
  g_autofree char *name = g_strconcat (view->name, ".guarded", NULL);
  guint64 padded = (view->bytes + LK_GUARD - 1) / LK_GUARD * LK_GUARD;

  view->base = lk_variables_add_f32 (variables, name, LK_VARIABLE_STATE, 1, (gint64) (padded + 2 * LK_GUARD) / 4);
  view->base_offset = LK_GUARD;
}

void
lk_guard_fill (LkVariable *view, LkBackend *backend)
{
  g_autofree guint8 *bytes = g_malloc (view->base->bytes);
  g_autoptr (GError) error = NULL;

  memset (bytes, LK_GUARD_BYTE, view->base->bytes);
  memset (bytes + LK_GUARD, 0, view->bytes);
  g_assert_true (lk_backend_write (backend, view->base, 0, bytes, view->base->bytes, &error));
}

void
lk_guard_check (LkVariable *view, LkBackend *backend, const char *test)
{
  g_autofree guint8 *bytes = g_malloc (view->base->bytes);
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_backend_read (backend, view->base, 0, bytes, view->base->bytes, &error));
  for (gsize k = 0; k < view->base->bytes; k++)
    if ((k < LK_GUARD || k >= LK_GUARD + view->bytes) && bytes[k] != LK_GUARD_BYTE)
      g_error ("%s: wrote outside “%s”, byte %ld of %" G_GUINT64_FORMAT, test, view->name, (long) k - LK_GUARD, view->bytes);
}

static LkVariable *
lk_run_guard (LkRun *run, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols)
{
  g_autoptr (GError) error = NULL;
  LkVariable *view = lk_variables_add (run->variables, name, kind, type, rows, cols, &error);

  g_assert_no_error (error);
  lk_guard_add (run->variables, view);
  g_ptr_array_add (run->guarded, view);
  return view;
}

static void
lk_run_fill_guards (LkRun *run)
{
  for (guint i = 0; i < run->guarded->len; i++)
    lk_guard_fill (g_ptr_array_index (run->guarded, i), run->backend);
}

static void
lk_run_check_guards (LkRun *run, const LkCase *self)
{
  for (guint i = 0; i < run->guarded->len; i++)
    lk_guard_check (g_ptr_array_index (run->guarded, i), run->backend, self->name);
}

static void
lk_run_write_input (LkRun *run, const LkCase *self, guint i)
{
  const LkCaseInput *input = &self->inputs[i];
  gsize n = (gsize) (input->rows * input->cols);
  LkRandom random = lk_random (77, i);
  float scale = input->scale != 0 ? input->scale : 1.0f;
  g_autoptr (GError) error = NULL;

  if (input->type == LK_TYPE_I32)
    {
      g_assert_true (lk_backend_write (run->backend, run->inputs[i], 0, input->values, n * 4, &error));
      return;
    }
  run->values[i] = g_new (float, n);
  for (gsize k = 0; k < n; k++)
    run->values[i][k] = lk_random_normal (&random) * scale;
  if (input->type == LK_TYPE_F32)
    {
      g_assert_true (lk_backend_write (run->backend, run->inputs[i], 0, run->values[i], n * 4, &error));
    }
  else
    {
      g_autofree guint8 *blocks = g_malloc (run->inputs[i]->bytes);

      if (lk_type_info (input->type)->side_bytes > 0)
        lk_test_nf4_quantise (input->type, run->values[i], input->rows, input->cols, blocks);
      else
        lk_quant_info (input->type)->quantise (run->values[i], blocks, (gint64) n);
      g_assert_true (lk_backend_write (run->backend, run->inputs[i], 0, blocks, run->inputs[i]->bytes, &error));
    }
}

static void
lk_run_add_inputs (LkRun *run, const LkCase *self, LkTensorId *in)
{
  for (guint i = 0; i < LK_CASE_MAX_INPUTS && self->inputs[i].name; i++)
    {
      const LkCaseInput *input = &self->inputs[i];

      run->inputs[i] = lk_run_guard (run, input->name, LK_VARIABLE_INPUT, input->type, input->rows, input->cols);
      if (input->gradient)
        {
          g_autofree char *name = g_strconcat (input->name, ".gradient", NULL);
          run->inputs[i]->gradient = lk_run_guard (run, name, LK_VARIABLE_STATE, LK_TYPE_F32, input->rows, input->cols);
        }
      in[i] = lk_program_variable (run->program, run->inputs[i]);
      run->n_inputs = i + 1;
    }
}

/* The loss is Σ projection·result; its gradient into the result is the projection itself. */
static void
lk_run_init (LkRun *run, const LkCase *self, LkBackend *backend)
{
  LkTensorId in[LK_CASE_MAX_INPUTS] = { 0 };
  LkRandom random = lk_random (99, 0);
  g_autoptr (GError) error = NULL;
  LkTensorId result;
  LkTensor *tensor;

  *run = (LkRun){ .variables = lk_variables_new (), .backend = backend, .guarded = g_ptr_array_new () };
  lk_ops_init ();
  run->program = lk_program_new (self->name, run->variables);
  lk_run_add_inputs (run, self, in);
  result = self->build (run->program, in, self);
  tensor = lk_program_get_tensor (run->program, result);
  run->n_output = (gsize) (tensor->rows * tensor->cols);
  run->projection = lk_run_guard (run, "projection", LK_VARIABLE_INPUT, LK_TYPE_F32, tensor->rows, tensor->cols);
  run->output = lk_run_guard (run, "output", LK_VARIABLE_STATE, LK_TYPE_F32, tensor->rows, tensor->cols);
  lk_op_copy (run->program, result, lk_program_variable (run->program, run->output), FALSE);
  lk_program_set_gradient (run->program, result, lk_program_variable (run->program, run->projection));
  lk_program_add_gradients (run->program, 0);
  g_assert_true (lk_backend_prepare (backend, run->variables, &error));
  run->executable = lk_backend_compile (backend, run->program, &error);
  g_assert_no_error (error);
  lk_run_fill_guards (run);
  for (guint i = 0; i < run->n_inputs; i++)
    lk_run_write_input (run, self, i);
  run->weights = g_new (float, run->n_output);
  for (gsize k = 0; k < run->n_output; k++)
    run->weights[k] = lk_random_normal (&random);
  g_assert_true (lk_backend_write (backend, run->projection, 0, run->weights, run->n_output * 4, &error));
}

static void
lk_run_clear (LkRun *run)
{
  lk_executable_free (run->executable);
  lk_program_unref (run->program);
  lk_variables_unref (run->variables);
  g_ptr_array_unref (run->guarded);
  g_free (run->weights);
  for (guint i = 0; i < LK_CASE_MAX_INPUTS; i++)
    g_free (run->values[i]);
}

static float *
lk_run_read (LkRun *run, LkVariable *variable)
{
  float *values = g_malloc (variable->bytes);
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_backend_read (run->backend, variable, 0, values, variable->bytes, &error));
  return values;
}

static double
lk_run_loss (LkRun *run)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *output = NULL;
  double sum = 0;

  g_assert_true (lk_executable_run (run->executable, &error));
  output = lk_run_read (run, run->output);
  for (gsize k = 0; k < run->n_output; k++)
    sum += (double) output[k] * (double) run->weights[k];
  return sum;
}

/* The gradient a program is given belongs to the giver. */
static void
lk_run_check_projection (LkRun *run)
{
  g_autofree float *now = lk_run_read (run, run->projection);

  g_assert_cmpmem (now, run->n_output * sizeof (float), run->weights, run->n_output * sizeof (float));
}

void
lk_case_run (const LkCase *self, LkBackend *backend, LkCaseResult *result)
{
  LkRun run;

  memset (result, 0, sizeof *result);
  lk_run_init (&run, self, backend);
  lk_run_loss (&run);
  lk_run_check_guards (&run, self);
  lk_run_check_projection (&run);
  result->output = lk_run_read (&run, run.output);
  result->n_output = run.n_output;
  for (guint i = 0; i < run.n_inputs; i++)
    if (run.inputs[i]->gradient)
      {
        result->gradients[i] = lk_run_read (&run, run.inputs[i]->gradient);
        result->n_gradients[i] = run.inputs[i]->gradient->bytes / sizeof (float);
      }
  lk_run_clear (&run);
}

void
lk_case_result_clear (LkCaseResult *self)
{
  g_free (self->output);
  for (guint i = 0; i < LK_CASE_MAX_INPUTS; i++)
    g_free (self->gradients[i]);
}

/* dL/dx of one element by central differences. */
static double
lk_run_difference (LkRun *run, guint input, gsize element, float step)
{
  float value = run->values[input][element], high = value + step, low = value - step;
  g_autoptr (GError) error = NULL;
  double up, down;

  g_assert_true (lk_backend_write (run->backend, run->inputs[input], element * 4, &high, 4, &error));
  up = lk_run_loss (run);
  g_assert_true (lk_backend_write (run->backend, run->inputs[input], element * 4, &low, 4, &error));
  down = lk_run_loss (run);
  g_assert_true (lk_backend_write (run->backend, run->inputs[input], element * 4, &value, 4, &error));
  return (up - down) / ((double) high - (double) low);
}

static void
lk_run_check_input (LkRun *run, const LkCase *self, guint input, const float *gradient)
{
  gsize n = (gsize) (self->inputs[input].rows * self->inputs[input].cols);
  LkRandom random = lk_random (5, input);
  float scale = self->inputs[input].scale != 0 ? self->inputs[input].scale : 1.0f;
  double tolerance = self->tolerance > 0 ? self->tolerance : 2e-3;
  double difference = 0, norm = 0;

  for (guint s = 0; s < LK_SAMPLES; s++)
    {
      gsize element = n <= LK_SAMPLES ? s % n : lk_random_below (&random, (guint32) n);
      double wanted = lk_run_difference (run, input, element, 1e-2f * scale);
      double d = (double) gradient[element] - wanted;

      difference += d * d;
      norm += wanted * wanted;
    }
  g_test_message ("%s: d.%s deviates %.1e from finite differences", self->name, self->inputs[input].name, sqrt (difference / norm));
  g_assert_cmpfloat (norm, >, 0);
  g_assert_cmpfloat (sqrt (difference / norm), <, tolerance);
}

void
lk_case_check_gradients (const LkCase *self, LkBackend *backend)
{
  LkCaseResult result;
  LkRun run;

  lk_case_run (self, backend, &result);
  lk_run_init (&run, self, backend);
  for (guint i = 0; i < run.n_inputs; i++)
    if (self->inputs[i].gradient)
      lk_run_check_input (&run, self, i, result.gradients[i]);
  lk_run_clear (&run);
  lk_case_result_clear (&result);
}

static void
lk_case_compare_arrays (const LkCase *self, const char *what, const float *a, const float *b, gsize n)
{
  double tolerance = self->backend_tolerance > 0 ? self->backend_tolerance : 1e-5;
  double difference = 0, norm = 0;

  for (gsize k = 0; k < n; k++)
    {
      double d = (double) a[k] - (double) b[k];
      difference += d * d;
      norm += (double) b[k] * (double) b[k];
    }
  g_test_message ("%s: %s deviates %.1e", self->name, what, norm > 0 ? sqrt (difference / norm) : sqrt (difference));
  g_assert_cmpfloat (norm > 0 ? sqrt (difference / norm) : sqrt (difference), <, tolerance);
}

void
lk_case_compare (const LkCase *self, LkBackend *a, LkBackend *b)
{
  LkCaseResult ours, twin;

  lk_case_run (self, a, &ours);
  lk_case_run (self, b, &twin);
  lk_case_compare_arrays (self, "output", ours.output, twin.output, ours.n_output);
  for (guint i = 0; i < LK_CASE_MAX_INPUTS; i++)
    if (ours.gradients[i])
      lk_case_compare_arrays (self, self->inputs[i].name, ours.gradients[i], twin.gradients[i], ours.n_gradients[i]);
  lk_case_result_clear (&ours);
  lk_case_result_clear (&twin);
}
