/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the operations record, against what they compute on the CPU, when bindings, dispatches and submissions
 * are so small that everything is cut into parts. Every tensor, activations and scratch included, lies
 * between guard bytes, and activations begin as NaN, so that what is not written, or written beside its
 * place, is seen.
 */
#include <math.h>
#include <string.h>

#include "lk-backend-cpu.h"
#include "lk-backend-gpu.h"
#include "lk-error.h"
#include "lk-ops.h"
#include "lk-quant.h"
#include "lk-matmul-plan.h"
#include "lk-random.h"
#include "../lk-test-nf4.h"

#define GUARD_BYTES 256
#define GUARD 0xa5

static LkGpuDevice *devices[2]; /* as it is, and with small limits */
static guint n_devices = G_N_ELEMENTS (devices); /* of them, that compare tries */
static LkParallel *parallel;
static guint64 seed;

typedef struct
{
  LkVariables *variables;
  LkProgram *program;
  GPtrArray *contents; /* of variables, kept alive */
} Fixture;

static Fixture
fixture (void)
{
  Fixture f = { lk_variables_new (), NULL, g_ptr_array_new_with_free_func (g_free) };

  f.program = lk_program_new ("test", f.variables);
  return f;
}

static void
fixture_clear (Fixture *f)
{
  lk_program_unref (f->program);
  lk_variables_unref (f->variables);
  g_ptr_array_unref (f->contents);
}

/* A variable of @type with random content of about 1/√scale. */
static LkVariable *
add_random (Fixture *f, const char *name, LkType type, gint64 rows, gint64 cols, float scale)
{
  g_autoptr (GError) error = NULL;
  LkVariable *v = lk_variables_add (f->variables, name, LK_VARIABLE_WEIGHT, type, rows, cols, &error);
  LkRandom random = lk_random (42, seed++);
  gsize n = (gsize) (rows * cols);
  float *values = g_new (float, n);
  guint8 *bytes;

  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    values[i] = lk_random_normal (&random) * scale;
  g_ptr_array_add (f->contents, values);
  v->data = (const guint8 *) values;
  if (type == LK_TYPE_F32)
    return v;
  bytes = g_malloc (v->bytes);
  if (lk_type_info (type)->side_bytes > 0)
    lk_test_nf4_quantise (type, values, rows, cols, bytes);
  else
    lk_quant_info (type)->quantise (values, bytes, (gint64) n);
  g_ptr_array_add (f->contents, bytes);
  v->data = bytes;
  return v;
}

static LkVariable *
add_ints (Fixture *f, const char *name, gint64 rows, gint64 cols, const gint32 *values)
{
  LkVariable *v = lk_variables_add_i32 (f->variables, name, LK_VARIABLE_INPUT, rows, cols);
  gint32 *copy = g_memdup2 (values, v->bytes);

  g_ptr_array_add (f->contents, copy);
  v->data = (const guint8 *) copy;
  return v;
}

/* Asks for the gradient of @variable, in a variable that does not begin at zero. */
static LkVariable *
want_gradient (Fixture *f, LkVariable *variable)
{
  g_autofree char *name = g_strconcat ("gradient of ", variable->name, NULL);

  variable->gradient = add_random (f, name, LK_TYPE_F32, variable->rows, variable->cols, 1);
  return variable;
}

/* A float view of @rows × @cols that begins @at floats into a random variable, with its own gradient view. */
static LkVariable *
add_parameter (Fixture *f, const char *name, guint64 at, gint64 rows, gint64 cols, float scale)
{
  g_autofree char *base_name = g_strconcat (name, ".base", NULL), *g_name = g_strconcat ("g.", name, NULL);
  g_autofree char *g_base_name = g_strconcat ("g.", name, ".base", NULL);
  LkVariable *base = add_random (f, base_name, LK_TYPE_F32, 1, rows * cols + (gint64) at + 5, scale);
  LkVariable *g_base = add_random (f, g_base_name, LK_TYPE_F32, 1, rows * cols + (gint64) at + 5, scale);
  LkVariable *view = lk_variables_add_view (f->variables, name, base, at, rows, cols);

  view->gradient = lk_variables_add_view (f->variables, g_name, g_base, at, rows, cols);
  return view;
}

static LkTensorId
id_of (Fixture *f, LkVariable *v)
{
  return lk_program_variable (f->program, v);
}

/* Gives @y a random gradient and appends the backward half. */
static void
add_gradients (Fixture *f, LkTensorId y)
{
  LkTensor *t = lk_program_get_tensor (f->program, y);
  LkVariable *dy = add_random (f, "dy", LK_TYPE_F32, t->rows, t->cols, 1);

  lk_program_set_gradient (f->program, y, id_of (f, dy));
  lk_program_add_gradients (f->program, 0);
}

/* Where everything lies in one guarded memory, the same on both sides. */
typedef struct
{
  guint64 *tensors, *scratch; /* offsets by tensor id and by node */
  guint64 *scratch_bytes;
  guint64 total;
} Layout;

static guint64
place (Layout *l, guint64 bytes)
{
  guint64 at = l->total + GUARD_BYTES;

  l->total = (at + bytes + GUARD_BYTES + 255) & ~(guint64) 255;
  return at;
}

static Layout
lay_out (Fixture *f, LkTarget target)
{
  guint n = lk_program_get_n_tensors (f->program), n_nodes = lk_program_get_n_nodes (f->program);
  Layout l = { g_new0 (guint64, n + 1), g_new0 (guint64, n_nodes), g_new0 (guint64, n_nodes), 0 };
  g_autoptr (GHashTable) bases = g_hash_table_new (NULL, NULL);

  for (guint id = 1; id <= n; id++)
    {
      LkTensor *t = lk_program_get_tensor (f->program, id);
      LkVariable *base = t->variable && t->variable->base ? t->variable->base : t->variable;
      guint64 at = base ? GPOINTER_TO_SIZE (g_hash_table_lookup (bases, base)) : 0;
      if (!at)
        at = place (&l, base ? base->bytes : t->bytes);
      if (base)
        g_hash_table_insert (bases, base, GSIZE_TO_POINTER (at));
      l.tensors[id] = at + (t->variable ? t->variable->base_offset : 0);
    }
  for (guint i = 0; i < n_nodes; i++)
    {
      LkNode *node = lk_program_get_node (f->program, i);
      l.scratch_bytes[i]
        = node->operation->scratch
            ? node->operation->scratch (f->program, node, target, lk_parallel_get_workers (parallel))
            : 0;
      l.scratch[i] = place (&l, l.scratch_bytes[i]);
    }
  return l;
}

static void
layout_clear (Layout *l)
{
  g_free (l->tensors);
  g_free (l->scratch);
  g_free (l->scratch_bytes);
}

/* Guards, NaN where activations and scratch will be, the variables' content. */
static guint8 *
initial (Fixture *f, const Layout *l)
{
  guint8 *memory = g_aligned_alloc (1, l->total, 64);

  memset (memory, GUARD, l->total);
  for (guint i = 0; i < lk_program_get_n_nodes (f->program); i++)
    memset (memory + l->scratch[i], 0xff, l->scratch_bytes[i]);
  for (guint id = 1; id <= lk_program_get_n_tensors (f->program); id++)
    {
      LkTensor *t = lk_program_get_tensor (f->program, id);
      LkVariable *v = t->variable;
      if (!v)
        memset (memory + l->tensors[id], 0xff, t->bytes);
      else if (v->base)
        memcpy (memory + l->tensors[id] - v->base_offset, v->base->data, v->base->bytes);
      else
        memcpy (memory + l->tensors[id], v->data, v->bytes);
    }
  return memory;
}

/* All that is neither tensor nor scratch still holds the guard byte. */
static void
check_guards (Fixture *f, const Layout *l, const guint8 *memory)
{
  g_autofree guint8 *inside = g_malloc0 (l->total);

  for (guint i = 0; i < lk_program_get_n_nodes (f->program); i++)
    memset (inside + l->scratch[i], 1, l->scratch_bytes[i]);
  for (guint id = 1; id <= lk_program_get_n_tensors (f->program); id++)
    {
      LkTensor *t = lk_program_get_tensor (f->program, id);
      LkVariable *base = t->variable ? t->variable->base : NULL;
      memset (inside + l->tensors[id] - (base ? t->variable->base_offset : 0), 1,
              base ? base->bytes : t->bytes);
    }
  for (guint64 i = 0; i < l->total; i++)
    if (!inside[i] && memory[i] != GUARD)
      g_error ("byte %" G_GUINT64_FORMAT " beside all tensors was overwritten", i);
}

static guint8 *
run_on_cpu (Fixture *f, const Layout *l)
{
  guint8 *memory = initial (f, l);
  g_autofree guint8 **data = g_new0 (guint8 *, lk_program_get_n_tensors (f->program) + 1);
  LkCpuTask task = { f->program, parallel, lk_cpu_kernels (), data, NULL, 0 };

  for (guint id = 1; id <= lk_program_get_n_tensors (f->program); id++)
    data[id] = memory + l->tensors[id];
  for (guint i = 0; i < lk_program_get_n_nodes (f->program); i++)
    {
      LkNode *node = lk_program_get_node (f->program, i);
      task.scratch_bytes = l->scratch_bytes[i];
      task.scratch = memory + l->scratch[i];
      node->operation->run (&task, node);
    }
  check_guards (f, l, memory);
  return memory;
}

/* Records once, runs @runs times from the same beginning: all must give the same bits. */
static guint8 *
run_on_gpu (Fixture *f, LkGpuDevice *device, const Layout *l, guint runs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuBuffer) buffer = lk_gpu_buffer_new (device, LK_GPU_ACTIVATIONS, l->total, "test", &error);
  g_autoptr (LkGpuRecorder) recorder = lk_gpu_recorder_new (device);
  g_autoptr (LkGpuRecording) recording = NULL;
  g_autofree LkGpuSlice *slices = g_new0 (LkGpuSlice, lk_program_get_n_tensors (f->program) + 1);
  guint8 *begin = initial (f, l), *result = g_malloc (l->total), *again = g_malloc (l->total);
  LkGpuTask task = { f->program, device, recorder, { 0 }, slices };

  g_assert_no_error (error);
  for (guint id = 1; id <= lk_program_get_n_tensors (f->program); id++)
    slices[id] = (LkGpuSlice){ buffer, l->tensors[id], lk_program_get_tensor (f->program, id)->bytes };
  for (guint i = 0; i < lk_program_get_n_nodes (f->program); i++)
    {
      LkNode *node = lk_program_get_node (f->program, i);
      task.scratch = (LkGpuSlice){ buffer, l->scratch[i], l->scratch_bytes[i] };
      g_assert_true (node->operation->record (&task, node, &error));
      g_assert_no_error (error);
    }
  recording = lk_gpu_recorder_finish (recorder, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < runs; i++)
    {
      g_assert_true (lk_gpu_upload ((LkGpuSlice){ buffer, 0, l->total }, begin, l->total, &error));
      g_assert_true (lk_gpu_recording_run (recording, &error));
      g_assert_true (
        lk_gpu_download ((LkGpuSlice){ buffer, 0, l->total }, i ? again : result, l->total, &error));
      g_assert_no_error (error);
      if (i)
        g_assert_true (memcmp (result, again, l->total) == 0);
    }
  g_test_message ("%u dispatches, %u submissions, %u barriers", lk_gpu_recording_get_n_dispatches (recording),
                  lk_gpu_recording_get_n_submissions (recording),
                  lk_gpu_recording_get_n_barriers (recording));
  check_guards (f, l, result);
  g_aligned_free (begin);
  g_free (again);
  return result;
}

/* Largest difference in units of the tensor's largest element; where the twin has no number, or none that is finite, ours is the same. */
static double
deviation (const float *expected, const float *got, gsize n)
{
  double most = 0, size = 0;

  for (gsize i = 0; i < n; i++)
    {
      double difference = fabs ((double) expected[i] - (double) got[i]);

      if (isfinite (expected[i]))
        size = MAX (size, fabs ((double) expected[i]));
      if (expected[i] == got[i] || (isnan (expected[i]) && isnan (got[i])))
        continue;
      most = isnan (difference) ? INFINITY : MAX (most, difference);
    }
  /* sums that cancel leave rounding errors of what was summed, which is of the order of one */
  return most / MAX (size, 1e-2);
}

static void
compare (Fixture *f, double tolerance)
{
  Layout cpu = lay_out (f, LK_TARGET_CPU), gpu = lay_out (f, LK_TARGET_GPU);
  guint8 *expected = run_on_cpu (f, &cpu);

  for (guint i = 0; i < n_devices; i++)
    {
      g_autofree guint8 *got = run_on_gpu (f, devices[i], &gpu, 3);
      for (guint id = 1; id <= lk_program_get_n_tensors (f->program); id++)
        {
          LkTensor *t = lk_program_get_tensor (f->program, id);
          double d;
          if (t->type != LK_TYPE_F32)
            continue;
          d = deviation ((const float *) (void *) (expected + cpu.tensors[id]),
                         (const float *) (void *) (got + gpu.tensors[id]), t->bytes / sizeof (float));
          if (!(d <= tolerance))
            g_error ("“%s” deviates by %g from the CPU (%s limits)", t->name, d, i ? "small" : "full");
        }
    }
  g_aligned_free (expected);
  layout_clear (&cpu);
  layout_clear (&gpu);
}

static void
check_linear (LkType type, gint64 rows, gint64 in, gint64 out, guint n_adapters, const gint64 *ranks,
              float dropout, gboolean train_w)
{
  static const gint32 random[] = { 77, 1234567, 5, 11 };
  static const char *const names[][2] = { { "a0", "b0" }, { "a1", "b1" }, { "a2", "b2" } };
  Fixture f = fixture ();
  LkVariable *x = want_gradient (&f, add_random (&f, "x", LK_TYPE_F32, rows, in, 1));
  LkVariable *w
    = train_w ? add_parameter (&f, "w", 3, out, in, 0.1f) : add_random (&f, "w", type, out, in, 0.1f);
  LkVariable *strength = add_random (&f, "strength", LK_TYPE_F32, 1, 1, 1);
  LkLinearAdapter adapters[3];
  LkLinearOptions options
    = { adapters, n_adapters, dropout, id_of (&f, add_ints (&f, "random", 1, 4, random)), 9 };

  for (guint i = 0; i < n_adapters; i++)
    adapters[i] = (LkLinearAdapter){ id_of (&f, add_parameter (&f, names[i][0], 1 + i, ranks[i], in, 0.1f)),
                                     id_of (&f, add_parameter (&f, names[i][1], 7 + i, out, ranks[i], 0.1f)),
                                     id_of (&f, strength), 0.5f + (float) i };
  add_gradients (&f, lk_op_linear (f.program, "y", id_of (&f, x), id_of (&f, w), &options));
  compare (&f, 5e-6);
  fixture_clear (&f);
}

static gboolean
skip_without_device (void)
{
  if (devices[0])
    return FALSE;
  g_test_skip ("There is no Vulkan device.");
  return TRUE;
}

/* A software device compiles a product's kernels for seconds. Small limits change where buffers begin, which is the same for all types
 * but for those whose rows are counted in bytes and those with scales apart: one of each kind is tried with them. */
static gboolean
small_limits_matter (LkType type)
{
  return type == LK_TYPE_F32 || type == LK_TYPE_F16 || type == LK_TYPE_Q4_K || type == LK_TYPE_MXFP4 || type == LK_TYPE_NF4;
}

static void
test_linear (gconstpointer data)
{
  LkType type = GPOINTER_TO_INT (data);
  const LkTypeInfo *info = lk_type_info (type);
  gint64 in = info->block_elements == 1 ? 131 : info->side_bytes > 0 ? 1092 : info->block_elements == 32 ? 160 : 512;

  if (skip_without_device ())
    return;
  n_devices = small_limits_matter (type) ? G_N_ELEMENTS (devices) : 1;
  check_linear (type, 37, in, 139, 0, NULL, 0, FALSE);
  check_linear (type, 2, in, 70, 0, NULL, 0, FALSE);
  n_devices = G_N_ELEMENTS (devices);
}

/* Every row of the table of tiles that the device has room for, also those that it would not choose: other devices choose them. */
static void
test_tiles (void)
{
  guint tried = 0;

  if (skip_without_device ())
    return;
  n_devices = 1;
  for (const LkMatmulTile *tile = lk_matmul_tiles (); tile->name; tile++)
    if (tile->path == LK_MATMUL_FLOAT32 && lk_gpu_device_set_tile (devices[0], tile->name))
      {
        g_test_message ("%s", tile->name);
        check_linear (LK_TYPE_F32, 137, 131, 139, 0, NULL, 0, FALSE); /* rows end inside quads */
        if (tried++ == 0)
          check_linear (LK_TYPE_F16, 137, 132, 140, 0, NULL, 0, FALSE); /* read in quads */
      }
  lk_gpu_device_set_tile (devices[0], NULL);
  n_devices = G_N_ELEMENTS (devices);
  g_assert_cmpuint (tried, >=, 4);
}

/* What is no number stays none, and what is large is capped. */
static void
test_no_number (void)
{
  Fixture f = fixture ();

  if (!skip_without_device ())
    {
      LkVariable *x = add_random (&f, "x", LK_TYPE_F32, 3, 7, 20);
      float *values = (float *) (void *) x->data;

      values[2] = NAN;
      values[3] = INFINITY;
      values[4] = -1e30f;
      lk_op_soft_cap (f.program, "y", id_of (&f, x), 0.5f);
      compare (&f, 1e-6);
    }
  fixture_clear (&f);
}

static void
test_adapters (void)
{
  if (skip_without_device ())
    return;
  check_linear (LK_TYPE_Q8_0, 67, 96, 81, 3, (const gint64[]){ 1, 17, 64 }, 0, FALSE);
  check_linear (LK_TYPE_F32, 130, 67, 33, 1, (const gint64[]){ 8 }, 0.25f, FALSE);
  check_linear (LK_TYPE_Q4_0, 143, 160, 170, 1, (const gint64[]){ 4 }, 0, FALSE);
  for (gint64 rows = 1; rows <= 5; rows++)
    check_linear (LK_TYPE_Q5_0, rows, 96, 70, 0, NULL, 0, FALSE);
  check_linear (LK_TYPE_Q4_1, 131, 64, 5, 1, (const gint64[]){ 3 }, 0, FALSE);
  check_linear (LK_TYPE_F32, 2, 70, 33, 2, (const gint64[]){ 5, 8 }, 0, FALSE);
  check_linear (LK_TYPE_F32, 19, 66, 35, 2, (const gint64[]){ 16, 5 }, 0.5f, TRUE);
}

static void
test_embedding (gconstpointer data)
{
  LkType type = GPOINTER_TO_INT (data);
  static const gint32 ids[] = { 0, 258, 3, 100, 257, 3, -1, 1000000, 42 };
  Fixture f = fixture ();
  gint64 cols = lk_type_info (type)->block_elements == 1 ? 131 : 512;

  if (!skip_without_device ())
    {
      lk_op_embedding (f.program, "y", id_of (&f, add_ints (&f, "ids", 1, 9, ids)),
                       id_of (&f, add_random (&f, "table", type, 259, cols, 1)), 1.5f);
      compare (&f, 1e-7);
    }
  fixture_clear (&f);
}

static void
test_trained_embedding (void)
{
  static const gint32 ids[] = { 0, 30, 3, 3, 3, 30, 2 };
  Fixture f = fixture ();

  if (!skip_without_device ())
    {
      LkVariable *table = add_parameter (&f, "table", 5, 31, 67, 1);
      add_gradients (&f, lk_op_embedding (f.program, "y", id_of (&f, add_ints (&f, "ids", 1, 7, ids)),
                                          id_of (&f, table), 0.25f));
      compare (&f, 1e-6);
    }
  fixture_clear (&f);
}

static void
test_norms_and_gates (void)
{
  static const gint64 shapes[][2] = { { 1, 1 }, { 3, 7 }, { 70, 257 }, { 5, 2048 } };

  for (guint i = 0; i < G_N_ELEMENTS (shapes) && !skip_without_device (); i++)
    {
      Fixture f = fixture ();
      LkVariable *x = want_gradient (&f, add_random (&f, "x", LK_TYPE_F32, shapes[i][0], shapes[i][1], 1));
      LkVariable *z = want_gradient (&f, add_random (&f, "z", LK_TYPE_F32, shapes[i][0], shapes[i][1], 2));
      LkVariable *w = add_parameter (&f, "w", 3, 1, shapes[i][1], 1);
      LkTensorId n = lk_op_rms_norm (f.program, "n", id_of (&f, x), id_of (&f, w), 0.2f, 0);
      LkTensorId g = lk_op_glu (f.program, "g", n, id_of (&f, z), LK_ACTIVATION_SILU);
      LkTensorId s = lk_op_add (f.program, "s", g, id_of (&f, x));

      add_gradients (&f, lk_op_rms_norm (f.program, "y", s, id_of (&f, w), 0.1f, 0));
      compare (&f, 1e-5);
      fixture_clear (&f);
    }
}

/* @pattern 0: one causal sequence; 1: packed sequences and padding; 2: a window with rows that see nothing */
static void
fill_ranges (gint32 *ranges, gint64 rows, guint pattern)
{
  for (gint32 i = 0; i < rows; i++)
    {
      gint32 begin = pattern == 0 ? 0 : pattern == 1 ? i / 29 * 29 : MAX (0, i - 13);
      gboolean blind = (pattern == 1 && i >= rows - 3) || (pattern == 2 && i % 7 == 3);
      ranges[2 * i] = blind ? 0 : begin;
      ranges[2 * i + 1] = blind ? 0 : i + 1;
    }
}

static void
check_attention (gint64 rows, guint heads, guint kv_heads, gint64 d, guint pattern)
{
  Fixture f = fixture ();
  g_autofree gint32 *ranges = g_new (gint32, 2 * (gsize) rows), *positions = g_new (gint32, (gsize) rows);
  LkVariable *q = want_gradient (&f, add_random (&f, "q", LK_TYPE_F32, rows, heads * d, 1));
  LkVariable *k = want_gradient (&f, add_random (&f, "k", LK_TYPE_F32, rows, kv_heads * d, 1));
  LkVariable *v = want_gradient (&f, add_random (&f, "v", LK_TYPE_F32, rows, kv_heads * d, 1));
  LkVariable *table = add_random (&f, "table", LK_TYPE_F32, 50, d, 1);
  LkAttentionOptions options = { heads, kv_heads, 1.0f / sqrtf ((float) d), 0, 0 };
  LkTensorId p, turned[2];

  fill_ranges (ranges, rows, pattern);
  for (gint32 i = 0; i < rows; i++)
    positions[i] = i % 53 - 1;
  p = id_of (&f, add_ints (&f, "positions", 1, rows, positions));
  turned[0] = lk_op_rope (f.program, "q.turned", id_of (&f, q), p, id_of (&f, table), heads);
  turned[1] = lk_op_rope (f.program, "k.turned", id_of (&f, k), p, id_of (&f, table), kv_heads);
  add_gradients (&f, lk_op_attention (f.program, "o", turned[0], turned[1], id_of (&f, v),
                                      id_of (&f, add_ints (&f, "ranges", rows, 2, ranges)), &options));
  compare (&f, 1e-5);
  fixture_clear (&f);
}

static void
test_attention (void)
{
  static const struct { gint64 rows; guint heads, kv_heads; gint64 d; guint pattern; } cases[] = {
    { 1, 1, 1, 2, 0 },    { 33, 4, 2, 16, 0 },  { 67, 3, 1, 64, 1 },  { 100, 2, 2, 64, 2 },
    { 8, 4, 2, 80, 1 },   { 7, 2, 1, 256, 0 },
    { 41, 2, 1, 80, 1 },  { 35, 2, 2, 128, 0 }, { 19, 3, 1, 192, 1 }, { 21, 2, 1, 256, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases) && !skip_without_device (); i++)
    check_attention (cases[i].rows, cases[i].heads, cases[i].kv_heads, cases[i].d, cases[i].pattern);
}

/* Keys and values come from a cache longer than the batch, as in decoding. */
static void
test_cache (void)
{
  static const gint32 slots[] = { 40, -1, 41, 700, 42 };
  static const gint32 ranges[] = { 0, 641, 0, 0, 3, 42, 690, 900, 40, 43 };
  static const gint32 rows[] = { 4, 0, 99 };
  Fixture f = fixture ();
  LkAttentionOptions options = { 4, 2, 0.3f, 0, 0 };
  LkTensorId s, k, v, o;

  if (!skip_without_device ())
    {
      s = id_of (&f, add_ints (&f, "slots", 1, 5, slots));
      k = lk_op_cache_append (f.program, id_of (&f, add_random (&f, "k", LK_TYPE_F32, 5, 34, 1)), s,
                              id_of (&f, add_random (&f, "k.cache", LK_TYPE_F32, 700, 34, 1)));
      v = lk_op_cache_append (f.program, id_of (&f, add_random (&f, "v", LK_TYPE_F32, 5, 34, 1)), s,
                              id_of (&f, add_random (&f, "v.cache", LK_TYPE_F32, 700, 34, 1)));
      o = lk_op_attention (f.program, "o", id_of (&f, add_random (&f, "q", LK_TYPE_F32, 5, 68, 1)), k, v,
                           id_of (&f, add_ints (&f, "ranges", 5, 2, ranges)), &options);
      lk_op_gather (f.program, "y", o, id_of (&f, add_ints (&f, "rows", 1, 3, rows)));
      compare (&f, 1e-5);
    }
  fixture_clear (&f);
}

/* Which tokens have a target: 0 none, 1 all, 2 some, with ids outside the vocabulary. */
static void
check_head (LkType type, gint64 rows, gint64 hidden, gint64 vocab, guint pattern, gboolean gradient,
            gboolean train_w)
{
  Fixture f = fixture ();
  g_autofree gint32 *targets = g_new (gint32, (gsize) rows);
  LkVariable *x = want_gradient (&f, add_random (&f, "x", LK_TYPE_F32, rows, hidden, 1));
  LkVariable *w = train_w ? add_parameter (&f, "w", 3, vocab, hidden, 0.1f)
                          : add_random (&f, "w", type, vocab, hidden, 0.1f);
  LkVariable *loss = add_random (&f, "loss", LK_TYPE_F32, 1, 2, 1);
  LkVariable *logprobs = add_random (&f, "logprobs", LK_TYPE_F32, 1, rows, 1);

  for (gint32 i = 0; i < rows; i++)
    targets[i] = pattern == 0 || (pattern == 2 && i % 3 == 1) ? -1
                 : pattern == 2 && i % 11 == 0 ? (gint32) vocab : (gint32) ((i * 37) % vocab);
  lk_op_head_loss (f.program, id_of (&f, x), id_of (&f, w),
                   id_of (&f, add_ints (&f, "targets", 1, rows, targets)), id_of (&f, loss),
                   pattern == 1 ? 0 : id_of (&f, logprobs), 0, gradient);
  lk_program_add_gradients (f.program, 0);
  compare (&f, 1e-5);
  fixture_clear (&f);
}

static void
test_head (void)
{
  if (skip_without_device ())
    return;
  check_head (LK_TYPE_F32, 7, 19, 33, 0, TRUE, TRUE);
  check_head (LK_TYPE_F32, 45, 35, 301, 2, TRUE, TRUE);
  check_head (LK_TYPE_Q8_0, 45, 64, 301, 1, TRUE, FALSE);
  check_head (LK_TYPE_Q4_1, 45, 64, 301, 2, FALSE, FALSE);
  /* several chunks of rows, the last ones with nothing left to do */
  check_head (LK_TYPE_F32, 1200, 4, 17, 2, TRUE, TRUE);
}

static void
check_update (gint64 n, gint64 n_decayed, float max_norm, float spoil)
{
  Fixture f = fixture ();
  LkVariable *p = add_random (&f, "p", LK_TYPE_F32, 1, n, 1), *g = add_random (&f, "g", LK_TYPE_F32, 1, n, 1);
  LkVariable *m = add_random (&f, "m", LK_TYPE_F32, 1, n, 0.1f),
             *v = add_random (&f, "v", LK_TYPE_F32, 1, n, 0.1f);
  LkVariable *hyper = add_random (&f, "hyper", LK_TYPE_F32, 1, LK_N_HYPER, 1);
  LkVariable *norm = add_random (&f, "norm", LK_TYPE_F32, 1, 2, 1);
  const float values[LK_N_HYPER]
    = { 0.01f, 0.9f, 0.99f, 1e-8f, 0.1f, max_norm, 1.5f, 2.5f, 1 / 7.0f, 0.1f, 0.01f, 0 };

  memcpy ((guint8 *) hyper->data, values, sizeof values);
  for (gint64 i = 0; i < n; i++)
    ((float *) (void *) v->data)[i] *= ((float *) (void *) v->data)[i];
  if (spoil != 0)
    ((float *) (void *) g->data)[n / 2] = spoil;
  lk_op_gradient_norm (f.program, id_of (&f, g), id_of (&f, hyper), id_of (&f, norm));
  lk_op_adamw (f.program, id_of (&f, p), id_of (&f, g), id_of (&f, m), id_of (&f, v), id_of (&f, hyper),
               id_of (&f, norm), n_decayed);
  /* a norm that is not finite is compared by its flag and by what it leaves alone */
  if (spoil == 0)
    compare (&f, 2e-6);
  else
    {
      Layout l = lay_out (&f, LK_TARGET_GPU);
      g_autofree guint8 *got = run_on_gpu (&f, devices[1], &l, 2);
      g_assert_cmpfloat (((float *) (void *) (got + l.tensors[id_of (&f, norm)]))[1], ==, 0);
      g_assert_cmpmem (got + l.tensors[id_of (&f, p)], p->bytes, p->data, p->bytes);
      for (gint64 i = 0; i < n; i++)
        g_assert_cmpfloat (((float *) (void *) (got + l.tensors[id_of (&f, g)]))[i], ==, 0);
      layout_clear (&l);
    }
  fixture_clear (&f);
}

static void
test_update (void)
{
  if (skip_without_device ())
    return;
  check_update (1, 0, 1, 0);
  check_update (70001, 5000, 0, 0);
  check_update (131075, 131075, 1, 0);
  check_update (70001, 5000, 1, NAN);
  check_update (70001, 5000, 1, INFINITY);
}

static void
test_refused_type (void)
{
  static const gint32 ids[] = { 0 };
  Fixture f = fixture ();
  g_autoptr (GError) error = NULL;

  if (!skip_without_device ())
    {
      g_autoptr (LkGpuRecorder) recorder = lk_gpu_recorder_new (devices[0]);
      LkGpuSlice slices[8] = { { 0 } };
      LkGpuTask task = { f.program, devices[0], recorder, { 0 }, slices };
      LkVariable *table
        = lk_variables_add (f.variables, "table", LK_VARIABLE_WEIGHT, LK_TYPE_I16, 2, 256, NULL);
      LkNode *node;
      lk_op_embedding (f.program, "y", id_of (&f, add_ints (&f, "ids", 1, 1, ids)), id_of (&f, table), 1);
      node = lk_program_get_node (f.program, 0);
      g_assert_false (node->operation->record (&task, node, &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, "I16"));
    }
  fixture_clear (&f);
}

/* Every type a weight may have. With layers or sanitizers only "/gpu/record" runs: of the types, which differ in how a number is
 * unpacked and no more, one of each kind stands there, as compiling them all again takes minutes. */
static void
add_type_tests (void)
{
  static const LkType samples[] = { LK_TYPE_F16, LK_TYPE_Q4_K, LK_TYPE_MXFP4, LK_TYPE_NF4 };
  const LkTypeInfo *info;

  for (guint i = 0; (info = lk_type_info_at (i)); i++)
    {
      const char *where = "/gpu/types";
      g_autofree char *linear = NULL, *embedding = NULL;

      for (guint k = 0; k < G_N_ELEMENTS (samples); k++)
        if (samples[k] == info->type)
          where = "/gpu/record";
      linear = g_strconcat (where, "/linear/", info->name, NULL);
      embedding = g_strconcat (where, "/embedding/", info->name, NULL);
      if (!lk_quant_info (info->type))
        continue;
      g_test_add_data_func (linear, GINT_TO_POINTER (info->type), test_linear);
      if (info->side_bytes == 0)
        g_test_add_data_func (embedding, GINT_TO_POINTER (info->type), test_embedding);
    }
}

int
main (int argc, char **argv)
{
  static const LkGpuFlags flags[] = { LK_GPU_DEFAULT, LK_GPU_SMALL_LIMITS | LK_GPU_FORCE_STAGING };
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  int status;

  g_test_init (&argc, &argv, NULL);
  lk_ops_init ();
  parallel = lk_parallel_new (2);
  for (guint i = 0; i < 2; i++)
    devices[i] = lk_gpu_device_new (&choice, flags[i], NULL);
  add_type_tests ();
  g_test_add_func ("/gpu/record/adapters", test_adapters);
  g_test_add_func ("/gpu/record/trained-embedding", test_trained_embedding);
  g_test_add_func ("/gpu/record/norms-and-gates", test_norms_and_gates);
  g_test_add_func ("/gpu/record/attention", test_attention);
  g_test_add_func ("/gpu/record/cache", test_cache);
  g_test_add_func ("/gpu/record/head", test_head);
  g_test_add_func ("/gpu/record/update", test_update);
  g_test_add_func ("/gpu/record/refused-type", test_refused_type);
  g_test_add_func ("/gpu/tiles", test_tiles);
  g_test_add_func ("/gpu/record/no-number", test_no_number);
  status = g_test_run ();
  for (guint i = 0; i < 2 && devices[i]; i++)
    {
      status |= lk_gpu_device_get_validation_errors (devices[i]) > 0;
      lk_gpu_device_unref (devices[i]);
    }
  lk_parallel_free (parallel);
  return status;
}
