/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.json for a folder we write.
 */
#include <math.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-family.h"

/* A number that went through 32 bits in a GGUF file, as people wrote it. */
static double
plain_number (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  for (int digits = 1; digits <= 9; digits++)
    {
      char format[8];
      double shorter;

      g_snprintf (format, sizeof format, "%%.%dg", digits);
      shorter = g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
      if ((float) shorter == (float) value)
        return shorter;
    }
  return value;
}

/* A GGUF keeps only the divisors of llama3's scaling; the parameters are found again by trying those models
 * are made with. FALSE: none of them gives these divisors. */
static gboolean
find_llama3 (const LkModelConfig *config, LkRopeConfig *out)
{
  static const gint64 contexts[] = { 8192, 4096, 2048, 16384, 32768, 1024, 512, 256, 128, 64 };
  const double *divisors = (const double *) (const void *) config->rope.divisors->data;
  gint64 half = config->rotary_dim / 2;

  for (guint k = 0; k < G_N_ELEMENTS (contexts); k++)
    {
      LkRopeConfig rope;
      g_autofree double *made = NULL;
      gboolean same = TRUE;

      lk_rope_config_init (&rope, config->rope.theta);
      rope.type = LK_ROPE_LLAMA3;
      rope.original_context = contexts[k];
      for (gint64 i = 0; i < half; i++)
        rope.factor = MAX (rope.factor, plain_number (divisors[i]));
      made = lk_rope_divisors (&rope, config->rotary_dim, FALSE);
      for (gint64 i = 0; i < half && same; i++)
        same = fabs (made[i] - divisors[i]) <= 1e-4 * divisors[i];
      *out = rope;
      if (same)
        return TRUE;
    }
  return FALSE;
}

static void
add_factors (JsonObject *object, const char *name, GArray *factors)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < factors->len; i++)
    json_array_add_double_element (array, plain_number (g_array_index (factors, double, i)));
  json_object_set_array_member (object, name, array);
}

static void
add_llama3 (JsonObject *scaling, const LkRopeConfig *rope)
{
  json_object_set_double_member (scaling, "factor", plain_number (rope->factor));
  json_object_set_double_member (scaling, "low_freq_factor", rope->low_freq_factor);
  json_object_set_double_member (scaling, "high_freq_factor", rope->high_freq_factor);
  json_object_set_int_member (scaling, "original_max_position_embeddings", rope->original_context);
}

static void
add_linear (JsonObject *scaling, const LkRopeConfig *rope)
{
  json_object_set_double_member (scaling, "factor", plain_number (rope->factor));
}

static void
add_yarn (JsonObject *scaling, const LkRopeConfig *rope)
{
  json_object_set_double_member (scaling, "factor", plain_number (rope->factor));
  json_object_set_int_member (scaling, "original_max_position_embeddings", rope->original_context);
  json_object_set_double_member (scaling, "beta_fast", plain_number (rope->beta_fast));
  json_object_set_double_member (scaling, "beta_slow", plain_number (rope->beta_slow));
  json_object_set_double_member (scaling, "attention_factor", plain_number (rope->attention_factor));
}

static void
add_longrope (JsonObject *scaling, const LkRopeConfig *rope)
{
  add_factors (scaling, "short_factor", rope->divisors);
  add_factors (scaling, "long_factor", rope->long_divisors);
}

static const struct
{
  LkRopeType type;
  const char *name;
  void (*add) (JsonObject *scaling, const LkRopeConfig *rope);
} rope_kinds[] = {
  { LK_ROPE_LINEAR, "linear", add_linear },
  { LK_ROPE_LLAMA3, "llama3", add_llama3 },
  { LK_ROPE_YARN, "yarn", add_yarn },
  { LK_ROPE_LONGROPE, "longrope", add_longrope },
};

static gboolean
add_rope (JsonObject *object, LkModel *model, GError **error)
{
  const LkModelConfig *config = lk_model_get_config (model);
  LkRopeConfig rope = config->rope; /* borrows its arrays */

  json_object_set_double_member (object, "rope_theta", plain_number (rope.theta));
  if (config->rotary_dim != config->head_dim)
    json_object_set_double_member (object, "partial_rotary_factor",
                                   plain_number ((double) config->rotary_dim / (double) config->head_dim));
  if (rope.type == LK_ROPE_LONGROPE)
    json_object_set_int_member (object, "original_max_position_embeddings", rope.original_context);
  if (rope.type == LK_ROPE_DIVISORS && !find_llama3 (config, &rope))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "“%s” scales its rotary embedding in a way that a config.json cannot express",
                   lk_model_get_path (model));
      return FALSE;
    }
  json_object_set_null_member (object, "rope_scaling");
  for (guint i = 0; i < G_N_ELEMENTS (rope_kinds); i++)
    if (rope_kinds[i].type == rope.type)
      {
        JsonObject *scaling = json_object_new ();

        json_object_set_string_member (scaling, "rope_type", rope_kinds[i].name);
        rope_kinds[i].add (scaling, &rope);
        json_object_set_object_member (object, "rope_scaling", scaling);
      }
  return TRUE;
}

static void
add_token (JsonObject *object, const char *name, gint32 id)
{
  if (id >= 0)
    json_object_set_int_member (object, name, id);
  else
    json_object_set_null_member (object, name);
}

static void
add_cap (JsonObject *object, const char *name, double cap)
{
  if (cap > 0)
    json_object_set_double_member (object, name, plain_number (cap));
  else
    json_object_set_null_member (object, name);
}

/* What only some families have. */
static void
add_attention (JsonObject *object, const LkModelConfig *c)
{
  JsonArray *types = json_array_new ();

  for (gint64 l = 0; l < c->layers; l++)
    json_array_add_string_element (types, c->windowed[l] ? "sliding_attention" : "full_attention");
  if (c->window > 0)
    {
      json_object_set_int_member (object, "sliding_window", c->window);
      json_object_set_array_member (object, "layer_types", types);
    }
  else
    {
      json_object_set_null_member (object, "sliding_window");
      json_array_unref (types);
    }
  if (c->family->window_rope_theta > 0)
    json_object_set_double_member (object, "rope_local_base_freq", plain_number (c->window_rope.theta));
  if (c->family->query_scalar > 0)
    {
      /* transformers 5 takes nothing but a whole number */
      json_object_set_int_member (object, "query_pre_attn_scalar",
                                  (gint64)round (1.0 / (c->attention_scale * c->attention_scale)));
      add_cap (object, "attn_logit_softcapping", c->attention_cap);
      add_cap (object, "final_logit_softcapping", c->final_cap);
    }
}

static JsonObject *
make_from_model (LkModel *model, GError **error)
{
  const LkModelConfig *c = lk_model_get_config (model);
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (JsonObject) object = json_object_new ();
  gboolean gelu = c->family->activation == LK_ACTIVATION_GELU_TANH;

  json_object_set_string_member (object, "model_type", c->family->hf_model_type);
  json_object_set_int_member (object, "vocab_size", c->vocab);
  json_object_set_int_member (object, "hidden_size", c->hidden);
  json_object_set_int_member (object, "intermediate_size", c->intermediate);
  json_object_set_int_member (object, "num_hidden_layers", c->layers);
  json_object_set_int_member (object, "num_attention_heads", c->heads);
  json_object_set_int_member (object, "num_key_value_heads", c->kv_heads);
  json_object_set_int_member (object, "head_dim", c->head_dim);
  json_object_set_int_member (object, "max_position_embeddings", c->context);
  json_object_set_double_member (object, "rms_norm_eps", plain_number (c->norm_eps));
  json_object_set_string_member (object, gelu ? "hidden_activation" : "hidden_act",
                                 gelu ? "gelu_pytorch_tanh" : "silu");
  json_object_set_boolean_member (object, "attention_bias", FALSE);
  json_object_set_boolean_member (object, "mlp_bias", FALSE);
  json_object_set_double_member (object, "initializer_range", 0.02);
  json_object_set_boolean_member (object, "use_cache", TRUE);
  if (tokenizer)
    {
      add_token (object, "bos_token_id", lk_tokenizer_get_bos (tokenizer));
      add_token (object, "eos_token_id", lk_tokenizer_get_eos (tokenizer));
      add_token (object, "pad_token_id", lk_tokenizer_get_pad (tokenizer));
    }
  add_attention (object, c);
  return add_rope (object, model, error) ? g_steal_pointer (&object) : NULL;
}

JsonObject *
lk_export_make_config (LkModel *model, const char *dtype, GError **error)
{
  JsonObject *from = lk_model_get_hf_config (model);
  g_autoptr (JsonObject) object = NULL;

  if (from)
    {
      g_autoptr (GList) members = json_object_get_members (from);

      object = json_object_new ();
      for (GList *l = members; l; l = l->next)
        json_object_set_member (object, l->data, json_node_copy (json_object_get_member (from, l->data)));
      json_object_remove_member (object, "quantization_config");
    }
  else
    object = make_from_model (model, error);
  if (!object)
    return NULL;
  if (!json_object_has_member (object, "architectures"))
    {
      JsonArray *architectures = json_array_new ();

      json_array_add_string_element (architectures, lk_model_get_config (model)->family->hf_architecture);
      json_object_set_array_member (object, "architectures", architectures);
    }
  json_object_set_boolean_member (object, "tie_word_embeddings", lk_model_get_config (model)->tied);
  if (json_object_has_member (object, "dtype"))
    json_object_set_string_member (object, "dtype", dtype);
  if (!json_object_has_member (object, "dtype") || json_object_has_member (object, "torch_dtype"))
    json_object_set_string_member (object, "torch_dtype", dtype);
  return g_steal_pointer (&object);
}
