/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The index of a sharded folder; its only shard is a good file called a.safetensors. Nothing outside the folder may be
 * opened, which the shards that were opened tell: all tensors are that file's.
 */
#include <string.h>

#include "lk-fuzz.h"
#include "lk-safetensors.h"

#define HEADER "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static void
write_shard (void)
{
  guint8 file[8 + sizeof HEADER - 1 + 4] = { sizeof HEADER - 1 };

  memcpy (file + 8, HEADER, sizeof HEADER - 1);
  lk_fuzz_file ("a.safetensors", file, sizeof file);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static gboolean begun;
  g_autoptr (LkSafetensors) file = NULL;
  GError *error = NULL;

  if (!begun)
    write_shard ();
  begun = TRUE;
  file = lk_safetensors_open (lk_fuzz_file ("model.safetensors.index.json", data, size), &error);
  if (!file)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  for (guint i = 0; i < lk_safetensors_get_n_tensors (file); i++)
    g_assert_cmpstr (lk_safetensors_get_tensor (file, i)->name, ==, "w");
  lk_fuzz_accepted (data, size);
  return 0;
}
