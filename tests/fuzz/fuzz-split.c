/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A GGUF in two parts. The first two bytes say how many of the others are the first part; both are opened, as a user may
 * name either.
 */
#include "lk-fuzz.h"
#include "lk-gguf.h"

static void
open_part (const char *path, const guint8 *data, gsize size)
{
  GError *error = NULL;
  g_autoptr (LkGguf) file = lk_gguf_open (path, &error);
  guint last = 0;

  if (!file)
    {
      lk_fuzz_refused (error);
      return;
    }
  for (guint i = 0; i < lk_gguf_get_n_tensors (file); i++)
    {
      const LkTensorInfo *tensor = lk_gguf_get_tensor (file, i);

      g_assert_true (lk_gguf_lookup (file, tensor->name) == tensor);
      last += tensor->data[tensor->size - 1]; /* read, so that a wrong end is noticed */
    }
  g_assert_cmpuint (last, <=, 255 * lk_gguf_get_n_tensors (file));
  lk_fuzz_accepted (data, size);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize first = size >= 2 ? MIN (data[0] + 256u * data[1], size - 2) : 0;
  const guint8 *parts = size >= 2 ? data + 2 : data;
  const char *a = lk_fuzz_file ("m-00001-of-00002.gguf", parts, first);
  const char *b = lk_fuzz_file ("m-00002-of-00002.gguf", parts + first, size >= 2 ? size - 2 - first : size);

  open_part (a, data, size);
  open_part (b, data, size);
  return 0;
}
