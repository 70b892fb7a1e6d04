/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-fuzz.h"
#include "lk-gguf.h"

/* Asks every key for every type of value. */
static void
ask (LkGguf *file, const char *key)
{
  const char *text = NULL;
  g_auto (GStrv) texts = NULL;
  g_autofree gint64 *ints = NULL;
  g_autofree double *doubles = NULL;
  gint64 number = 0;
  double real = 0;
  gboolean truth = FALSE;
  GError *error[7] = { NULL };
  guint n;

  lk_gguf_get_int (file, key, &number, &error[0]);
  lk_gguf_get_double (file, key, &real, &error[1]);
  lk_gguf_get_boolean (file, key, &truth, &error[2]);
  lk_gguf_get_string (file, key, &text, &error[3]);
  lk_gguf_get_strings (file, key, &texts, &n, &error[4]);
  lk_gguf_get_ints (file, key, &ints, &n, &error[5]);
  lk_gguf_get_doubles (file, key, &doubles, &n, &error[6]);
  for (guint i = 0; i < G_N_ELEMENTS (error); i++)
    if (error[i])
      lk_fuzz_refused (error[i]);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  GError *error = NULL;
  g_autoptr (LkGguf) file = lk_gguf_open_bytes (bytes, "input", &error);
  guint64 sum = 0;

  if (!file)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  for (guint i = 0; i < lk_gguf_get_n_keys (file); i++)
    ask (file, lk_gguf_get_key (file, i));
  for (guint i = 0; i < lk_gguf_get_n_tensors (file); i++)
    {
      const LkTensorInfo *tensor = lk_gguf_get_tensor (file, i);

      g_assert_true (lk_gguf_lookup (file, tensor->name) == tensor);
      for (gsize k = 0; k < tensor->size; k++)
        sum += tensor->data[k];
    }
  lk_fuzz_accepted (data, size);
  return sum == G_MAXUINT64;
}
