/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-bench-kernels.h"

#include <string.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-ops.h"

/* An operation is measured until it took so long altogether, at least and at most so many times; the best counts. */
#define WARM_SECONDS 0.3 /* a graphics card that was idle runs at a fraction of its clock */
#define ENOUGH_SECONDS 0.05
#define LEAST_RUNS 3
#define MOST_RUNS 50
#define MOST_WARM_RUNS 1000

#define SMALL_TOKENS 64 /* what a processor is done with in a moment */
#define SMALL_SHAPE "lorikeet-tiny"
#define LARGE_TOKENS 2048
#define LARGE_SHAPE "llama-3.1-8b"

/* One operation of a case. */
typedef struct
{
  const LkBenchCase *of;
  LkType type;
  char *shape; /* owned */
  LkOperationTime time; /* of the best run */
} Result;

typedef struct
{
  const LkBenchKernels *options;
  LkBenchSizes sizes;
  double rates[LK_N_CEILINGS]; /* of COPY the largest that was seen */
  GHashTable *copies;          /* copy_step () → double*: bytes a second */
  GArray *results;             /* Result */
  JsonArray *left_out;
  char *description;
  LkBackend *backend; /* of the case at hand: with it goes the memory */
} Bench;

static void
clear_result (gpointer data)
{
  g_free (((Result *) data)->shape);
}

/* What is made by lk_op_matmul, and so on matrix units where they are used. */
static gboolean
is_product (const char *operation)
{
  static const char *const products[] = { "linear", "linear_dx", "linear_dw", "lora_gradient", "head_loss" };

  for (guint i = 0; i < G_N_ELEMENTS (products); i++)
    if (g_str_equal (products[i], operation))
      return TRUE;
  return FALSE;
}

static gboolean
open_backend (Bench *self, GError **error)
{
  const LkBenchKernels *o = self->options;
  const LkDevicePlan *plan;

  g_clear_pointer (&self->backend, lk_backend_unref);
  self->backend = lk_backend_new_precise (o->device, o->precision, error);
  if (!self->backend)
    return FALSE;
  plan = lk_backend_get_device_plan (self->backend);
  if (plan && !plan->timestamps)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” keeps no time, so that its kernels cannot be timed",
                   lk_backend_get_description (self->backend));
      return FALSE;
    }
  lk_backend_time_operations (self->backend);
  return TRUE;
}

static gboolean
choose_sizes (Bench *self, GError **error)
{
  const LkDevicePlan *plan = lk_backend_get_device_plan (self->backend);
  gboolean small = !plan || plan->software;

  self->sizes = self->options->sizes;
  if (!self->sizes.shape)
    self->sizes.shape = lk_model_shape_find (small ? SMALL_SHAPE : LARGE_SHAPE, error);
  if (!self->sizes.tokens)
    self->sizes.tokens = small ? SMALL_TOKENS : LARGE_TOKENS;
  return self->sizes.shape != NULL;
}

/* Two steps for each doubling, and the bytes where one begins: a copy of a little less than was asked for is a little faster, so that a
 * fraction rather is too small. */
static guint
copy_step (double bytes, guint64 *begin)
{
  guint64 n = (guint64) MAX (bytes, 4096);
  guint bits = g_bit_storage ((gulong) n) - 1;
  gboolean upper = (n >> (bits - 1)) & 1;

  *begin = (G_GUINT64_CONSTANT (1) << bits) + (upper ? G_GUINT64_CONSTANT (1) << (bits - 1) : 0);
  return 2 * bits + upper;
}

static double
copy_rate (Bench *self, double bytes)
{
  guint64 begin;

  return *(double *) g_hash_table_lookup (self->copies, GUINT_TO_POINTER (copy_step (bytes, &begin)));
}

/* "128 × 256, 768 × 256 → 128 × 768" of the first node of that name. (transfer full) */
static char *
describe_shape (LkProgram *program, const char *operation)
{
  GString *text = g_string_new (NULL);
  const LkNode *node = NULL;

  for (guint i = 0; i < lk_program_get_n_nodes (program) && !node; i++)
    if (g_str_equal (lk_program_get_node (program, i)->operation->name, operation))
      node = lk_program_get_node (program, i);
  for (guint i = 0; node && i < node->n_in + node->n_out; i++)
    {
      LkTensorId id = i < node->n_in ? node->in[i] : node->out[i - node->n_in];
      const LkTensor *t = id ? lk_program_get_tensor (program, id) : NULL;

      if (i == node->n_in)
        g_string_append (text, " → ");
      else if (t && text->len && !g_str_has_suffix (text->str, " "))
        g_string_append (text, ", ");
      if (t)
        g_string_append_printf (text, "%" G_GINT64_FORMAT " × %" G_GINT64_FORMAT, t->rows, t->cols);
    }
  return g_string_free (text, FALSE);
}

/* One run's times; @best: operation → the best LkOperationTime, NULL to let them pass. Returns the seconds of all, < 0 on error. */
static double
time_run (Bench *self, LkExecutable *executable, GHashTable *best, GError **error)
{
  g_autoptr (GArray) times = NULL;
  double spent = 0;

  if (!lk_executable_run (executable, error))
    return -1;
  times = lk_backend_take_times (self->backend);
  for (guint k = 0; k < times->len; k++)
    {
      LkOperationTime *now = &g_array_index (times, LkOperationTime, k);
      LkOperationTime *before = best ? g_hash_table_lookup (best, now->operation) : NULL;

      spent += now->seconds;
      if (best && (!before || now->seconds < before->seconds))
        g_hash_table_insert (best, (gpointer) now->operation, g_memdup2 (now, sizeof *now));
    }
  return spent;
}

/* Runs it until it is known well. */
static gboolean
time_program (Bench *self, LkProgram *program, LkVariables *variables, GHashTable *best, GError **error)
{
  const LkDevicePlan *plan = lk_backend_get_device_plan (self->backend);
  g_autoptr (LkExecutable) executable
      = lk_backend_prepare (self->backend, variables, error) ? lk_backend_compile (self->backend, program, error) : NULL;
  double spent = 0, warm = plan && !plan->software ? WARM_SECONDS : 0;

  for (guint i = 0; executable && i <= MOST_WARM_RUNS && (i == 0 || warm > 0); i++)
    {
      double took = time_run (self, executable, NULL, error);

      if (took < 0)
        return FALSE;
      warm -= took;
    }
  for (guint i = 0; executable && i < MOST_RUNS && (i < LEAST_RUNS || spent < ENOUGH_SECONDS); i++)
    {
      double took = time_run (self, executable, best, error);

      if (took < 0)
        return FALSE;
      spent += took;
    }
  return executable != NULL;
}

/* The floor is the longer of two: its operations at the ceiling's rate, its bytes at a copy's. */
static void
report_result (Bench *self, const Result *r, JsonArray *rows)
{
  gboolean matrix = is_product (r->time.operation) && !g_str_equal (r->of->name, "matvec") && self->rates[LK_CEILING_MATRIX] > 0;
  const char *type = r->type == LK_TYPE_INVALID ? NULL : lk_type_name (r->type);
  double flops = r->time.cost.flops, bytes = r->time.cost.bytes, seconds = r->time.seconds;
  double rate = self->rates[matrix ? LK_CEILING_MATRIX : LK_CEILING_FMA], copy = copy_rate (self, bytes);
  double fraction = MAX (flops / rate, bytes / copy) / seconds;
  gboolean by_bytes = flops / rate < bytes / copy;
  JsonObject *row;

  if (!self->options->json)
    {
      lk_cli_print ("%-22s  %-13s  %-6s %11.1f µs %9.2f Gop/s %8.2f GB/s %5.1f %% of %-7s %s", r->of->name, r->time.operation,
                    type ? type : "", seconds * 1e6, flops / seconds * 1e-9, bytes / seconds * 1e-9, 100 * fraction,
                    by_bytes ? "copying" : matrix ? "matrix" : "fma", r->shape);
      return;
    }
  row = json_object_new ();
  json_object_set_string_member (row, "case", r->of->name);
  json_object_set_string_member (row, "operation", r->time.operation);
  if (type)
    json_object_set_string_member (row, "type", type);
  json_object_set_string_member (row, "shape", r->shape);
  json_object_set_double_member (row, "seconds", seconds);
  json_object_set_double_member (row, "operations", flops);
  json_object_set_double_member (row, "bytes", bytes);
  json_object_set_double_member (row, "operations_per_s", flops / seconds);
  json_object_set_double_member (row, "bytes_per_s", bytes / seconds);
  json_object_set_string_member (row, "ceiling", by_bytes ? "copy" : matrix ? "matrix" : "fma");
  json_object_set_double_member (row, "ceiling_per_s", by_bytes ? copy : rate);
  json_object_set_double_member (row, "fraction", fraction);
  json_array_add_object_element (rows, row);
}

static void
leave_out (Bench *self, const LkBenchCase *which, LkType type, const char *reason)
{
  JsonObject *row;

  if (!self->options->json)
    {
      lk_cli_print ("%-22s left out%s%s: %s", which->name, type == LK_TYPE_INVALID ? "" : " with ",
                    type == LK_TYPE_INVALID ? "" : lk_type_name (type), reason);
      return;
    }
  row = json_object_new ();
  json_object_set_string_member (row, "case", which->name);
  if (type != LK_TYPE_INVALID)
    json_object_set_string_member (row, "type", lk_type_name (type));
  json_object_set_string_member (row, "reason", reason);
  json_array_add_object_element (self->left_out, row);
}

/* In the order of the program. Copies that only bring a gradient to its place are no case's matter. */
static void
keep_results (Bench *self, const LkBenchCase *which, LkType type, LkProgram *program, GHashTable *best)
{
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      const char *name = g_intern_string (lk_program_get_node (program, i)->operation->name);
      LkOperationTime *time = g_hash_table_lookup (best, name);

      if (time && (!g_str_equal (name, "copy") || g_str_equal (which->name, "copy")))
        {
          Result result = { which, type, describe_shape (program, name), *time };

          g_array_append_val (self->results, result);
        }
      g_hash_table_remove (best, name); /* with the first node of its name all are told */
    }
}

/* What has no room on the device, or what it cannot do, is told and left out. */
static gboolean
measure (Bench *self, const LkBenchCase *which, LkType type, GError **error)
{
  g_autoptr (GHashTable) best = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (LkVariables) variables = lk_variables_new ();
  g_autoptr (GError) reason = NULL;
  g_autoptr (LkProgram) program = NULL;

  if (!open_backend (self, error))
    return FALSE;
  program = lk_bench_case_build (which, variables, &self->sizes, type, &reason);
  if (!program || !time_program (self, program, variables, best, &reason))
    {
      if (!g_error_matches (reason, LK_ERROR, LK_ERROR_OUT_OF_MEMORY) && !g_error_matches (reason, LK_ERROR, LK_ERROR_UNSUPPORTED)
          && program)
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      leave_out (self, which, type, reason->message);
      return TRUE;
    }
  keep_results (self, which, type, program, best);
  return TRUE;
}

static gboolean
measure_copy (Bench *self, guint64 bytes, GError **error)
{
  guint64 begin;
  gpointer key = GUINT_TO_POINTER (copy_step ((double) bytes, &begin));
  double *known = g_hash_table_lookup (self->copies, key), rate;

  if (!lk_backend_measure (self->backend, LK_CEILING_COPY, begin, &rate, error))
    return FALSE;
  if (!known)
    g_hash_table_insert (self->copies, key, known = g_new0 (double, 1));
  *known = MAX (*known, rate);
  self->rates[LK_CEILING_COPY] = MAX (self->rates[LK_CEILING_COPY], rate);
  return TRUE;
}

/* Called before and after the kernels: a ceiling that something else on the machine pressed down once is no ceiling. */
static gboolean
measure_ceilings (Bench *self, GError **error)
{
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);

  for (LkCeiling c = LK_CEILING_FMA; c < LK_CEILING_COPY; c++)
    {
      double rate;

      if (!lk_backend_measure (self->backend, c, 0, &rate, error))
        return FALSE;
      self->rates[c] = MAX (self->rates[c], rate);
    }
  for (guint i = 0; i < self->results->len; i++)
    {
      guint64 begin;
      double bytes = g_array_index (self->results, Result, i).time.cost.bytes;

      if (g_hash_table_add (done, GUINT_TO_POINTER (copy_step (bytes, &begin))) && !measure_copy (self, (guint64) bytes, error))
        return FALSE;
    }
  return TRUE;
}

static void
report_text (Bench *self, const char *products)
{
  lk_cli_print ("%s, products in %s, sizes of %s with %" G_GINT64_FORMAT " tokens", self->description, products,
                self->sizes.shape->name, self->sizes.tokens);
  lk_cli_print ("Ceilings: %.1f Gop/s multiplied and added (fma), %.2f GB/s copied", self->rates[LK_CEILING_FMA] * 1e-9,
                self->rates[LK_CEILING_COPY] * 1e-9);
  if (self->rates[LK_CEILING_MATRIX] > 0)
    lk_cli_print ("          %.1f Gop/s on matrix units", self->rates[LK_CEILING_MATRIX] * 1e-9);
  for (guint i = 0; i < self->results->len; i++)
    report_result (self, &g_array_index (self->results, Result, i), NULL);
}

static void
report (Bench *self)
{
  const LkDevicePlan *plan = lk_backend_get_device_plan (self->backend);
  const char *products = lk_matmul_path_describe (plan ? plan->matmul : LK_MATMUL_FLOAT32);
  JsonObject *object, *ceilings;
  JsonArray *rows;

  if (!self->options->json)
    {
      report_text (self, products);
      return;
    }
  object = json_object_new ();
  ceilings = json_object_new ();
  rows = json_array_new ();
  for (guint i = 0; i < self->results->len; i++)
    report_result (self, &g_array_index (self->results, Result, i), rows);
  json_object_set_double_member (ceilings, "fma_operations_per_s", self->rates[LK_CEILING_FMA]);
  if (self->rates[LK_CEILING_MATRIX] > 0)
    json_object_set_double_member (ceilings, "matrix_operations_per_s", self->rates[LK_CEILING_MATRIX]);
  json_object_set_double_member (ceilings, "copy_bytes_per_s", self->rates[LK_CEILING_COPY]);
  json_object_set_string_member (object, "device", self->description);
  json_object_set_string_member (object, "products", products);
  json_object_set_string_member (object, "sizes", self->sizes.shape->name);
  json_object_set_int_member (object, "tokens", self->sizes.tokens);
  json_object_set_object_member (object, "ceilings", ceilings);
  json_object_set_array_member (object, "kernels", rows);
  json_object_set_array_member (object, "left_out", json_array_ref (self->left_out));
  lk_cli_take_json (object);
}

static gboolean
measure_cases (Bench *self, GError **error)
{
  gboolean found = FALSE;

  for (const LkBenchCase *c = lk_bench_cases (); c->name; c++)
    {
      const LkTypeInfo *type;

      if (self->options->only && !g_str_has_prefix (c->name, self->options->only))
        continue;
      found = TRUE;
      if (!c->typed && !measure (self, c, c->type, error))
        return FALSE;
      for (guint i = 0; c->typed && (type = lk_type_info_at (i)); i++)
        if ((type->type == LK_TYPE_NF4 || (lk_quant_info (type->type) && lk_quant_info (type->type)->quantise))
            && !measure (self, c, type->type, error))
          return FALSE;
    }
  if (!found)
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "No kernel's name begins with “%s”", self->options->only);
  return found;
}

static gboolean
run (Bench *self, GError **error)
{
  if (!open_backend (self, error) || !choose_sizes (self, error))
    return FALSE;
  lk_cli_tell_backend (self->backend);
  self->description = g_strdup (lk_backend_get_description (self->backend));
  if (!measure_ceilings (self, error) || !measure_cases (self, error) || !open_backend (self, error) || !measure_ceilings (self, error)
      || !measure_ceilings (self, error))
    return FALSE;
  report (self);
  return TRUE;
}

gboolean
lk_bench_kernels (const LkBenchKernels *options, GError **error)
{
  Bench self = { .options = options,
                 .copies = g_hash_table_new_full (NULL, NULL, NULL, g_free),
                 .results = g_array_new (FALSE, FALSE, sizeof (Result)),
                 .left_out = json_array_new () };
  gboolean ok;

  lk_ops_init ();
  g_array_set_clear_func (self.results, clear_result);
  ok = run (&self, error);
  g_clear_pointer (&self.backend, lk_backend_unref);
  g_hash_table_unref (self.copies);
  g_array_unref (self.results);
  json_array_unref (self.left_out);
  g_free (self.description);
  return ok;
}
