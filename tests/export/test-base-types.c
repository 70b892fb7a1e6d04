/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Weights quantised on load (--base-type): each matrix is, bit for bit, what quantising the stored one gives, in the order of the model's rows,
 * from a folder and from a GGUF, whose q and k are in another order. Weights that somebody else quantised are refused by name.
 */
#include <string.h>

#include "lk-backend.h"
#include "lk-error.h"
#include "lk-export.h"
#include "lk-file.h"
#include "lk-quant.h"
#include "lk-written-model.h"

typedef LkWrittenModel Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  lk_written_model_init (f, "BF16");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lk_written_model_clear (f);
}

static guint8 *
content (LkBackend *backend, LkVariable *variable)
{
  g_autoptr (GError) error = NULL;
  guint8 *bytes = g_malloc (variable->bytes);

  lk_backend_read (backend, variable, 0, bytes, variable->bytes, &error);
  g_assert_no_error (error);
  return bytes;
}

/* Linear weights are of @type, all others as they are stored. */
static void
check_tensor (LkBackend *backend, const LkModelTensor *stored, const LkModelTensor *held, LkType type)
{
  LkVariable *from = stored->variable, *to = held->variable;
  g_autofree guint8 *bytes = content (backend, from), *got = content (backend, to), *wanted = NULL;
  g_autofree float *values = g_new (float, from->rows *from->cols);

  g_assert_cmpstr (from->name, ==, to->name);
  if (stored->role < 0)
    {
      g_assert_cmpmem (got, to->bytes, bytes, from->bytes);
      return;
    }
  g_assert_cmpint (to->type, ==, type);
  g_assert_cmpint (from->type, !=, type);
  lk_quant_info (from->type)->dequantise (bytes, values, from->rows * from->cols);
  wanted = g_malloc (to->bytes);
  lk_quant_info (type)->quantise (values, wanted, from->rows * from->cols);
  g_assert_cmpmem (got, to->bytes, wanted, to->bytes);
}

static void
check_model (const char *path, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (2);
  g_autoptr (LkModel) stored = lk_model_open (path, &error);
  g_autoptr (LkModel) held = NULL;
  const LkModelTensor *a, *b;
  LkType type;
  guint n, m, linear = 0;

  g_assert_no_error (error);
  g_assert_true (lk_base_type_parse (name, &type, &error));
  held = lk_model_open_as (path, type, &error);
  g_assert_no_error (error);
  g_assert_true (lk_backend_prepare (backend, lk_model_get_variables (stored), &error)
                 && lk_backend_prepare (backend, lk_model_get_variables (held), &error));
  a = lk_model_get_tensors (stored, &n);
  b = lk_model_get_tensors (held, &m);
  g_assert_cmpuint (n, ==, m);
  for (guint i = 0; i < n; i++)
    {
      check_tensor (backend, &a[i], &b[i], type);
      linear += a[i].role >= 0;
    }
  g_assert_cmpuint (linear, ==, 28); /* 7 in each of 4 layers */
}

static void
test_held (Fixture *f, gconstpointer data)
{
  if (!f->model)
    return;
  check_model (f->hf, data);
  check_model (f->gguf, data);
}

static void
refused (Fixture *f, const char *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkModel) model = lk_model_open (f->hf, &error);

  g_assert_null (model);
  g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
  if (!strstr (error->message, wanted))
    g_error ("“%s” is not named: %s", wanted, error->message);
}

/* Puts @more before the first member of config.json. */
static void
write_config (const char *path, const char *original, const char *more)
{
  g_autofree char *text = g_strconcat ("{", more, ",", strchr (original, '{') + 1, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_refused_methods (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *config, *wanted;
  } cases[] = {
    { "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 128}", "quantised by gptq, " },
    { "{\"quant_method\": \"awq\", \"bits\": 4, \"zero_point\": true}", "quantised by awq, " },
    { "{\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true}", "LLM.int8" },
    { "{\"bits\": 4}", "an unnamed method" },
  };
  g_autofree char *path = g_build_filename (f->hf, "config.json", NULL);
  g_autofree char *original = NULL;

  if (!f->model)
    return;
  g_assert_true (g_file_get_contents (path, &original, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *more = g_strdup_printf ("\"quantization_config\": %s", cases[i].config);

      write_config (path, original, more);
      refused (f, cases[i].wanted);
    }
}

/* FP4 says bitsandbytes as NF4 does; its weights are bytes without the state of NF4. */
static void
test_refused_fp4 (Fixture *f, gconstpointer data)
{
  static const char floats[] = "\"BF16\",\"shape\":[256,256]", bytes[] = "\"U8\",\"shape\":[131072,1] ";
  g_autofree char *config = g_build_filename (f->hf, "config.json", NULL);
  g_autofree char *weights = g_build_filename (f->hf, "model.safetensors", NULL);
  g_autofree char *original = NULL, *file = NULL;
  char *at;
  gsize size;

  if (!f->model)
    return;
  G_STATIC_ASSERT (sizeof floats == sizeof bytes);
  g_assert_true (g_file_get_contents (config, &original, NULL, NULL));
  write_config (config, original, "\"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true, \"bnb_4bit_quant_type\": \"fp4\"}");
  g_assert_true (g_file_get_contents (weights, &file, &size, NULL));
  at = g_strstr_len (file + 8, (gssize) size - 8, "\"model.layers.0.self_attn.q_proj.weight\"");
  g_assert_nonnull (at);
  at = g_strstr_len (at, 200, floats);
  g_assert_nonnull (at);
  memcpy (at, bytes, strlen (bytes));
  g_assert_true (g_file_set_contents (weights, file, (gssize) size, NULL));
  refused (f, "FP4 and other kinds cannot be read");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/export/base-type/q8_0", Fixture, "q8_0", set_up, test_held, tear_down);
  g_test_add ("/export/base-type/q4_0", Fixture, "q4_0", set_up, test_held, tear_down);
  g_test_add ("/export/base-type/refused-methods", Fixture, NULL, set_up, test_refused_methods, tear_down);
  g_test_add ("/export/base-type/refused-fp4", Fixture, NULL, set_up, test_refused_fp4, tear_down);
  return g_test_run ();
}
