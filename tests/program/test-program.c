/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where programs keep their tensors: lifetimes and allocations are kept apart, a program may be compiled more than once, the arena
 * may grow under what was compiled before, and what does not fit is refused in words.
 */
#include <math.h>
#include <string.h>

#include "lk-backend-private.h"
#include "lk-error.h"
#include "lk-ops.h"
#include "lk-random.h"

#define WIDTH 96

/* A few norms and products with their gradients, for @rows rows. */
typedef struct
{
  LkVariables *variables;
  LkProgram *program;
  LkVariable *x, *w, *norm, *y, *dy;
  gint64 rows;
} Net;

static Net
net_new (gint64 rows)
{
  Net n = { .variables = lk_variables_new (), .rows = rows };
  LkTensorId x, out;

  lk_ops_init ();
  n.program = lk_program_new ("net", n.variables);
  n.x = lk_variables_add_f32 (n.variables, "x", LK_VARIABLE_INPUT, rows, WIDTH);
  n.w = lk_variables_add_f32 (n.variables, "w", LK_VARIABLE_PARAMETER, WIDTH, WIDTH);
  n.norm = lk_variables_add_f32 (n.variables, "norm", LK_VARIABLE_PARAMETER, 1, WIDTH);
  n.y = lk_variables_add_f32 (n.variables, "y", LK_VARIABLE_STATE, rows, WIDTH);
  n.dy = lk_variables_add_f32 (n.variables, "dy", LK_VARIABLE_INPUT, rows, WIDTH);
  n.w->gradient = lk_variables_add_f32 (n.variables, "dw", LK_VARIABLE_STATE, WIDTH, WIDTH);
  n.norm->gradient = lk_variables_add_f32 (n.variables, "dnorm", LK_VARIABLE_STATE, 1, WIDTH);
  out = x = lk_program_variable (n.program, n.x);
  for (guint layer = 0; layer < 3; layer++)
    {
      LkTensorId h = lk_op_rms_norm (n.program, "h", out, lk_program_variable (n.program, n.norm), 1e-5f, 0);

      h = lk_op_linear (n.program, "l", h, lk_program_variable (n.program, n.w), NULL);
      out = lk_op_add (n.program, "r", out, h);
    }
  lk_op_copy (n.program, out, lk_program_variable (n.program, n.y), FALSE);
  lk_program_set_gradient (n.program, out, lk_program_variable (n.program, n.dy));
  lk_program_add_gradients (n.program, 0);
  return n;
}

static void
net_clear (Net *n)
{
  lk_program_unref (n->program);
  lk_variables_unref (n->variables);
}

static void
write_random (LkBackend *backend, LkVariable *v, guint64 stream, float scale)
{
  LkRandom random = lk_random (7, stream);
  g_autofree float *values = g_malloc (v->bytes);
  g_autoptr (GError) error = NULL;

  for (gint64 i = 0; i < v->rows * v->cols; i++)
    values[i] = lk_random_normal (&random) * scale;
  g_assert_true (lk_backend_write (backend, v, 0, values, v->bytes, &error));
}

static LkExecutable *
net_compile (Net *n, LkBackend *backend)
{
  g_autoptr (GError) error = NULL;
  LkExecutable *executable;

  g_assert_true (lk_backend_prepare (backend, n->variables, &error));
  write_random (backend, n->x, 1, 1);
  write_random (backend, n->w, 2, 0.1f);
  write_random (backend, n->norm, 3, 1);
  write_random (backend, n->dy, 4, 1);
  executable = lk_backend_compile (backend, n->program, &error);
  g_assert_no_error (error);
  return executable;
}

/* y and the gradient of w, one after the other. (transfer full) */
static float *
net_run (Net *n, LkBackend *backend, LkExecutable *executable)
{
  g_autoptr (GError) error = NULL;
  float *out = g_malloc (n->y->bytes + n->w->bytes);

  g_assert_true (lk_backend_clear (backend, n->w->gradient, &error) && lk_executable_run (executable, &error)
                 && lk_backend_read (backend, n->y, 0, out, n->y->bytes, &error)
                 && lk_backend_read (backend, n->w->gradient, 0, out + n->rows * WIDTH, n->w->bytes, &error));
  g_assert_no_error (error);
  return out;
}

static void
assert_near (const float *a, const float *b, gsize n, double tolerance)
{
  double difference = 0, norm = 0;

  for (gsize i = 0; i < n; i++)
    {
      difference += pow ((double) a[i] - (double) b[i], 2);
      norm += (double) b[i] * (double) b[i];
    }
  g_assert_cmpfloat (norm, >, 0);
  g_assert_cmpfloat (sqrt (difference / norm), <=, tolerance);
}

static gsize
net_floats (const Net *n)
{
  return (gsize) (n->rows + WIDTH) * WIDTH;
}

/* One program for two numbers of workers and a graphics card, all alive at once and run in turn: nobody moves another's tensors. */
static void
test_compiled_often (void)
{
  Net net = net_new (37);
  LkBackend *backends[] = { lk_backend_new_cpu (2), lk_backend_new_cpu (5), lk_backend_new ("vulkan", NULL) };
  LkExecutable *executables[3] = { NULL };
  g_autofree float *wanted = NULL;

  for (guint i = 0; i < 3 && backends[i]; i++)
    {
      executables[i] = net_compile (&net, backends[i]);
      if (i == 0)
        wanted = net_run (&net, backends[0], executables[0]);
    }
  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < 3 && backends[i]; i++)
      {
        g_autofree float *got = net_run (&net, backends[i], executables[i]);

        assert_near (got, wanted, net_floats (&net), 1e-5);
      }
  for (guint i = 0; i < 3 && backends[i]; i++)
    {
      lk_executable_free (executables[i]);
      lk_backend_unref (backends[i]);
    }
  net_clear (&net);
}

/* The same bits before and after a larger program took the arena's place. */
static void
check_growth (LkBackend *backend)
{
  Net small = net_new (5), large = net_new (301);
  g_autoptr (LkExecutable) first = net_compile (&small, backend);
  g_autofree float *before = net_run (&small, backend, first);
  g_autoptr (LkExecutable) second = net_compile (&large, backend);
  g_autofree float *after = net_run (&small, backend, first);
  g_autofree float *big = net_run (&large, backend, second);
  g_autofree float *again = net_run (&small, backend, first);

  g_assert_cmpmem (before, net_floats (&small) * 4, after, net_floats (&small) * 4);
  g_assert_cmpmem (before, net_floats (&small) * 4, again, net_floats (&small) * 4);
  g_assert_true (isfinite (big[0]));
  net_clear (&small);
  net_clear (&large);
}

static void
test_growth (void)
{
  g_autoptr (LkBackend) cpu = lk_backend_new_cpu (2);
  g_autoptr (LkBackend) gpu = lk_backend_new ("vulkan", NULL);

  check_growth (cpu);
  if (gpu)
    check_growth (gpu);
}

/* Allocations of 64 KiB: activations of a few hundred KiB lie in many, with the same bits as in one. */
static void
test_small_blocks (void)
{
  Net net = net_new (101);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) whole = lk_backend_new ("vulkan", NULL);
  g_autoptr (LkBackend) pieces = NULL;
  g_autoptr (LkExecutable) a = NULL;
  g_autoptr (LkExecutable) b = NULL;
  LkMemoryPlan plan;

  if (!whole)
    {
      net_clear (&net);
      g_test_skip ("no Vulkan device");
      return;
    }
  pieces = _lk_backend_new_gpu ("vulkan", LK_PRECISION_FLOAT32, LK_GPU_SMALL_BLOCKS, &error);
  g_assert_no_error (error);
  lk_backend_plan (pieces, net.program, &plan);
  g_assert_cmpuint (plan.activations, >, 3 * (64 << 10));
  a = net_compile (&net, whole);
  b = net_compile (&net, pieces);
  {
    g_autofree float *x = net_run (&net, whole, a), *y = net_run (&net, pieces, b);

    g_assert_cmpmem (x, net_floats (&net) * 4, y, net_floats (&net) * 4);
  }
  net_clear (&net);
}

/* What a kernel reads where the computer's memory is takes none of the device's, and changes no number. */
static void
test_beside (void)
{
  Net net = net_new (171);
  g_autoptr (GError) error = NULL;
  guint64 used[2];
  float *out[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LkBackend) backend = _lk_backend_new_gpu ("vulkan", LK_PRECISION_FLOAT32, LK_GPU_FORCE_STAGING, &error);
      g_autoptr (LkExecutable) executable = NULL;
      guint64 before;

      if (!backend)
        {
          net_clear (&net);
          g_test_skip (error->message);
          return;
        }
      g_assert_true (lk_backend_has_own_memory (backend));
      before = lk_backend_get_memory (backend);
      net.x->beside = i == 1;
      executable = net_compile (&net, backend);
      used[i] = before - lk_backend_get_memory (backend);
      out[i] = net_run (&net, backend, executable);
    }
  g_assert_cmpmem (out[0], net_floats (&net) * 4, out[1], net_floats (&net) * 4);
  g_assert_cmpuint (used[0] - used[1], >=, net.x->bytes / 256 * 256);
  g_assert_cmpuint (used[0] - used[1], <=, net.x->bytes + 4096);
  g_free (out[0]);
  g_free (out[1]);
  net_clear (&net);
}

/* One activation that is larger than an allocation may be. */
static void
test_large_piece (void)
{
  Net net = net_new (171);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) pieces = _lk_backend_new_gpu ("vulkan", LK_PRECISION_FLOAT32, LK_GPU_SMALL_BLOCKS, &error);

  if (!pieces)
    {
      net_clear (&net);
      g_test_skip (error->message);
      return;
    }
  /* the variables alone would be refused first */
  g_assert_cmpuint (net.x->bytes, >, 64 << 10);
  g_assert_null (lk_backend_compile (pieces, net.program, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "in one piece"));
  net_clear (&net);
}

typedef struct
{
  gint first, last;
  guint64 begin, end;
} Span;

static GArray *
spans_of (LkProgram *program, const LkMemoryPlaces *places)
{
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (Span));

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);
      Span s = { -1, -1, places->tensors[id], places->tensors[id] + t->bytes };

      for (guint i = 0; !t->variable && i < lk_program_get_n_nodes (program); i++)
        {
          const LkNode *node = lk_program_get_node (program, i);
          gboolean used = FALSE;

          for (guint k = 0; k < node->n_in; k++)
            used |= node->in[k] == id;
          for (guint k = 0; k < node->n_out; k++)
            used |= node->out[k] == id;
          if (used && s.first < 0)
            s.first = (gint) i;
          if (used)
            s.last = (gint) i;
        }
      if (s.first >= 0)
        g_array_append_val (spans, s);
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      Span s = { (gint) i, (gint) i, places->scratch[i], places->scratch[i] + places->scratch_bytes[i] };
      if (s.end > s.begin)
        g_array_append_val (spans, s);
    }
  return spans;
}

/* What lives at the same time lies apart, on the boundary asked for, inside one allocation, and inside the arena. */
static void
test_places (void)
{
  static const guint64 blocks[] = { 0, 48 << 10, 64 << 10, 1 << 20 };
  Net net = net_new (101);

  for (guint b = 0; b < G_N_ELEMENTS (blocks); b++)
    {
      LkMemoryRules rules = { b & 1 ? LK_TARGET_GPU : LK_TARGET_CPU, 3, 256, blocks[b] };
      LkMemoryPlaces places;
      LkMemoryPlan plan;
      g_autoptr (GArray) spans = NULL;

      lk_memory_plan (net.program, &rules, &plan, &places);
      spans = spans_of (net.program, &places);
      g_assert_cmpuint (spans->len, >, 10);
      for (guint i = 0; i < spans->len; i++)
        {
          const Span *x = &g_array_index (spans, Span, i);

          g_assert_cmpuint (x->begin % 256, ==, 0);
          g_assert_cmpuint (x->end, <=, plan.activations);
          g_assert_cmpuint (x->end - x->begin, <=, plan.largest);
          if (blocks[b] && x->end - x->begin <= blocks[b])
            g_assert_cmpuint (x->begin / blocks[b], ==, (x->end - 1) / blocks[b]);
          for (guint k = 0; k < i; k++)
            {
              const Span *y = &g_array_index (spans, Span, k);
              g_assert_true (x->last < y->first || y->last < x->first || x->end <= y->begin || y->end <= x->begin);
            }
        }
      lk_memory_places_clear (&places);
    }
  net_clear (&net);
}

/* Each fits by itself, all together do not: refused before anything is taken, not ended by the system later. */
static void
test_refused_variables (void)
{
  g_autoptr (LkBackend) cpu = lk_backend_new_cpu (1);
  g_autoptr (LkVariables) variables = lk_variables_new ();
  gint64 third = (gint64) (lk_backend_get_memory (cpu) / 3 / sizeof (float));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *name = g_strdup_printf ("v%u", i);
      lk_variables_add_f32 (variables, name, LK_VARIABLE_STATE, 1, third);
    }
  g_assert_false (lk_backend_prepare (cpu, variables, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "are free"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program/compiled-often", test_compiled_often);
  g_test_add_func ("/program/growth", test_growth);
  g_test_add_func ("/program/small-blocks", test_small_blocks);
  g_test_add_func ("/program/beside", test_beside);
  g_test_add_func ("/program/large-piece", test_large_piece);
  g_test_add_func ("/program/places", test_places);
  g_test_add_func ("/program/refused-variables", test_refused_variables);
  return g_test_run ();
}
