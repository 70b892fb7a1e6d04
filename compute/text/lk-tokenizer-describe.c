/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-tokenizer-describe.h"

#include "lk-tokenizer-private.h"

gboolean
lk_tokenizer_is_sentencepiece (LkTokenizer *self)
{
  return self->model == LK_TEXT_CHARS;
}

gboolean
lk_tokenizer_has_prefix (LkTokenizer *self)
{
  return self->prefix != LK_PREFIX_NEVER;
}

gint32
lk_tokenizer_get_unk (LkTokenizer *self)
{
  return self->unk;
}

GArray *
lk_tokenizer_list_unnamed_ends (LkTokenizer *self)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint n;
  const char *const *names = _lk_tokenizer_list_ends (&n);

  for (guint i = 0; i < self->ends->len; i++)
    {
      gint32 id = g_array_index (self->ends, gint32, i);
      const char *text = lk_tokenizer_get_token (self, id);
      gboolean named = id == self->eos;

      for (guint k = 0; k < n && !named; k++)
        named = text && g_str_equal (text, names[k]);
      if (!named)
        g_array_append_val (ids, id);
    }
  return ids;
}

gint64
lk_tokenizer_get_gguf_type (LkTokenizer *self, gint32 id)
{
  static const gint64 types[]
      = { [LK_TOKEN_NORMAL] = 1, [LK_TOKEN_CONTROL] = 3, [LK_TOKEN_ADDED] = 4, [LK_TOKEN_UNUSED] = 5, [LK_TOKEN_BYTE] = 6 };

  if (id < 0 || (guint) id >= self->n_tokens || !self->tokens[id])
    return types[LK_TOKEN_UNUSED];
  return id == self->unk ? 2 : types[self->kinds[id]];
}

static void
lk_collect_merge (gint32 left, gint32 right, gint32 id, guint32 rank, gpointer user_data)
{
  LkTokenizerMerge merge = { left, right, id, rank };

  g_array_append_val ((GArray *) user_data, merge);
}

static int
lk_compare_merges (gconstpointer x, gconstpointer y)
{
  const LkTokenizerMerge *a = x, *b = y;
  guint64 p = (guint64) (guint32) a->left << 32 | (guint32) a->right, q = (guint64) (guint32) b->left << 32 | (guint32) b->right;

  return a->rank != b->rank ? (a->rank < b->rank ? -1 : 1) : (p > q) - (p < q);
}

GArray *
lk_tokenizer_list_merges (LkTokenizer *self)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (LkTokenizerMerge));
  guint kept = 0;

  if (self->bpe)
    lk_bpe_foreach (self->bpe, lk_collect_merge, all);
  for (guint i = 0; i < all->len; i++)
    {
      LkTokenizerMerge merge = g_array_index (all, LkTokenizerMerge, i);

      /* characters that are parts of tokens and none themselves have numbers behind the tokens */
      if ((guint) merge.left < self->n_tokens && (guint) merge.right < self->n_tokens)
        g_array_index (all, LkTokenizerMerge, kept++) = merge;
    }
  g_array_set_size (all, kept);
  g_array_sort (all, lk_compare_merges);
  return all;
}

float *
lk_tokenizer_make_scores (LkTokenizer *self)
{
  g_autoptr (GArray) merges = lk_tokenizer_list_merges (self);
  float *scores = g_new0 (float, self->n_tokens);
  float next = 0;
  guint32 rank = 0;

  for (guint i = 0; i < merges->len; i++)
    {
      const LkTokenizerMerge *merge = &g_array_index (merges, LkTokenizerMerge, i);

      if (i == 0 || merge->rank != rank)
        next -= 1;
      rank = merge->rank;
      if (scores[merge->id] == 0)
        scores[merge->id] = next;
    }
  for (guint i = 0; i < self->n_tokens; i++) /* no merge makes it, so none may */
    if (scores[i] == 0)
      scores[i] = next - 1;
  return scores;
}
