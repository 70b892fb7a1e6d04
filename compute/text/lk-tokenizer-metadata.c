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
                                       LK_TOKEN_UNUSED, LK_TOKEN_NORMAL };
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

static const LkPretokenizer *
lk_tokenizer_choose_pre (const LkTokenizerMetadata *metadata, GError **error)
{
  const LkPretokenizer *pre = lk_pretokenizer_by_name (metadata->pre ? metadata->pre : "gpt-2");
  g_autofree char *known = NULL;

  if (g_strcmp0 (metadata->model, "gpt2") != 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the tokenizer model “%s” is not supported; this is: gpt2", metadata->source,
                   metadata->model ? metadata->model : "(none)");
      return NULL;
    }
  if (pre)
    return pre;
  known = lk_pretokenizer_list ();
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the pre-tokenizer “%s” is not supported; these are: %s", metadata->source,
               metadata->pre, known);
  return NULL;
}

LkTokenizer *
lk_tokenizer_new_from_metadata (const LkTokenizerMetadata *metadata, GError **error)
{
  const LkPretokenizer *pre = lk_tokenizer_choose_pre (metadata, error);
  g_autoptr (LkTokenizer) self = pre ? _lk_tokenizer_alloc (metadata->source, metadata->n_tokens, error) : NULL;

  if (!self)
    return NULL;
  if (metadata->n_merges > LK_TOKENIZER_MAX_MERGES)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: %u merges are too many", self->source, metadata->n_merges);
      return NULL;
    }
  self->pre = pre;
  self->ignore_merges = pre->ignore_merges;
  self->add_bos = metadata->add_bos;
  self->bos = (gint32) metadata->bos;
  self->eos = (gint32) metadata->eos;
  self->pad = (gint32) metadata->pad;
  self->bpe = lk_bpe_new (metadata->n_merges);
  for (guint i = 0; i < metadata->n_tokens; i++)
    if (!_lk_tokenizer_set_token (self, i, metadata->tokens[i], lk_token_kind (metadata, i), error))
      return NULL;
  if (!lk_tokenizer_add_merges (self, metadata, error) || !_lk_tokenizer_finish (self, error))
    return NULL;
  return g_steal_pointer (&self);
}
