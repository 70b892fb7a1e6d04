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

/* A shape of the loss head. Of each @period rows the last has no target, nor have the first @masked. */
typedef struct
{
  const char *name;
  gint64 rows, hidden, vocab;
  gint64 period, masked;
  gint64 n_targets; /* so many have one */
  float soft_cap;
} LkHeadShape;

/* At most 512 rows make a chunk, so 1100 are three of 367. Rows without a target are left out first: in “chunks” the third is
 * in part empty, in “chunks-masked” the second is and the third holds nothing. “wide” takes several tiles of the vocabulary. */
static const LkHeadShape head_shapes[] = {
  { "head-loss", 11, 37, 41, 4, 0, 9, 0 },
  { "head-loss-capped", 11, 37, 41, 4, 0, 9, 1.25f },
  { "head-loss-wide", 29, 67, 523, 5, 3, 21, 0 },
  { "head-loss-wide-capped", 29, 67, 523, 5, 3, 21, 1.25f },
  { "head-loss-chunks", 1100, 7, 41, 7, 0, 943, 0 },
  { "head-loss-chunks-capped", 1100, 7, 41, 7, 0, 943, 1.25f },
  { "head-loss-chunks-masked", 1100, 7, 41, 3, 400, 467, 0 },
};

/* What the loss head is given, and what it gives: Σ −log p, the gradient into x and W, and log-probabilities. */
typedef struct
{
  const LkHeadShape *shape;
  float *x, *w;
  gint32 *targets;
  double loss, count;
  float *dx, *dw, *logprobs;
} LkHeadRun;

static void
head_run_init (LkHeadRun *run, const LkHeadShape *shape)
{
  gint64 n_x = shape->rows * shape->hidden, n_w = shape->vocab * shape->hidden;

  *run = (LkHeadRun){ .shape = shape, .x = g_new (float, n_x), .w = g_new (float, n_w), .targets = g_new (gint32, shape->rows),
                      .dx = g_new (float, n_x), .dw = g_new (float, n_w), .logprobs = g_new (float, shape->rows) };
  for (gint64 i = 0; i < n_x; i++)
    run->x[i] = sinf ((float) i * 0.37f);
  for (gint64 i = 0; i < n_w; i++)
    run->w[i] = cosf ((float) i * 0.71f) * 0.3f;
  for (gint64 r = 0; r < shape->rows; r++)
    {
      gboolean masked = r < shape->masked || r % shape->period == shape->period - 1;

      run->targets[r] = masked ? -1 : (gint32) ((r * 29 + r / 7 + 3) % shape->vocab);
    }
}

static void
head_run_clear (LkHeadRun *run)
{
  float *floats[] = { run->x, run->w, run->dx, run->dw, run->logprobs };

  for (guint i = 0; i < G_N_ELEMENTS (floats); i++)
    g_free (floats[i]);
  g_free (run->targets);
}

static void
run_head (LkBackend *backend, LkHeadRun *run)
{
  const LkHeadShape *s = run->shape;
  g_autoptr (LkVariables) variables = lk_variables_new ();
  g_autoptr (LkProgram) program = lk_program_new ("head", variables);
  LkVariable *x = lk_variables_add_f32 (variables, "x", LK_VARIABLE_INPUT, s->rows, s->hidden);
  LkVariable *w = lk_variables_add_f32 (variables, "w", LK_VARIABLE_INPUT, s->vocab, s->hidden);
  LkVariable *targets = lk_variables_add_i32 (variables, "targets", LK_VARIABLE_INPUT, 1, s->rows);
  LkVariable *loss = lk_variables_add_f32 (variables, "loss", LK_VARIABLE_STATE, 1, 2);
  LkVariable *logprobs = lk_variables_add_f32 (variables, "logprobs", LK_VARIABLE_STATE, 1, s->rows);
  LkVariable *dx = lk_variables_add_f32 (variables, "dx", LK_VARIABLE_STATE, s->rows, s->hidden);
  LkVariable *dw = lk_variables_add_f32 (variables, "dw", LK_VARIABLE_STATE, s->vocab, s->hidden);
  LkVariable *all[] = { x, w, targets, loss, logprobs, dx, dw };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkExecutable) executable = NULL;
  LkTensorId hidden;
  float sums[2];

  x->gradient = dx;
  w->gradient = dw;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_add (variables, all[i]);
  lk_ops_init ();
  hidden = lk_op_add (program, "hidden", lk_program_variable (program, x), lk_program_variable (program, x)); /* 2x */
  lk_op_head_loss (program, hidden, lk_program_variable (program, w), lk_program_variable (program, targets),
                   lk_program_variable (program, loss), lk_program_variable (program, logprobs), s->soft_cap, TRUE);
  lk_program_add_gradients (program, 0);
  g_assert_true (lk_backend_prepare (backend, variables, &error));
  executable = lk_backend_compile (backend, program, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_fill (all[i], backend);
  g_assert_true (lk_backend_write (backend, x, 0, run->x, x->bytes, &error) && lk_backend_write (backend, w, 0, run->w, w->bytes, &error)
                 && lk_backend_write (backend, targets, 0, run->targets, targets->bytes, &error)
                 && lk_executable_run (executable, &error) && lk_backend_read (backend, loss, 0, sums, sizeof sums, &error)
                 && lk_backend_read (backend, dx, 0, run->dx, dx->bytes, &error)
                 && lk_backend_read (backend, dw, 0, run->dw, dw->bytes, &error)
                 && lk_backend_read (backend, logprobs, 0, run->logprobs, logprobs->bytes, &error));
  run->loss = (double) sums[0];
  run->count = (double) sums[1];
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_check (all[i], backend, s->name);
}

/* The same in double, straight from the definition. */
typedef struct
{
  double *x, *w, *dx, *dw, *logprobs, *logits;
} LkHeadReference;

static double *
to_double (const float *values, gint64 n)
{
  double *copy = g_new (double, n);

  for (gint64 i = 0; i < n; i++)
    copy[i] = (double) values[i];
  return copy;
}

static void
head_reference_init (LkHeadReference *ref, const LkHeadRun *run)
{
  const LkHeadShape *s = run->shape;

  *ref = (LkHeadReference){ .x = to_double (run->x, s->rows * s->hidden), .w = to_double (run->w, s->vocab * s->hidden),
                            .dx = g_new0 (double, s->rows * s->hidden), .dw = g_new0 (double, s->vocab * s->hidden),
                            .logprobs = g_new0 (double, s->rows), .logits = g_new (double, s->vocab) };
}

static void
head_reference_clear (LkHeadReference *ref)
{
  double *doubles[] = { ref->x, ref->w, ref->dx, ref->dw, ref->logprobs, ref->logits };

  for (guint i = 0; i < G_N_ELEMENTS (doubles); i++)
    g_free (doubles[i]);
}

/* log p of row @r's target; leaves logits and, in @sum, Σ exp of them. */
static double
reference_row (const LkHeadReference *ref, const LkHeadRun *run, gint64 r, double *sum)
{
  const LkHeadShape *s = run->shape;
  double cap = (double) s->soft_cap;

  *sum = 0;
  for (gint64 v = 0; v < s->vocab; v++)
    {
      double logit = 0;

      for (gint64 h = 0; h < s->hidden; h++)
        logit += 2.0 * ref->x[r * s->hidden + h] * ref->w[v * s->hidden + h];
      ref->logits[v] = cap > 0 ? cap * tanh (logit / cap) : logit;
      *sum += exp (ref->logits[v]);
    }
  return ref->logits[run->targets[r]] - log (*sum);
}

static double
reference_loss (const LkHeadReference *ref, const LkHeadRun *run)
{
  double total = 0, sum;

  for (gint64 r = 0; r < run->shape->rows; r++)
    if (run->targets[r] >= 0)
      total -= reference_row (ref, run, r, &sum);
  return total;
}

static void
reference_gradients (LkHeadReference *ref, const LkHeadRun *run)
{
  const LkHeadShape *s = run->shape;
  double sum;

  for (gint64 r = 0; r < s->rows; r++)
    {
      if (run->targets[r] < 0)
        continue;
      ref->logprobs[r] = reference_row (ref, run, r, &sum);
      for (gint64 v = 0; v < s->vocab; v++)
        {
          double slope = s->soft_cap > 0 ? 1 - pow (ref->logits[v] / (double) s->soft_cap, 2) : 1;
          double d = (exp (ref->logits[v]) / sum - (v == run->targets[r])) * slope;

          for (gint64 h = 0; h < s->hidden; h++)
            {
              ref->dx[r * s->hidden + h] += 2.0 * d * ref->w[v * s->hidden + h];
              ref->dw[v * s->hidden + h] += 2.0 * d * ref->x[r * s->hidden + h];
            }
        }
    }
}

/* The reference's own gradient against central differences of its loss, at elements all over @values. */
static void
check_reference (const LkHeadReference *ref, const LkHeadRun *run, double *values, const double *gradient, gint64 n)
{
  const double step = 1e-4;

  for (gint64 k = 0; k < 12; k++)
    {
      gint64 i = (n - 1) * k / 11;
      double value = values[i], up, down;

      values[i] = value + step;
      up = reference_loss (ref, run);
      values[i] = value - step;
      down = reference_loss (ref, run);
      values[i] = value;
      g_assert_cmpfloat (fabs ((up - down) / (2 * step) - gradient[i]), <, 1e-6 * (1 + fabs (gradient[i])));
    }
}

static double
deviation (const float *a, const double *b, gint64 n)
{
  double difference = 0, norm = 0;

  for (gint64 i = 0; i < n; i++)
    {
      difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      norm += b[i] * b[i];
    }
  return sqrt (difference / norm);
}

static void
check_head (LkBackend *backend, const LkHeadShape *s)
{
  gint64 n_x = s->rows * s->hidden, n_w = s->vocab * s->hidden;
  LkHeadReference ref;
  LkHeadRun run;
  double loss;

  if (!backend)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  head_run_init (&run, s);
  head_reference_init (&ref, &run);
  loss = reference_loss (&ref, &run);
  reference_gradients (&ref, &run);
  check_reference (&ref, &run, ref.x, ref.dx, n_x);
  check_reference (&ref, &run, ref.w, ref.dw, n_w);
  run_head (backend, &run);
  g_test_message ("%s deviates: loss %.1e, log p %.1e, dx %.1e, dw %.1e", s->name, fabs (run.loss - loss) / loss,
                  deviation (run.logprobs, ref.logprobs, s->rows), deviation (run.dx, ref.dx, n_x), deviation (run.dw, ref.dw, n_w));
  g_assert_cmpfloat (run.count, ==, (double) s->n_targets);
  g_assert_cmpfloat (fabs (run.loss - loss) / loss, <, 1e-6);
  g_assert_cmpfloat (deviation (run.logprobs, ref.logprobs, s->rows), <, 1e-6);
  g_assert_cmpfloat (deviation (run.dx, ref.dx, n_x), <, 2e-6);
  g_assert_cmpfloat (deviation (run.dw, ref.dw, n_w), <, 2e-6);
  head_reference_clear (&ref);
  head_run_clear (&run);
}

static void
test_head_loss (gconstpointer data)
{
  check_head (cpu, data);
}

static void
test_gpu_head_loss (gconstpointer data)
{
  check_head (gpu, data);
}

/* A shape of the optimizer: decay ends at @decayed, norms are summed in chunks of 65536. */
typedef struct
{
  const char *name;
  gint64 n, decayed;
} LkUpdateShape;

static const LkUpdateShape update_shapes[] = {
  { "adamw", 131, 100 },
  { "adamw-chunks", 2 * 65536 + 1047, 65537 },
};

/* Parameters and moments in double. */
typedef struct
{
  double *p, *m, *v;
} LkUpdateReference;

/* One step of the formula with the gradient @g, a sum over four targets; returns the norm before clipping. */
static double
reference_update (LkUpdateReference *ref, const LkUpdateShape *s, const LkUpdateInput *input, const float *g)
{
  double total = 0, clip = 1, step = (double) input->step;

  for (gint64 i = 0; i < s->n; i++)
    total += ((double) g[i] / input->n_targets) * ((double) g[i] / input->n_targets);
  if (input->max_norm > 0)
    clip = MIN (1.0, input->max_norm / (sqrt (total) + 1e-6));
  for (gint64 i = 0; i < s->n; i++)
    {
      double gi = (double) g[i] / input->n_targets * clip;

      ref->p[i] *= i < s->decayed ? 1 - input->learning_rate * input->weight_decay : 1;
      ref->m[i] = input->beta1 * ref->m[i] + (1 - input->beta1) * gi;
      ref->v[i] = input->beta2 * ref->v[i] + (1 - input->beta2) * gi * gi;
      ref->p[i] -= input->learning_rate * (ref->m[i] / (1 - pow (input->beta1, step)))
                   / (sqrt (ref->v[i] / (1 - pow (input->beta2, step))) + input->eps);
    }
  return sqrt (total);
}

/* Two steps of the optimizer against the formula in double; clipping bites in the first. */
static void
check_adamw (LkBackend *backend, const LkUpdateShape *s)
{
  g_autoptr (LkVariables) variables = lk_variables_new ();
  LkVariable *p = lk_variables_add_f32 (variables, "p", LK_VARIABLE_PARAMETER, 1, s->n);
  LkVariable *g = lk_variables_add_f32 (variables, "g", LK_VARIABLE_STATE, 1, s->n);
  g_autoptr (LkUpdate) update = lk_update_new (variables, "update", p, g, s->decayed);
  LkVariable *all[] = { p, g, update->m, update->v, update->hyper, update->norm };
  g_autofree float *fp = g_new (float, s->n);
  g_autofree float *fg = g_new (float, s->n);
  g_autofree double *rp = g_new (double, s->n);
  g_autofree double *rm = g_new0 (double, s->n);
  g_autofree double *rv = g_new0 (double, s->n);
  LkUpdateReference ref = { rp, rm, rv };
  g_autoptr (LkExecutable) executable = NULL;
  g_autoptr (GError) error = NULL;
  float norm[2];

  if (!backend)
    {
      g_test_skip ("no Vulkan device");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_add (variables, all[i]);
  g_assert_true (lk_backend_prepare (backend, variables, &error));
  executable = lk_backend_compile (backend, update->program, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_fill (all[i], backend);
  for (gint64 i = 0; i < s->n; i++)
    rp[i] = (double) (fp[i] = sinf ((float) i));
  g_assert_true (lk_backend_write (backend, p, 0, fp, p->bytes, &error));
  for (gint64 step = 1; step <= 2; step++)
    {
      LkUpdateInput input = { 0.05, 0.9, 0.99, 1e-8, 0.1, step == 1 ? 0.5 : 0, step, 4 };
      double wanted;

      for (gint64 i = 0; i < s->n; i++)
        fg[i] = cosf ((float) (i * step));
      wanted = reference_update (&ref, s, &input, fg);
      g_assert_true (lk_backend_write (backend, g, 0, fg, g->bytes, &error) && lk_update_write (update, backend, &input, &error)
                     && lk_executable_run (executable, &error) && lk_backend_read (backend, update->norm, 0, norm, sizeof norm, &error));
      g_test_message ("%s: the norm deviates %.1e", s->name, fabs ((double) norm[0] - wanted) / wanted);
      g_assert_cmpfloat (fabs ((double) norm[0] - wanted), <, 1e-6 * wanted);
      g_assert_cmpfloat (norm[1], ==, 1);
    }
  g_assert_true (lk_backend_read (backend, p, 0, fp, p->bytes, &error) && lk_backend_read (backend, g, 0, fg, g->bytes, &error));
  g_test_message ("%s: parameters deviate %.1e", s->name, deviation (fp, rp, s->n));
  g_assert_cmpfloat (deviation (fp, rp, s->n), <, 1e-6);
  g_assert_true (lk_backend_read (backend, update->m, 0, fp, p->bytes, &error));
  g_assert_cmpfloat (deviation (fp, rm, s->n), <, 1e-6);
  g_assert_true (lk_backend_read (backend, update->v, 0, fp, p->bytes, &error));
  g_assert_cmpfloat (deviation (fp, rv, s->n), <, 1e-6);
  for (gint64 i = 0; i < s->n; i++)
    g_assert_cmpfloat (fg[i], ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_guard_check (all[i], backend, s->name);
}

static void
test_adamw (gconstpointer data)
{
  check_adamw (cpu, data);
}

static void
test_gpu_adamw (gconstpointer data)
{
  check_adamw (gpu, data);
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
  float x[N], y[N], out[N], twin[N], sum;

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
      memcpy (twin, x, sizeof x);
      sum = b->exp_minus (twin, N, 3.0f);
      g_assert_cmpfloat (fabsf (a->exp_minus (out, N, 3.0f) - sum), <=, 1e-5f * sum);
      for (int i = 0; i < N; i++)
        g_assert_cmpfloat (fabsf (out[i] - expf (x[i] - 3.0f)), <=, 3e-7f * expf (x[i] - 3.0f));
    }
}

/* Packed rows times a vector, by each instruction set, against the same rows unpacked and summed in double. */
static void
test_matvec (void)
{
  enum { ROWS = 3, COLS = 768 };
  float w[ROWS * COLS], x[COLS], scratch[COLS], y[ROWS];

  for (int i = 0; i < ROWS * COLS; i++)
    w[i] = sinf ((float) i * 0.37f) + 0.3f;
  for (int i = 0; i < COLS; i++)
    x[i] = cosf ((float) i * 0.7f) + 0.1f;
  for (guint t = 0; lk_type_info_at (t); t++)
    {
      LkType type = lk_type_info_at (t)->type;
      const LkQuantInfo *info = lk_quant_info (type);
      gsize row_bytes;
      g_autofree guint8 *blocks = NULL;
      LkPacked packed;

      if (!info || !info->quantise)
        continue;
      row_bytes = COLS / lk_type_info (type)->block_elements * lk_type_info (type)->block_bytes;
      blocks = g_malloc (ROWS * row_bytes);
      for (int r = 0; r < ROWS; r++)
        info->quantise (w + r * COLS, blocks + r * row_bytes, COLS);
      packed = lk_packed (type, blocks, ROWS, COLS);
      for (LkSimd simd = LK_SIMD_BASELINE; simd < LK_N_SIMD; simd++)
        {
          if (!lk_simd_runs (simd))
            continue;
          lk_cpu_kernels_for (simd)->matvec (&packed, 1, ROWS - 1, x, scratch, y);
          for (int r = 1; r < ROWS; r++)
            {
              double sum = 0;

              lk_packed_read (&packed, r, 0, COLS, scratch);
              for (int i = 0; i < COLS; i++)
                sum += (double) scratch[i] * x[i];
              if (fabs (y[r - 1] - sum) > 2e-4)
                g_error ("%s, %s: %g instead of %g", lk_type_info (type)->name, lk_simd_get_name (simd), y[r - 1], sum);
            }
        }
    }
}

/* The same products by every other kernel this device can run, 16-bit inputs against the CPU's float32. */
static LkBackend *variants[LK_N_PRECISIONS];

typedef struct
{
  LkPrecision precision;
  gboolean slow; /* to compile, for a software device */
  LkCase self;
} LkVariantCase;

/* What sees nothing is nothing, and gets no gradient: zeros, not small numbers. */
static void
check_gaps (const LkCase *self, LkBackend *backend)
{
  gint64 cols = self->inputs[0].cols;
  LkCaseResult result;

  lk_case_run (self, backend, &result);
  for (gint64 i = 0; i < LK_GAP_ROWS; i++)
    for (gint64 c = 0; lk_gap_row_is_empty (i) && c < cols; c++)
      {
        g_assert_cmpfloat (result.output[i * cols + c], ==, 0);
        g_assert_cmpfloat (result.gradients[0][i * cols + c], ==, 0);
      }
  lk_case_result_clear (&result);
}

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
  if (v->slow && !g_test_slow () && strstr (lk_backend_get_description (variants[v->precision]), "llvmpipe"))
    {
      g_test_skip ("a software device takes minutes to compile the kernels of wide heads (-m slow)");
      return;
    }
  lk_case_compare (&v->self, variants[v->precision], cpu);
  if (g_str_equal (v->self.name, LK_GAP_CASE))
    check_gaps (&v->self, variants[v->precision]);
}

/* The kernels differ in how slices are loaded and multiplied, not in the block type: a case of each way is enough. A single row is
 * made by the matrix-vector kernel, which all share. */
static gboolean
is_variant_case (const char *name)
{
  static const char *const names[] = { "linear F32", "linear F32 large", "linear F16", "linear BF16", "linear Q4_K", "linear NF4 large",
                                       "linear Q8_0 deep", "linear F32 to unpack", "linear NF4 to unpack", "linear Q4_K to unpack", "linear F16 to unpack",
                                       "lora", "lora to unpack", "lora with dropout", NULL };

  return g_strv_contains (names, name);
}

/* Scores, weights and their gradients are each rounded to 11 bits on their way: two to three times what one product loses. */
#define LK_MATRIX_TOLERANCE 2e-3

static void
add_variant (LkPrecision precision, const LkCase *self, double tolerance, gboolean slow)
{
  g_autofree char *path = g_strdup_printf ("/ops/gpu/%s/%s", lk_precision_names[precision], self->name);
  LkVariantCase *v = g_new0 (LkVariantCase, 1);

  v->precision = precision;
  v->slow = slow;
  v->self = *self;
  v->self.backend_tolerance = tolerance;
  g_test_add_data_func_full (path, v, test_variant, g_free);
}

static void
add_variants (void)
{
  for (guint i = LK_PRECISION_FLOAT16_THREADS; i < LK_N_PRECISIONS; i++)
    {
      for (const LkCase *c = lk_cases; c->name; c++)
        if (is_variant_case (c->name))
          add_variant (i, c, 1e-3, FALSE); /* 16-bit floats have 11 bits; random errors of sums stay at that of one number */
      for (const LkCase *c = lk_matrix_cases; c->name && i != LK_PRECISION_FLOAT16_THREADS; c++)
        add_variant (i, c, LK_MATRIX_TOLERANCE, c->inputs[0].cols > 6 * 16);
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
  /* The norm takes a software device minutes: -m slow. */
  for (const LkCase *c = g_test_slow () ? lk_long_cases : lk_long_cases + 1; c->name; c++)
    {
      g_autofree char *against = g_strdup_printf ("/ops/gpu/against-cpu/%s", c->name);

      g_test_add_data_func (against, c, test_gpu_against_cpu);
    }
  for (guint i = 0; i < G_N_ELEMENTS (head_shapes); i++)
    {
      g_autofree char *on_cpu = g_strconcat ("/ops/cpu/", head_shapes[i].name, NULL);
      g_autofree char *on_gpu = g_strconcat ("/ops/gpu/", head_shapes[i].name, NULL);

      g_test_add_data_func (on_cpu, &head_shapes[i], test_head_loss);
      g_test_add_data_func (on_gpu, &head_shapes[i], test_gpu_head_loss);
    }
  for (guint i = 0; i < G_N_ELEMENTS (update_shapes); i++)
    {
      g_autofree char *on_cpu = g_strconcat ("/ops/cpu/", update_shapes[i].name, NULL);
      g_autofree char *on_gpu = g_strconcat ("/ops/gpu/", update_shapes[i].name, NULL);

      g_test_add_data_func (on_cpu, &update_shapes[i], test_adamw);
      g_test_add_data_func (on_gpu, &update_shapes[i], test_gpu_adamw);
    }
  g_test_add_data_func ("/ops/cpu/not-finite", "cpu", test_not_finite);
  g_test_add_data_func ("/ops/gpu/not-finite", "gpu", test_not_finite);
  g_test_add_func ("/ops/cpu/simd", test_simd);
  g_test_add_func ("/ops/cpu/matvec", test_matvec);
  status = g_test_run ();
  lk_backend_unref (cpu);
  lk_backend_unref (single);
  g_clear_pointer (&gpu, lk_backend_unref);
  for (guint i = 0; i < LK_N_PRECISIONS; i++)
    g_clear_pointer (&variants[i], lk_backend_unref);
  return status;
}
