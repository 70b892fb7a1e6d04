/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What encoding and decoding look up, made once from tokens and merges.
 */
#include <string.h>

#include "lk-byte-level.h"
#include "lk-error.h"
#include "lk-tokenizer-private.h"

guint64
_lk_hash_bytes (const char *bytes, gsize n)
{
  guint64 hash = n * 0x9E3779B97F4A7C15u, word;

  for (; n >= 8; bytes += 8, n -= 8)
    {
      memcpy (&word, bytes, 8);
      hash = (hash ^ word) * 0x9FB21C651E98DF25u;
      hash ^= hash >> 32;
    }
  word = 0;
  for (gsize i = 0; i < n; i++)
    word |= (guint64) (guint8) bytes[i] << 8 * i;
  hash = (hash ^ word) * 0x9FB21C651E98DF25u;
  return hash ^ hash >> 29;
}

/* <0x0A>: its byte; −1: something else. */
static int
lk_byte_token (const char *text)
{
  int high, low;

  if (strlen (text) != 6 || strncmp (text, "<0x", 3) != 0 || text[5] != '>')
    return -1;
  high = g_ascii_xdigit_value (text[3]);
  low = g_ascii_xdigit_value (text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Spelled as text: what somebody added to a vocabulary may have been in it before. */
static gboolean
lk_is_text (LkTokenizer *self, guint id)
{
  return self->kinds[id] == LK_TOKEN_NORMAL || self->kinds[id] == LK_TOKEN_ADDED;
}

/* What the token @id decodes to, appended to @out. */
static void
lk_spell (LkTokenizer *self, guint id, GByteArray *out)
{
  const char *text = self->tokens[id] ? self->tokens[id] : "", *blank;
  g_autofree guint8 *bytes = NULL;
  guint8 byte = (guint8) MAX (0, lk_byte_token (text));
  gsize n = 0;

  if (self->kinds[id] == LK_TOKEN_BYTE)
    g_byte_array_append (out, &byte, 1);
  else if (self->kinds[id] == LK_TOKEN_NORMAL && self->model == LK_TEXT_BYTES && (bytes = lk_byte_level_decode (text, &n)))
    g_byte_array_append (out, bytes, (guint) n);
  else if (lk_is_text (self, id) && self->model != LK_TEXT_BYTES)
    {
      for (; (blank = strstr (text, LK_TOKENIZER_BLANK)); text = blank + strlen (LK_TOKENIZER_BLANK))
        {
          g_byte_array_append (out, (const guint8 *) text, (guint) (blank - text));
          g_byte_array_append (out, (const guint8 *) " ", 1);
        }
      g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
    }
  else
    g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
}

static void
lk_build_spellings (LkTokenizer *self)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  self->spelled_at = g_new (guint32, self->n_tokens + 1);
  for (guint id = 0; id < self->n_tokens; id++)
    {
      self->spelled_at[id] = out->len;
      lk_spell (self, id, out);
    }
  self->spelled_at[self->n_tokens] = out->len;
  self->spelled = g_byte_array_free (g_steal_pointer (&out), FALSE);
  if (!self->ignore_merges)
    return;
  for (self->spelling_mask = 1; self->spelling_mask < 2 * self->n_tokens;)
    self->spelling_mask = self->spelling_mask * 2 + 1;
  self->by_spelling = g_new0 (guint32, self->spelling_mask + 1);
  for (guint id = 0; id < self->n_tokens; id++)
    {
      guint32 begin = self->spelled_at[id], n = self->spelled_at[id + 1] - begin, i;

      if (n == 0 || self->kinds[id] != LK_TOKEN_NORMAL)
        continue;
      for (i = (guint32) _lk_hash_bytes ((char *) self->spelled + begin, n) & self->spelling_mask; self->by_spelling[i];)
        i = (i + 1) & self->spelling_mask;
      self->by_spelling[i] = id + 1;
    }
}

gint32
_lk_tokenizer_find_spelling (LkTokenizer *self, const char *bytes, gsize n)
{
  for (guint32 i = (guint32) _lk_hash_bytes (bytes, n) & self->spelling_mask; self->by_spelling[i]; i = (i + 1) & self->spelling_mask)
    {
      guint32 id = self->by_spelling[i] - 1;

      if (self->spelled_at[id + 1] - self->spelled_at[id] == n && memcmp (self->spelled + self->spelled_at[id], bytes, n) == 0)
        return (gint32) id;
    }
  return -1;
}

static gpointer
lk_pair_key (gunichar left, gunichar right)
{
  return (gpointer) (((guintptr) left << 21 | right) * 0x9E3779B1u);
}

#define LK_BLANK_CODE 127 /* ▁ stands in the small table where DEL would */

static guint
lk_near_code (gunichar c)
{
  return c == 0x2581 ? LK_BLANK_CODE : c < LK_BLANK_CODE ? c : 128;
}

gboolean
_lk_tokenizer_parts (LkTokenizer *self, gunichar left, gunichar right)
{
  guint a = lk_near_code (left), b = lk_near_code (right);

  if (a < 128 && b < 128)
    return !self->near[a * 128 + b];
  return !g_hash_table_contains (self->near_others, lk_pair_key (left, right));
}

gint32
_lk_tokenizer_symbol (LkTokenizer *self, gunichar c)
{
  if (c < 128)
    return self->ascii[c];
  return (gint32) GPOINTER_TO_UINT (g_hash_table_lookup (self->chars, GUINT_TO_POINTER (c))) - 1;
}

static void
lk_set_symbol (LkTokenizer *self, gunichar c, gint32 symbol)
{
  if (c < 128)
    self->ascii[c] = symbol;
  else
    g_hash_table_insert (self->chars, GUINT_TO_POINTER (c), GINT_TO_POINTER (symbol + 1));
}

/* Characters as symbols, and which stand beside each other in some token. */
static void
lk_build_characters (LkTokenizer *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->ascii); i++)
    self->ascii[i] = -1;
  for (guint id = 0; id < self->n_tokens; id++)
    {
      const char *text = self->tokens[id];
      gunichar last = 0;

      if (!text || !*text || !lk_is_text (self, id))
        continue;
      if (!*g_utf8_next_char (text) && lk_tokenizer_lookup (self, text) == (gint32) id)
        lk_set_symbol (self, g_utf8_get_char (text), (gint32) id);
      for (const char *p = text; *p; p = g_utf8_next_char (p))
        {
          gunichar c = g_utf8_get_char (p);
          guint a = lk_near_code (last), b = lk_near_code (c);

          if (p > text && a < 128 && b < 128)
            self->near[a * 128 + b] = 1;
          else if (p > text)
            g_hash_table_add (self->near_others, lk_pair_key (last, c));
          last = c;
        }
    }
}

/* Files mark some tokens that structure a conversation as ordinary added ones. A user's text must not become these either. */
static gboolean
lk_is_structural (LkTokenizer *self, guint id)
{
  static const char *const names[] = { "<start_of_turn>", "<s>", "</s>", "<bos>", "<eos>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]" };
  const char *text = self->tokens[id];
  guint n;
  const char *const *ends = _lk_tokenizer_list_ends (&n);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text, names[i]))
      return TRUE;
  for (guint i = 0; i < n; i++)
    if (g_str_equal (text, ends[i]))
      return TRUE;
  return (gint32) id == self->bos || (gint32) id == self->eos || (g_str_has_prefix (text, "<|") && g_str_has_suffix (text, "|>"))
         || (g_str_has_prefix (text, "<\xef\xbd\x9c") && g_str_has_suffix (text, "\xef\xbd\x9c>")); /* DeepSeek's wide bars */
}

/* What SentencePiece's merges may make: words, and what somebody added to them (Gemma's runs of blanks are such). */
static gboolean
lk_may_be_merged (LkTokenizer *self, guint id)
{
  return self->kinds[id] == LK_TOKEN_NORMAL || (self->kinds[id] == LK_TOKEN_ADDED && !lk_is_structural (self, id));
}

static int
lk_compare_scores (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *scores = data, x = scores[*(const guint32 *) a], y = scores[*(const guint32 *) b];

  return x > y ? -1 : x < y;
}

/* The symbol of [begin, end): of a token or a character; −1. A character in tokens that is none gets one behind the tokens. */
static gint32
lk_part_symbol (LkTokenizer *self, const char *begin, gsize n)
{
  g_autofree char *text = g_strndup (begin, n);
  gint32 id = lk_tokenizer_lookup (self, text);
  gunichar c = g_utf8_get_char (begin);

  if (id >= 0 && lk_may_be_merged (self, (guint) id))
    return id;
  if ((gsize) (g_utf8_next_char (begin) - begin) < n)
    return -1;
  id = _lk_tokenizer_symbol (self, c);
  if (id < 0)
    {
      id = (gint32) (self->n_tokens + self->others->len);
      g_array_append_val (self->others, c);
      lk_set_symbol (self, c, id);
    }
  return id;
}

/* All ways to join the token @id from two symbols. */
static void
lk_collect_pairs (LkTokenizer *self, guint id, guint32 rank, GArray *pairs)
{
  const char *text = self->tokens[id], *end = text + strlen (text);

  if (lk_tokenizer_lookup (self, text) != (gint32) id)
    return;
  for (const char *p = g_utf8_next_char (text); *text && p < end; p = g_utf8_next_char (p))
    {
      gint32 left = lk_part_symbol (self, text, (gsize) (p - text));
      gint32 right = left >= 0 ? lk_part_symbol (self, p, (gsize) (end - p)) : -1;
      guint32 pair[4] = { (guint32) left, (guint32) right, id, rank };

      if (left >= 0 && right >= 0)
        g_array_append_val (pairs, pair);
    }
}

gboolean
_lk_tokenizer_merge_by_scores (LkTokenizer *self, const double *scores, GError **error)
{
  g_autoptr (GArray) sorted = g_array_sized_new (FALSE, FALSE, sizeof (guint32), self->n_tokens);
  const guint32 *order;
  g_autofree guint32 *rank = g_new (guint32, self->n_tokens);
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, 4 * sizeof (guint32));

  for (guint i = 0; i < self->n_tokens; i++)
    g_array_append_val (sorted, i);
  g_array_sort_with_data (sorted, lk_compare_scores, (gpointer) scores);
  order = (const guint32 *) (const void *) sorted->data;
  for (guint i = 0; i < self->n_tokens; i++) /* tokens of one score are equals */
    rank[order[i]] = i > 0 && scores[order[i]] == scores[order[i - 1]] ? rank[order[i - 1]] : i;
  lk_build_characters (self);
  for (guint id = 0; id < self->n_tokens; id++)
    if (self->tokens[id] && lk_may_be_merged (self, id))
      lk_collect_pairs (self, id, rank[id], pairs);
  if (pairs->len > LK_TOKENIZER_MAX_MERGES)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: its tokens can be joined from others in too many ways", self->source);
      return FALSE;
    }
  self->bpe = lk_bpe_new (pairs->len);
  for (guint i = 0; i < pairs->len; i++)
    {
      const guint32 *p = (const guint32 *) (const void *) (pairs->data + i * 4 * sizeof (guint32));
      lk_bpe_add_merge (self->bpe, (gint32) p[0], (gint32) p[1], (gint32) p[2], p[3]);
    }
  return TRUE;
}

gboolean
_lk_tokenizer_set_unigram (LkTokenizer *self, const double *scores, GError **error)
{
  self->model = LK_TEXT_UNIGRAM;
  self->unigram = lk_unigram_new ();
  for (guint id = 0; id < self->n_tokens; id++)
    if (self->tokens[id] && *self->tokens[id] && self->kinds[id] == LK_TOKEN_NORMAL && (gint32) id != self->unk
        && !(self->byte_fallback && lk_byte_token (self->tokens[id]) >= 0))
      lk_unigram_add (self->unigram, self->tokens[id], (gint32) id, scores[id]);
  return TRUE;
}

static void
lk_build_added (LkTokenizer *self)
{
  for (guint id = 0; id < self->n_tokens; id++)
    if (self->tokens[id] && self->kinds[id] == LK_TOKEN_ADDED && lk_is_structural (self, id))
      self->kinds[id] = LK_TOKEN_CONTROL;
  self->added = lk_added_tokens_new ();
  for (guint id = 0; id < self->n_tokens; id++)
    if (self->tokens[id] && *self->tokens[id] && (self->kinds[id] == LK_TOKEN_CONTROL || self->kinds[id] == LK_TOKEN_ADDED))
      lk_added_tokens_add (self->added, self->tokens[id], (gint32) id,
                           self->added_flags[id] | (self->kinds[id] == LK_TOKEN_CONTROL ? LK_ADDED_CONTROL : 0));
}

gboolean
_lk_tokenizer_finish (LkTokenizer *self, GError **error)
{
  for (guint b = 0; b < 256; b++)
    {
      guint8 byte = (guint8) b;
      g_autofree char *spelling = self->model == LK_TEXT_BYTES ? lk_byte_level_encode (&byte, 1) : g_strdup_printf ("<0x%02X>", b);

      self->byte_ids[b] = lk_tokenizer_lookup (self, spelling);
      if (self->byte_ids[b] >= 0 && self->model != LK_TEXT_BYTES && self->byte_fallback)
        self->kinds[self->byte_ids[b]] = LK_TOKEN_BYTE;
    }
  if (self->model != LK_TEXT_BYTES && self->others->len == 0) /* scores made them before */
    lk_build_characters (self);
  lk_build_spellings (self);
  lk_build_added (self);
  return TRUE;
}
