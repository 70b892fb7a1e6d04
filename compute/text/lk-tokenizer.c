/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-tokenizer-private.h"

#include <string.h>

#include "lk-error.h"

static void
lk_replacement_clear (gpointer data)
{
  g_free (((LkReplacement *) data)->from);
  g_free (((LkReplacement *) data)->to);
}

void
_lk_tokenizer_add_replacement (LkTokenizer *self, const char *from, const char *to)
{
  LkReplacement replacement = { g_strdup (from), g_strdup (to) };

  g_array_append_val (self->replacements, replacement);
}

LkTokenizer *
_lk_tokenizer_alloc (const char *source, guint n_tokens, GError **error)
{
  LkTokenizer *self;

  if (n_tokens == 0 || n_tokens > LK_TOKENIZER_MAX_TOKENS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: a vocabulary of %u tokens; 1 to %d can be read", source, n_tokens,
                   LK_TOKENIZER_MAX_TOKENS);
      return NULL;
    }
  self = g_new0 (LkTokenizer, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->source = g_strdup (source);
  self->n_tokens = n_tokens;
  self->tokens = g_new0 (char *, n_tokens);
  self->kinds = g_malloc (n_tokens);
  memset (self->kinds, LK_TOKEN_UNUSED, n_tokens);
  self->by_token = g_hash_table_new (g_str_hash, g_str_equal);
  self->bos = self->eos = self->pad = self->unk = -1;
  self->ends = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->unicode = -1;
  self->replacements = g_array_new (FALSE, FALSE, sizeof (LkReplacement));
  g_array_set_clear_func (self->replacements, lk_replacement_clear);
  self->chars = g_hash_table_new (NULL, NULL);
  self->near_others = g_hash_table_new (NULL, NULL);
  self->others = g_array_new (FALSE, FALSE, sizeof (gunichar));
  self->added_flags = g_malloc0 (n_tokens);
  g_mutex_init (&self->cache_lock);
  return self;
}

LkTokenizer *
lk_tokenizer_ref (LkTokenizer *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_tokenizer_unref (LkTokenizer *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_token);
  for (guint i = 0; i < self->n_tokens; i++)
    g_free (self->tokens[i]);
  g_clear_pointer (&self->bpe, lk_bpe_free);
  lk_unigram_free (self->unigram);
  lk_added_tokens_free (self->added);
  _lk_piece_cache_free (self->cache);
  g_array_unref (self->replacements);
  g_array_unref (self->ends);
  g_hash_table_unref (self->chars);
  g_hash_table_unref (self->near_others);
  g_array_unref (self->others);
  g_mutex_clear (&self->cache_lock);
  g_free (self->added_flags);
  g_free (self->spelled);
  g_free (self->spelled_at);
  g_free (self->by_spelling);
  g_free (self->tokens);
  g_free (self->kinds);
  g_free (self->source);
  g_free (self);
}

gboolean
_lk_tokenizer_set_token (LkTokenizer *self, guint id, const char *text, LkTokenKind kind, GError **error)
{
  if (id >= self->n_tokens || !g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: token %u of %u is out of range or not UTF-8", self->source, id, self->n_tokens);
      return FALSE;
    }
  if (self->tokens[id])
    {
      if (!g_str_equal (self->tokens[id], text))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the id %u stands for both “%s” and “%s”", self->source, id, self->tokens[id],
                       text);
          return FALSE;
        }
    }
  else
    {
      self->tokens[id] = g_strdup (text);
      if (!g_hash_table_contains (self->by_token, text))
        g_hash_table_insert (self->by_token, self->tokens[id], GUINT_TO_POINTER (id + 1));
    }
  self->kinds[id] = (guint8) kind;
  return TRUE;
}

gboolean
_lk_tokenizer_list_token (LkTokenizer *self, guint id, const char *text, LkTokenKind kind, GError **error)
{
  gint32 other = text[0] ? lk_tokenizer_lookup (self, text) : -1;

  if (other >= 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the tokens %d and %u have the same text, “%s”: which of them it becomes cannot be told",
                   self->source, other, id, text);
      return FALSE;
    }
  return _lk_tokenizer_set_token (self, id, text, kind, error);
}

const char *
lk_tokenizer_get_pre (LkTokenizer *self)
{
  return self->pre ? self->pre->name : NULL;
}

gint32
lk_tokenizer_lookup (LkTokenizer *self, const char *token)
{
  return (gint32) GPOINTER_TO_UINT (g_hash_table_lookup (self->by_token, token)) - 1;
}

gboolean
_lk_tokenizer_add_merge (LkTokenizer *self, const char *left, const char *right, guint rank, GError **error)
{
  g_autofree char *joined = g_strconcat (left, right, NULL);
  gint32 a = lk_tokenizer_lookup (self, left), b = lk_tokenizer_lookup (self, right), id = lk_tokenizer_lookup (self, joined);

  if (a < 0 || b < 0 || id < 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: merge %u joins “%s” and “%s”, of which one or the result is no token", self->source,
                   rank, left, right);
      return FALSE;
    }
  lk_bpe_add_merge (self->bpe, a, b, id, rank);
  return TRUE;
}

guint
lk_tokenizer_get_n_tokens (LkTokenizer *self)
{
  return self->n_tokens;
}

const char *
lk_tokenizer_get_token (LkTokenizer *self, gint32 id)
{
  return id >= 0 && (guint) id < self->n_tokens ? self->tokens[id] : NULL;
}

gint32
lk_tokenizer_get_bos (LkTokenizer *self)
{
  return self->bos;
}

gint32
lk_tokenizer_get_eos (LkTokenizer *self)
{
  return self->eos;
}

gint32
lk_tokenizer_get_pad (LkTokenizer *self)
{
  return self->pad;
}

gboolean
lk_tokenizer_get_add_bos (LkTokenizer *self)
{
  return self->add_bos;
}

const char *const *
_lk_tokenizer_list_ends (guint *n)
{
  static const char *const ends[] = { "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>",
                                      "<|end_of_text|>", "<|eom_id|>", "<EOT>", "<end_of_utterance>" };

  *n = G_N_ELEMENTS (ends);
  return ends;
}

void
lk_tokenizer_add_end (LkTokenizer *self, gint32 id)
{
  g_return_if_fail (id >= 0);
  if (self->eos < 0 && (guint) id < self->n_tokens)
    self->eos = id;
  if (id != self->eos && !_lk_tokenizer_is_added_end (self, id))
    g_array_append_val (self->ends, id);
}

gboolean
_lk_tokenizer_is_added_end (LkTokenizer *self, gint32 id)
{
  for (guint i = 0; i < self->ends->len; i++)
    if (g_array_index (self->ends, gint32, i) == id)
      return TRUE;
  return FALSE;
}

gboolean
lk_tokenizer_is_end (LkTokenizer *self, gint32 id)
{
  const char *text = lk_tokenizer_get_token (self, id);
  guint n;
  const char *const *ends = _lk_tokenizer_list_ends (&n);

  if (id < 0)
    return FALSE;
  if (id == self->eos || _lk_tokenizer_is_added_end (self, id))
    return TRUE;
  if (!text || self->kinds[id] != LK_TOKEN_CONTROL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (g_str_equal (text, ends[i]))
      return TRUE;
  return FALSE;
}

gboolean
lk_tokenizer_is_special (LkTokenizer *self, gint32 id)
{
  return lk_tokenizer_get_token (self, id) && self->kinds[id] == LK_TOKEN_CONTROL;
}
