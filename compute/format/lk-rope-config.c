/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-rope-config.h"

#include <math.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_ROPE_MAX_PAIRS 512

void
lk_rope_config_init (LkRopeConfig *self, double theta)
{
  *self = (LkRopeConfig){ .theta = theta, .factor = 1, .low_freq_factor = 1, .high_freq_factor = 4, .beta_fast = 32, .beta_slow = 1,
                          .truncate = TRUE, .attention_factor = 1, .original_context = 8192 };
}

void
lk_rope_config_copy (LkRopeConfig *self, const LkRopeConfig *from)
{
  lk_rope_config_clear (self);
  *self = *from;
  if (self->divisors)
    g_array_ref (self->divisors);
  if (self->long_divisors)
    g_array_ref (self->long_divisors);
}

void
lk_rope_config_clear (LkRopeConfig *self)
{
  g_clear_pointer (&self->divisors, g_array_unref);
  g_clear_pointer (&self->long_divisors, g_array_unref);
}

double
lk_rope_yarn_attention_factor (double factor, double mscale)
{
  return factor <= 1 ? 1 : 0.1 * mscale * log (factor) + 1;
}

double
lk_rope_longrope_attention_factor (double factor, gint64 original_context)
{
  return factor <= 1 || original_context <= 1 ? 1 : sqrt (1 + log (factor) / log ((double) original_context));
}

static gboolean
lk_hf_rope_array (JsonObject *scaling, const char *name, const char *source, GArray **out, GError **error)
{
  JsonArray *values = NULL;
  guint n;

  if (!lk_json_get_array (scaling, name, source, &values, error))
    return FALSE;
  n = values ? json_array_get_length (values) : 0;
  if (n == 0 || n > LK_ROPE_MAX_PAIRS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” must list 1 to %d numbers but has %u", source, name, LK_ROPE_MAX_PAIRS, n);
      return FALSE;
    }
  *out = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (values, i);
      double value = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : 0;

      if (!(value > 0) || !isfinite (value))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: number %u of “%s” must be positive", source, i, name);
          return FALSE;
        }
      g_array_append_val (*out, value);
    }
  return TRUE;
}

static gboolean
lk_hf_rope_linear (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  return lk_json_get_double (scaling, "factor", source, &rope->factor, error);
}

static gboolean
lk_hf_rope_llama3 (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  return lk_json_get_double (scaling, "factor", source, &rope->factor, error)
         && lk_json_get_double (scaling, "low_freq_factor", source, &rope->low_freq_factor, error)
         && lk_json_get_double (scaling, "high_freq_factor", source, &rope->high_freq_factor, error);
}

/* What a model was stretched by, where only lengths are told. */
static gboolean
lk_hf_rope_stretch (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  gint64 context = rope->original_context;

  if (!lk_json_get_int (config, "max_position_embeddings", source, &context, error))
    return FALSE;
  rope->original_context = context;
  if (!lk_json_get_int (config, "original_max_position_embeddings", source, &rope->original_context, error)
      || !lk_json_get_int (scaling, "original_max_position_embeddings", source, &rope->original_context, error))
    return FALSE;
  if (rope->original_context > 0)
    rope->factor = (double) context / (double) rope->original_context;
  return lk_json_get_double (scaling, "factor", source, &rope->factor, error);
}

static gboolean
lk_hf_rope_yarn (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  double mscale = 0, all_dim = 0;

  if (!lk_hf_rope_stretch (config, scaling, source, rope, error)
      || !lk_json_get_double (scaling, "beta_fast", source, &rope->beta_fast, error)
      || !lk_json_get_double (scaling, "beta_slow", source, &rope->beta_slow, error)
      || !lk_json_get_boolean (scaling, "truncate", source, &rope->truncate, error)
      || !lk_json_get_double (scaling, "mscale", source, &mscale, error)
      || !lk_json_get_double (scaling, "mscale_all_dim", source, &all_dim, error))
    return FALSE;
  rope->attention_factor = lk_rope_yarn_attention_factor (rope->factor, 1);
  if (mscale != 0 && all_dim != 0)
    rope->attention_factor = lk_rope_yarn_attention_factor (rope->factor, mscale) / lk_rope_yarn_attention_factor (rope->factor, all_dim);
  return lk_json_get_double (scaling, "attention_factor", source, &rope->attention_factor, error);
}

static gboolean
lk_hf_rope_longrope (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  if (!lk_hf_rope_stretch (config, scaling, source, rope, error) || !lk_hf_rope_array (scaling, "short_factor", source, &rope->divisors, error)
      || !lk_hf_rope_array (scaling, "long_factor", source, &rope->long_divisors, error))
    return FALSE;
  rope->attention_factor = lk_rope_longrope_attention_factor (rope->factor, rope->original_context);
  return lk_json_get_double (scaling, "attention_factor", source, &rope->attention_factor, error);
}

static gboolean
lk_hf_rope_plain (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error)
{
  return TRUE;
}

static const struct
{
  const char *name;
  LkRopeType type;
  gboolean (*read) (JsonObject *config, JsonObject *scaling, const char *source, LkRopeConfig *rope, GError **error);
} rope_types[] = {
  { "default", LK_ROPE_DEFAULT, lk_hf_rope_plain },       { "linear", LK_ROPE_LINEAR, lk_hf_rope_linear },
  { "llama3", LK_ROPE_LLAMA3, lk_hf_rope_llama3 },        { "yarn", LK_ROPE_YARN, lk_hf_rope_yarn },
  { "longrope", LK_ROPE_LONGROPE, lk_hf_rope_longrope },  { "su", LK_ROPE_LONGROPE, lk_hf_rope_longrope },
};

static gboolean
lk_hf_rope_check (const LkRopeConfig *rope, const char *source, GError **error)
{
  if (rope->factor > 0 && rope->low_freq_factor > 0 && rope->high_freq_factor > rope->low_freq_factor && rope->beta_slow > 0
      && rope->beta_fast >= rope->beta_slow && rope->attention_factor > 0 && isfinite (rope->attention_factor) && rope->original_context > 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the factors of the rotary scaling make no sense", source);
  return FALSE;
}

gboolean
lk_hf_config_get_rope (JsonObject *config, const char *source, const char *layers, double theta, LkRopeConfig *rope, GError **error)
{
  JsonObject *scaling = NULL;
  const char *type = "default";

  lk_rope_config_init (rope, theta);
  if (!lk_json_get_double (config, "rope_theta", source, &rope->theta, error)
      || !lk_json_get_object (config, "rope_scaling", source, &scaling, error)
      || !lk_json_get_object (config, "rope_parameters", source, &scaling, error)
      || (scaling && !lk_json_get_object (scaling, layers, source, &scaling, error)))
    return FALSE;
  if (!scaling)
    return TRUE;
  if (!lk_json_get_string (scaling, "type", source, &type, error) || !lk_json_get_string (scaling, "rope_type", source, &type, error)
      || !lk_json_get_double (scaling, "rope_theta", source, &rope->theta, error)
      || !lk_json_get_int (scaling, "original_max_position_embeddings", source, &rope->original_context, error))
    return FALSE;
  if (json_object_has_member (scaling, "long_factor"))
    type = "longrope"; /* the first files of Phi-3 call it "yarn" */
  for (guint i = 0; i < G_N_ELEMENTS (rope_types); i++)
    if (g_str_equal (rope_types[i].name, type))
      {
        rope->type = rope_types[i].type;
        return rope_types[i].read (config, scaling, source, rope, error) && lk_hf_rope_check (rope, source, error);
      }
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the rotary scaling “%s” is not supported", source, type);
  return FALSE;
}

/* Where kinds of layers have rotary embeddings of their own, each turns the same part. */
static gboolean
lk_hf_rotary_part_of_kinds (JsonObject *parameters, const char *source, double *part, GError **error)
{
  static const char *const kinds[] = { "full_attention", "sliding_attention" };
  double parts[G_N_ELEMENTS (kinds)] = { *part, *part };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      JsonObject *kind = NULL;

      if (!lk_json_get_object (parameters, kinds[i], source, &kind, error)
          || (kind && !lk_json_get_double (kind, "partial_rotary_factor", source, &parts[i], error)))
        return FALSE;
    }
  *part = parts[0];
  if (!(parts[0] != parts[1]))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: a “partial_rotary_factor” that differs between kinds of layers is not supported",
               source);
  return FALSE;
}

gboolean
lk_hf_config_get_rotary_part (JsonObject *config, const char *source, double *part, GError **error)
{
  JsonObject *parameters = NULL;

  *part = 1;
  if (!lk_json_get_double (config, "partial_rotary_factor", source, part, error)
      || !lk_json_get_object (config, "rope_parameters", source, &parameters, error)
      || (parameters && !lk_json_get_double (parameters, "partial_rotary_factor", source, part, error))
      || (parameters && !lk_hf_rotary_part_of_kinds (parameters, source, part, error)))
    return FALSE;
  if (*part > 0 && *part <= 1)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “partial_rotary_factor” must be above 0 and at most 1", source);
  return FALSE;
}
