/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the decoder has no part for is refused by name, not passed over: members of config.json and keys of a GGUF that change what a
 * model computes, and tensors of its layers that nobody asked for.
 */
#include "lk-model-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

/* The value at which the member changes nothing, beside null and absence. */
typedef enum
{
  LK_HARMLESS_FALSE, /* or 0, or an empty list */
  LK_HARMLESS_ONE,
  LK_HARMLESS_ONES,  /* a list of ones */
} LkHarmless;

static const struct
{
  const char *name;
  LkHarmless harmless;
} members[] = {
  /* experts: Mixtral, Qwen MoE, DeepSeek, Phi MoE */
  { "num_experts", LK_HARMLESS_FALSE },
  { "num_local_experts", LK_HARMLESS_FALSE },
  { "n_routed_experts", LK_HARMLESS_FALSE },
  { "num_experts_per_tok", LK_HARMLESS_FALSE },
  { "moe_intermediate_size", LK_HARMLESS_FALSE },
  /* biases, and norms of heads, of files whose family has none */
  { "attention_bias", LK_HARMLESS_FALSE },
  { "mlp_bias", LK_HARMLESS_FALSE },
  { "use_qk_norm", LK_HARMLESS_FALSE },
  { "qk_layernorm", LK_HARMLESS_FALSE },
  /* scales: Granite, Cohere, MiniCPM */
  { "logit_scale", LK_HARMLESS_ONE },
  { "logits_scaling", LK_HARMLESS_ONE },
  { "attention_multiplier", LK_HARMLESS_ONE },
  { "residual_multiplier", LK_HARMLESS_ONE },
  { "embedding_multiplier", LK_HARMLESS_ONE },
  { "scale_emb", LK_HARMLESS_ONE },
  { "scale_depth", LK_HARMLESS_ONE },
  /* other kinds of attention */
  { "use_bidirectional_attention", LK_HARMLESS_FALSE },
  { "no_rope_layers", LK_HARMLESS_ONES },
  { "attention_chunk_size", LK_HARMLESS_FALSE },
  { "attn_temperature_tuning", LK_HARMLESS_FALSE },
  { "scale_attn_by_inverse_layer_idx", LK_HARMLESS_FALSE },
  { "clip_qkv", LK_HARMLESS_FALSE },
  { "alibi", LK_HARMLESS_FALSE },
  { "add_cross_attention", LK_HARMLESS_FALSE },
  { "is_encoder_decoder", LK_HARMLESS_FALSE },
  { "use_parallel_residual", LK_HARMLESS_FALSE },
};

static gboolean
lk_node_is_harmless (JsonNode *node, LkHarmless harmless)
{
  JsonArray *list = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; list && harmless == LK_HARMLESS_ONES && i < json_array_get_length (list); i++)
    if (!lk_node_is_harmless (json_array_get_element (list, i), LK_HARMLESS_ONE))
      return FALSE;
  if (list)
    return harmless == LK_HARMLESS_ONES || json_array_get_length (list) == 0;
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) == G_TYPE_STRING)
    return FALSE;
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node) == (harmless != LK_HARMLESS_FALSE);
  return json_node_get_double (node) == (harmless == LK_HARMLESS_FALSE ? 0 : 1);
}

gboolean
_lk_model_refuse_members (LkModel *self, const char *source, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      JsonNode *node = json_object_get_member (self->hf_config, members[i].name);
      g_autofree char *value = NULL;
      g_autofree char *shown = NULL;

      if (!node || lk_node_is_harmless (node, members[i].harmless))
        continue;
      value = lk_json_to_string (node, FALSE);
      shown = g_utf8_strlen (value, -1) > 60 ? g_utf8_substring (value, 0, 60) : g_strdup (value);
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is %s; models with it are not supported", source, members[i].name, shown);
      return FALSE;
    }
  return TRUE;
}

/* "<architecture>.<name>": a number or a truth. */
static const struct
{
  const char *name;
  double harmless[2];
} keys[] = {
#define LK_KEY_SCALE 0
  { "attention.scale", { 0, 0 } }, /* or what it is anyway */
  { "expert_count", { 0, 0 } },
  { "expert_used_count", { 0, 0 } },
  { "attention.causal", { 1, 1 } },
  { "attention.clamp_kqv", { 0, 0 } },
  { "attention.max_alibi_bias", { 0, 0 } },
  { "logit_scale", { 0, 1 } },
  { "residual_scale", { 0, 1 } },
  { "embedding_scale", { 0, 1 } },
  { "use_parallel_residual", { 0, 0 } },
};

/* A number, or a truth as 0 or 1. */
static gboolean
lk_model_gguf_value (LkModel *self, const char *key, double *out, GError **error)
{
  LkGgufType type, element;
  guint64 count;
  gboolean truth = FALSE;

  if (!lk_gguf_get_type (self->gguf, key, &type, &element, &count))
    return TRUE;
  if (type != LK_GGUF_BOOL)
    return lk_gguf_get_double (self->gguf, key, out, error);
  if (!lk_gguf_get_boolean (self->gguf, key, &truth, error))
    return FALSE;
  *out = truth;
  return TRUE;
}

gboolean
_lk_model_refuse_keys (LkModel *self, GError **error)
{
  const LkModelConfig *c = &self->config;
  double width = (double) c->head_dim;
  g_autofree char *values = g_strconcat (c->family->gguf_architecture, ".attention.value_length", NULL);
  g_autofree char *sections = g_strconcat (c->family->gguf_architecture, ".rope.dimension_sections", NULL);
  LkGgufType type, element;
  guint64 count;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *key = g_strconcat (c->family->gguf_architecture, ".", keys[i].name, NULL);
      double value = keys[i].harmless[0];

      if (!lk_model_gguf_value (self, key, &value, error))
        return FALSE;
      if (value == keys[i].harmless[0] || value == keys[i].harmless[1] || (i == LK_KEY_SCALE && fabs (value - c->attention_scale) < 1e-6))
        continue;
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is %g; models with it are not supported", self->path, key, value);
      return FALSE;
    }
  if (!lk_model_gguf_value (self, values, &width, error))
    return FALSE;
  if (width == (double) c->head_dim && !lk_gguf_get_type (self->gguf, sections, &type, &element, &count))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: models with “%s” are not supported", self->path,
               width == (double) c->head_dim ? sections : values);
  return FALSE;
}

/* The number behind @prefix at the beginning of @name, and what follows; −1. */
static gint64
lk_layer_of (const char *name, const char *prefix, const char **rest)
{
  char *end;
  guint64 layer;

  if (!g_str_has_prefix (name, prefix) || !g_ascii_isdigit (name[strlen (prefix)]))
    return -1;
  layer = g_ascii_strtoull (name + strlen (prefix), &end, 10);
  *rest = end;
  return *end == '.' && layer < G_MAXINT32 ? (gint64) layer : -1;
}

/* What files hold beside a layer's weights: tables that are computed, statistics, and the parts of a quantised matrix. */
static gboolean
lk_tensor_is_known (LkModel *self, const char *name, const char *rest)
{
  static const char *const harmless[] = { ".rotary_emb.inv_freq", ".attn_rot_embd.weight", ".rope_freqs.weight" };
  const char *weight = strstr (name, ".weight.");

  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    if (g_str_has_suffix (rest, harmless[i]))
      return TRUE;
  if (self->safetensors && weight) /* ….weight.absmax and others of bitsandbytes */
    {
      g_autofree char *whole = g_strndup (name, (gsize) (weight - name) + strlen (".weight"));
      return lk_safetensors_lookup (self->safetensors, whole) != NULL;
    }
  return FALSE;
}

gboolean
_lk_model_refuse_tensors (LkModel *self, GError **error)
{
  static const char *const prefixes[] = { "blk.", "model.layers.", "language_model.model.layers.", "model.language_model.layers." };
  guint n = self->gguf ? lk_gguf_get_n_tensors (self->gguf) : lk_safetensors_get_n_tensors (self->safetensors);
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->tensors->len; i++)
    {
      const LkModelTensor *tensor = &g_array_index (self->tensors, LkModelTensor, i);

      g_hash_table_add (used, self->gguf ? tensor->gguf_name : tensor->hf_name);
    }
  for (guint i = 0; i < n; i++)
    {
      const char *name = (self->gguf ? lk_gguf_get_tensor (self->gguf, i) : lk_safetensors_get_tensor (self->safetensors, i))->name, *rest = NULL;
      g_autofree char *plain = NULL;
      gint64 layer = -1;

      for (guint k = self->gguf ? 0 : 1; k < (self->gguf ? 1 : G_N_ELEMENTS (prefixes)) && layer < 0; k++)
        layer = lk_layer_of (name, prefixes[k], &rest);
      if (layer < 0 || layer >= self->config.layers)
        continue;
      plain = g_strdup_printf ("%s%" G_GINT64_FORMAT "%s", self->gguf ? "blk." : "model.layers.", layer, rest);
      if (g_hash_table_contains (used, plain) || lk_tensor_is_known (self, name, rest))
        continue;
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: models of the family %s with a tensor “%s” are not supported", self->path,
                   self->config.family->name, name);
      return FALSE;
    }
  return TRUE;
}
