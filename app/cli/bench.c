/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lk-bench-kernels.h"
#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-cpu-gemm.h"
#include "lk-model-shape.h"
#include "lk-quant.h"
#include "lk-random.h"
#include "lk-train-step.h"

static char *model_path, *shape_name, *device, *only;
static int rank = 16, batch = 4, length = 512, steps = 3, tokens = 64, prompt = 512;
static int square;
static gboolean as_json;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path, "A GGUF file or a model folder; default: the shipped model", "MODEL" },
  { "shape", 0, 0, G_OPTION_ARG_STRING, &shape_name,
    "step: instead of a model, the sizes of a well-known one with made weights; kernels: its sizes: llama-3.1-8b …", "NAME" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default cpu", "DEVICE" },
  LK_CLI_BASE_TYPE,
  LK_CLI_PRECISION,
  { "rank", 0, 0, G_OPTION_ARG_INT, &rank, "step: rank of the adapters on all linear layers (16)", "N" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "step: rows of a step (4)", "N" },
  { "length", 0, 0, G_OPTION_ARG_INT, &length, "step: tokens of a row (512); kernels: tokens of a batch", "N" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "step: steps measured after one to warm up; the best counts (3)", "N" },
  { "tokens", 0, 0, G_OPTION_ARG_INT, &tokens, "decode: tokens written (64)", "N" },
  { "prompt", 0, 0, G_OPTION_ARG_INT, &prompt, "decode: tokens of the prompt that prefill is measured with (512, or as many as the context has)", "N" },
  { "size", 0, 0, G_OPTION_ARG_INT, &square, "kernels: matrix products of N × N × N instead of the shape's", "N" },
  { "only", 0, 0, G_OPTION_ARG_STRING, &only, "kernels: those whose name begins with these words", "WORDS" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "One line of JSON", NULL },
  { NULL },
};

static gint64
peak_rss (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (gint64) usage.ru_maxrss * 1024;
}

/* Operations a step cannot do without: two a weight for forward and two for the gradient of the input, of all linear layers and the
 * head; six a weight of an adapter (forward, its own gradient, the input's gradient). */
static double
necessary_flops (LkModel *model, LkAdapter *adapter, double n_tokens)
{
  const LkModelConfig *c = lk_model_get_config (model);
  double weights = (double) c->vocab * (double) c->hidden;

  for (guint l = 0; l < c->layers; l++)
    for (guint r = 0; r < LK_N_LINEAR; r++)
      {
        LkVariable *w = lk_model_get_layer (model, l)->linear[r];
        weights += w ? (double) w->rows * (double) w->cols : 0;
      }
  return n_tokens * (4 * weights + 6 * (double) lk_adapter_get_n_parameters (adapter));
}

/* Rows full of random ids, each token to be predicted. */
static LkBatch *
random_batch (gint64 vocab)
{
  LkBatch *self = lk_batch_new ((guint) batch, (guint) length);
  LkRandom random = lk_random (1, 2);

  for (guint i = 0; i < self->n; i++)
    self->ids[i] = (gint32) lk_random_below (&random, (guint32) vocab);
  for (guint i = 0; i < self->n; i++)
    {
      self->positions[i] = (gint32) (i % (guint) length);
      self->starts[i] = (gint32) (i - i % (guint) length);
      self->targets[i] = (i + 1) % (guint) length ? self->ids[i + 1] : -1;
      self->n_targets += self->targets[i] >= 0;
    }
  return self;
}

/* Seconds of the best step; −1 with an error. */
static double
time_steps (LkTrainStep *step, const LkBatch *rows, GError **error)
{
  double best = G_MAXDOUBLE;

  for (int s = 0; s <= steps; s++)
    {
      LkUpdateInput input = { .learning_rate = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .max_norm = 1 };
      LkTrainStepResult result;
      gint64 began = g_get_monotonic_time ();

      if (!lk_train_step_begin (step, s, error) || !lk_train_step_add (step, rows, (guint) batch, (guint) length, error)
          || !lk_train_step_finish (step, &input, &result, error))
        return -1;
      if (s > 0)
        best = MIN (best, (double) (g_get_monotonic_time () - began) * 1e-6);
    }
  return best;
}

/* OpenBLAS on all cores at the step's largest product: the head, as many rows and columns of it as fit in 256 MiB. */
static double
sgemm_rate (LkModel *model)
{
  const LkModelConfig *c = lk_model_get_config (model);
  gint64 m = (gint64) batch * length, n = MIN (c->vocab, MAX (512, (64 << 20) / m));

  return lk_cpu_gemm_rate (m, n, c->hidden, g_get_num_processors (), 3);
}

/* What the products of @backend cannot pass: OpenBLAS on a processor; on a graphics card its own loops. 0 where it keeps no time. */
static double
peak_rate (LkBackend *backend, LkModel *model, const char **what)
{
  const LkDevicePlan *plan = lk_backend_get_device_plan (backend);
  gboolean matrix = plan && lk_matmul_path_is_matrix (plan->matmul);
  double rate = 0;

  *what = plan ? matrix ? "matrix units" : "fma" : "sgemm";
  if (!plan)
    return sgemm_rate (model);
  return plan->timestamps && lk_backend_measure (backend, matrix ? LK_CEILING_MATRIX : LK_CEILING_FMA, 0, &rate, NULL) ? rate : 0;
}

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter;
  const LkTrainPlan *plan;
  double seconds;
  gint64 peak;    /* of the process, resident */
  guint64 device; /* allocated on a graphics card, staging of uploads with it */
} StepResult;

static void
report_step (const StepResult *r)
{
  const char *what;
  double n = (double) batch * length, flops = necessary_flops (r->model, r->adapter, n), seconds = r->seconds;
  double rate = peak_rate (r->backend, r->model, &what), fraction = rate > 0 ? flops / seconds / rate : 0;
  JsonObject *object;

  if (!as_json)
    {
      g_autofree char *card = r->device ? g_strdup_printf (", %.2f GiB on the device", (double) r->device / (1 << 30)) : g_strdup ("");

      lk_cli_print ("%s, products in %s: %.0f tokens/s, %.1f GFLOP/s of necessary work, %s %.1f GFLOP/s, fraction %.3f, peak %.2f GiB%s",
                    lk_backend_get_description (r->backend), lk_backend_get_products (r->backend), n / seconds, flops / seconds * 1e-9, what, rate * 1e-9, fraction,
                    (double) r->peak / (1 << 30), card);
      return;
    }
  object = json_object_new ();
  json_object_set_string_member (object, "model", lk_model_get_config (r->model)->name);
  json_object_set_string_member (object, "device", lk_backend_get_description (r->backend));
  json_object_set_string_member (object, "products", lk_backend_get_products (r->backend));
  json_object_set_double_member (object, "seconds", seconds);
  json_object_set_double_member (object, "tokens_per_s", n / seconds);
  json_object_set_double_member (object, "flops", flops);
  json_object_set_double_member (object, "flops_per_s", flops / seconds);
  json_object_set_string_member (object, "peak", what);
  json_object_set_double_member (object, "peak_flops_per_s", rate);
  if (!lk_backend_is_gpu (r->backend)) /* the name it has where it is OpenBLAS's */
    json_object_set_double_member (object, "sgemm_flops_per_s", rate);
  json_object_set_double_member (object, "fraction", fraction);
  json_object_set_int_member (object, "peak_rss_bytes", r->peak);
  json_object_set_int_member (object, "planned_bytes", (gint64) lk_train_plan_total (r->plan));
  if (r->device)
    json_object_set_int_member (object, "device_bytes", (gint64) r->device);
  json_object_set_int_member (object, "rows_at_once", r->plan->rows);
  json_object_set_int_member (object, "recompute_layers", r->plan->recompute_layers);
  lk_cli_take_json (object);
}

/* Of a shape, linear weights are 16-bit unless --base-type says otherwise, embedding and head always. (transfer full) */
static LkModel *
open_model (GError **error)
{
  g_autofree char *shipped = model_path || shape_name ? NULL : lk_cli_find_shipped_model (error);
  const char *path = model_path ? model_path : shipped;
  const LkModelShape *shape;
  LkType base_type = LK_TYPE_INVALID;

  if (!lk_base_type_parse (lk_cli_base_type, &base_type, error))
    return NULL;
  if (!shape_name)
    return path ? lk_model_open_as (path, base_type, error) : NULL;
  shape = lk_model_shape_find (shape_name, error);
  return shape ? lk_model_new_of_shape (shape, base_type == LK_TYPE_INVALID ? LK_TYPE_BF16 : base_type, LK_TYPE_BF16, error) : NULL;
}

static gboolean
fits_context (LkModel *model, GError **error)
{
  gint64 context = lk_model_get_config (model)->context;

  if (length <= context)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "Rows of %d tokens do not fit the model's context of %" G_GINT64_FORMAT, length, context);
  return FALSE;
}

/* What has no room is refused by the plan, before weights are made or anything is allocated. */
static gboolean
bench_step (GError **error)
{
  g_autoptr (LkBackend) backend = lk_cli_backend_new (device ? device : "cpu", error);
  g_autoptr (LkModel) model = backend ? open_model (error) : NULL;
  LkAdapterConfig config = { .rank = (guint) rank, .alpha = 2 * rank, .seed = 1 };
  g_autoptr (LkAdapter) adapter = model && fits_context (model, error) ? lk_adapter_new (model, "bench", &config, error) : NULL;
  LkTrainStepOptions options = { .model = model, .adapter = adapter, .backend = backend, .length = (guint) length, .recompute_layers = -1 };
  g_autoptr (LkTrainStep) step = adapter ? lk_train_step_new (&options, NULL, error) : NULL;
  StepResult result = { model, backend, adapter };
  LkBatch *rows;

  lk_cli_tell_backend (backend);
  if (!step)
    return FALSE;
  rows = random_batch (lk_model_get_config (model)->vocab);
  result.plan = lk_train_step_get_plan (step);
  result.seconds = time_steps (step, rows, error);
  result.peak = peak_rss (); /* before what the peak is measured with */
  result.device = lk_backend_get_memory_used (backend);
  lk_batch_free (rows);
  if (result.seconds < 0)
    return FALSE;
  report_step (&result);
  {
    g_autofree char *profile = lk_backend_describe_profile (backend);
    if (profile)
      fputs (profile, stderr);
  }
  return TRUE;
}

/* One prompt and its answer; FALSE with an error. */
static gboolean
time_answer (LkGenerator *generator, guint n_prompt, guint n_answer, gint64 vocab, double *prefill, double *decode, GError **error)
{
  g_autofree gint32 *ids = g_new (gint32, n_prompt);
  g_auto (LkGenerated) answer = { 0 };
  LkGenerateOptions options = { .sampler = { .top_p = 1, .repetition_penalty = 1 }, .max_tokens = n_answer, .ignore_end = TRUE };
  LkRandom random = lk_random (3, n_prompt);

  for (guint i = 0; i < n_prompt; i++)
    ids[i] = (gint32) lk_random_below (&random, (guint32) vocab);
  lk_generator_reset (generator);
  if (!lk_generator_run (generator, ids, n_prompt, &options, &answer, error))
    return FALSE;
  *prefill = MAX (*prefill, (double) n_prompt / answer.prompt_seconds);
  *decode = MAX (*decode, (double) answer.ids->len / answer.answer_seconds);
  return TRUE;
}

static gboolean
bench_decode (GError **error)
{
  g_auto (LkCliModel) self = { 0 };
  LkGeneratorOptions options = { 0 };
  g_autoptr (LkGenerator) generator = NULL;
  double prefill = 0, decode = 0, ignored = 0;
  gint64 vocab, context;

  if (!lk_cli_model_open (&self, model_path, NULL, device ? device : "cpu", error))
    return FALSE;
  vocab = lk_model_get_config (self.model)->vocab;
  context = lk_model_get_config (self.model)->context;
  if (!lk_cli_was_given ("prompt"))
    prompt = (int) MAX (1, MIN (prompt, context - 1));
  if (MAX (prompt, tokens) + 1 > context)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "The model's context of %" G_GINT64_FORMAT " tokens has no room for a prompt of %d or an answer of %d", context, prompt,
                   tokens);
      return FALSE;
    }
  options = (LkGeneratorOptions){ .model = self.model, .backend = self.backend,
                                  .context = (guint) MIN ((gint64) prompt + tokens + 16, context) };
  generator = lk_generator_new (&options, error);
  if (!generator)
    return FALSE;
  for (int i = 0; i < 4; i++) /* the first compiles and warms up; the best of the rest counts */
    {
      double p = 0, d = 0;

      if (!time_answer (generator, 1, (guint) tokens, vocab, &ignored, &d, error)
          || !time_answer (generator, (guint) prompt, 1, vocab, &p, &ignored, error))
        return FALSE;
      if (i > 0)
        {
          decode = MAX (decode, d);
          prefill = MAX (prefill, p);
        }
    }
  if (as_json)
    {
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "device", lk_backend_get_description (self.backend));
      json_object_set_string_member (object, "products", lk_backend_get_products (self.backend));
      json_object_set_double_member (object, "tokens_per_s", decode);
      json_object_set_int_member (object, "tokens", tokens);
      json_object_set_double_member (object, "prefill_tokens_per_s", prefill);
      json_object_set_int_member (object, "prompt_tokens", prompt);
      json_object_set_int_member (object, "peak_rss_bytes", peak_rss ());
      lk_cli_take_json (object);
    }
  else
    lk_cli_print ("%s, products in %s: decoding %.1f tokens/s, prefill %.1f tokens/s", lk_backend_get_description (self.backend),
                  lk_backend_get_products (self.backend), decode, prefill);
  return TRUE;
}

/* Elements a second that one thread unpacks of a tile of weights as training does it: from memory near the core into the same. */
static double
unpack_rate (LkSimd simd, const LkTypeInfo *type)
{
  enum { N = 64 * 1024 };
  g_autofree float *values = g_new (float, N);
  g_autofree guint8 *blocks = g_malloc (N / type->block_elements * type->block_bytes);
  const LkQuantInfo *quant = lk_quant_info_for (simd, type->type);
  LkRandom random = lk_random (5, 6);
  double best = 0;

  for (guint i = 0; i < N; i++)
    values[i] = lk_random_normal (&random);
  quant->quantise (values, blocks, N);
  for (int i = 0; i < 40; i++)
    {
      gint64 began = g_get_monotonic_time ();

      for (int k = 0; k < 10; k++)
        quant->dequantise (blocks, values, N);
      best = MAX (best, 10.0 * N / (1e-6 * (double) MAX (1, g_get_monotonic_time () - began)));
    }
  return best;
}

static gboolean
bench_unpack (GError **error)
{
  const LkTypeInfo *type;

  for (guint i = 0; (type = lk_type_info_at (i)); i++)
    {
      g_autoptr (JsonObject) object = json_object_new ();
      g_autoptr (GString) line = g_string_new (NULL);

      if (!lk_quant_info (type->type) || !lk_quant_info (type->type)->quantise)
        continue;
      json_object_set_string_member (object, "type", type->name);
      g_string_printf (line, "%-7s", type->name);
      for (LkSimd simd = LK_N_SIMD; simd-- > 0;)
        {
          double rate = lk_simd_runs (simd) ? unpack_rate (simd, type) : 0;

          if (rate > 0)
            g_string_append_printf (line, "  %s %6.0f", lk_simd_get_name (simd), rate * 1e-6);
          if (rate > 0)
            json_object_set_double_member (object, lk_simd_get_name (simd), rate);
        }
      if (as_json)
        lk_cli_take_json (g_steal_pointer (&object));
      else
        lk_cli_print ("%s million weights a second", line->str);
    }
  return TRUE;
}

static gboolean
bench_kernels (GError **error)
{
  LkBenchKernels bench = { .device = device ? device : "cpu", .only = only, .json = as_json };

  if (!lk_precision_parse (lk_cli_precision, &bench.precision, error) || (shape_name && !(bench.sizes.shape = lk_model_shape_find (shape_name, error))))
    return FALSE;
  bench.sizes.tokens = lk_cli_was_given ("length") ? length : 0;
  bench.sizes.square = square;
  return lk_bench_kernels (&bench, error);
}

static const struct
{
  const char *name;
  gboolean (*run) (GError **error);
  const char *not_for_it; /* options of the others */
} benches[] = { { "step", bench_step, "tokens prompt size only" },
                { "decode", bench_decode, "rank batch length steps shape size only" },
                { "kernels", bench_kernels, "model base-type rank batch steps tokens prompt" },
                { "unpack", bench_unpack,
                  "model device base-type rank batch length steps tokens prompt shape size precision only" } };

static int
run (int argc, char **argv)
{
  const LkCliUsage usage = {
    .arguments = "step|decode|kernels|unpack",
    .description = "step: one optimizer step of QLoRA (or LoRA, as the model is stored) on all linear layers. “flops” is necessary work\n"
                   "only: tokens × (4 × weights of linear layers and head + 6 × adapter weights); what is computed twice to save memory\n"
                   "is not counted. “fraction” is its rate over “peak_flops_per_s”, measured in the same run: on a processor that of OpenBLAS at the step's\n"
                   "largest product (also as “sgemm_flops_per_s”), on a graphics card that of a loop of multiplications with additions, on its matrix units where products use them.\n"
                   "With --shape instead of --model nothing is downloaded: weights are made, 16-bit unless --base-type says otherwise.\n"
                   "decode: tokens a second after a one-token prompt, and of a long prompt. LK_PROFILE=1 in the environment prints\n"
                   "the time of each operation.\n"
                   "kernels: each operation of training and decoding by itself, with made numbers: time, operations and bytes a second of what\n"
                   "it cannot do without, and the fraction of its ceiling: of float32 multiplied and added in registers or on matrix units, or of a copy\n"
                   "of as many bytes, whichever bounds it. The ceilings are measured in the same run. Without --shape and --length a processor and\n"
                   "a software device get small sizes, a graphics card those of llama-3.1-8b with 2048 tokens. With --json one line: “ceilings”,\n"
                   "“kernels” (“case”, “operation”, “type”, “shape”, “seconds”, “operations”, “bytes”, “operations_per_s”, “bytes_per_s”,\n"
                   "“ceiling”, “ceiling_per_s”, “fraction”) and “left_out” with each one's “reason”.\n"
                   "unpack: weights of each type that one thread makes float32 in a second, by each instruction set of this processor.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_command_bench, &usage, &argc, &argv, &status))
    return status;
  if ((lk_cli_was_given ("size") && square < 1) || rank < 1 || batch < 1 || length < 2 || steps < 1 || tokens < 1 || prompt < 1)
    return lk_cli_fail_usage ("Numbers must be positive, and a row at least two tokens");
  if (shape_name && model_path)
    return lk_cli_fail_usage ("--shape has weights of its own: it goes without --model");
  if ((gint64) batch * length > G_MAXINT32 || (gint64) prompt + tokens > G_MAXINT32)
    return lk_cli_fail_usage ("A step, and a prompt with its answer, are at most %d tokens", G_MAXINT32);
  for (guint i = 0; i < G_N_ELEMENTS (benches); i++)
    if (g_str_equal (benches[i].name, argv[1]))
      return lk_cli_check_idle (TRUE, benches[i].not_for_it, "it belongs to another benchmark", &error) && benches[i].run (&error)
                 ? LK_EXIT_OK
                 : lk_cli_fail (error);
  return lk_cli_fail_usage ("There is no benchmark “%s”; there are step, decode, kernels and unpack", argv[1]);
}

const LkCommand lk_command_bench = { "bench", "Measure training and decoding", run };
