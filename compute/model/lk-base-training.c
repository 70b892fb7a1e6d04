/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Full tuning: the model's own weights become views of one flat variable, matrices first, and ask for gradients.
 */
#include "lk-decoder.h"

#include "lk-error.h"

#define LK_BASE_ALIGNMENT 64 /* floats: views begin where storage buffers may */

static gint64
lk_base_padded (const LkVariable *v)
{
  return (v->rows * v->cols + LK_BASE_ALIGNMENT - 1) / LK_BASE_ALIGNMENT * LK_BASE_ALIGNMENT;
}

gboolean
lk_model_train_base (LkModel *model, LkBaseTraining *training, GError **error)
{
  LkVariables *variables = lk_model_get_variables (model);
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (model, &n);
  gint64 total = 0, at = 0;

  for (guint i = 0; i < n; i++)
    {
      if (tensors[i].variable->type != LK_TYPE_F32)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” is stored as %s; only F32 weights can be trained themselves",
                       tensors[i].hf_name, lk_type_name (tensors[i].variable->type));
          return FALSE;
        }
      total += lk_base_padded (tensors[i].variable);
    }
  training->parameters = lk_variables_add_f32 (variables, "base.parameters", LK_VARIABLE_PARAMETER, 1, total);
  training->gradients = lk_variables_add_f32 (variables, "base.gradients", LK_VARIABLE_STATE, 1, total);
  training->n_decayed = total;
  for (guint pass = 0; pass < 2; pass++)
    {
      for (guint i = 0; i < n; i++)
        {
          LkVariable *v = tensors[i].variable;
          g_autofree char *name = NULL;

          if ((v->rows > 1) != (pass == 0))
            continue;
          name = g_strconcat (v->name, ".gradient", NULL);
          v->base = training->parameters;
          v->base_offset = (guint64) at * sizeof (float);
          v->kind = LK_VARIABLE_PARAMETER;
          v->gradient = lk_variables_add_view (variables, name, training->gradients, (guint64) at, v->rows, v->cols);
          at += lk_base_padded (v);
        }
      if (pass == 0)
        training->n_decayed = at;
    }
  return TRUE;
}
