/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-fuzz.h"
#include "lk-safetensors.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  GError *error = NULL;
  g_autoptr (LkSafetensors) file = lk_safetensors_open_bytes (bytes, "input", &error);
  guint64 sum = 0;

  if (!file)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  for (guint i = 0; i < lk_safetensors_get_n_tensors (file); i++)
    {
      const LkTensorInfo *tensor = lk_safetensors_get_tensor (file, i);

      g_assert_true (lk_safetensors_lookup (file, tensor->name) == tensor);
      for (gsize k = 0; k < tensor->size; k++)
        sum += tensor->data[k];
    }
  lk_safetensors_get_metadata (file, "format");
  lk_fuzz_accepted (data, size);
  return sum == G_MAXUINT64;
}
