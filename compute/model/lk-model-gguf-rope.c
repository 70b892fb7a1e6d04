/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rotary embedding from GGUF metadata and the tensors of its divisors (formats: a.7).
 */
#include "lk-model-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"

/* A tensor of one divisor a pair; NULL stays NULL. */
static gboolean
lk_model_gguf_divisors (LkModel *self, const char *name, GArray **out, GError **error)
{
  const LkTensorInfo *info = lk_gguf_lookup (self->gguf, name);
  gint64 half = self->config.rotary_dim / 2;

  if (!info)
    return TRUE;
  if (info->type != LK_TYPE_F32 || info->n_dims != 1 || (gint64) info->shape[0] != half)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” must be %" G_GINT64_FORMAT " F32", self->path, name, half);
      return FALSE;
    }
  *out = g_array_new (FALSE, FALSE, sizeof (double));
  for (gint64 i = 0; i < half; i++)
    {
      float value;
      double divisor;

      memcpy (&value, info->data + i * 4, 4);
      divisor = (double) value;
      if (!(divisor > 0) || !isfinite (divisor))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: number %" G_GINT64_FORMAT " of “%s” must be positive", self->path, i, name);
          return FALSE;
        }
      g_array_append_val (*out, divisor);
    }
  return TRUE;
}

/* Phi's pair of tables: which one counts depends on how long a sequence may become. */
static gboolean
lk_model_gguf_longrope (LkModel *self, GError **error)
{
  LkRopeConfig *rope = &self->config.rope;

  if (!lk_model_gguf_divisors (self, "rope_factors_short.weight", &rope->divisors, error)
      || !lk_model_gguf_divisors (self, "rope_factors_long.weight", &rope->long_divisors, error))
    return FALSE;
  if (!rope->divisors != !rope->long_divisors)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: one of “rope_factors_short.weight” and “rope_factors_long.weight” is missing",
                   self->path);
      return FALSE;
    }
  if (!rope->divisors)
    return TRUE;
  rope->type = LK_ROPE_LONGROPE;
  rope->factor = (double) self->config.context / (double) MAX (rope->original_context, 1);
  rope->attention_factor = lk_rope_longrope_attention_factor (rope->factor, rope->original_context);
  return _lk_model_gguf_double (self, "rope.scaling.attn_factor", &rope->attention_factor, error);
}

static gboolean
lk_model_gguf_yarn (LkModel *self, GError **error)
{
  LkRopeConfig *rope = &self->config.rope;
  double more = 1;

  if (!_lk_model_gguf_double (self, "rope.scaling.factor", &rope->factor, error)
      || !_lk_model_gguf_double (self, "rope.scaling.yarn_beta_fast", &rope->beta_fast, error)
      || !_lk_model_gguf_double (self, "rope.scaling.yarn_beta_slow", &rope->beta_slow, error)
      || !_lk_model_gguf_double (self, "rope.scaling.attn_factor", &more, error))
    return FALSE;
  rope->type = LK_ROPE_YARN;
  rope->attention_factor = more * lk_rope_yarn_attention_factor (rope->factor, 1);
  return TRUE;
}

static gboolean
lk_model_gguf_scaling (LkModel *self, const char *scaling, GError **error)
{
  LkRopeConfig *rope = &self->config.rope;

  if (!lk_model_gguf_longrope (self, error))
    return FALSE;
  if (rope->type == LK_ROPE_LONGROPE || g_str_equal (scaling, "none"))
    return TRUE;
  if (g_str_equal (scaling, "linear"))
    {
      rope->type = LK_ROPE_LINEAR;
      return _lk_model_gguf_double (self, "rope.scaling.factor", &rope->factor, error);
    }
  if (g_str_equal (scaling, "yarn"))
    return lk_model_gguf_yarn (self, error);
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the rotary scaling “%s” is not supported", self->path, scaling);
  return FALSE;
}

gboolean
_lk_model_read_gguf_rope (LkModel *self, GError **error)
{
  LkModelConfig *c = &self->config;
  g_autofree char *key = g_strconcat (c->family->gguf_architecture, ".rope.scaling.type", NULL);
  const char *scaling = "none";

  lk_rope_config_init (&c->rope, c->family->default_rope_theta);
  c->rotary_dim = c->head_dim;
  c->rope.original_context = c->context;
  if (!_lk_model_gguf_double (self, "rope.freq_base", &c->rope.theta, error) || !lk_gguf_get_string (self->gguf, key, &scaling, error)
      || !_lk_model_gguf_int (self, "rope.dimension_count", &c->rotary_dim, FALSE, error)
      || !_lk_model_gguf_int (self, "rope.scaling.original_context_length", &c->rope.original_context, FALSE, error)
      || !lk_model_gguf_divisors (self, "rope_freqs.weight", &c->rope.divisors, error))
    return FALSE;
  if (c->rope.divisors)
    {
      c->rope.type = LK_ROPE_DIVISORS;
      return TRUE;
    }
  return lk_model_gguf_scaling (self, scaling, error);
}
