/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration, tokenizer and template of a Hugging Face folder (formats: c.1, d.3).
 */
#include "lk-model-private.h"

#include <math.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_GENERATION_CONFIG_LIMIT (1 << 20)

static gboolean
lk_model_hf_family (LkModel *self, const char *source, GError **error)
{
  const char *type = NULL;
  g_autofree char *known = NULL;

  if (!lk_json_get_string (self->hf_config, "model_type", source, &type, error))
    return FALSE;
  self->config.family = lk_family_from_hf (type);
  if (self->config.family)
    return TRUE;
  known = lk_family_list ();
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the model type “%s” is not supported; these are: %s", source,
               type ? type : "(none)", known);
  return FALSE;
}

static gboolean
lk_model_hf_activation (LkModel *self, const char *source, GError **error)
{
  static const struct
  {
    const char *name;
    LkActivation activation;
  } names[] = {
    { "silu", LK_ACTIVATION_SILU },
    { "swish", LK_ACTIVATION_SILU },
    { "gelu_pytorch_tanh", LK_ACTIVATION_GELU_TANH },
    { "gelu_new", LK_ACTIVATION_GELU_TANH },
  };
  LkActivation wanted = self->config.family->activation;
  /* Where it is GELU, hidden_act is a leftover of the first release and hidden_activation counts. */
  const char *member = wanted == LK_ACTIVATION_SILU ? "hidden_act" : "hidden_activation", *name = NULL;

  if (!lk_json_get_string (self->hf_config, member, source, &name, error))
    return FALSE;
  for (guint i = 0; name && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i].name, name) && names[i].activation == wanted)
      return TRUE;
  if (name)
    g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” “%s” is not supported in %s", source, member, name,
                 self->config.family->name);
  return name == NULL;
}

static gboolean
lk_model_hf_rope (LkModel *self, const char *source, GError **error)
{
  LkModelConfig *c = &self->config;
  double theta = c->family->window_rope_theta, part;

  if (!lk_hf_config_get_rotary_part (self->hf_config, source, &part, error))
    return FALSE;
  c->rotary_dim = (gint64) ((double) c->head_dim * part);
  if (!lk_hf_config_get_rope (self->hf_config, source, "full_attention", c->family->default_rope_theta, &c->rope, error))
    return FALSE;
  lk_rope_config_copy (&c->window_rope, &c->rope);
  if (theta == 0)
    return TRUE;
  /* The older spelling has one member of its own for these layers, and no scaling. */
  if (!json_object_has_member (self->hf_config, "rope_parameters"))
    {
      lk_rope_config_clear (&c->window_rope);
      lk_rope_config_init (&c->window_rope, theta);
      return lk_json_get_double (self->hf_config, "rope_local_base_freq", source, &c->window_rope.theta, error);
    }
  lk_rope_config_clear (&c->window_rope);
  return lk_hf_config_get_rope (self->hf_config, source, "sliding_attention", theta, &c->window_rope, error);
}

static gboolean
lk_model_hf_layer_types (LkModel *self, const char *source, JsonArray *types, GError **error)
{
  LkModelConfig *c = &self->config;

  if ((gint64) json_array_get_length (types) != c->layers)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “layer_types” must name each of the %" G_GINT64_FORMAT " layers", source, c->layers);
      return FALSE;
    }
  _lk_model_set_windows (self, 0);
  for (guint l = 0; c->windowed && l < c->layers; l++)
    {
      JsonNode *node = json_array_get_element (types, l);
      const char *type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
      gboolean sliding = g_strcmp0 (type, "sliding_attention") == 0;

      if (!sliding && g_strcmp0 (type, "full_attention") != 0)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: layers of the type “%s” are not supported", source, type ? type : "(none)");
          return FALSE;
        }
      c->windowed[l] = sliding && c->window > 0;
    }
  return TRUE;
}

/* A member that is null switches off what its absence leaves at the default. */
static gboolean
lk_model_hf_is_null (LkModel *self, const char *member)
{
  return json_object_has_member (self->hf_config, member)
         && json_object_get_null_member (self->hf_config, member);
}

/* Which layers have a window: as listed, from a layer on (max_window_layers), or by the family's pattern. */
static gboolean
lk_model_hf_windows (LkModel *self, const char *source, GError **error)
{
  LkModelConfig *c = &self->config;
  const LkConfigDefaults *defaults = &c->family->defaults;
  gboolean use = !defaults->window_off;
  JsonArray *types = NULL;
  gint64 first = defaults->full_layers, full_every = c->family->full_every;

  if (!c->family->windows)
    {
      _lk_model_set_windows (self, 0);
      return TRUE; /* the class has none, whatever its configuration says */
    }
  c->window = lk_model_hf_is_null (self, "sliding_window") ? 0 : defaults->window;
  if (!lk_json_get_int (self->hf_config, "sliding_window", source, &c->window, error)
      || !lk_json_get_boolean (self->hf_config, "use_sliding_window", source, &use, error)
      || !lk_json_get_array (self->hf_config, "layer_types", source, &types, error)
      || !lk_json_get_int (self->hf_config, "max_window_layers", source, &first, error)
      || !lk_json_get_int (self->hf_config, "_sliding_window_pattern", source, &full_every, error)
      || !lk_json_get_int (self->hf_config, "sliding_window_pattern", source, &full_every, error))
    return FALSE;
  if (!use)
    c->window = 0;
  if (types)
    return lk_model_hf_layer_types (self, source, types, error);
  _lk_model_set_windows (self, full_every);
  for (gint64 l = 0; c->windowed && l < MIN (first, c->layers); l++)
    c->windowed[l] = FALSE;
  return TRUE;
}

static gboolean
lk_model_hf_scales (LkModel *self, const char *source, GError **error)
{
  LkModelConfig *c = &self->config;
  double scalar = c->family->query_scalar > 0 ? c->family->query_scalar : (double) c->head_dim;

  c->attention_cap
      = lk_model_hf_is_null (self, "attn_logit_softcapping") ? 0 : c->family->default_attention_cap;
  c->final_cap = lk_model_hf_is_null (self, "final_logit_softcapping") ? 0 : c->family->default_final_cap;
  if (c->family->query_scalar > 0
      && (!lk_json_get_double (self->hf_config, "query_pre_attn_scalar", source, &scalar, error)
          || !lk_json_get_double (self->hf_config, "attn_logit_softcapping", source, &c->attention_cap, error)
          || !lk_json_get_double (self->hf_config, "final_logit_softcapping", source, &c->final_cap, error)))
    return FALSE;
  c->attention_scale = 1.0 / sqrt (scalar);
  return TRUE;
}

static gboolean
lk_model_hf_shape (LkModel *self, const char *source, GError **error)
{
  LkModelConfig *c = &self->config;
  const LkConfigDefaults *defaults = &c->family->defaults;

  c->vocab = defaults->vocab, c->hidden = defaults->hidden, c->intermediate = defaults->intermediate;
  c->layers = defaults->layers, c->heads = defaults->heads, c->context = defaults->context;
  c->norm_eps = c->family->default_norm_eps;
  c->tied = defaults->tied;
  if (!lk_json_get_int (self->hf_config, "vocab_size", source, &c->vocab, error)
      || !lk_json_get_int (self->hf_config, "hidden_size", source, &c->hidden, error)
      || !lk_json_get_int (self->hf_config, "intermediate_size", source, &c->intermediate, error)
      || !lk_json_get_int (self->hf_config, "num_hidden_layers", source, &c->layers, error)
      || !lk_json_get_int (self->hf_config, "num_attention_heads", source, &c->heads, error)
      || !lk_json_get_int (self->hf_config, "max_position_embeddings", source, &c->context, error)
      || !lk_json_get_double (self->hf_config, "rms_norm_eps", source, &c->norm_eps, error)
      || !lk_json_get_boolean (self->hf_config, "tie_word_embeddings", source, &c->tied, error))
    return FALSE;
  c->kv_heads = defaults->kv_heads > 0 && !lk_model_hf_is_null (self, "num_key_value_heads")
                    ? defaults->kv_heads
                    : c->heads;
  c->head_dim = defaults->head_dim > 0 && !lk_model_hf_is_null (self, "head_dim") ? defaults->head_dim
                : c->heads > 0                                                    ? c->hidden / c->heads
                                                                                  : 0;
  return lk_json_get_int (self->hf_config, "num_key_value_heads", source, &c->kv_heads, error)
         && lk_json_get_int (self->hf_config, "head_dim", source, &c->head_dim, error);
}

gboolean
_lk_model_read_hf_config (LkModel *self, GError **error)
{
  LkModelConfig *c = &self->config;
  g_autofree char *source = g_build_filename (self->path, "config.json", NULL);

  self->hf_config = lk_hf_config_load (self->path, error);
  if (!self->hf_config || !lk_model_hf_family (self, source, error) || !_lk_model_check_quantisation (self, source, error))
    return FALSE;
  c->name = g_path_get_basename (self->path);
  return lk_model_hf_shape (self, source, error) && _lk_model_refuse_members (self, source, error)
         && lk_model_hf_activation (self, source, error)
         && lk_model_hf_rope (self, source, error) && lk_model_hf_windows (self, source, error) && lk_model_hf_scales (self, source, error);
}

/* What config.json and generation_config.json say ends an answer: a number each, or a list. A text alone has no configuration. */
static gboolean
lk_model_hf_ends (LkModel *self, GError **error)
{
  static const char *const names[] = { "config.json", "generation_config.json" };
  gint64 vocab = MAX (self->config.vocab, (gint64) lk_tokenizer_get_n_tokens (self->tokenizer));

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (self->path, names[i], NULL);
      g_autoptr (JsonObject) object = NULL;
      g_autoptr (GArray) ids = NULL;

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      object = i == 0 ? lk_hf_config_load (self->path, error) : lk_json_load_object (path, LK_GENERATION_CONFIG_LIMIT, error);
      ids = object ? lk_hf_config_get_eos (object, path, vocab, error) : NULL;
      if (!ids)
        return FALSE;
      for (guint k = 0; k < ids->len; k++)
        lk_tokenizer_add_end (self->tokenizer, (gint32) g_array_index (ids, gint64, k));
    }
  return TRUE;
}

gboolean
_lk_model_read_hf_text (LkModel *self, GError **error)
{
  g_autofree char *tokenizer = g_build_filename (self->path, "tokenizer.json", NULL);
  g_autofree char *config = g_build_filename (self->path, "tokenizer_config.json", NULL);
  g_autofree char *sentencepiece = g_build_filename (self->path, "tokenizer.model", NULL);
  gboolean has_config = g_file_test (config, G_FILE_TEST_EXISTS);

  if (g_file_test (tokenizer, G_FILE_TEST_EXISTS))
    self->tokenizer = lk_tokenizer_new_from_json (tokenizer, has_config ? config : NULL, error);
  else if (g_file_test (sentencepiece, G_FILE_TEST_EXISTS))
    self->tokenizer = lk_tokenizer_new_from_sentencepiece (sentencepiece, has_config ? config : NULL, error);
  else
    return TRUE; /* weights alone */
  return self->tokenizer && lk_model_hf_ends (self, error) && _lk_model_read_hf_template (self, error);
}
