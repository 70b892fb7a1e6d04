/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-model-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

static void
lk_model_tensor_clear (gpointer data)
{
  LkModelTensor *tensor = data;

  g_free (tensor->hf_name);
  g_free (tensor->gguf_name);
}

LkModel *
_lk_model_alloc (const char *path)
{
  LkModel *self = g_new0 (LkModel, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->path = g_strdup (path);
  self->base_type = LK_TYPE_INVALID;
  self->variables = lk_variables_new ();
  self->tensors = g_array_new (FALSE, TRUE, sizeof (LkModelTensor));
  g_array_set_clear_func (self->tensors, lk_model_tensor_clear);
  _lk_model_init_rope_tables (self);
  return self;
}

LkModel *
lk_model_ref (LkModel *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_model_unref (LkModel *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->tensors);
  g_clear_pointer (&self->gguf, lk_gguf_unref);
  g_clear_pointer (&self->safetensors, lk_safetensors_unref);
  g_clear_pointer (&self->hf_config, json_object_unref);
  g_clear_pointer (&self->tokenizer, lk_tokenizer_unref);
  g_clear_pointer (&self->chat_template, lk_template_unref);
  g_clear_pointer (&self->variables, lk_variables_unref);
  g_free (self->layers);
  g_array_unref (self->rope_tables);
  lk_rope_config_clear (&self->config.rope);
  lk_rope_config_clear (&self->config.window_rope);
  g_free (self->config.windowed);
  g_free (self->config.name);
  g_free (self->template_source);
  g_free (self->tools_template_source);
  g_free (self->template_note);
  g_free (self->hash);
  g_free (self->kind);
  g_free (self->path);
  g_free (self);
}

static gboolean
lk_model_open_gguf (LkModel *self, GError **error)
{
  self->gguf = lk_gguf_open (self->path, error);
  return self->gguf && _lk_model_read_gguf_config (self, error) && _lk_model_check_config (self, error)
         && _lk_model_read_gguf_text (self, error) && _lk_model_bind_weights (self, error);
}

static gboolean
lk_model_open_folder (LkModel *self, GError **error)
{
  if (!_lk_model_read_hf_config (self, error) || !_lk_model_check_config (self, error))
    return FALSE;
  self->safetensors = lk_safetensors_open (self->path, error);
  return self->safetensors && _lk_model_read_hf_text (self, error) && _lk_model_bind_weights (self, error);
}

LkModel *
lk_model_open (const char *path, GError **error)
{
  return lk_model_open_as (path, LK_TYPE_INVALID, error);
}

LkModel *
lk_model_open_as (const char *path, LkType base_type, GError **error)
{
  g_autoptr (LkModel) self = _lk_model_alloc (path);
  gboolean folder = g_file_test (path, G_FILE_TEST_IS_DIR);

  self->base_type = base_type;
  if (!(folder ? lk_model_open_folder : lk_model_open_gguf) (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Of a text alone: its family, if it is one we know, for the template. */
static void
lk_model_guess_family (LkModel *self, LkGguf *gguf)
{
  g_autoptr (JsonObject) config = gguf ? NULL : lk_hf_config_load (self->path, NULL);
  const char *architecture = NULL;

  if (gguf && lk_gguf_get_string (gguf, "general.architecture", &architecture, NULL))
    self->config.family = lk_family_from_gguf (architecture);
  else if (config)
    self->config.family = lk_family_from_hf (lk_json_peek_string (config, "model_type", NULL));
}

LkModel *
lk_model_open_text (const char *path, GError **error)
{
  g_autoptr (LkModel) self = _lk_model_alloc (path);
  g_autofree char *name = g_path_get_basename (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      lk_model_guess_family (self, NULL);
      if (!_lk_model_read_hf_text (self, error))
        return NULL;
    }
  else if (g_str_has_suffix (name, ".json") || g_str_has_suffix (name, ".model"))
    {
      gboolean json = g_str_has_suffix (name, ".json");
      g_autofree char *folder = g_path_get_dirname (path);
      g_autofree char *config = g_build_filename (folder, "tokenizer_config.json", NULL);

      self->tokenizer = (json ? lk_tokenizer_new_from_json : lk_tokenizer_new_from_sentencepiece) (
          path, g_file_test (config, G_FILE_TEST_EXISTS) ? config : NULL, error);
      if (!self->tokenizer)
        return NULL;
    }
  else
    {
      self->gguf = lk_gguf_open (path, error);
      if (self->gguf)
        lk_model_guess_family (self, self->gguf);
      if (!self->gguf || !_lk_model_read_gguf_text (self, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}

const char *
lk_model_get_path (LkModel *self)
{
  return self->path;
}

LkType
lk_model_get_base_type (LkModel *self)
{
  return self->base_type;
}

const LkModelConfig *
lk_model_get_config (LkModel *self)
{
  return &self->config;
}

LkVariables *
lk_model_get_variables (LkModel *self)
{
  return self->variables;
}

LkTokenizer *
lk_model_get_tokenizer (LkModel *self)
{
  return self->tokenizer;
}

LkTemplate *
lk_model_get_template (LkModel *self)
{
  return self->chat_template;
}

const char *
lk_model_get_template_source (LkModel *self)
{
  return self->template_source;
}

gboolean
lk_model_has_own_template (LkModel *self)
{
  return self->own_template;
}

const char *
lk_model_get_tools_template_source (LkModel *self)
{
  return self->tools_template_source;
}

const char *
lk_model_get_template_note (LkModel *self)
{
  return self->template_note;
}

const char *
lk_model_get_kind (LkModel *self)
{
  if (!self->kind)
    {
      guint count[LK_TYPE_U8] = { 0 }, best = 0;

      for (gint64 l = 0; l < self->config.layers; l++)
        for (guint r = 0; r < LK_N_LINEAR; r++)
          if (self->layers[l].linear[r])
            count[self->layers[l].linear[r]->type]++;
      for (guint i = 1; i < G_N_ELEMENTS (count); i++)
        if (count[i] > count[best])
          best = i;
      self->kind = g_strdup_printf ("%s %s", self->shape_tile ? "made" : self->gguf ? "GGUF" : "Hugging Face", lk_type_name ((LkType) best));
    }
  return self->kind;
}

LkVariable *
lk_model_get_embedding (LkModel *self)
{
  return self->embedding;
}

LkVariable *
lk_model_get_final_norm (LkModel *self)
{
  return self->final_norm;
}

LkVariable *
lk_model_get_head (LkModel *self)
{
  return self->head;
}

const LkLayerWeights *
lk_model_get_layer (LkModel *self, guint layer)
{
  return &self->layers[layer];
}

const LkModelTensor *
lk_model_get_tensors (LkModel *self, guint *n)
{
  *n = self->tensors->len;
  return (const LkModelTensor *) (const void *) self->tensors->data;
}

LkGguf *
lk_model_get_gguf (LkModel *self)
{
  return self->gguf;
}

JsonObject *
lk_model_get_hf_config (LkModel *self)
{
  return self->hf_config;
}

void
_lk_model_set_windows (LkModel *self, gint64 full_every)
{
  LkModelConfig *c = &self->config;

  if (c->layers <= 0 || c->layers > 1024)
    return; /* refused later */
  c->windowed = g_new0 (guint8, c->layers);
  for (gint64 l = 0; l < c->layers; l++)
    c->windowed[l] = c->window > 0 && lk_family_is_windowed (l, full_every);
}

#define POSITIVE(value, most) ((value) > 0 && (value) <= (most))

static gboolean
lk_model_check_divisors (LkModel *self, GArray *divisors, GError **error)
{
  if (!divisors || (gint64) divisors->len == self->config.rotary_dim / 2)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the rotary scaling has %u factors for %" G_GINT64_FORMAT " pairs", self->path,
               divisors->len, self->config.rotary_dim / 2);
  return FALSE;
}

gboolean
_lk_model_check_config (LkModel *self, GError **error)
{
  const LkModelConfig *c = &self->config;
  gboolean one_rope = !(c->family->window_rope_theta > 0); /* layers with a window rotate as the others do */
  const struct
  {
    const char *name;
    gboolean ok;
    gint64 value;
  } checks[] = {
    { "vocabulary size", POSITIVE (c->vocab, 1 << 24), c->vocab },
    { "hidden size", POSITIVE (c->hidden, 1 << 17), c->hidden },
    { "intermediate size", POSITIVE (c->intermediate, 1 << 20), c->intermediate },
    { "number of layers", POSITIVE (c->layers, 1024), c->layers },
    { "number of heads", POSITIVE (c->heads, 1024), c->heads },
    { "number of key/value heads", POSITIVE (c->kv_heads, c->heads) && c->heads % c->kv_heads == 0, c->kv_heads },
    { "head size", POSITIVE (c->head_dim, 1024) && c->head_dim % 2 == 0, c->head_dim },
    { "number of rotated channels", POSITIVE (c->rotary_dim, c->head_dim) && c->rotary_dim % 2 == 0, c->rotary_dim },
    { "original context length", POSITIVE (c->rope.original_context, 1 << 26), c->rope.original_context },
    { "context length", POSITIVE (c->context, 1 << 26), c->context },
    { "window", c->window >= 0 && c->window <= 1 << 26, c->window },
  };
  const struct
  {
    const char *name;
    gboolean ok;
    double value;
  } numbers[] = {
    { "epsilon of the norms", c->norm_eps > 0 && c->norm_eps < 1, c->norm_eps },
    { "base of the rotary angles", c->rope.theta > 1, c->rope.theta },
    { "factor of the rotary scaling", c->rope.factor > 0, c->rope.factor },
    { "attention factor of the rotary scaling", c->rope.attention_factor > 0, c->rope.attention_factor },
    { "base of the rotary angles within windows", one_rope || c->window_rope.theta > 1, c->window_rope.theta },
    { "factor of the rotary scaling within windows", one_rope || c->window_rope.factor > 0, c->window_rope.factor },
    { "scale of attention", c->attention_scale > 0, c->attention_scale },
    { "soft cap of attention", c->attention_cap >= 0, c->attention_cap },
    { "soft cap of the logits", c->final_cap >= 0, c->final_cap },
  };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (!checks[i].ok)
      {
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the %s, %" G_GINT64_FORMAT ", makes no sense", self->path, checks[i].name,
                     checks[i].value);
        return FALSE;
      }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!numbers[i].ok || !isfinite (numbers[i].value))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the %s, %g, makes no sense", self->path, numbers[i].name, numbers[i].value);
        return FALSE;
      }
  return lk_model_check_divisors (self, c->rope.divisors, error) && lk_model_check_divisors (self, c->rope.long_divisors, error)
         && lk_model_check_divisors (self, c->window_rope.divisors, error) && lk_model_check_divisors (self, c->window_rope.long_divisors, error);
}
