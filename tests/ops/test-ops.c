/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every operation's gradient against finite differences, and every backend against the CPU.
 */
#include <math.h>
#include <string.h>

#include "lk-cpu-kernels.h"
#include "lk-error.h"
#include "lk-op-harness.h"
#include "lk-update.h"

static LkBackend *cpu, *single, *gpu;

static void
test_gradients (gconstpointer data)
{
  lk_case_check_gradients (data, cpu);
}

static void
test_gpu_gradients (gconstpointer data)
{
  if (!gpu)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  lk_case_check_gradients (data, gpu);
}

static void
test_gpu_against_cpu (gconstpointer data)
{
  if (!gpu)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  lk_case_compare (data, gpu, cpu);
}

/* A machine with one core: working memory is as large as a tile, and one worker takes a tile after the other. */
static void
test_single (gconstpointer data)
{
  lk_case_compare (data, single, cpu);
}

/* One result of the loss head for rows of x: Σ −log p, its gradient into x and W, and log-probabilities. */
typedef struct
{
  double loss, count;
  float *dx, *dw, *logprobs;
} LkHeadResult;

#define HEAD_ROWS 11
#define HEAD_HIDDEN 37
#define HEAD_VOCAB 41

static const gint32 head_targets[HEAD_ROWS] = { 3, -1, 40, 0, 7, -1, 12, 36, -1, 2, 9 };

static void
run_head (LkBackend *backend, const float *x, const float *w, float soft_cap, LkHeadResult *result)
{
  g_autoptr (LkVariables) variables = lk_variables_new ();
  g_autoptr (LkProgram) program = lk_program_new ("head", variables);
  LkVariable *vx = lk_variables_add_f32 (variables, "x", LK_VARIABLE_INPUT, HEAD_ROWS, HEAD_HIDDEN);
  LkVariable *vw = lk_variables_add_f32 (variables, "w", LK_VARIABLE_INPUT, HEAD_VOCAB, HEAD_HIDDEN);
  LkVariable *targets = lk_variables_add_i32 (variables, "targets", LK_VARIABLE_INPUT, 1, HEAD_ROWS);
  LkVariable *loss = lk_variables_add_f32 (variables, "loss", LK_VARIABLE_STATE, 1, 2);
  LkVariable *logprobs = lk_variables_add_f32 (variables, "logprobs", LK_VARIABLE_STATE, 1, HEAD_ROWS);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkExecutable) executable = NULL;
  LkTensorId hidden;
  float sums[2];

  vx->gradient = lk_variables_add_f32 (variables, "dx", LK_VARIABLE_STATE, HEAD_ROWS, HEAD_HIDDEN);
  vw->gradient = lk_variables_add_f32 (variables, "dw", LK_VARIABLE_STATE, HEAD_VOCAB, HEAD_HIDDEN);
  lk_ops_init ();
  hidden = lk_op_add (program, "hidden", lk_program_variable (program, vx), lk_program_variable (program, vx)); /* 2x */
  lk_op_head_loss (program, hidden, lk_program_variable (program, vw), lk_program_variable (program, targets),
                   lk_program_variable (program, loss), lk_program_variable (program, logprobs), soft_cap, TRUE);
  lk_program_add_gradients (program, 0);
  g_assert_true (lk_backend_prepare (backend, variables, &error));
  executable = lk_backend_compile (backend, program, &error);
  g_assert_no_error (error);
  g_assert_true (lk_backend_write (backend, vx, 0, x, vx->bytes, &error) && lk_backend_write (backend, vw, 0, w, vw->bytes, &error)
                 && lk_backend_write (backend, targets, 0, head_targets, sizeof head_targets, &error)
                 && lk_executable_run (executable, &error) && lk_backend_read (backend, loss, 0, sums, sizeof sums, &error));
  result->loss = (double) sums[0];
  result->count = (double) sums[1];
  result->dx = g_malloc (vx->bytes);
  result->dw = g_malloc (vw->bytes);
  result->logprobs = g_malloc (logprobs->bytes);
  g_assert_true (lk_backend_read (backend, vx->gradient, 0, result->dx, vx->bytes, &error)
                 && lk_backend_read (backend, vw->gradient, 0, result->dw, vw->bytes, &error)
                 && lk_backend_read (backend, logprobs, 0, result->logprobs, logprobs->bytes, &error));
}

static void
head_result_clear (LkHeadResult *result)
{
  g_free (result->dx);
  g_free (result->dw);
  g_free (result->logprobs);
}

/* The same in double, straight from the definition. */
static double
reference_head (const float *x, const float *w, double soft_cap, double *dx, double *dw, double *logprobs)
{
  double total = 0;

  memset (dx, 0, HEAD_ROWS * HEAD_HIDDEN * sizeof *dx);
  memset (dw, 0, HEAD_VOCAB * HEAD_HIDDEN * sizeof *dw);
  for (int r = 0; r < HEAD_ROWS; r++)
    {
      double logits[HEAD_VOCAB], sum = 0;

      logprobs[r] = 0;
      if (head_targets[r] < 0)
        continue;
      for (int v = 0; v < HEAD_VOCAB; v++)
        {
          logits[v] = 0;
          for (int h = 0; h < HEAD_HIDDEN; h++)
            logits[v] += 2.0 * (double) x[r * HEAD_HIDDEN + h] * (double) w[v * HEAD_HIDDEN + h];
          if (soft_cap > 0)
            logits[v] = soft_cap * tanh (logits[v] / soft_cap);
          sum += exp (logits[v]);
        }
      logprobs[r] = logits[head_targets[r]] - log (sum);
      total -= logprobs[r];
      for (int v = 0; v < HEAD_VOCAB; v++)
        {
          double slope = soft_cap > 0 ? 1 - pow (logits[v] / soft_cap, 2) : 1;
          double d = (exp (logits[v]) / sum - (v == head_targets[r])) * slope;
          for (int h = 0; h < HEAD_HIDDEN; h++)
            {
              dx[r * HEAD_HIDDEN + h] += 2.0 * d * (double) w[v * HEAD_HIDDEN + h];
              dw[v * HEAD_HIDDEN + h] += 2.0 * d * (double) x[r * HEAD_HIDDEN + h];
            }
        }
    }
  return total;
}

static double
deviation (const float *a, const double *b, gsize n)
{
  double difference = 0, norm = 0;

  for (gsize i = 0; i < n; i++)
    {
      difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      norm += b[i] * b[i];
    }
  return sqrt (difference / norm);
}

static void
test_head_loss (gconstpointer data)
{
  LkBackend *backend = g_str_has_prefix (data, "cpu") ? cpu : gpu;
  float soft_cap = g_str_has_suffix (data, "capped") ? 1.25f : 0;
  g_autofree float *x = g_new (float, HEAD_ROWS * HEAD_HIDDEN);
  g_autofree float *w = g_new (float, HEAD_VOCAB * HEAD_HIDDEN);
  g_autofree double *dx = g_new (double, HEAD_ROWS * HEAD_HIDDEN);
  g_autofree double *dw = g_new (double, HEAD_VOCAB * HEAD_HIDDEN);
  double logprobs[HEAD_ROWS], loss;
  LkHeadResult result;

  if (!backend)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  for (int i = 0; i < HEAD_ROWS * HEAD_HIDDEN; i++)
    x[i] = sinf ((float) i * 0.37f);
  for (int i = 0; i < HEAD_VOCAB * HEAD_HIDDEN; i++)
    w[i] = cosf ((float) i * 0.71f) * 0.3f;
  loss = reference_head (x, w, (double) soft_cap, dx, dw, logprobs);
  run_head (backend, x, w, soft_cap, &result);
  g_assert_cmpfloat (result.count, ==, 8);
  g_assert_cmpfloat (fabs (result.loss - loss) / loss, <, 1e-6);
  g_assert_cmpfloat (deviation (result.logprobs, logprobs, HEAD_ROWS), <, 1e-6);
  g_assert_cmpfloat (deviation (result.dx, dx, HEAD_ROWS * HEAD_HIDDEN), <, 2e-6);
  g_assert_cmpfloat (deviation (result.dw, dw, HEAD_VOCAB * HEAD_HIDDEN), <, 2e-6);
  head_result_clear (&result);
}

#define ADAMW_N 131

/* Two steps of the optimizer against the formula in double; clipping bites in the first, decay ends at @decayed. */
static void
test_adamw (gconstpointer data)
{
  LkBackend *backend = g_str_equal (data, "cpu") ? cpu : gpu;
  const gint64 decayed = 100;
  g_autoptr (LkVariables) variables = lk_variables_new ();
  LkVariable *p = lk_variables_add_f32 (variables, "p", LK_VARIABLE_PARAMETER, 1, ADAMW_N);
  LkVariable *g = lk_variables_add_f32 (variables, "g", LK_VARIABLE_STATE, 1, ADAMW_N);
  g_autoptr (LkUpdate) update = lk_update_new (variables, "update", p, g, decayed);
  g_autoptr (LkExecutable) executable = NULL;
  g_autoptr (GError) error = NULL;
  double rp[ADAMW_N], m[ADAMW_N] = { 0 }, v[ADAMW_N] = { 0 };
  float fp[ADAMW_N], fg[ADAMW_N], norm[2];

  if (!backend)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  g_assert_true (lk_backend_prepare (backend, variables, &error));
  executable = lk_backend_compile (backend, update->program, &error);
  g_assert_no_error (error);
  for (int i = 0; i < ADAMW_N; i++)
    rp[i] = (double) (fp[i] = sinf ((float) i));
  g_assert_true (lk_backend_write (backend, p, 0, fp, sizeof fp, &error));
  for (gint64 step = 1; step <= 2; step++)
    {
      LkUpdateInput input = { 0.05, 0.9, 0.99, 1e-8, 0.1, step == 1 ? 0.5 : 0, step, 4 };
      double total = 0, clip;

      for (int i = 0; i < ADAMW_N; i++)
        {
          fg[i] = cosf ((float) (i * step));
          total += ((double) fg[i] / 4) * ((double) fg[i] / 4);
        }
      clip = step == 1 ? MIN (1.0, 0.5 / (sqrt (total) + 1e-6)) : 1.0;
      for (int i = 0; i < ADAMW_N; i++)
        {
          double gi = (double) fg[i] / 4 * clip;

          rp[i] *= i < decayed ? 1 - 0.05 * 0.1 : 1;
          m[i] = 0.9 * m[i] + 0.1 * gi;
          v[i] = 0.99 * v[i] + 0.01 * gi * gi;
          rp[i] -= 0.05 * (m[i] / (1 - pow (0.9, (double) step))) / (sqrt (v[i] / (1 - pow (0.99, (double) step))) + 1e-8);
        }
      g_assert_true (lk_backend_write (backend, g, 0, fg, sizeof fg, &error) && lk_update_write (update, backend, &input, &error)
                     && lk_executable_run (executable, &error) && lk_backend_read (backend, update->norm, 0, norm, sizeof norm, &error));
      g_assert_cmpfloat (fabs ((double) norm[0] - sqrt (total)), <, 1e-6);
      g_assert_cmpfloat (norm[1], ==, 1);
    }
  g_assert_true (lk_backend_read (backend, p, 0, fp, sizeof fp, &error) && lk_backend_read (backend, g, 0, fg, sizeof fg, &error));
  g_assert_cmpfloat (deviation (fp, rp, ADAMW_N), <, 1e-6);
  for (int i = 0; i < ADAMW_N; i++)
    g_assert_cmpfloat (fg[i], ==, 0);
}

/* A gradient that is not finite changes no parameter and is cleared. */
static void
test_not_finite (gconstpointer data)
{
  LkBackend *backend = g_str_equal (data, "cpu") ? cpu : gpu;
  g_autoptr (LkVariables) variables = lk_variables_new ();
  LkVariable *p = lk_variables_add_f32 (variables, "p", LK_VARIABLE_PARAMETER, 1, 3);
  LkVariable *g = lk_variables_add_f32 (variables, "g", LK_VARIABLE_STATE, 1, 3);
  g_autoptr (LkUpdate) update = lk_update_new (variables, "update", p, g, 3);
  g_autoptr (LkExecutable) executable = NULL;
  g_autoptr (GError) error = NULL;
  LkUpdateInput input = { 0.05, 0.9, 0.99, 1e-8, 0.1, 1, 1, 1 };
  float values[3] = { 1, 2, 3 }, bad[3] = { 1, INFINITY, 0 }, norm[2];

  if (!backend)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  g_assert_true (lk_backend_prepare (backend, variables, &error));
  executable = lk_backend_compile (backend, update->program, &error);
  g_assert_no_error (error);
  g_assert_true (lk_backend_write (backend, p, 0, values, sizeof values, &error) && lk_backend_write (backend, g, 0, bad, sizeof bad, &error)
                 && lk_update_write (update, backend, &input, &error) && lk_executable_run (executable, &error)
                 && lk_backend_read (backend, p, 0, values, sizeof values, &error) && lk_backend_read (backend, g, 0, bad, sizeof bad, &error)
                 && lk_backend_read (backend, update->norm, 0, norm, sizeof norm, &error));
  g_assert_cmpfloat (norm[1], ==, 0);
  g_assert_cmpfloat (values[1], ==, 2);
  g_assert_cmpfloat (bad[1], ==, 0);
}

/* The inner loops of each instruction set against those of the baseline. */
static void
test_simd (void)
{
  enum { N = 333 };
  float x[N], y[N], out[N], twin[N];

  for (int i = 0; i < N; i++)
    x[i] = sinf ((float) i) * 3, y[i] = cosf ((float) i * 0.7f);
  for (LkSimd simd = LK_SIMD_BASELINE + 1; simd < LK_N_SIMD; simd++)
    {
      const LkCpuKernels *a = lk_cpu_kernels_for (simd), *b = lk_cpu_kernels_for (LK_SIMD_BASELINE);

      if (!lk_simd_runs (simd))
        continue;
      g_assert_cmpfloat (fabsf (a->dot (x, y, N) - b->dot (x, y, N)), <, 1e-3f);
      for (guint activation = 0; activation <= LK_ACTIVATION_GELU_TANH; activation++)
        {
          a->glu (activation, x, y, out, N);
          b->glu (activation, x, y, twin, N);
          for (int i = 0; i < N; i++)
            g_assert_cmpfloat (fabsf (out[i] - twin[i]), <, 1e-5f);
        }
      memcpy (out, x, sizeof x);
      g_assert_cmpfloat (fabsf (a->exp_minus (out, N, 3.0f) - b->exp_minus (twin, 0, 0) - (float) N), <, (float) N);
      for (int i = 0; i < N; i++)
        g_assert_cmpfloat (fabsf (out[i] - expf (x[i] - 3.0f)), <=, 3e-7f * expf (x[i] - 3.0f));
    }
}

/* The same products by every other kernel this device can run, 16-bit inputs against the CPU's float32. */
static LkBackend *variants[LK_N_PRECISIONS];

typedef struct
{
  LkPrecision precision;
  LkCase self;
} LkVariantCase;

static void
test_variant (gconstpointer data)
{
  const LkVariantCase *v = data;

  if (!variants[v->precision])
    {
      g_autoptr (GError) error = NULL;

      variants[v->precision] = lk_backend_new_precise ("vulkan", v->precision, &error);
      if (!variants[v->precision])
        {
          g_assert_true (g_error_matches (error, LK_ERROR, LK_ERROR_NOT_FOUND)
                         || g_error_matches (error, LK_ERROR, LK_ERROR_UNSUPPORTED));
          g_test_skip (error->message);
          return;
        }
    }
  lk_case_compare (&v->self, variants[v->precision], cpu);
}

/* The kernels differ in how slices are loaded and multiplied, not in the block type: a case of each way is enough. A single row is
 * made by the matrix-vector kernel, which all share. */
static gboolean
is_variant_case (const char *name)
{
  static const char *const names[] = { "linear F32", "linear F32 large", "linear F16", "linear BF16", "linear Q4_K", "linear NF4 large",
                                       "linear Q8_0 deep", "lora", "lora with dropout", NULL };

  return g_strv_contains (names, name);
}

static void
add_variants (void)
{
  for (guint i = LK_PRECISION_FLOAT16_THREADS; i < LK_N_PRECISIONS; i++)
    for (const LkCase *c = lk_cases; c->name; c++)
      if (is_variant_case (c->name))
        {
          g_autofree char *path = g_strdup_printf ("/ops/gpu/%s/%s", lk_precision_names[i], c->name);
          LkVariantCase *v = g_new0 (LkVariantCase, 1);

          v->precision = i;
          v->self = *c;
          /* 16-bit floats have 11 bits; random errors of sums stay at that of one number */
          v->self.backend_tolerance = 1e-3;
          g_test_add_data_func_full (path, v, test_variant, g_free);
        }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  cpu = lk_backend_new_cpu (MAX (2, g_get_num_processors ()));
  single = lk_backend_new_cpu (1);
  gpu = lk_backend_new_precise ("vulkan", LK_PRECISION_FLOAT32, &error);
  add_variants ();
  for (const LkCase *c = lk_cases; c->name; c++)
    {
      g_autofree char *gradients = g_strdup_printf ("/ops/cpu/finite-differences/%s", c->name);
      g_autofree char *gpu_gradients = g_strdup_printf ("/ops/gpu/finite-differences/%s", c->name);
      g_autofree char *one_worker = g_strdup_printf ("/ops/cpu/one-worker/%s", c->name);
      g_autofree char *against = g_strdup_printf ("/ops/gpu/against-cpu/%s", c->name);

      g_test_add_data_func (gradients, c, test_gradients);
      g_test_add_data_func (one_worker, c, test_single);
      g_test_add_data_func (gpu_gradients, c, test_gpu_gradients);
      g_test_add_data_func (against, c, test_gpu_against_cpu);
    }
  g_test_add_data_func ("/ops/cpu/head-loss", "cpu", test_head_loss);
  g_test_add_data_func ("/ops/gpu/head-loss", "gpu", test_head_loss);
  g_test_add_data_func ("/ops/cpu/head-loss-capped", "cpu capped", test_head_loss);
  g_test_add_data_func ("/ops/gpu/head-loss-capped", "gpu capped", test_head_loss);
  g_test_add_data_func ("/ops/cpu/adamw", "cpu", test_adamw);
  g_test_add_data_func ("/ops/gpu/adamw", "gpu", test_adamw);
  g_test_add_data_func ("/ops/cpu/not-finite", "cpu", test_not_finite);
  g_test_add_data_func ("/ops/gpu/not-finite", "gpu", test_not_finite);
  g_test_add_func ("/ops/cpu/simd", test_simd);
  status = g_test_run ();
  lk_backend_unref (cpu);
  lk_backend_unref (single);
  g_clear_pointer (&gpu, lk_backend_unref);
  for (guint i = 0; i < LK_N_PRECISIONS; i++)
    g_clear_pointer (&variants[i], lk_backend_unref);
  return status;
}
