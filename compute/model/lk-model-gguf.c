/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration, tokenizer and template from GGUF metadata (formats: a.7, a.9).
 */
#include "lk-model-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"

/* "<architecture>.<name>" as an integer; a required one must be there. */
static gboolean
lk_model_gguf_int (LkModel *self, const char *name, gint64 *out, gboolean required, GError **error)
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

static gboolean
lk_model_gguf_double (LkModel *self, const char *name, double *out, GError **error)
{
  g_autofree char *key = g_strconcat (self->config.family->gguf_architecture, ".", name, NULL);

  return lk_gguf_get_double (self->gguf, key, out, error);
}

static gboolean
lk_model_gguf_rope (LkModel *self, GError **error)
{
  g_autofree char *key = g_strconcat (self->config.family->gguf_architecture, ".rope.scaling.type", NULL);
  LkModelConfig *c = &self->config;
  const LkTensorInfo *divisors = lk_gguf_lookup (self->gguf, "rope_freqs.weight");
  const char *scaling = "none";
  gint64 rotated = c->head_dim;

  c->rope.type = LK_ROPE_DEFAULT;
  c->rope.theta = c->family->default_rope_theta;
  c->rope.factor = 1.0;
  if (!lk_model_gguf_double (self, "rope.freq_base", &c->rope.theta, error) || !lk_gguf_get_string (self->gguf, key, &scaling, error)
      || !lk_model_gguf_int (self, "rope.dimension_count", &rotated, FALSE, error))
    return FALSE;
  if (rotated != c->head_dim)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: only %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " channels are rotated, which is not supported",
                   self->path, rotated, c->head_dim);
      return FALSE;
    }
  if (divisors)
    {
      if (divisors->type != LK_TYPE_F32 || divisors->n_dims != 1 || (gint64) divisors->shape[0] != c->head_dim / 2)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “rope_freqs.weight” must be %" G_GINT64_FORMAT " F32", self->path,
                       c->head_dim / 2);
          return FALSE;
        }
      self->rope_divisors = g_new (double, c->head_dim / 2);
      for (gint64 i = 0; i < c->head_dim / 2; i++)
        {
          float value;
          memcpy (&value, divisors->data + i * 4, 4);
          self->rope_divisors[i] = (double) value;
        }
      return TRUE;
    }
  if (g_str_equal (scaling, "linear"))
    {
      c->rope.type = LK_ROPE_LINEAR;
      return lk_model_gguf_double (self, "rope.scaling.factor", &c->rope.factor, error);
    }
  if (!g_str_equal (scaling, "none"))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the rotary scaling “%s” is not supported", self->path, scaling);
      return FALSE;
    }
  return TRUE;
}

gboolean
_lk_model_read_gguf_config (LkModel *self, GError **error)
{
  LkModelConfig *c = &self->config;
  const LkTensorInfo *embedding = lk_gguf_lookup (self->gguf, lk_embedding_names.gguf);
  const char *architecture = NULL, *name = NULL;
  double scaled;

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
  c->norm_eps = c->family->default_norm_eps;
  c->context = 2048;
  if (!lk_model_gguf_int (self, "embedding_length", &c->hidden, TRUE, error)
      || !lk_model_gguf_int (self, "feed_forward_length", &c->intermediate, TRUE, error)
      || !lk_model_gguf_int (self, "block_count", &c->layers, TRUE, error)
      || !lk_model_gguf_int (self, "attention.head_count", &c->heads, TRUE, error)
      || !lk_model_gguf_int (self, "context_length", &c->context, FALSE, error)
      || !lk_model_gguf_double (self, "attention.layer_norm_rms_epsilon", &c->norm_eps, error))
    return FALSE;
  c->kv_heads = c->heads;
  c->head_dim = c->heads > 0 ? c->hidden / c->heads : 0;
  if (!lk_model_gguf_int (self, "attention.head_count_kv", &c->kv_heads, FALSE, error)
      || !lk_model_gguf_int (self, "attention.key_length", &c->head_dim, FALSE, error))
    return FALSE;
  c->window_rope = (LkRopeConfig){ .theta = c->family->window_rope_theta, .factor = 1 };
  c->window = c->family->gguf_window;
  c->attention_cap = c->family->default_attention_cap;
  c->final_cap = c->family->default_final_cap;
  if (!lk_model_gguf_int (self, "attention.sliding_window", &c->window, FALSE, error)
      || !lk_model_gguf_double (self, "rope.freq_base_swa", &c->window_rope.theta, error)
      || !lk_model_gguf_double (self, "attn_logit_softcapping", &c->attention_cap, error)
      || !lk_model_gguf_double (self, "final_logit_softcapping", &c->final_cap, error))
    return FALSE;
  _lk_model_set_windows (self, c->family->full_every);
  scaled = c->family->scaled_by_hidden > 0 && c->layers == c->family->scaled_by_hidden ? (double) c->hidden / (double) MAX (c->heads, 1)
                                                                                         : (double) c->head_dim;
  c->attention_scale = 1.0 / sqrt (scaled);
  c->vocab = embedding && embedding->n_dims == 2 ? (gint64) embedding->shape[0] : 0;
  c->tied = lk_gguf_lookup (self->gguf, lk_head_names.gguf) == NULL;
  return lk_model_gguf_rope (self, error);
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

gboolean
_lk_model_read_gguf_text (LkModel *self, GError **error)
{
  LkTokenizerMetadata m = { .source = self->path, .add_bos = -1, .add_space_prefix = -1 };
  g_auto (GStrv) tokens = NULL;
  g_auto (GStrv) merges = NULL;
  g_autofree gint64 *types = NULL;
  g_autofree double *scores = NULL;
  const char *template_source = NULL;
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
      || !lk_model_gguf_token (self, "tokenizer.ggml.padding_token_id", &m.pad, m.n_tokens, error)
      || !lk_gguf_get_string (self->gguf, "tokenizer.chat_template", &template_source, error))
    return FALSE;
  if (!tokens || !m.model)
    return TRUE; /* weights alone: they can be looked at, not talked to */
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
  if (!self->tokenizer)
    return FALSE;
  return !template_source || _lk_model_set_template (self, template_source, error);
}
