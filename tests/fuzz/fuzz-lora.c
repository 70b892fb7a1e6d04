/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An adapter as a GGUF file, for a model of one small layer. One that was taken has modules of that layer, each with a scale.
 */
#include <math.h>

#include "lk-adapter.h"
#include "lk-fuzz.h"
#include "lk-model-shape.h"

static const LkModelShape shape = { "one-layer", "llama", 8, 8, 16, 1, 2, 1, 4, 16, 10000, 0, FALSE };

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static LkModel *model;
  g_autoptr (LkAdapter) adapter = NULL;
  GError *error = NULL;
  guint before;

  if (!model)
    model = lk_model_new_of_shape (&shape, LK_TYPE_F32, LK_TYPE_F32, &error);
  g_assert_no_error (error);
  before = lk_variables_get_n (lk_model_get_variables (model));
  adapter = lk_adapter_load (model, "adapter", lk_fuzz_file ("adapter.gguf", data, size), TRUE, &error);
  if (adapter)
    {
      g_assert_cmpuint (lk_adapter_get_n_modules (adapter), >, 0);
      for (guint i = 0; i < lk_adapter_get_n_modules (adapter); i++)
        g_assert_true (lk_adapter_get_module (adapter, i)->layer == 0 && isfinite (lk_adapter_get_module (adapter, i)->scale));
      lk_fuzz_accepted (data, size);
    }
  else
    lk_fuzz_refused (error);
  g_clear_pointer (&adapter, lk_adapter_unref);
  lk_variables_truncate (lk_model_get_variables (model), before);
  return 0;
}
