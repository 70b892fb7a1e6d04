/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-family.h"

#include <math.h>

#define LAYER "model.layers.%d."

const LkTensorNames lk_plain_norms[LK_N_NORM] = {
  [LK_NORM_INPUT] = { LAYER "input_layernorm.weight", "blk.%d.attn_norm.weight" },
  [LK_NORM_FEED_FORWARD] = { LAYER "post_attention_layernorm.weight", "blk.%d.ffn_norm.weight" },
};

static const LkTensorNames head_norms[LK_N_NORM] = {
  [LK_NORM_INPUT] = { LAYER "input_layernorm.weight", "blk.%d.attn_norm.weight" },
  [LK_NORM_Q] = { LAYER "self_attn.q_norm.weight", "blk.%d.attn_q_norm.weight" },
  [LK_NORM_K] = { LAYER "self_attn.k_norm.weight", "blk.%d.attn_k_norm.weight" },
  [LK_NORM_FEED_FORWARD] = { LAYER "post_attention_layernorm.weight", "blk.%d.ffn_norm.weight" },
};

/* Norms on both sides of either part, as in Gemma 2. */
static const LkTensorNames four_norms[LK_N_NORM] = {
  [LK_NORM_INPUT] = { LAYER "input_layernorm.weight", "blk.%d.attn_norm.weight" },
  [LK_NORM_ATTENTION_OUT] = { LAYER "post_attention_layernorm.weight", "blk.%d.post_attention_norm.weight" },
  [LK_NORM_FEED_FORWARD] = { LAYER "pre_feedforward_layernorm.weight", "blk.%d.ffn_norm.weight" },
  [LK_NORM_FEED_FORWARD_OUT] = { LAYER "post_feedforward_layernorm.weight", "blk.%d.post_ffw_norm.weight" },
};

static const LkTensorNames six_norms[LK_N_NORM] = {
  [LK_NORM_INPUT] = { LAYER "input_layernorm.weight", "blk.%d.attn_norm.weight" },
  [LK_NORM_Q] = { LAYER "self_attn.q_norm.weight", "blk.%d.attn_q_norm.weight" },
  [LK_NORM_K] = { LAYER "self_attn.k_norm.weight", "blk.%d.attn_k_norm.weight" },
  [LK_NORM_ATTENTION_OUT] = { LAYER "post_attention_layernorm.weight", "blk.%d.post_attention_norm.weight" },
  [LK_NORM_FEED_FORWARD] = { LAYER "pre_feedforward_layernorm.weight", "blk.%d.ffn_norm.weight" },
  [LK_NORM_FEED_FORWARD_OUT] = { LAYER "post_feedforward_layernorm.weight", "blk.%d.post_ffw_norm.weight" },
};

static const LkFamily families[] = {
  { "Llama", "llama", "LlamaForCausalLM", "llama",
    .norms = lk_plain_norms, .gguf_permuted = TRUE, .default_norm_eps = 1e-6, .default_rope_theta = 10000,
    .defaults = { 32000, 4096, 11008, 32, 32, 0, 0, 2048 } },
  { "Mistral", "llama", "MistralForCausalLM", "mistral",
    .windows = TRUE, .norms = lk_plain_norms, .gguf_permuted = TRUE, .default_norm_eps = 1e-6, .default_rope_theta = 10000,
    .defaults = { 32000, 4096, 14336, 32, 32, 8, 0, 131072, .window = 4096 } },
  { "Qwen 2", "qwen2", "Qwen2ForCausalLM", "qwen2",
    .windows = TRUE, .norms = lk_plain_norms, .qkv_bias = TRUE, .default_norm_eps = 1e-6, .default_rope_theta = 10000,
    .defaults = { 151936, 4096, 22016, 32, 32, 32, 0, 32768, .window = 4096, .full_layers = 28, .window_off = TRUE } },
  { "Qwen 3", "qwen3", "Qwen3ForCausalLM", "qwen3",
    .windows = TRUE, .norms = head_norms, .default_norm_eps = 1e-6, .default_rope_theta = 10000,
    .defaults = { 151936, 4096, 22016, 32, 32, 32, 128, 32768, .window = 4096, .full_layers = 28, .window_off = TRUE } },
  { "Gemma", "gemma", "GemmaForCausalLM", "gemma",
    .norms = lk_plain_norms, .norm_plus_one = TRUE, .scaled_embedding = TRUE, .activation = LK_ACTIVATION_GELU_TANH,
    .default_norm_eps = 1e-6, .default_rope_theta = 10000,
    .defaults = { 256000, 3072, 24576, 28, 16, 16, 256, 8192, .tied = TRUE } },
  { "Gemma 2", "gemma2", "Gemma2ForCausalLM", "gemma2",
    .windows = TRUE, .norms = four_norms, .norm_plus_one = TRUE, .scaled_embedding = TRUE, .activation = LK_ACTIVATION_GELU_TANH,
    .default_norm_eps = 1e-6, .default_rope_theta = 10000, .full_every = 2, .scaled_by_hidden = 46, .query_scalar = 256,
    .default_attention_cap = 50, .default_final_cap = 30, .gguf_window = 4096,
    .defaults = { 256000, 2304, 9216, 26, 8, 4, 256, 8192, .window = 4096, .tied = TRUE } },
  { "Gemma 3", "gemma3", "Gemma3ForCausalLM", "gemma3_text",
    .windows = TRUE, .norms = six_norms, .norm_plus_one = TRUE, .scaled_embedding = TRUE, .activation = LK_ACTIVATION_GELU_TANH,
    .default_norm_eps = 1e-6, .default_rope_theta = 1000000, .window_rope_theta = 10000, .full_every = 6, .scaled_by_hidden = 62,
    .query_scalar = 256, .defaults = { 262208, 2304, 9216, 26, 8, 4, 256, 131072, .window = 4096, .tied = TRUE } },
  { "Phi-3", "phi3", "Phi3ForCausalLM", "phi3",
    .windows = TRUE, .norms = lk_plain_norms, .fused = TRUE, .default_norm_eps = 1e-5, .default_rope_theta = 10000,
    .defaults = { 32064, 3072, 8192, 32, 32, 0, 0, 4096 } },
};

const LkTensorNames lk_linear_names[LK_N_LINEAR] = {
  [LK_LINEAR_Q] = { LAYER "self_attn.q_proj.weight", "blk.%d.attn_q.weight" },
  [LK_LINEAR_K] = { LAYER "self_attn.k_proj.weight", "blk.%d.attn_k.weight" },
  [LK_LINEAR_V] = { LAYER "self_attn.v_proj.weight", "blk.%d.attn_v.weight" },
  [LK_LINEAR_QKV] = { LAYER "self_attn.qkv_proj.weight", "blk.%d.attn_qkv.weight" },
  [LK_LINEAR_O] = { LAYER "self_attn.o_proj.weight", "blk.%d.attn_output.weight" },
  [LK_LINEAR_GATE] = { LAYER "mlp.gate_proj.weight", "blk.%d.ffn_gate.weight" },
  [LK_LINEAR_UP] = { LAYER "mlp.up_proj.weight", "blk.%d.ffn_up.weight" },
  [LK_LINEAR_GATE_UP] = { LAYER "mlp.gate_up_proj.weight", "blk.%d.ffn_up.weight" },
  [LK_LINEAR_DOWN] = { LAYER "mlp.down_proj.weight", "blk.%d.ffn_down.weight" },
};
const LkTensorNames lk_bias_names[LK_N_LINEAR] = {
  [LK_LINEAR_Q] = { LAYER "self_attn.q_proj.bias", "blk.%d.attn_q.bias" },
  [LK_LINEAR_K] = { LAYER "self_attn.k_proj.bias", "blk.%d.attn_k.bias" },
  [LK_LINEAR_V] = { LAYER "self_attn.v_proj.bias", "blk.%d.attn_v.bias" },
};
const LkTensorNames lk_embedding_names = { "model.embed_tokens.weight", "token_embd.weight" };
const LkTensorNames lk_head_names = { "lm_head.weight", "output.weight" };
const LkTensorNames lk_final_norm_names = { "model.norm.weight", "output_norm.weight" };

gboolean
lk_family_has_linear (const LkFamily *family, LkLinearRole role)
{
  static const gboolean fused[LK_N_LINEAR] = { [LK_LINEAR_QKV] = TRUE, [LK_LINEAR_GATE_UP] = TRUE };
  static const gboolean apart[LK_N_LINEAR]
      = { [LK_LINEAR_Q] = TRUE, [LK_LINEAR_K] = TRUE, [LK_LINEAR_V] = TRUE, [LK_LINEAR_GATE] = TRUE, [LK_LINEAR_UP] = TRUE };

  return family->fused ? !apart[role] : !fused[role];
}

gboolean
lk_family_is_windowed (gint64 layer, gint64 full_every)
{
  return full_every == 0 || (layer + 1) % full_every != 0;
}

double
lk_family_gguf_scale (const LkFamily *family, gint64 layers, gint64 hidden, gint64 heads, gint64 head_dim)
{
  gboolean by_hidden = family->scaled_by_hidden > 0 && layers == family->scaled_by_hidden;

  return 1.0 / sqrt (by_hidden ? (double) hidden / (double) MAX (heads, 1) : (double) head_dim);
}

const LkFamily *
lk_family_from_gguf (const char *architecture)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_strcmp0 (families[i].gguf_architecture, architecture) == 0)
      return &families[i];
  return NULL;
}

const LkFamily *
lk_family_from_hf (const char *model_type)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_strcmp0 (families[i].hf_model_type, model_type) == 0)
      return &families[i];
  return NULL;
}

char *
lk_family_list (void)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    g_string_append_printf (s, "%s%s", i ? ", " : "", families[i].hf_model_type);
  return g_string_free (s, FALSE);
}
