/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tokenizers from GGUF metadata (formats: a.9).
 */
#include "lk-tokenizer-private.h"

#include <string.h>

#include "lk-error.h"

static LkTokenKind
lk_token_kind (const LkTokenizerMetadata *metadata, guint id)
{
  static const LkTokenKind kinds[] = { LK_TOKEN_NORMAL, LK_TOKEN_NORMAL, LK_TOKEN_CONTROL, LK_TOKEN_CONTROL, LK_TOKEN_ADDED,
                                       LK_TOKEN_UNUSED, LK_TOKEN_BYTE };
  gint64 type = metadata->token_types ? metadata->token_types[id] : 1;

  return type >= 0 && type < (gint64) G_N_ELEMENTS (kinds) ? kinds[type] : LK_TOKEN_NORMAL;
}

/* "A B", split at the first space found from the second byte: A may begin with a space. */
static gboolean
lk_tokenizer_add_merges (LkTokenizer *self, const LkTokenizerMetadata *metadata, GError **error)
{
  for (guint i = 0; i < metadata->n_merges; i++)
    {
      const char *merge = metadata->merges[i];
      const char *space = merge[0] ? strchr (merge + 1, ' ') : NULL;
      g_autofree char *left = space ? g_strndup (merge, (gsize) (space - merge)) : NULL;

      if (!space)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: merge %u, “%s”, is not two tokens", self->source, i, merge);
          return FALSE;
        }
      if (!_lk_tokenizer_add_merge (self, left, space + 1, i, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
lk_read_gpt2 (LkTokenizer *self, const LkTokenizerMetadata *metadata, GError **error)
{
  g_autofree char *known = NULL;

  self->pre = lk_pretokenizer_by_name (metadata->pre ? metadata->pre : "gpt-2");
  if (!self->pre)
    {
      known = lk_pretokenizer_list ();
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the pre-tokenizer “%s” is not supported; these are: %s", metadata->source,
                   metadata->pre, known);
      return FALSE;
    }
  self->ignore_merges = self->pre->ignore_merges;
  self->add_bos = metadata->add_bos < 0 ? self->pre->add_bos : metadata->add_bos;
  self->bpe = lk_bpe_new (metadata->n_merges);
  return lk_tokenizer_add_merges (self, metadata, error);
}

/* SentencePiece: a blank before each part, unknown characters as bytes. */
static gboolean
lk_read_sentencepiece (LkTokenizer *self, const LkTokenizerMetadata *metadata, GError **error)
{
  gboolean unigram = g_str_equal (metadata->model, "t5");

  if (!metadata->scores)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “tokenizer.ggml.scores” is missing", self->source);
      return FALSE;
    }
  self->model = LK_TEXT_CHARS;
  self->blanks = self->byte_fallback = self->fuse_unk = TRUE;
  self->prefix = !metadata->add_space_prefix ? LK_PREFIX_NEVER : unigram ? LK_PREFIX_FIRST : LK_PREFIX_ALWAYS;
  self->strip_prefix = self->prefix != LK_PREFIX_NEVER;
  self->add_bos = metadata->add_bos != FALSE;
  return unigram ? _lk_tokenizer_set_unigram (self, metadata->scores, error) : _lk_tokenizer_merge_by_scores (self, metadata->scores, error);
}

static const struct
{
  const char *name;
  gboolean (*read) (LkTokenizer *self, const LkTokenizerMetadata *metadata, GError **error);
  gint32 bos, eos, unk; /* where the file does not say */
} models[] = { { "gpt2", lk_read_gpt2, -1, -1, -1 }, { "llama", lk_read_sentencepiece, 1, 2, 0 }, { "t5", lk_read_sentencepiece, -1, 1, 2 } };

static gint32
lk_special (const LkTokenizerMetadata *metadata, gint64 id, gint32 usual)
{
  id = id < 0 ? usual : id;
  return id < (gint64) metadata->n_tokens ? (gint32) id : -1;
}

LkTokenizer *
lk_tokenizer_new_from_metadata (const LkTokenizerMetadata *metadata, GError **error)
{
  g_autoptr (LkTokenizer) self = NULL;
  guint kind = 0;

  while (kind < G_N_ELEMENTS (models) && g_strcmp0 (models[kind].name, metadata->model) != 0)
    kind++;
  if (kind == G_N_ELEMENTS (models))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the tokenizer model “%s” is not supported; these are: gpt2, llama, t5",
                   metadata->source, metadata->model ? metadata->model : "(none)");
      return NULL;
    }
  if (metadata->n_merges > LK_TOKENIZER_MAX_MERGES)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: %u merges are too many", metadata->source, metadata->n_merges);
      return NULL;
    }
  self = _lk_tokenizer_alloc (metadata->source, metadata->n_tokens, error);
  if (!self)
    return NULL;
  self->bos = lk_special (metadata, metadata->bos, models[kind].bos);
  self->eos = lk_special (metadata, metadata->eos, models[kind].eos);
  self->unk = lk_special (metadata, metadata->unk, models[kind].unk);
  self->pad = lk_special (metadata, metadata->pad, -1);
  for (guint i = 0; i < metadata->n_tokens; i++)
    if (!_lk_tokenizer_list_token (self, i, metadata->tokens[i], lk_token_kind (metadata, i), error))
      return NULL;
  if (!models[kind].read (self, metadata, error) || !_lk_tokenizer_finish (self, error))
    return NULL;
  return g_steal_pointer (&self);
}
