/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.json of a Hugging Face folder that holds nothing else.
 */
#include "lk-fuzz.h"
#include "lk-hf-config.h"
#include "lk-model.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  GError *error = NULL;
  g_autoptr (JsonObject) config = NULL;
  g_autoptr (GArray) eos = NULL;
  LkModel *model;
  g_auto (LkRopeConfig) rope = { 0 };

  lk_fuzz_file ("config.json", data, size);
  config = lk_hf_config_load (lk_fuzz_folder (), &error);
  if (!config)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  if (!lk_hf_config_get_rope (config, "config.json", "full_attention", 10000, &rope, &error))
    lk_fuzz_refused (g_steal_pointer (&error));
  else
    lk_fuzz_accepted (data, size);
  eos = lk_hf_config_get_eos (config, "config.json", 1000, &error);
  if (!eos)
    lk_fuzz_refused (g_steal_pointer (&error));
  model = lk_model_open (lk_fuzz_folder (), &error);
  g_assert_null (model); /* there are no weights */
  lk_fuzz_refused (error);
  return 0;
}
