/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-adapter-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-peft.h"
#include "lk-random.h"

/* Views begin on whole 256 bytes, as storage buffers of GPUs want. */
#define LK_ADAPTER_ALIGNMENT 64

LkAdapter *
_lk_adapter_alloc (LkModel *model, const char *name)
{
  LkAdapter *self = g_new0 (LkAdapter, 1);
  gint64 n = lk_model_get_config (model)->layers * LK_N_LINEAR;

  g_atomic_ref_count_init (&self->ref_count);
  self->model = lk_model_ref (model);
  self->name = g_strdup (name);
  self->modules = g_array_new (FALSE, TRUE, sizeof (LkAdapterModule));
  self->find = g_new (gint, n);
  for (gint64 i = 0; i < n; i++)
    self->find[i] = -1;
  return self;
}

LkAdapter *
lk_adapter_ref (LkAdapter *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_adapter_unref (LkAdapter *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->modules);
  g_free (self->find);
  g_free (self->name);
  lk_model_unref (self->model);
  g_free (self);
}

void
_lk_adapter_add_module (LkAdapter *self, guint layer, LkLinearRole role, guint rank, double scale)
{
  LkAdapterModule module = { .layer = layer, .role = role, .rank = rank, .scale = scale };

  self->find[layer * LK_N_LINEAR + role] = (gint) self->modules->len;
  g_array_append_val (self->modules, module);
}

static gint64
lk_adapter_padded (gint64 n)
{
  return (n + LK_ADAPTER_ALIGNMENT - 1) / LK_ADAPTER_ALIGNMENT * LK_ADAPTER_ALIGNMENT;
}

static LkVariable *
lk_adapter_weight (LkAdapter *self, const LkAdapterModule *module)
{
  return lk_model_get_layer (self->model, module->layer)->linear[module->role];
}

static LkVariable *
lk_adapter_add_view (LkAdapter *self, const LkAdapterModule *module, const char *half, gint64 *at, gint64 rows, gint64 cols)
{
  LkVariables *variables = lk_model_get_variables (self->model);
  g_autofree char *path = lk_model_linear_path (module->layer, module->role);
  g_autofree char *name = g_strdup_printf ("%s.%s.%s", self->name, path, half);
  g_autofree char *gradient_name = g_strconcat (name, ".gradient", NULL);
  LkVariable *view = lk_variables_add_view (variables, name, self->parameters, (guint64) *at, rows, cols);

  if (self->gradients)
    view->gradient = lk_variables_add_view (variables, gradient_name, self->gradients, (guint64) *at, rows, cols);
  *at += lk_adapter_padded (rows * cols);
  self->n_parameters += rows * cols;
  return view;
}

void
_lk_adapter_allocate (LkAdapter *self, gboolean trainable)
{
  LkVariables *variables = lk_model_get_variables (self->model);
  g_autofree char *parameters = g_strconcat (self->name, ".parameters", NULL);
  g_autofree char *gradients = g_strconcat (self->name, ".gradients", NULL);
  g_autofree char *strength = g_strconcat (self->name, ".strength", NULL);
  static const float one = 1.0f;
  gint64 total = 0, at = 0;

  for (guint i = 0; i < self->modules->len; i++)
    {
      LkAdapterModule *module = &g_array_index (self->modules, LkAdapterModule, i);
      LkVariable *w = lk_adapter_weight (self, module);
      total += lk_adapter_padded (module->rank * w->cols) + lk_adapter_padded (module->rank * w->rows);
    }
  self->parameters = lk_variables_add_f32 (variables, parameters, LK_VARIABLE_PARAMETER, 1, total);
  if (trainable)
    self->gradients = lk_variables_add_f32 (variables, gradients, LK_VARIABLE_STATE, 1, total);
  self->strength = lk_variables_add_f32 (variables, strength, LK_VARIABLE_INPUT, 1, 1);
  self->strength->data = (const guint8 *) &one;
  for (guint i = 0; i < self->modules->len; i++)
    {
      LkAdapterModule *module = &g_array_index (self->modules, LkAdapterModule, i);
      LkVariable *w = lk_adapter_weight (self, module);

      module->a = lk_adapter_add_view (self, module, "lora_A", &at, module->rank, w->cols);
      module->b = lk_adapter_add_view (self, module, "lora_B", &at, w->rows, module->rank);
    }
}

float *
_lk_adapter_initial (LkAdapter *self)
{
  float *values = g_new0 (float, (gsize) MAX (self->parameters->cols, 1));

  lk_variables_keep (lk_model_get_variables (self->model), values, g_free);
  self->parameters->data = (const guint8 *) values;
  return values;
}

static gboolean
lk_adapter_matches (const char *target, const char *path, LkLinearRole role)
{
  g_autofree char *suffix = g_strconcat (".", target, NULL);

  return g_str_equal (target, lk_linear_role_name (role)) || g_str_equal (target, path) || g_str_has_suffix (path, suffix)
         || (strchr (target, '*') && g_pattern_match_simple (target, path));
}

/* Whether any of @targets names the layer; *used: a flag for each that some layer has met. */
static gboolean
lk_adapter_is_target (const char *const *targets, const char *path, LkLinearRole role, gboolean *used)
{
  gboolean matched = targets == NULL;

  for (guint i = 0; targets && targets[i]; i++)
    if (lk_adapter_matches (targets[i], path, role))
      used[i] = matched = TRUE;
  return matched;
}

/* "q_proj, k_proj": those of the first layer. (transfer full) */
static char *
lk_adapter_role_names (LkModel *model)
{
  GString *s = g_string_new (NULL);

  for (guint role = 0; role < LK_N_LINEAR; role++)
    if (lk_model_get_layer (model, 0)->linear[role])
      g_string_append_printf (s, "%s%s", s->len ? ", " : "", lk_linear_role_name (role));
  return g_string_free (s, FALSE);
}

/* A misspelt name among good ones would leave layers as they are without a word: each must meet some layer. */
static gboolean
lk_adapter_check_targets (LkAdapter *self, const char *const *targets, const gboolean *used, GError **error)
{
  for (guint i = 0; targets && targets[i]; i++)
    if (!used[i])
      {
        g_autofree char *there = lk_adapter_role_names (self->model);

        g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "No linear layer matches “%s”; there are %s in model.layers.0 …",
                     targets[i], there);
        return FALSE;
      }
  return TRUE;
}

static gboolean
lk_adapter_select (LkAdapter *self, const LkAdapterConfig *config, GError **error)
{
  double scale = config->alpha / (config->rslora ? sqrt ((double) config->rank) : (double) config->rank);
  g_autofree gboolean *used = g_new0 (gboolean, config->targets ? g_strv_length ((char **) config->targets) + 1 : 1);

  for (guint layer = 0; layer < lk_model_get_config (self->model)->layers; layer++)
    for (guint role = 0; role < LK_N_LINEAR; role++)
      {
        g_autofree char *path = lk_model_linear_path (layer, role);

        if (lk_model_get_layer (self->model, layer)->linear[role] && lk_adapter_is_target (config->targets, path, role, used))
          _lk_adapter_add_module (self, layer, role, config->rank, scale);
      }
  if (!lk_adapter_check_targets (self, config->targets, used, error))
    return FALSE;
  if (self->modules->len > 0)
    return TRUE;
  g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "No linear layer was named to adapt");
  return FALSE;
}

/* What a fresh adapter begins with is made where it is used: a large one would lie in memory twice. */
typedef struct
{
  guint64 seed;
  GArray *halves; /* of LkAdapterHalf */
} LkAdapterStart;

/* A matrix A; all B are zeros. */
typedef struct
{
  gsize at; /* in floats */
  gint64 n;
  float bound;
} LkAdapterHalf;

static void
lk_adapter_start_free (gpointer data)
{
  LkAdapterStart *self = data;

  g_array_unref (self->halves);
  g_free (self);
}

static gboolean
lk_adapter_fill (const LkVariable *variable, guint8 *to, gpointer data, GError **error)
{
  const LkAdapterStart *start = data;

  memset (to, 0, variable->bytes);
  for (guint i = 0; i < start->halves->len; i++)
    {
      const LkAdapterHalf *half = &g_array_index (start->halves, LkAdapterHalf, i);
      LkRandom random = lk_random (start->seed, 0x4c6f5241 + i);
      float *a = (float *) (void *) to + half->at;

      for (gint64 k = 0; k < half->n; k++)
        a[k] = (2.0f * lk_random_uniform (&random) - 1.0f) * half->bound;
    }
  return TRUE;
}

static void
lk_adapter_begin (LkAdapter *self, guint64 seed)
{
  LkAdapterStart *start = g_new (LkAdapterStart, 1);

  *start = (LkAdapterStart){ seed, g_array_new (FALSE, FALSE, sizeof (LkAdapterHalf)) };
  for (guint i = 0; i < self->modules->len; i++)
    {
      const LkVariable *a = g_array_index (self->modules, LkAdapterModule, i).a;
      LkAdapterHalf half = { a->base_offset / sizeof (float), a->rows * a->cols,
                             (float) (1.0 / sqrt ((double) a->cols)) }; /* Kaiming-uniform with a = √5 */

      g_array_append_val (start->halves, half);
    }
  lk_variables_keep (lk_model_get_variables (self->model), start, lk_adapter_start_free);
  self->parameters->fill = lk_adapter_fill;
  self->parameters->fill_data = start;
}

LkAdapter *
lk_adapter_new (LkModel *model, const char *name, const LkAdapterConfig *config, GError **error)
{
  g_autoptr (LkAdapter) self = _lk_adapter_alloc (model, name);

  if (config->rank == 0 || config->rank > LK_LORA_MAX_RANK || !(config->dropout >= 0 && config->dropout < 1))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The rank must be 1 to %d and dropout at least 0 and below 1",
                   LK_LORA_MAX_RANK);
      return NULL;
    }
  self->config = *config;
  self->config.targets = NULL;
  if (!lk_adapter_select (self, config, error))
    return NULL;
  _lk_adapter_allocate (self, TRUE);
  lk_adapter_begin (self, config->seed);
  return g_steal_pointer (&self);
}

const char *
lk_adapter_get_name (LkAdapter *self)
{
  return self->name;
}

guint
lk_adapter_get_n_modules (LkAdapter *self)
{
  return self->modules->len;
}

const LkAdapterModule *
lk_adapter_get_module (LkAdapter *self, guint i)
{
  return &g_array_index (self->modules, LkAdapterModule, i);
}

const LkAdapterModule *
lk_adapter_find (LkAdapter *self, guint layer, LkLinearRole role)
{
  gint i = self->find[layer * LK_N_LINEAR + role];

  return i < 0 ? NULL : lk_adapter_get_module (self, (guint) i);
}

double
lk_adapter_get_dropout (LkAdapter *self)
{
  return self->config.dropout;
}

void
lk_adapter_set_dropout (LkAdapter *self, double dropout)
{
  self->config.dropout = dropout;
}

gint64
lk_adapter_get_n_parameters (LkAdapter *self)
{
  return self->n_parameters;
}

LkVariable *
lk_adapter_get_parameters (LkAdapter *self)
{
  return self->parameters;
}

LkVariable *
lk_adapter_get_gradients (LkAdapter *self)
{
  return self->gradients;
}

LkVariable *
lk_adapter_get_strength (LkAdapter *self)
{
  return self->strength;
}
