/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-family.h"

static const LkFamily families[] = {
  { "Llama", "llama", "LlamaForCausalLM", "llama", TRUE, 1e-6, 10000.0 },
};

const LkTensorNames lk_linear_names[LK_N_LINEAR] = {
  [LK_LINEAR_Q] = { "model.layers.%d.self_attn.q_proj.weight", "blk.%d.attn_q.weight" },
  [LK_LINEAR_K] = { "model.layers.%d.self_attn.k_proj.weight", "blk.%d.attn_k.weight" },
  [LK_LINEAR_V] = { "model.layers.%d.self_attn.v_proj.weight", "blk.%d.attn_v.weight" },
  [LK_LINEAR_O] = { "model.layers.%d.self_attn.o_proj.weight", "blk.%d.attn_output.weight" },
  [LK_LINEAR_GATE] = { "model.layers.%d.mlp.gate_proj.weight", "blk.%d.ffn_gate.weight" },
  [LK_LINEAR_UP] = { "model.layers.%d.mlp.up_proj.weight", "blk.%d.ffn_up.weight" },
  [LK_LINEAR_DOWN] = { "model.layers.%d.mlp.down_proj.weight", "blk.%d.ffn_down.weight" },
};
const LkTensorNames lk_embedding_names = { "model.embed_tokens.weight", "token_embd.weight" };
const LkTensorNames lk_head_names = { "lm_head.weight", "output.weight" };
const LkTensorNames lk_final_norm_names = { "model.norm.weight", "output_norm.weight" };
const LkTensorNames lk_input_norm_names = { "model.layers.%d.input_layernorm.weight", "blk.%d.attn_norm.weight" };
const LkTensorNames lk_post_norm_names = { "model.layers.%d.post_attention_layernorm.weight", "blk.%d.ffn_norm.weight" };

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
