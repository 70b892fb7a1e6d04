/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-export.h"
#include "lk-family.h"
#include "lk-file.h"
#include "lk-generator.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-peft.h"
#include "lk-prompt.h"
#include "lk-quant.h"
#include "lk-test-model.h"
#include "../lk-test-shared.h"

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter;
  char *folder;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->model = lk_test_model_open ();
  f->backend = lk_backend_new_cpu (2);
  f->folder = g_dir_make_tmp ("lorikeet-export-XXXXXX", &error);
  g_assert_no_error (error);
  if (f->model)
    f->adapter = lk_test_adapter_new (f->model, f->backend, 9);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  lk_remove_recursively (f->folder, &error);
  g_assert_no_error (error);
  g_clear_pointer (&f->adapter, lk_adapter_unref);
  g_clear_pointer (&f->backend, lk_backend_unref);
  g_clear_pointer (&f->model, lk_model_unref);
  g_free (f->folder);
}

static const LkExportTarget *
target_of (const char *name)
{
  const LkExportTarget *target = lk_export_find_target (name, NULL);

  g_assert_nonnull (target);
  return target;
}

/* Exports to folder/name; returns the path. (transfer full) */
static char *
export_to (Fixture *f, LkModel *model, LkAdapter *adapter, const char *form, const char *type,
           const char *name, guint64 shard)
{
  char *path = g_build_filename (f->folder, name, NULL);
  LkExport export = { .model = model,
                      .adapter = adapter,
                      .backend = f->backend,
                      .path = path,
                      .type = type,
                      .shard_bytes = shard };
  g_autoptr (GError) error = NULL;

  lk_export_run (&export, target_of (form), &error);
  g_assert_no_error (error);
  return path;
}

static LkModel *
open_model (const char *path)
{
  g_autoptr (GError) error = NULL;
  LkModel *model = lk_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

/* All of a tensor in float32, rows as Hugging Face has them. */
static float *
values_of (LkModel *model, guint index)
{
  guint n;
  const LkVariable *v = lk_model_get_tensors (model, &n)[index].variable;
  float *values = g_new (float, v->rows * v->cols);

  lk_quant_info (v->type)->dequantise (v->data, values, v->rows * v->cols);
  return values;
}

/* W + scale·B·A by the definition, in double. */
static double *
merge_by_definition (Fixture *f, guint index)
{
  guint n;
  const LkModelTensor *tensor = &lk_model_get_tensors (f->model, &n)[index];
  gint64 rows = tensor->variable->rows, cols = tensor->variable->cols;
  g_autofree float *w = values_of (f->model, index);
  double *out = g_new (double, rows *cols);
  const LkAdapterModule *module
      = tensor->role >= 0 ? lk_adapter_find (f->adapter, (guint) tensor->layer, (LkLinearRole) tensor->role)
                          : NULL;
  g_autofree float *a = module ? g_new (float, module->a->rows *cols) : NULL;
  g_autofree float *b = module ? g_new (float, rows * module->b->cols) : NULL;

  if (module)
    {
      g_assert_true (lk_backend_read (f->backend, module->a, 0, a, module->a->bytes, NULL));
      g_assert_true (lk_backend_read (f->backend, module->b, 0, b, module->b->bytes, NULL));
    }
  for (gint64 r = 0; r < rows; r++)
    for (gint64 c = 0; c < cols; c++)
      {
        double sum = 0;

        for (guint k = 0; module && k < module->rank; k++)
          sum += (double) b[r * module->rank + k] * (double) a[k * cols + c];
        out[r * cols + c] = (double) w[r * cols + c] + (module ? module->scale * sum : 0);
      }
  return out;
}

/* Every tensor of @written against the definition; relative to the tensor's norm. */
static void
check_weights (Fixture *f, LkModel *written, double tolerance)
{
  guint n, m;
  const LkModelTensor *a = lk_model_get_tensors (f->model, &n), *b = lk_model_get_tensors (written, &m);

  g_assert_cmpuint (n, ==, m);
  for (guint i = 0; i < n; i++)
    {
      g_autofree double *wanted = merge_by_definition (f, i);
      g_autofree float *got = values_of (written, i);
      double difference = 0, norm = 0;

      g_assert_cmpstr (a[i].hf_name, ==, b[i].hf_name);
      for (gint64 k = 0; k < a[i].variable->rows * a[i].variable->cols; k++)
        {
          difference += ((double) got[k] - wanted[k]) * ((double) got[k] - wanted[k]);
          norm += wanted[k] * wanted[k];
        }
      if (sqrt (difference / norm) > tolerance)
        g_test_message ("%s deviates by %g", a[i].hf_name, sqrt (difference / norm));
      g_assert_cmpfloat (sqrt (difference / norm), <=, tolerance);
    }
}

static void
check_text (Fixture *f, LkModel *written)
{
  static const char text[] = "<|im_start|>Once upon a time, Ünïcode 1234 …";
  g_autoptr (GArray) a = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) b = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_true (lk_tokenizer_encode (lk_model_get_tokenizer (f->model), text, -1, TRUE, a, NULL));
  g_assert_true (lk_tokenizer_encode (lk_model_get_tokenizer (written), text, -1, TRUE, b, NULL));
  g_assert_cmpmem (a->data, a->len * 4, b->data, b->len * 4);
  g_assert_cmpstr (lk_model_get_template_source (f->model), ==, lk_model_get_template_source (written));
  g_assert_cmpint (lk_tokenizer_get_eos (lk_model_get_tokenizer (f->model)), ==,
                   lk_tokenizer_get_eos (lk_model_get_tokenizer (written)));
}

/* Each form and type: the weights are those of the definition within what the type can hold. */
static void
test_merged (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *form, *type;
    double tolerance;
  } cases[] = {
    { "gguf", "F32", 1e-6 },   { "gguf", "F16", 5e-4 },    { "gguf", "BF16", 4e-3 }, { "gguf", "Q8_0", 1e-2 },
    { "gguf", "Q4_0", 0.12 },  { "gguf", "Q4_1", 0.1 },    { "gguf", "Q5_0", 0.06 }, { "gguf", "Q5_1", 0.05 },
    { "gguf", "Q4_K_M", 0.1 }, { "gguf", "Q5_K_M", 0.05 }, { "gguf", "Q6_K", 0.03 }, { "hf", "F32", 1e-6 },
    { "hf", "F16", 5e-4 },     { "hf", "BF16", 4e-3 },
  };

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s-%s%s", cases[i].form, cases[i].type,
                                               target_of (cases[i].form)->folder ? "" : ".gguf");
      g_autofree char *path = export_to (f, f->model, f->adapter, cases[i].form, cases[i].type, name, 0);
      g_autoptr (LkModel) written = open_model (path);

      g_test_message ("%s", name);
      check_weights (f, written, cases[i].tolerance);
      check_text (f, written);
    }
}

/* GGUF → folder in shards → GGUF: the same weights, tokens and configuration. */
static void
test_round_trip (Fixture *f, gconstpointer data)
{
  g_autofree char *hf = NULL;
  g_autofree char *index = NULL;
  g_autofree char *back = NULL;
  g_autoptr (LkModel) folder = NULL;
  g_autoptr (LkModel) gguf = NULL;
  const LkModelConfig *a, *b;

  if (!f->model)
    return;
  hf = export_to (f, f->model, f->adapter, "hf", "F32", "hf", 4 << 20);
  index = g_build_filename (hf, "model.safetensors.index.json", NULL);
  g_assert_true (g_file_test (index, G_FILE_TEST_EXISTS));
  folder = open_model (hf);
  back = export_to (f, folder, NULL, "gguf", "F32", "back.gguf", 0);
  gguf = open_model (back);
  check_weights (f, gguf, 1e-6);
  check_text (f, gguf);
  a = lk_model_get_config (f->model);
  b = lk_model_get_config (gguf);
  g_assert_cmpint (a->context, ==, b->context);
  g_assert_cmpint (a->kv_heads, ==, b->kv_heads);
  g_assert_cmpint (a->head_dim, ==, b->head_dim);
  g_assert_cmpfloat (fabs (a->norm_eps - b->norm_eps), <, 1e-6 * a->norm_eps);
  g_assert_cmpfloat (a->rope.theta, ==, b->rope.theta);
  g_assert_cmpint (a->tied, ==, b->tied);
}

/* Golden llama3 has scaled rotary frequencies and an untied head: they survive folder → GGUF → folder. */
static void
test_llama3 (Fixture *f, gconstpointer data)
{
  g_autofree char *source = lk_test_shared ("golden/families/llama3");
  g_autofree char *gguf_path = NULL;
  g_autofree char *hf_path = NULL;
  g_autoptr (LkModel) model = NULL;
  g_autoptr (LkModel) gguf = NULL;
  g_autoptr (LkModel) hf = NULL;
  g_autofree double *a = NULL;
  g_autofree double *b = NULL;

  if (!source)
    return;
  model = open_model (source);
  gguf_path = export_to (f, model, NULL, "gguf", "F32", "l3.gguf", 0);
  gguf = open_model (gguf_path);
  hf_path = export_to (f, gguf, NULL, "hf", "F32", "l3", 0);
  hf = open_model (hf_path);
  g_assert_cmpint (lk_model_get_config (hf)->rope.type, ==, LK_ROPE_LLAMA3);
  a = lk_rope_divisors (&lk_model_get_config (model)->rope, lk_model_get_config (model)->rotary_dim, FALSE);
  b = lk_rope_divisors (&lk_model_get_config (hf)->rope, lk_model_get_config (hf)->rotary_dim, FALSE);
  for (gint64 i = 0; i < lk_model_get_config (model)->head_dim / 2; i++)
    g_assert_cmpfloat (fabs (a[i] - b[i]), <=, 1e-6 * a[i]);
  for (guint i = 0, n = 1; i < n; i++)
    {
      const LkModelTensor *tensor = &lk_model_get_tensors (model, &n)[i];
      g_autofree float *x = values_of (model, i);
      g_autofree float *y = values_of (hf, i);
      gsize bytes = (gsize) (tensor->variable->rows * tensor->variable->cols) * sizeof (float);

      g_assert_cmpmem (x, bytes, y, bytes);
    }
}

static void
test_verify (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *form, *type, *name;
  } cases[] = { { "gguf", "F32", "v.gguf" },          { "hf", "F32", "v-hf" },        { "adapter", NULL, "v-adapter" },
                { "lora-gguf", NULL, "v-lora.gguf" }, { "gguf", "Q4_K_M", "v4.gguf" }, { "gguf", "Q8_0", "v8.gguf" },
                { "hf", "BF16", "v-hf-bf16" },        { "gguf", "F16", "v16.gguf" } };

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path
          = export_to (f, f->model, f->adapter, cases[i].form, cases[i].type, cases[i].name, 0);
      LkExport export = {
        .model = f->model, .adapter = f->adapter, .backend = f->backend, .path = path, .type = cases[i].type
      };
      g_auto (LkExportVerdict) verdict = { 0 };
      g_autoptr (GError) error = NULL;

      lk_export_verify (&export, target_of (cases[i].form), NULL, &verdict, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (verdict.fault, ==, NULL);
      g_assert_cmpint (verdict.exact_type, ==, i < 4);
      g_assert_true (verdict.matches || i >= 4);
      g_assert_cmpint (verdict.same_tokens == verdict.tokens, ==, verdict.difference == NULL);
      g_assert_cmpuint (verdict.tokens, >, 8);
    }
}

/* What llama.cpp does with --lora, on the files alone: base + alpha/rank · B·A, tensor by tensor and row by row, is the merged file. */
static void
test_lora (Fixture *f, gconstpointer data)
{
  g_autofree char *base_path = f->model ? export_to (f, f->model, NULL, "gguf", "F32", "b.gguf", 0) : NULL;
  g_autofree char *merged_path = f->model ? export_to (f, f->model, f->adapter, "gguf", "F32", "m.gguf", 0) : NULL;
  g_autofree char *lora_path = f->model ? export_to (f, f->model, f->adapter, "lora-gguf", NULL, "l.gguf", 0) : NULL;
  g_autoptr (LkGguf) base = f->model ? lk_gguf_open (base_path, NULL) : NULL;
  g_autoptr (LkGguf) merged = f->model ? lk_gguf_open (merged_path, NULL) : NULL;
  g_autoptr (LkGguf) lora = f->model ? lk_gguf_open (lora_path, NULL) : NULL;
  double alpha = 0;
  guint adapted = 0;

  if (!f->model)
    return;
  g_assert_true (lk_gguf_get_double (lora, "adapter.lora.alpha", &alpha, NULL));
  for (guint i = 0; i < lk_gguf_get_n_tensors (base); i++)
    {
      const LkTensorInfo *w = lk_gguf_get_tensor (base, i), *sum = lk_gguf_lookup (merged, w->name);
      g_autofree char *a_name = g_strconcat (w->name, ".lora_a", NULL);
      g_autofree char *b_name = g_strconcat (w->name, ".lora_b", NULL);
      const LkTensorInfo *a = lk_gguf_lookup (lora, a_name), *b = lk_gguf_lookup (lora, b_name);

      g_assert_true ((a != NULL) == (b != NULL) && sum != NULL);
      adapted += a != NULL;
      for (guint64 row = 0; a && row < w->shape[0]; row++)
        for (guint64 col = 0; col < w->shape[1]; col += 5)
          {
            const float *x = (const float *) (const void *) w->data, *y = (const float *) (const void *) sum->data;
            const float *p = (const float *) (const void *) a->data, *q = (const float *) (const void *) b->data;
            double value = x[row * w->shape[1] + col];

            for (guint64 k = 0; k < a->shape[0]; k++)
              value += alpha / (double) a->shape[0] * q[row * a->shape[0] + k] * p[k * w->shape[1] + col];
            g_assert_cmpfloat_with_epsilon (value, y[row * w->shape[1] + col], 1e-5);
          }
    }
  g_assert_cmpuint (adapted, ==, lk_adapter_get_n_modules (f->adapter));
  g_assert_cmpuint (2 * adapted, ==, lk_gguf_get_n_tensors (lora));
}

/* A file that is a model is no adapter. */
static void
test_lora_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *path = f->model ? export_to (f, f->model, NULL, "gguf", "F32", "b.gguf", 0) : NULL;
  g_autoptr (GError) error = NULL;

  if (!f->model)
    return;
  g_assert_null (lk_adapter_load (f->model, "x", path, FALSE, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_MISMATCH);
}

/* An adapter of blk.0.attn_q.weight, and what is wrong with it. Sizes are added to the right ones. */
typedef struct
{
  const char *architecture; /* NULL: the model's */
  double alpha;
  gint64 rank_a, rank_b, cols, rows;
  gboolean no_b, another; /* another: a tensor of no layer as well */
  int code;               /* of the error; −1: none */
  const char *words;
} LoraFile;

static const LoraFile lora_files[] = {
  { NULL, 4, .code = -1 },
  { NULL, 0, .code = -1 },
  { "no-such-family", 4, .code = LK_ERROR_MISMATCH, .words = "another model" },
  { NULL, NAN, .code = LK_ERROR_BAD_FILE, .words = "adapter.lora.alpha" },
  { NULL, INFINITY, .code = LK_ERROR_BAD_FILE, .words = "adapter.lora.alpha" },
  { NULL, 4, .no_b = TRUE, .code = LK_ERROR_BAD_FILE, .words = "only one of the two" },
  { NULL, 4, .rank_b = 1, .code = LK_ERROR_MISMATCH, .words = "blk.0.attn_q.weight" },
  { NULL, 4, .cols = 1, .code = LK_ERROR_MISMATCH, .words = "blk.0.attn_q.weight" },
  { NULL, 4, .rows = -1, .code = LK_ERROR_MISMATCH, .words = "blk.0.attn_q.weight" },
  { NULL, 4, .rank_a = LK_LORA_MAX_RANK, .rank_b = LK_LORA_MAX_RANK, .code = LK_ERROR_BAD_FILE, .words = "more than 4096" },
  { NULL, 4, .another = TRUE, .code = LK_ERROR_MISMATCH, .words = "2 of its 3 tensors" },
};

static void
add_zeros (LkGgufWriter *writer, const char *name, gint64 rows, gint64 cols, GArray *floats)
{
  const guint64 shape[2] = { (guint64) rows, (guint64) cols }, n = shape[0] * shape[1];

  lk_gguf_writer_add_tensor (writer, name, LK_TYPE_F32, shape, 2);
  g_array_append_val (floats, n);
}

static void
write_lora (const char *path, LkModel *model, const LoraFile *file)
{
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, NULL);
  const char *architecture = file->architecture ? file->architecture : lk_model_get_config (model)->family->gguf_architecture;
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (model, &n);
  const LkVariable *q = NULL;
  g_autoptr (GArray) floats = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint i = 0; i < n && !q; i++)
    q = g_str_equal (tensors[i].gguf_name, "blk.0.attn_q.weight") ? tensors[i].variable : NULL;
  lk_gguf_writer_set_string (writer, "general.type", "adapter");
  lk_gguf_writer_set_string (writer, "adapter.type", "lora");
  lk_gguf_writer_set_string (writer, "general.architecture", architecture);
  if (file->alpha != 0)
    lk_gguf_writer_set_float (writer, "adapter.lora.alpha", file->alpha);
  add_zeros (writer, "blk.0.attn_q.weight.lora_a", 2 + file->rank_a, q->cols + file->cols, floats);
  if (!file->no_b)
    add_zeros (writer, "blk.0.attn_q.weight.lora_b", q->rows + file->rows, 2 + file->rank_b, floats);
  if (file->another)
    add_zeros (writer, "blk.999.attn_q.weight.lora_a", 2, q->cols, floats);
  g_assert_true (lk_gguf_writer_begin_data (writer, NULL));
  for (guint i = 0; i < floats->len; i++)
    {
      gsize size = (gsize) g_array_index (floats, guint64, i) * sizeof (float);
      g_autofree float *zeros = g_malloc0 (size);

      g_assert_true (lk_gguf_writer_write (writer, zeros, size, NULL));
    }
  g_assert_true (lk_gguf_writer_finish (writer, NULL));
}

static void
test_lora_files (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "Other.GGUF", NULL);

  for (guint i = 0; f->model && i < G_N_ELEMENTS (lora_files); i++)
    {
      g_autofree char *name = g_strdup_printf ("x%u", i);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkAdapter) adapter = NULL;

      write_lora (path, f->model, &lora_files[i]);
      adapter = lk_adapter_load (f->model, name, path, FALSE, &error);
      if (lora_files[i].code < 0)
        {
          g_assert_no_error (error);
          g_assert_cmpfloat (lk_adapter_get_module (adapter, 0)->scale, ==, lora_files[i].alpha == 0 ? 1 : lora_files[i].alpha / 2);
          continue;
        }
      g_assert_null (adapter);
      g_assert_error (error, LK_ERROR, lora_files[i].code);
      g_assert_nonnull (strstr (error->message, lora_files[i].words));
      g_assert_nonnull (strstr (error->message, path));
    }
}

/* A file that is not what it should be is found out. */
static void
test_verify_finds (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;
  LkExport export;
  g_auto (LkExportVerdict) verdict = { 0 };
  g_autoptr (GError) error = NULL;

  if (!f->model)
    return;
  path = export_to (f, f->model, NULL, "gguf", "F32", "base.gguf", 0); /* without the adapter */
  export = (LkExport){
    .model = f->model, .adapter = f->adapter, .backend = f->backend, .path = path, .type = "F32"
  };
  g_assert_true (lk_export_verify (&export, target_of ("gguf"), NULL, &verdict, &error));
  g_assert_false (verdict.matches);
  g_assert_cmpuint (verdict.same_tokens, <, verdict.tokens);
  g_assert_nonnull (verdict.difference);
  g_assert_nonnull (strstr (verdict.fault, "_q.weight"));
}

/* Changes what stands @after bytes behind the last @name in the file. */
static void
change_byte (const char *path, const char *name, gsize after)
{
  g_autofree char *data = NULL;
  gsize size, at;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  for (at = size - strlen (name); at > 0 && memcmp (data + at, name, strlen (name)) != 0;)
    at--;
  g_assert_cmpuint (at, >, 0);
  at = *name == 0 ? size - after : at + strlen (name) + after;
  data[at] ^= 0x11;
  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
}

/* Rounded types have no answers that must match: one weight, or one number of the configuration, is found all the same. */
static void
test_verify_finds_rounded (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    gsize after;
    const char *fault;
  } cases[] = { { "", 100, "the tensor “" }, { "llama.rope.freq_base", 4 + 2, "(rotary angles)" } };

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = export_to (f, f->model, f->adapter, "gguf", "Q8_0", i ? "angles.gguf" : "weight.gguf", 0);
      LkExport export = { .model = f->model, .adapter = f->adapter, .backend = f->backend, .path = path, .type = "Q8_0" };
      g_auto (LkExportVerdict) verdict = { 0 };
      g_autoptr (GError) error = NULL;

      change_byte (path, cases[i].name, cases[i].after);
      lk_export_verify (&export, target_of ("gguf"), NULL, &verdict, &error);
      g_assert_no_error (error);
      g_assert_nonnull (verdict.fault);
      g_assert_nonnull (strstr (verdict.fault, cases[i].fault));
      g_assert_nonnull (strstr (verdict.message, verdict.fault));
    }
}

static void
expect_refusal (const LkExport *export, const char *form, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (lk_export_run (export, target_of (form), &error));
  g_assert_error (error, LK_ERROR, code);
}

/* Somebody who has had enough of the questions: what was written stays, and nothing is claimed of it. */
static void
test_verify_cancelled (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "whole.gguf", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  LkExport export = { .model = f->model, .adapter = f->adapter, .backend = f->backend, .path = path, .type = "F32",
                      .cancellable = cancellable };
  g_auto (LkExportVerdict) verdict = { 0 };
  g_autoptr (GError) error = NULL;

  if (!f->model)
    return;
  g_assert_true (lk_export_run (&export, target_of ("gguf"), &error));
  g_cancellable_cancel (cancellable);
  g_assert_false (lk_export_verify (&export, target_of ("gguf"), NULL, &verdict, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_CANCELLED);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
}

static void
cancel_midway (double fraction, const char *message, gpointer data)
{
  if (fraction > 0.3)
    g_cancellable_cancel (data);
}

static guint
count_entries (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_refusals (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = NULL;
  g_autofree char *path = g_build_filename (f->folder, "out", NULL);
  LkExport export;

  if (!f->model)
    return;
  export = (LkExport){
    .model = f->model, .adapter = f->adapter, .backend = f->backend, .path = path, .type = "Q9_Z"
  };
  expect_refusal (&export, "gguf", LK_ERROR_INVALID_ARGUMENT);
  expect_refusal (&export, "adapter", LK_ERROR_INVALID_ARGUMENT);
  export.type = NULL;
  export.adapter = NULL;
  expect_refusal (&export, "adapter", LK_ERROR_INVALID_ARGUMENT);
  export.path = lk_model_get_path (f->model);
  export.replace = TRUE;
  expect_refusal (&export, "gguf", LK_ERROR_INVALID_ARGUMENT);
  export.path = f->folder;
  export.replace = FALSE;
  expect_refusal (&export, "hf", LK_ERROR_INVALID_ARGUMENT);
  export.path = path;
  export.progress = cancel_midway;
  for (guint i = 0; i < 2; i++)
    {
      g_clear_object (&cancellable);
      export.data = export.cancellable = cancellable = g_cancellable_new ();
      expect_refusal (&export, i ? "hf" : "gguf", LK_ERROR_CANCELLED);
      g_assert_cmpuint (count_entries (f->folder), ==, 0);
    }
}

/* A copy of the model at folder/@name. (transfer full) */
static char *
copy_model (Fixture *f, const char *name)
{
  char *path = g_build_filename (f->folder, name, NULL);
  g_autofree char *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (lk_model_get_path (f->model), &bytes, &size, NULL)
                 && g_file_set_contents (path, bytes, (gssize) size, NULL));
  return path;
}

/* Over the file that is read, by its name, by a link of either kind, or over one file of a folder: the source stays as it is. */
static void
test_own_input (Fixture *f, gconstpointer data)
{
  g_autofree char *path = f->model ? copy_model (f, "own.gguf") : NULL;
  g_autofree char *soft = g_build_filename (f->folder, "soft.gguf", NULL);
  g_autofree char *hard = g_build_filename (f->folder, "hard.gguf", NULL);
  g_autofree char *folder = f->model ? export_to (f, f->model, NULL, "hf", "F32", "folder", 0) : NULL;
  g_autofree char *weights = f->model ? g_build_filename (folder, "model.safetensors", NULL) : NULL;
  g_autoptr (LkModel) own = f->model ? open_model (path) : NULL, hf = f->model ? open_model (folder) : NULL;
  g_autofree char *before = f->model ? lk_file_sha256 (path, NULL) : NULL, *after = NULL;
  const struct
  {
    LkModel *model;
    const char *path;
  } cases[] = { { own, path }, { own, soft }, { own, hard }, { hf, folder }, { hf, weights } };

  if (!f->model)
    return;
  g_assert_true (symlink (path, soft) == 0 && link (path, hard) == 0);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkExport export = { .model = cases[i].model, .backend = f->backend, .path = cases[i].path, .replace = TRUE };

      expect_refusal (&export, "gguf", LK_ERROR_INVALID_ARGUMENT);
      expect_refusal (&export, "hf", LK_ERROR_INVALID_ARGUMENT);
    }
  after = lk_file_sha256 (path, NULL);
  g_assert_cmpstr (before, ==, after);
}

/* The first tokens of a greedy answer, at most @n; @finish: why no more. (transfer full) */
static GArray *
answer_of (Fixture *f, LkModel *model, guint n, gboolean ignore_end, LkFinish *finish)
{
  LkGeneratorOptions made = { .model = model, .backend = f->backend, .context = 48 };
  LkGenerateOptions options = { .sampler = lk_sampler_defaults, .max_tokens = n, .ignore_end = ignore_end };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGenerator) generator = lk_generator_new (&made, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_auto (LkGenerated) out = { 0 };

  g_assert_no_error (error);
  options.sampler.temperature = 0;
  g_assert_true (lk_tokenizer_encode (lk_model_get_tokenizer (model), "Once upon a time", -1, FALSE, ids, NULL));
  g_assert_true (lk_generator_run (generator, (const gint32 *) (void *) ids->data, ids->len, &options, &out, &error));
  g_assert_no_error (error);
  if (finish)
    *finish = out.finish;
  return g_array_ref (out.ids);
}

/* An answer that ends with its last token, and there because of that token. */
static void
check_ends_at (Fixture *f, LkModel *model, const GArray *answer, guint length)
{
  LkFinish finish;
  g_autoptr (GArray) ids = answer_of (f, model, 24, FALSE, &finish);

  g_assert_cmpint (finish, ==, LK_FINISH_END);
  g_assert_cmpmem (ids->data, ids->len * sizeof (gint32), answer->data, length * sizeof (gint32));
}

static void
write_ends (const char *folder, const char *name, const char *eos)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (name, "config.json"))
    {
      g_autoptr (JsonObject) config = lk_json_load_object (path, 1 << 20, &error);
      g_autoptr (JsonNode) whole = json_node_new (JSON_NODE_OBJECT);

      g_assert_no_error (error);
      json_object_set_member (config, "eos_token_id", json_from_string (eos, NULL));
      json_node_set_object (whole, config);
      text = lk_json_to_string (whole, TRUE);
    }
  else
    text = g_strdup_printf ("{\"eos_token_id\": %s}", eos);
  g_assert_true (g_file_set_contents (path, text, -1, &error));
}

/* Every id that a folder's files call an end stops an answer, and stays one in whatever is made of the folder. */
static void
test_ends (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "[0, 1000000]", "1000000", "-2", "0.5", "\"</s>\"", "[[1]]", "[null]", "9223372036854775807" };
  g_autofree char *hf = NULL;
  g_autoptr (GArray) answer = NULL;
  gint32 end;
  guint at = 3;

  if (!f->model)
    return;
  hf = export_to (f, f->model, NULL, "hf", "F32", "hf", 0);
  answer = answer_of (f, f->model, 24, TRUE, NULL);
  end = g_array_index (answer, gint32, at);
  for (guint i = 0; i < at; i++)
    g_assert_cmpint (g_array_index (answer, gint32, i), !=, end);
  g_assert_false (lk_tokenizer_is_end (lk_model_get_tokenizer (f->model), end));

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *list = g_strdup_printf (i ? "%d" : "[0, %d]", end);
      const char *names[] = { "generation_config.json", "config.json" };
      g_autofree char *gguf_name = g_strdup_printf ("ends%u.gguf", i);
      g_autofree char *hf_name = g_strdup_printf ("ends%u", i);
      g_autofree char *gguf_path = NULL;
      g_autofree char *again_path = NULL;
      g_autoptr (LkModel) folder = NULL;
      g_autoptr (LkModel) text = NULL;
      g_autoptr (LkModel) gguf = NULL;
      g_autoptr (LkModel) again = NULL;

      write_ends (hf, names[0], "[]");
      write_ends (hf, names[1], "null");
      write_ends (hf, names[i], list);
      folder = open_model (hf);
      check_ends_at (f, folder, answer, at + 1);
      text = lk_model_open_text (hf, NULL);
      g_assert_true (lk_tokenizer_is_end (lk_model_get_tokenizer (text), end));
      gguf_path = export_to (f, folder, NULL, "gguf", "F32", gguf_name, 0);
      gguf = open_model (gguf_path);
      check_ends_at (f, gguf, answer, at + 1);
      again_path = export_to (f, gguf, NULL, "hf", "F32", hf_name, 0);
      again = open_model (again_path);
      check_ends_at (f, again, answer, at + 1);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      write_ends (hf, "generation_config.json", bad[i]);
      g_assert_null (lk_model_open (hf, &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
      g_assert_nonnull (strstr (error->message, "generation_config.json"));
      g_assert_nonnull (strstr (error->message, "eos_token_id"));
    }
}

/* More ends than a GGUF file can name are not dropped. */
static void
test_many_ends (Fixture *f, gconstpointer data)
{
  g_autofree char *hf = NULL;
  g_autofree char *path = g_build_filename (f->folder, "many.gguf", NULL);
  g_autoptr (LkModel) folder = NULL;
  g_autoptr (GError) error = NULL;
  LkExport export = { .backend = f->backend, .path = path, .type = "F32" };

  if (!f->model)
    return;
  hf = export_to (f, f->model, NULL, "hf", "F32", "hf", 0);
  write_ends (hf, "generation_config.json", "[300, 301, 302]");
  export.model = folder = open_model (hf);
  g_assert_false (lk_export_run (&export, target_of ("gguf"), &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "generation_config.json"));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/export/merged", Fixture, NULL, set_up, test_merged, tear_down);
  g_test_add ("/export/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
  g_test_add ("/export/llama3", Fixture, NULL, set_up, test_llama3, tear_down);
  g_test_add ("/export/ends", Fixture, NULL, set_up, test_ends, tear_down);
  g_test_add ("/export/many-ends", Fixture, NULL, set_up, test_many_ends, tear_down);
  g_test_add ("/export/verify", Fixture, NULL, set_up, test_verify, tear_down);
  g_test_add ("/export/lora", Fixture, NULL, set_up, test_lora, tear_down);
  g_test_add ("/export/lora-refused", Fixture, NULL, set_up, test_lora_refused, tear_down);
  g_test_add ("/export/lora-files", Fixture, NULL, set_up, test_lora_files, tear_down);
  g_test_add ("/export/verify-finds", Fixture, NULL, set_up, test_verify_finds, tear_down);
  g_test_add ("/export/verify-finds-rounded", Fixture, NULL, set_up, test_verify_finds_rounded, tear_down);
  g_test_add ("/export/verify-cancelled", Fixture, NULL, set_up, test_verify_cancelled, tear_down);
  g_test_add ("/export/own-input", Fixture, NULL, set_up, test_own_input, tear_down);
  g_test_add ("/export/refusals", Fixture, NULL, set_up, test_refusals, tear_down);
  return g_test_run ();
}
