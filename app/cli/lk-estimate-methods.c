/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-estimate-methods.h"

#include "lk-error.h"

typedef struct
{
  LkEstimateOpen open;
  const LkRecipe *recipe;
  LkBackend *backend;
  guint64 limit;
  GArray *found;
} Estimator;

static gboolean
is_float (LkType type)
{
  return type == LK_TYPE_F32 || type == LK_TYPE_F16 || type == LK_TYPE_BF16;
}

/* Whether the linear layers are stored as floats, all of them or some. */
static gboolean
has_floats (LkModel *model)
{
  const LkLayerWeights *layer = lk_model_get_layer (model, 0);

  for (guint i = 0; i < LK_N_LINEAR; i++)
    if (layer->linear[i] && is_float (layer->linear[i]->type))
      return TRUE;
  return FALSE;
}

static void
add (Estimator *self, const char *name, const LkMemoryPlan *memory, guint64 total, gboolean fits)
{
  LkEstimateMethod method = { .name = name, .total_bytes = total, .in_place_bytes = memory->in_place, .fits = fits };

  g_array_append_val (self->found, method);
}

static gboolean
add_chat (Estimator *self, LkModel *model, GError **error)
{
  const LkGeneratorOptions options = { .model = model, .backend = self->backend };
  g_autoptr (LkGenerator) generator = lk_generator_new (&options, error);
  guint64 total;
  LkMemoryPlan memory;

  if (!generator || !lk_generator_plan (generator, &memory, error))
    return FALSE;
  total = memory.activations + memory.weights + memory.parameters + memory.state + memory.inputs;
  add (self, "chat", &memory, total, total - memory.in_place <= self->limit);
  return TRUE;
}

static gboolean
add_training (Estimator *self, const char *name, LkType base_type, GError **error)
{
  g_autoptr (LkModel) model = self->open (base_type, error);
  g_autoptr (LkAdapter) adapter = NULL;
  g_autoptr (GError) plan_error = NULL;
  g_auto (GStrv) targets = NULL;
  LkAdapterConfig config;
  LkTrainStepOptions options;
  LkTrainPlan plan = { 0 };
  gboolean fits;

  if (!model)
    return FALSE;
  lk_trainer_adapter_config (self->recipe, &config, &targets);
  adapter = lk_adapter_new (model, "estimate", &config, error);
  if (!adapter)
    return FALSE;
  lk_trainer_step_options (self->recipe, model, adapter, self->backend, NULL, &options);
  options.memory_limit = self->limit;
  fits = lk_train_plan_make (&options, &plan, &plan_error);
  if (!fits && !g_error_matches (plan_error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY))
    {
      g_propagate_error (error, g_steal_pointer (&plan_error));
      return FALSE;
    }
  add (self, name, &plan.memory, lk_train_plan_total (&plan), fits);
  return TRUE;
}

GArray *
lk_estimate_methods (LkEstimateOpen open, const LkRecipe *recipe, LkBackend *backend, guint64 limit, GError **error)
{
  g_autoptr (LkModel) model = open (LK_TYPE_INVALID, error);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (LkEstimateMethod));
  Estimator self = { open, recipe, backend, limit, found };
  gboolean floats, done;

  if (!model || !add_chat (&self, model, error))
    return NULL;
  floats = has_floats (model);
  g_clear_pointer (&model, lk_model_unref); /* the next one is opened instead of it, not beside it */
  done = floats ? add_training (&self, "qlora", LK_TYPE_NF4, error) && add_training (&self, "lora", LK_TYPE_INVALID, error)
                : add_training (&self, "qlora", LK_TYPE_INVALID, error);
  return done ? g_steal_pointer (&found) : NULL;
}
