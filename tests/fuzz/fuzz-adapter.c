/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PEFT's adapter_config.json beside a good adapter_model.safetensors of one module with rank 1.
 */
#include <math.h>
#include <string.h>

#include "lk-fuzz.h"
#include "lk-peft.h"

#define NAME "base_model.model.model.layers.0.self_attn.q_proj.lora_"
#define HEADER                                                                                                              \
  "{\"" NAME "A.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},\"" NAME                                \
  "B.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[8,16]}}"

static void
write_tensors (void)
{
  guint8 file[8 + sizeof HEADER - 1 + 16] = { (sizeof HEADER - 1) & 0xff, (sizeof HEADER - 1) >> 8 };

  memcpy (file + 8, HEADER, sizeof HEADER - 1);
  lk_fuzz_file ("adapter_model.safetensors", file, sizeof file);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static gboolean begun;
  g_autoptr (LkPeft) adapter = NULL;
  GError *error = NULL;

  if (!begun)
    write_tensors ();
  begun = TRUE;
  lk_fuzz_file ("adapter_config.json", data, size);
  adapter = lk_peft_open (lk_fuzz_folder (), &error);
  if (!adapter)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_cmpuint (lk_peft_get_n_modules (adapter), ==, 1);
  g_assert_true (isfinite (lk_peft_get_module (adapter, 0)->scale));
  lk_fuzz_accepted (data, size);
  return 0;
}
