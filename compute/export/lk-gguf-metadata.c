/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-error.h"
#include "lk-export-gguf.h"
#include "lk-family.h"
#include "lk-json.h"
#include "lk-tokenizer-describe.h"

#define TOKENIZER_LIMIT (256 << 20)

/* GGUF's token types (formats: a.9) */
enum
{
  TYPE_NORMAL = 1,
  TYPE_CONTROL = 3,
  TYPE_USER_DEFINED = 4,
  TYPE_UNUSED = 5,
};

static void
set_u32 (LkGgufWriter *writer, const char *prefix, const char *name, gint64 value)
{
  g_autofree char *key = g_strconcat (prefix, ".", name, NULL);

  lk_gguf_writer_set_int (writer, key, LK_GGUF_U32, value);
}

static void
set_f32 (LkGgufWriter *writer, const char *prefix, const char *name, double value)
{
  g_autofree char *key = g_strconcat (prefix, ".", name, NULL);

  lk_gguf_writer_set_float (writer, key, value);
}

/* What llama.cpp makes of the scaling's parameters; divisors are tensors. */
static void
make_rope_keys (const LkModelConfig *c, LkGgufWriter *writer)
{
  const char *a = c->family->gguf_architecture;
  const char *type = c->rope.type == LK_ROPE_LINEAR ? "linear" : c->rope.type == LK_ROPE_YARN ? "yarn" : NULL;

  if (type)
    {
      g_autofree char *key = g_strconcat (a, ".rope.scaling.type", NULL);

      lk_gguf_writer_set_string (writer, key, type);
      set_f32 (writer, a, "rope.scaling.factor", c->rope.factor);
    }
  if (c->rope.type == LK_ROPE_YARN)
    {
      set_f32 (writer, a, "rope.scaling.yarn_beta_fast", c->rope.beta_fast);
      set_f32 (writer, a, "rope.scaling.yarn_beta_slow", c->rope.beta_slow);
      set_f32 (writer, a, "rope.scaling.attn_factor", c->rope.attention_factor / lk_rope_yarn_attention_factor (c->rope.factor, 1));
    }
  if (c->rope.type == LK_ROPE_LONGROPE)
    set_f32 (writer, a, "rope.scaling.attn_factor", c->rope.attention_factor);
  if (c->rope.type == LK_ROPE_YARN || c->rope.type == LK_ROPE_LONGROPE)
    set_u32 (writer, a, "rope.scaling.original_context_length", c->rope.original_context);
}

static void
make_model_keys (LkModel *model, LkGgufWriter *writer)
{
  const LkModelConfig *c = lk_model_get_config (model);
  const char *a = c->family->gguf_architecture;

  lk_gguf_writer_set_string (writer, "general.architecture", a);
  lk_gguf_writer_set_string (writer, "general.type", "model");
  lk_gguf_writer_set_string (writer, "general.name", c->name);
  set_u32 (writer, a, "vocab_size", c->vocab);
  set_u32 (writer, a, "context_length", c->context);
  set_u32 (writer, a, "embedding_length", c->hidden);
  set_u32 (writer, a, "block_count", c->layers);
  set_u32 (writer, a, "feed_forward_length", c->intermediate);
  set_u32 (writer, a, "attention.head_count", c->heads);
  set_u32 (writer, a, "attention.head_count_kv", c->kv_heads);
  set_u32 (writer, a, "attention.key_length", c->head_dim);
  set_u32 (writer, a, "attention.value_length", c->head_dim);
  set_u32 (writer, a, "rope.dimension_count", c->rotary_dim);
  set_f32 (writer, a, "attention.layer_norm_rms_epsilon", c->norm_eps);
  set_f32 (writer, a, "rope.freq_base", c->rope.theta);
  if (c->window > 0)
    set_u32 (writer, a, "attention.sliding_window", c->window);
  if (c->family->window_rope_theta > 0)
    set_f32 (writer, a, "rope.freq_base_swa", c->window_rope.theta);
  if (c->attention_cap > 0)
    set_f32 (writer, a, "attn_logit_softcapping", c->attention_cap);
  if (c->final_cap > 0)
    set_f32 (writer, a, "final_logit_softcapping", c->final_cap);
  make_rope_keys (c, writer);
}

/* "A B" from either spelling of a merge. (transfer full) */
static char *
merge_text (JsonNode *node)
{
  JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (pair && json_array_get_length (pair) == 2)
    {
      const char *left = json_node_get_string (json_array_get_element (pair, 0));
      const char *right = json_node_get_string (json_array_get_element (pair, 1));

      return left && right ? g_strconcat (left, " ", right, NULL) : NULL;
    }
  return JSON_NODE_HOLDS_VALUE (node) ? json_node_dup_string (node) : NULL;
}

static gboolean
set_merges (JsonObject *bpe, const char *source, LkGgufWriter *writer, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  JsonArray *merges = NULL;

  if (!lk_json_get_array (bpe, "merges", source, &merges, error))
    return FALSE;
  for (guint i = 0; merges && i < json_array_get_length (merges); i++)
    {
      char *text = merge_text (json_array_get_element (merges, i));

      if (!text)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: merge %u is neither a text nor a pair",
                       source, i);
          return FALSE;
        }
      g_ptr_array_add (texts, text);
    }
  lk_gguf_writer_set_strings (writer, "tokenizer.ggml.merges", (const char *const *) texts->pdata,
                              texts->len);
  return TRUE;
}

/* Which ids were added to the vocabulary, and whether they are special: id + 1 → type. */
static GHashTable *
added_types (JsonObject *top, const char *source, GError **error)
{
  GHashTable *types = g_hash_table_new (NULL, NULL);
  JsonArray *added = NULL;

  if (!lk_json_get_array (top, "added_tokens", source, &added, error))
    {
      g_hash_table_unref (types);
      return NULL;
    }
  for (guint i = 0; added && i < json_array_get_length (added); i++)
    {
      JsonNode *node = json_array_get_element (added, i);
      JsonObject *token = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      gint64 id = token ? lk_json_peek_int (token, "id", -1) : -1;
      const char *text = token ? lk_json_peek_string (token, "content", "") : "";
      gboolean control = token
                         && (lk_json_peek_boolean (token, "special", FALSE)
                             || (g_str_has_prefix (text, "<|") && g_str_has_suffix (text, "|>")));

      if (id >= 0 && id < G_MAXINT32)
        g_hash_table_insert (types, GINT_TO_POINTER ((gint) id + 1),
                             GINT_TO_POINTER (control ? TYPE_CONTROL : TYPE_USER_DEFINED));
    }
  return types;
}

/* As many tokens as the embedding has rows: llama.cpp wants them to be equal. */
static void
set_tokens (LkModel *model, GHashTable *added, LkGgufWriter *writer)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  guint n = (guint) lk_model_get_config (model)->vocab, padding = 0;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree gint64 *types = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    {
      const char *text
          = i < lk_tokenizer_get_n_tokens (tokenizer) ? lk_tokenizer_get_token (tokenizer, (gint32) i) : NULL;
      gpointer type = g_hash_table_lookup (added, GINT_TO_POINTER ((gint) i + 1));

      g_ptr_array_add (texts, text ? g_strdup (text) : g_strdup_printf ("[PAD%u]", padding++));
      types[i] = !text ? TYPE_UNUSED : type ? GPOINTER_TO_INT (type) : TYPE_NORMAL;
    }
  lk_gguf_writer_set_strings (writer, "tokenizer.ggml.tokens", (const char *const *) texts->pdata, n);
  lk_gguf_writer_set_ints (writer, "tokenizer.ggml.token_type", LK_GGUF_I32, types, n);
}

/* Byte-level BPE: merges and special tokens as tokenizer.json has them. */
static gboolean
make_byte_level_keys (LkModel *model, LkGgufWriter *writer, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autofree char *path = g_build_filename (lk_model_get_path (model), "tokenizer.json", NULL);
  g_autoptr (JsonObject) top = lk_json_load_object (path, TOKENIZER_LIMIT, error);
  g_autoptr (GHashTable) added = top ? added_types (top, path, error) : NULL;
  JsonObject *bpe = NULL;

  if (!added || !lk_json_get_object (top, "model", path, &bpe, error) || !bpe
      || !set_merges (bpe, path, writer, error))
    return FALSE;
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.model", "gpt2");
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.pre", lk_tokenizer_get_pre (tokenizer));
  set_tokens (model, added, writer);
  return TRUE;
}

static void
make_sentencepiece_keys (LkModel *model, LkGgufWriter *writer)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  guint n = (guint) lk_model_get_config (model)->vocab, known = lk_tokenizer_get_n_tokens (tokenizer), padding = 0;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree gint64 *types = g_new (gint64, n);
  g_autofree float *made = lk_tokenizer_make_scores (tokenizer);
  g_autofree float *scores = g_new0 (float, n);

  for (guint i = 0; i < n; i++)
    {
      const char *text = i < known ? lk_tokenizer_get_token (tokenizer, (gint32) i) : NULL;

      g_ptr_array_add (texts, text ? g_strdup (text) : g_strdup_printf ("[PAD%u]", padding++));
      types[i] = lk_tokenizer_get_gguf_type (tokenizer, (gint32) i);
      scores[i] = i < known ? made[i] : 0;
    }
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.model", "llama");
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.pre", "default");
  lk_gguf_writer_set_strings (writer, "tokenizer.ggml.tokens", (const char *const *) texts->pdata, n);
  lk_gguf_writer_set_floats (writer, "tokenizer.ggml.scores", scores, n);
  lk_gguf_writer_set_ints (writer, "tokenizer.ggml.token_type", LK_GGUF_I32, types, n);
  lk_gguf_writer_set_boolean (writer, "tokenizer.ggml.add_space_prefix", lk_tokenizer_has_prefix (tokenizer));
}

/* GGUF has room for two ids beside eos; programs find the usual ones by their texts. */
static gboolean
make_end_keys (LkModel *model, LkGgufWriter *writer, GError **error)
{
  static const char *const keys[] = { "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" };
  g_autoptr (GArray) ids = lk_tokenizer_list_unnamed_ends (lk_model_get_tokenizer (model));

  if (ids->len > G_N_ELEMENTS (keys))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "“%s” names %u tokens without a usual name that end an answer (eos_token_id in generation_config.json or config.json); a GGUF "
                   "file can name %d",
                   lk_model_get_path (model), ids->len, (int) G_N_ELEMENTS (keys));
      return FALSE;
    }
  for (guint i = 0; i < ids->len; i++)
    lk_gguf_writer_set_int (writer, keys[i], LK_GGUF_U32, g_array_index (ids, gint32, i));
  return TRUE;
}

static gboolean
make_tokenizer_keys (LkModel *model, LkGgufWriter *writer, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  const struct
  {
    const char *key;
    gint32 id;
  } ids[] = {
    { "tokenizer.ggml.bos_token_id", lk_tokenizer_get_bos (tokenizer) },
    { "tokenizer.ggml.eos_token_id", lk_tokenizer_get_eos (tokenizer) },
    { "tokenizer.ggml.padding_token_id", lk_tokenizer_get_pad (tokenizer) },
    { "tokenizer.ggml.unknown_token_id", lk_tokenizer_get_unk (tokenizer) },
  };

  if (lk_tokenizer_is_sentencepiece (tokenizer))
    make_sentencepiece_keys (model, writer);
  else if (!lk_tokenizer_get_pre (tokenizer))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: its tokenizer is SentencePiece's unigram, which cannot be written as GGUF",
                   lk_model_get_path (model));
      return FALSE;
    }
  else if (!make_byte_level_keys (model, writer, error))
    return FALSE;
  lk_gguf_writer_set_boolean (writer, "tokenizer.ggml.add_bos_token", lk_tokenizer_get_add_bos (tokenizer));
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    if (ids[i].id >= 0)
      lk_gguf_writer_set_int (writer, ids[i].key, LK_GGUF_U32, ids[i].id);
  return make_end_keys (model, writer, error);
}

/* The template in use, also where it is the family's: what was trained with it must be asked with it. */
void
lk_gguf_make_template_keys (LkModel *model, LkGgufWriter *writer)
{
  static const char *const names[] = { "tool_use" };
  const char *for_tools = lk_model_get_tools_template_source (model);

  if (lk_model_get_template_source (model))
    lk_gguf_writer_set_string (writer, "tokenizer.chat_template", lk_model_get_template_source (model));
  if (!for_tools || lk_model_get_gguf (model))
    return; /* a GGUF's own named templates are copied with its keys */
  lk_gguf_writer_set_strings (writer, "tokenizer.chat_templates", names, G_N_ELEMENTS (names));
  lk_gguf_writer_set_string (writer, "tokenizer.chat_template.tool_use", for_tools);
}

gboolean
lk_gguf_make_metadata (LkModel *model, LkGgufWriter *writer, GError **error)
{
  make_model_keys (model, writer);
  return !lk_model_get_tokenizer (model) || make_tokenizer_keys (model, writer, error);
}
