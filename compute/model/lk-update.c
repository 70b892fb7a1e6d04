/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-update.h"

#include <math.h>

#include "lk-ops.h"

LkUpdate *
lk_update_new (LkVariables *variables, const char *name, LkVariable *parameters, LkVariable *gradients, gint64 n_decayed)
{
  LkUpdate *self = g_new0 (LkUpdate, 1);
  g_autofree char *hyper = g_strconcat (name, ".hyper", NULL);
  g_autofree char *m = g_strconcat (name, ".m", NULL);
  g_autofree char *v = g_strconcat (name, ".v", NULL);
  g_autofree char *norm = g_strconcat (name, ".norm", NULL);

  self->hyper = lk_variables_add_f32 (variables, hyper, LK_VARIABLE_INPUT, 1, LK_N_HYPER);
  self->m = lk_variables_add_f32 (variables, m, LK_VARIABLE_STATE, 1, parameters->cols);
  self->v = lk_variables_add_f32 (variables, v, LK_VARIABLE_STATE, 1, parameters->cols);
  self->norm = lk_variables_add_f32 (variables, norm, LK_VARIABLE_STATE, 1, 2);
  self->program = lk_program_new (name, variables);
  lk_op_gradient_norm (self->program, lk_program_variable (self->program, gradients), lk_program_variable (self->program, self->hyper),
                       lk_program_variable (self->program, self->norm));
  lk_op_adamw (self->program, lk_program_variable (self->program, parameters), lk_program_variable (self->program, gradients),
               lk_program_variable (self->program, self->m), lk_program_variable (self->program, self->v),
               lk_program_variable (self->program, self->hyper), lk_program_variable (self->program, self->norm), n_decayed);
  return self;
}

void
lk_update_free (LkUpdate *self)
{
  if (!self)
    return;
  lk_program_unref (self->program);
  g_free (self);
}

gboolean
lk_update_write (LkUpdate *self, LkBackend *backend, const LkUpdateInput *input, GError **error)
{
  float hyper[LK_N_HYPER] = { 0 };

  hyper[LK_HYPER_LEARNING_RATE] = (float) input->learning_rate;
  hyper[LK_HYPER_BETA1] = (float) input->beta1;
  hyper[LK_HYPER_BETA2] = (float) input->beta2;
  hyper[LK_HYPER_EPS] = (float) input->eps;
  hyper[LK_HYPER_WEIGHT_DECAY] = (float) input->weight_decay;
  hyper[LK_HYPER_MAX_NORM] = (float) input->max_norm;
  hyper[LK_HYPER_CORRECTION1] = (float) (1.0 / (1.0 - pow (input->beta1, (double) input->step)));
  hyper[LK_HYPER_CORRECTION2] = (float) (1.0 / (1.0 - pow (input->beta2, (double) input->step)));
  hyper[LK_HYPER_GRADIENT_SCALE] = (float) (1.0 / input->n_targets);
  hyper[LK_HYPER_ONE_MINUS_BETA1] = (float) (1.0 - input->beta1);
  hyper[LK_HYPER_ONE_MINUS_BETA2] = (float) (1.0 - input->beta2);
  return lk_backend_write (backend, self->hyper, 0, hyper, sizeof hyper, error);
}
