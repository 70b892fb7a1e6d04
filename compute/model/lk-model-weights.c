/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tensors of the file become variables, by the tables of lk-family.c. Nothing is copied but q and k of GGUF files whose
 * family stores their rows in adjacent pairs.
 */
#include "lk-model-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-quant.h"

/* The language part of a model that also sees pictures has names of its own, others in transformers 5 than before. */
static const LkTensorInfo *
lk_model_lookup_part (LkModel *self, const char *hf)
{
  static const struct
  {
    const char *from, *to;
  } spellings[] = { { "model.", "language_model.model." }, { "model.", "model.language_model." }, { "lm_head.", "language_model.lm_head." } };

  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++)
    if (g_str_has_prefix (hf, spellings[i].from))
      {
        g_autofree char *name = g_strconcat (spellings[i].to, hf + strlen (spellings[i].from), NULL);
        const LkTensorInfo *info = lk_safetensors_lookup (self->safetensors, name);

        if (info)
          return info;
      }
  return NULL;
}

const LkTensorInfo *
_lk_model_lookup (LkModel *self, const char *hf)
{
  const LkTensorInfo *info = lk_safetensors_lookup (self->safetensors, hf);

  return info ? info : lk_model_lookup_part (self, hf);
}

static const LkTensorInfo *
lk_model_lookup (LkModel *self, const char *hf, const char *gguf)
{
  return self->gguf ? lk_gguf_lookup (self->gguf, gguf) : _lk_model_lookup (self, hf);
}

static char *
lk_model_expand (const char *pattern, gint layer)
{
  g_autofree char *number = g_strdup_printf ("%d", layer);
  g_auto (GStrv) parts = g_strsplit (pattern, "%d", 2);

  return parts[1] ? g_strconcat (parts[0], number, parts[1], NULL) : g_strdup (pattern);
}

static gboolean
lk_model_check_tensor (LkModel *self, const LkTensorInfo *info, const char *name, gint64 rows, gint64 cols, GError **error)
{
  gboolean vector = rows == 1;
  gboolean shape = vector ? info->n_dims == 1 && (gint64) info->shape[0] == cols
                          : info->n_dims == 2 && (gint64) info->shape[0] == rows && (gint64) info->shape[1] == cols;

  if (!shape)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "%s: “%s” must be %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " but is %" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT, self->path,
                   name, rows, cols, info->n_dims == 2 ? info->shape[0] : 1, info->shape[info->n_dims == 2 ? 1 : 0]);
      return FALSE;
    }
  if (!lk_quant_info (info->type))
    {
      g_autofree char *known = lk_quant_list_types ();

      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is stored as %s; weights of types %s can be read", self->path,
                   name, lk_type_name (info->type), known);
      return FALSE;
    }
  return TRUE;
}

/* GGUF row h·d + 2j + s is row h·d + s·d/2 + j of the half-split order. */
static guint8 *
lk_model_unpermute (const LkTensorInfo *info, gint64 head_dim)
{
  guint8 *out = g_malloc (info->size);
  gint64 rows = (gint64) info->shape[0], half = head_dim / 2;
  gsize row_bytes = info->size / (gsize) rows;

  for (gint64 r = 0; r < rows; r++)
    {
      gint64 h = r / head_dim, s = r % head_dim / half, j = r % half;
      memcpy (out + (gsize) r * row_bytes, info->data + (gsize) (h * head_dim + 2 * j + s) * row_bytes, row_bytes);
    }
  return out;
}

/* Vectors (norms, biases) are always F32 in memory, whatever the file holds. @plus is what the file's values have too much. */
static const guint8 *
lk_model_vector (LkModel *self, const LkTensorInfo *info, float plus)
{
  float *values = g_new (float, info->shape[0]);

  lk_quant_info (info->type)->dequantise (info->data, values, (gint64) info->shape[0]);
  for (guint64 i = 0; plus != 0 && i < info->shape[0]; i++)
    values[i] -= plus;
  lk_variables_keep (self->variables, values, g_free);
  return (const guint8 *) values;
}

/* A tensor's role besides those of matrices. */
#define LK_ROLE_OTHER (-1)
#define LK_ROLE_NORM (-2)

static LkVariable *
lk_model_add_variable (LkModel *self, const char *name, const LkTensorInfo *info, gint role, gint64 rows, gint64 cols, GError **error)
{
  gboolean permuted = self->gguf && self->config.family->gguf_permuted && (role == LK_LINEAR_Q || role == LK_LINEAR_K);
  gboolean floats = info->type == LK_TYPE_F32 || info->type == LK_TYPE_F16 || info->type == LK_TYPE_BF16;
  LkVariable *variable;

  if (role >= 0 && floats && self->base_type != LK_TYPE_INVALID)
    return _lk_model_quantised (self, name, info, self->base_type, permuted ? self->config.head_dim : 0, error);
  variable = lk_variables_add (self->variables, name, LK_VARIABLE_WEIGHT, rows == 1 ? LK_TYPE_F32 : info->type, rows, cols, error);
  if (!variable)
    return NULL;
  variable->data = permuted ? lk_model_unpermute (info, self->config.head_dim) : info->data;
  variable->mapped = !permuted && rows > 1;
  if (permuted)
    lk_variables_keep (self->variables, (gpointer) variable->data, g_free);
  return variable;
}

static LkVariable *
lk_model_bind (LkModel *self, const LkTensorNames *names, gint layer, gint role, gint64 rows, gint64 cols, gboolean optional, GError **error)
{
  g_autofree char *hf = lk_model_expand (names->hf, layer);
  g_autofree char *gguf = lk_model_expand (names->gguf, layer);
  const char *name = self->gguf ? gguf : hf;
  const LkTensorInfo *info = self->shape_tile ? NULL : lk_model_lookup (self, hf, gguf);
  gboolean norm = role == LK_ROLE_NORM;
  LkModelTensor tensor = { .layer = layer, .role = MAX (role, -1) };
  LkVariable *variable;

  if (!info && !self->shape_tile)
    {
      if (!optional)
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the tensor “%s” is missing", self->path, name);
      return NULL;
    }
  if (!info)
    variable = _lk_model_shape_tensor (self, hf, role, norm, rows, cols, error);
  else if (!self->gguf && role >= 0 && info->type == LK_TYPE_U8)
    variable = _lk_model_bitsandbytes (self, hf, rows, cols, error);
  else
    variable = lk_model_check_tensor (self, info, name, rows, cols, error) ? lk_model_add_variable (self, hf, info, role, rows, cols, error) : NULL;
  if (!variable)
    return NULL;
  tensor.gguf_plus = norm && self->config.family->norm_plus_one ? 1 : 0;
  if (rows == 1 && info)
    variable->data = lk_model_vector (self, info, self->gguf ? tensor.gguf_plus : 0);
  self->config.parameters += rows * cols;
  tensor.hf_name = g_steal_pointer (&hf);
  tensor.gguf_name = g_steal_pointer (&gguf);
  tensor.variable = variable;
  g_array_append_val (self->tensors, tensor);
  return variable;
}

static gboolean
lk_model_bind_matrices (LkModel *self, gint layer, GError **error)
{
  const LkModelConfig *c = &self->config;
  LkLayerWeights *weights = &self->layers[layer];
  gint64 q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
  const struct
  {
    gint64 rows, cols;
  } shapes[LK_N_LINEAR] = {
    [LK_LINEAR_Q] = { q, c->hidden },
    [LK_LINEAR_K] = { kv, c->hidden },
    [LK_LINEAR_V] = { kv, c->hidden },
    [LK_LINEAR_QKV] = { q + 2 * kv, c->hidden },
    [LK_LINEAR_O] = { c->hidden, q },
    [LK_LINEAR_GATE] = { c->intermediate, c->hidden },
    [LK_LINEAR_UP] = { c->intermediate, c->hidden },
    [LK_LINEAR_GATE_UP] = { 2 * c->intermediate, c->hidden },
    [LK_LINEAR_DOWN] = { c->hidden, c->intermediate },
  };

  for (guint r = 0; r < LK_N_LINEAR; r++)
    {
      if (!lk_family_has_linear (c->family, r))
        continue;
      weights->linear[r] = lk_model_bind (self, &lk_linear_names[r], layer, (gint) r, shapes[r].rows, shapes[r].cols, FALSE, error);
      if (!weights->linear[r])
        return FALSE;
      if (!c->family->qkv_bias || !lk_bias_names[r].hf)
        continue;
      weights->bias[r] = lk_model_bind (self, &lk_bias_names[r], layer, LK_ROLE_OTHER, 1, shapes[r].rows, FALSE, error);
      if (!weights->bias[r])
        return FALSE;
    }
  return TRUE;
}

static gboolean
lk_model_bind_layer (LkModel *self, gint layer, GError **error)
{
  const LkModelConfig *c = &self->config;
  LkLayerWeights *weights = &self->layers[layer];

  for (guint n = 0; n < LK_N_NORM; n++)
    {
      gint64 width = n == LK_NORM_Q || n == LK_NORM_K ? c->head_dim : c->hidden;

      if (!c->family->norms[n].hf)
        continue;
      weights->norm[n] = lk_model_bind (self, &c->family->norms[n], layer, LK_ROLE_NORM, 1, width, FALSE, error);
      if (!weights->norm[n])
        return FALSE;
    }
  return lk_model_bind_matrices (self, layer, error);
}

/* The variables point into the mapped files. */
static void
lk_model_keep_files (LkModel *self)
{
  if (self->gguf)
    lk_variables_keep (self->variables, lk_gguf_ref (self->gguf), (GDestroyNotify) lk_gguf_unref);
  else if (self->safetensors)
    lk_variables_keep (self->variables, lk_safetensors_ref (self->safetensors), (GDestroyNotify) lk_safetensors_unref);
}

/* Is any weight held as another type than it is stored? */
static gboolean
lk_model_is_quantised (LkModel *self)
{
  for (guint i = 0; i < self->tensors->len; i++)
    if (g_array_index (self->tensors, LkModelTensor, i).variable->fill)
      return TRUE;
  return FALSE;
}

gboolean
_lk_model_bind_weights (LkModel *self, GError **error)
{
  const LkModelConfig *c = &self->config;
  g_autoptr (GError) local_error = NULL;

  lk_model_keep_files (self);
  self->layers = g_new0 (LkLayerWeights, c->layers);
  self->embedding = lk_model_bind (self, &lk_embedding_names, -1, LK_ROLE_OTHER, c->vocab, c->hidden, FALSE, error);
  if (!self->embedding)
    return FALSE;
  for (gint l = 0; l < c->layers; l++)
    if (!lk_model_bind_layer (self, l, error))
      return FALSE;
  self->final_norm = lk_model_bind (self, &lk_final_norm_names, -1, LK_ROLE_NORM, 1, c->hidden, FALSE, error);
  if (!self->final_norm)
    return FALSE;
  self->head = self->config.tied ? self->embedding
                                 : lk_model_bind (self, &lk_head_names, -1, LK_ROLE_OTHER, c->vocab, c->hidden, self->gguf != NULL, &local_error);
  if (local_error)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (!self->head)
    {
      self->head = self->embedding;
      self->config.tied = TRUE;
    }
  if (self->base_type != LK_TYPE_INVALID && !lk_model_is_quantised (self))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "%s: its linear weights are stored as %s, and only F32, F16 and BF16 can be held as %s", self->path,
                   lk_type_name (self->layers[0].linear[LK_LINEAR_DOWN]->type), lk_base_type_name (self->base_type));
      return FALSE;
    }
  if (self->tokenizer && lk_tokenizer_get_n_tokens (self->tokenizer) > (guint64) c->vocab)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "%s: the tokenizer knows %u tokens but the embedding has only %" G_GINT64_FORMAT " rows", self->path,
                   lk_tokenizer_get_n_tokens (self->tokenizer), c->vocab);
      return FALSE;
    }
  return self->shape_tile || _lk_model_refuse_tensors (self, error);
}
