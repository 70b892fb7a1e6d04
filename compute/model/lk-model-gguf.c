/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration, tokenizer and template from GGUF metadata (formats: a.7, a.9).
 */
#include "lk-model-private.h"

#include "lk-error.h"

gboolean
_lk_model_gguf_int (LkModel *self, const char *name, gint64 *out, gboolean required, GError **error)
{
  g_autofree char *key = g_strconcat (self->config.family->gguf_architecture, ".", name, NULL);
  LkGgufType type, element;
  guint64 count;

  if (!lk_gguf_get_type (self->gguf, key, &type, &element, &count))
    {
      if (required)
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the key “%s” is missing", self->path, key);
      return !required;
    }
  return lk_gguf_get_int (self->gguf, key, out, error);
}

gboolean
_lk_model_gguf_double (LkModel *self, const char *name, double *out, GError **error)
{
  g_autofree char *key = g_strconcat (self->config.family->gguf_architecture, ".", name, NULL);

  return lk_gguf_get_double (self->gguf, key, out, error);
}

/* No default is right for a key that every converter writes. */
static gboolean
lk_model_gguf_missing (LkModel *self, const char *name, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the key “%s.%s” is missing or zero", self->path,
               self->config.family->gguf_architecture, name);
  return FALSE;
}

/* As many tokens as the embedding has rows; a file that says it must say the same. */
static gboolean
lk_model_gguf_vocabulary (LkModel *self, GError **error)
{
  const LkTensorInfo *embedding = lk_gguf_lookup (self->gguf, lk_embedding_names.gguf);
  gint64 said;

  if (!embedding || embedding->n_dims != 2)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, embedding ? "%s: the tensor “%s” is no matrix" : "%s: the tensor “%s” is missing",
                   self->path, lk_embedding_names.gguf);
      return FALSE;
    }
  said = self->config.vocab = (gint64) embedding->shape[0];
  if (!_lk_model_gguf_int (self, "vocab_size", &said, FALSE, error))
    return FALSE;
  if (said == self->config.vocab)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s.vocab_size” is %" G_GINT64_FORMAT " but the embedding has %" G_GINT64_FORMAT " rows",
               self->path, self->config.family->gguf_architecture, said, self->config.vocab);
  return FALSE;
}

gboolean
_lk_model_read_gguf_config (LkModel *self, GError **error)
{
  LkModelConfig *c = &self->config;
  const char *architecture = NULL, *name = NULL;

  if (!lk_gguf_get_string (self->gguf, "general.architecture", &architecture, error)
      || !lk_gguf_get_string (self->gguf, "general.name", &name, error))
    return FALSE;
  c->family = lk_family_from_gguf (architecture);
  if (!c->family)
    {
      g_autofree char *known = lk_family_list ();
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the architecture “%s” is not supported; these are: %s", self->path,
                   architecture ? architecture : "(none)", known);
      return FALSE;
    }
  c->name = name ? g_strdup (name) : g_path_get_basename (self->path);
  c->context = 2048;
  if (!_lk_model_gguf_int (self, "embedding_length", &c->hidden, TRUE, error)
      || !_lk_model_gguf_int (self, "feed_forward_length", &c->intermediate, TRUE, error)
      || !_lk_model_gguf_int (self, "block_count", &c->layers, TRUE, error)
      || !_lk_model_gguf_int (self, "attention.head_count", &c->heads, TRUE, error)
      || !_lk_model_gguf_int (self, "context_length", &c->context, FALSE, error)
      || !_lk_model_gguf_double (self, "attention.layer_norm_rms_epsilon", &c->norm_eps, error))
    return FALSE;
  if (c->norm_eps == 0)
    return lk_model_gguf_missing (self, "attention.layer_norm_rms_epsilon", error);
  c->kv_heads = c->heads;
  c->head_dim = c->heads > 0 ? c->hidden / c->heads : 0;
  if (!_lk_model_gguf_int (self, "attention.head_count_kv", &c->kv_heads, FALSE, error)
      || !_lk_model_gguf_int (self, "attention.key_length", &c->head_dim, FALSE, error))
    return FALSE;
  lk_rope_config_init (&c->window_rope, c->family->window_rope_theta);
  c->window = c->family->gguf_window;
  c->attention_cap = c->family->default_attention_cap;
  c->final_cap = c->family->default_final_cap;
  if (!_lk_model_gguf_int (self, "attention.sliding_window", &c->window, FALSE, error)
      || !_lk_model_gguf_double (self, "rope.freq_base_swa", &c->window_rope.theta, error)
      || !_lk_model_gguf_double (self, "attn_logit_softcapping", &c->attention_cap, error)
      || !_lk_model_gguf_double (self, "final_logit_softcapping", &c->final_cap, error))
    return FALSE;
  if (c->window > 0 && c->family == lk_family_from_hf ("llama"))
    c->family = lk_family_from_hf ("mistral"); /* GGUF has one name for both, transformers a window in one of them only */
  _lk_model_set_windows (self, c->family->full_every);
  c->attention_scale = lk_family_gguf_scale (c->family, c->layers, c->hidden, c->heads, c->head_dim);
  if (!lk_model_gguf_vocabulary (self, error))
    return FALSE;
  c->tied = lk_gguf_lookup (self->gguf, lk_head_names.gguf) == NULL;
  return _lk_model_refuse_keys (self, error) && _lk_model_read_gguf_rope (self, error);
}

static gboolean
lk_model_gguf_token (LkModel *self, const char *key, gint64 *out, guint n, GError **error)
{
  *out = -1;
  if (!lk_gguf_get_int (self->gguf, key, out, error))
    return FALSE;
  if (*out >= (gint64) n)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is %" G_GINT64_FORMAT " but there are only %u tokens", self->path, key, *out,
                   n);
      return FALSE;
    }
  return TRUE;
}

/* The ends of a turn and of a message, which are others than that of a text. */
static gboolean
lk_model_gguf_ends (LkModel *self, GError **error)
{
  static const char *const keys[] = { "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gint64 id;

      if (!lk_model_gguf_token (self, keys[i], &id, lk_tokenizer_get_n_tokens (self->tokenizer), error))
        return FALSE;
      if (id >= 0)
        lk_tokenizer_add_end (self->tokenizer, (gint32) id);
    }
  return TRUE;
}

gboolean
_lk_model_read_gguf_text (LkModel *self, GError **error)
{
  LkTokenizerMetadata m = { .source = self->path, .add_bos = -1, .add_space_prefix = -1 };
  g_auto (GStrv) tokens = NULL;
  g_auto (GStrv) merges = NULL;
  g_autofree gint64 *types = NULL;
  g_autofree double *scores = NULL;
  guint n_types = 0, n_scores = 0;

  if (!lk_gguf_get_strings (self->gguf, "tokenizer.ggml.tokens", &tokens, &m.n_tokens, error)
      || !lk_gguf_get_strings (self->gguf, "tokenizer.ggml.merges", &merges, &m.n_merges, error)
      || !lk_gguf_get_ints (self->gguf, "tokenizer.ggml.token_type", &types, &n_types, error)
      || !lk_gguf_get_doubles (self->gguf, "tokenizer.ggml.scores", &scores, &n_scores, error)
      || !lk_gguf_get_string (self->gguf, "tokenizer.ggml.model", &m.model, error)
      || !lk_gguf_get_string (self->gguf, "tokenizer.ggml.pre", &m.pre, error)
      || !lk_gguf_get_boolean (self->gguf, "tokenizer.ggml.add_bos_token", &m.add_bos, error)
      || !lk_gguf_get_boolean (self->gguf, "tokenizer.ggml.add_eos_token", &m.add_eos, error)
      || !lk_gguf_get_boolean (self->gguf, "tokenizer.ggml.add_space_prefix", &m.add_space_prefix, error)
      || !lk_model_gguf_token (self, "tokenizer.ggml.bos_token_id", &m.bos, m.n_tokens, error)
      || !lk_model_gguf_token (self, "tokenizer.ggml.eos_token_id", &m.eos, m.n_tokens, error)
      || !lk_model_gguf_token (self, "tokenizer.ggml.unknown_token_id", &m.unk, m.n_tokens, error)
      || !lk_model_gguf_token (self, "tokenizer.ggml.padding_token_id", &m.pad, m.n_tokens, error))
    return FALSE;
  if (!tokens || !m.model)
    return TRUE; /* weights alone: they can be looked at, not talked to */
  if (!merges && g_str_equal (m.model, "gpt2"))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the key “tokenizer.ggml.merges” is missing: how texts become tokens cannot be told",
                   self->path);
      return FALSE;
    }
  if ((types && n_types != m.n_tokens) || (scores && n_scores != m.n_tokens))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: token types or scores do not match the %u tokens", self->path, m.n_tokens);
      return FALSE;
    }
  m.tokens = tokens;
  m.merges = merges;
  m.token_types = types;
  m.scores = scores;
  self->tokenizer = lk_tokenizer_new_from_metadata (&m, error);
  if (!self->tokenizer || !lk_model_gguf_ends (self, error))
    return FALSE;
  _lk_model_read_gguf_template (self);
  return TRUE;
}
