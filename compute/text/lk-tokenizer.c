/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-tokenizer-private.h"

#include <string.h>

#include "lk-byte-level.h"
#include "lk-error.h"

typedef struct
{
  const char *text; /* owned by tokens[] */
  gsize length;
  gint32 id;
} LkAddedToken;

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
  self->bos = self->eos = self->pad = -1;
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
  for (guint i = 0; i < G_N_ELEMENTS (self->added); i++)
    g_clear_pointer (&self->added[i], g_array_unref);
  g_clear_pointer (&self->bpe, lk_bpe_free);
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

const char *
lk_tokenizer_get_pre (LkTokenizer *self)
{
  return self->pre->name;
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
  lk_bpe_add_merge (self->bpe, a, b, id);
  return TRUE;
}

static int
lk_added_token_compare (gconstpointer a, gconstpointer b)
{
  const LkAddedToken *x = a, *y = b;

  return x->length > y->length ? -1 : x->length < y->length;
}

gboolean
_lk_tokenizer_finish (LkTokenizer *self, GError **error)
{
  for (guint b = 0; b < 256; b++)
    {
      guint8 byte = (guint8) b;
      g_autofree char *spelling = lk_byte_level_encode (&byte, 1);

      self->byte_ids[b] = lk_tokenizer_lookup (self, spelling);
    }
  for (guint id = 0; id < self->n_tokens; id++)
    {
      guint8 first = self->tokens[id] ? (guint8) self->tokens[id][0] : 0;
      LkAddedToken token = { self->tokens[id], first ? strlen (self->tokens[id]) : 0, (gint32) id };

      if (!first || (self->kinds[id] != LK_TOKEN_CONTROL && self->kinds[id] != LK_TOKEN_ADDED))
        continue;
      if (!self->added[first])
        self->added[first] = g_array_new (FALSE, FALSE, sizeof (LkAddedToken));
      g_array_append_val (self->added[first], token);
    }
  for (guint i = 0; i < G_N_ELEMENTS (self->added); i++)
    if (self->added[i])
      g_array_sort (self->added[i], lk_added_token_compare);
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

gboolean
lk_tokenizer_is_end (LkTokenizer *self, gint32 id)
{
  const char *text = lk_tokenizer_get_token (self, id);
  guint n;
  const char *const *ends = _lk_tokenizer_list_ends (&n);

  if (id == self->eos)
    return id >= 0;
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

typedef struct
{
  LkTokenizer *self;
  GArray *ids;
  gboolean failed;
} LkEncodeJob;

static void
lk_tokenizer_encode_piece (const char *piece, gsize length, gpointer data)
{
  LkEncodeJob *job = data;
  guint begin = job->ids->len;
  gint32 *ids;

  if (job->self->ignore_merges)
    {
      g_autofree char *spelling = lk_byte_level_encode ((const guint8 *) piece, length);
      gint32 id = lk_tokenizer_lookup (job->self, spelling);

      if (id >= 0)
        {
          g_array_append_val (job->ids, id);
          return;
        }
    }
  g_array_set_size (job->ids, begin + (guint) length);
  ids = &g_array_index (job->ids, gint32, begin);
  for (gsize i = 0; i < length; i++)
    {
      ids[i] = job->self->byte_ids[(guint8) piece[i]];
      job->failed |= ids[i] < 0;
    }
  if (!job->failed)
    g_array_set_size (job->ids, begin + (guint) lk_bpe_merge (job->self->bpe, ids, length));
}

/* NFC of a text that may hold NUL, at which GLib stops. (transfer full) */
static char *
lk_normalize (const char *text, gsize length, gsize *out_length)
{
  GString *s = g_string_sized_new (length);
  const char *end = text + length;

  while (text < end)
    {
      const char *stop = memchr (text, 0, (gsize) (end - text));
      g_autofree char *part = g_utf8_normalize (text, (stop ? stop : end) - text, G_NORMALIZE_NFC);

      g_string_append (s, part);
      if (stop)
        g_string_append_c (s, '\0');
      text = stop ? stop + 1 : end;
    }
  *out_length = s->len;
  return g_string_free (s, FALSE);
}

/* UTF-8, NUL allowed. */
static gboolean
lk_is_utf8 (const char *text, gsize length)
{
  const char *end = text + length, *bad;

  while (!g_utf8_validate_len (text, (gsize) (end - text), &bad))
    {
      if (*bad != 0)
        return FALSE;
      text = bad + 1;
    }
  return TRUE;
}

static gboolean
lk_tokenizer_encode_plain (LkTokenizer *self, const char *text, gsize length, GArray *ids, GError **error)
{
  LkEncodeJob job = { self, ids, FALSE };
  g_autofree char *normal = NULL;

  if (length == 0)
    return TRUE;
  if (self->nfc)
    {
      normal = lk_normalize (text, length, &length);
      text = normal;
    }
  lk_pretokenizer_split (self->pre, text, length, lk_tokenizer_encode_piece, &job);
  if (job.failed)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: the vocabulary has no token for a byte of the text", self->source);
  return !job.failed;
}

/* No byte of [mask, mask + n) is marked as somebody's own text. */
static gboolean
lk_is_unmasked (const guint8 *mask, gsize n)
{
  for (gsize i = 0; mask && i < n; i++)
    if (mask[i])
      return FALSE;
  return TRUE;
}

/* The longest added token that begins at @p; NULL when there is none. @mask: of the text from @p on. */
static const LkAddedToken *
lk_tokenizer_match_added (LkTokenizer *self, const char *p, const char *end, gboolean special, const guint8 *mask)
{
  GArray *candidates = self->added[(guint8) *p];

  for (guint i = 0; candidates && i < candidates->len; i++)
    {
      const LkAddedToken *token = &g_array_index (candidates, LkAddedToken, i);

      if ((gsize) (end - p) >= token->length && memcmp (p, token->text, token->length) == 0
          && (self->kinds[token->id] == LK_TOKEN_ADDED || (special && lk_is_unmasked (mask, token->length))))
        return token;
    }
  return NULL;
}

static gboolean
lk_tokenizer_encode_all (LkTokenizer *self, const char *text, gsize n, gboolean special, const guint8 *mask, GArray *ids, GError **error)
{
  const char *begin = text, *end = text + n;

  if (n > G_MAXINT32 / 2 || !lk_is_utf8 (text, n))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "The text is not UTF-8 or longer than a gigabyte");
      return FALSE;
    }
  for (const char *p = text; p < end;)
    {
      const LkAddedToken *token = lk_tokenizer_match_added (self, p, end, special, mask ? mask + (p - text) : NULL);

      if (!token)
        {
          p++;
          continue;
        }
      if (!lk_tokenizer_encode_plain (self, begin, (gsize) (p - begin), ids, error))
        return FALSE;
      g_array_append_val (ids, token->id);
      begin = p = p + token->length;
    }
  return lk_tokenizer_encode_plain (self, begin, (gsize) (end - begin), ids, error);
}

gboolean
lk_tokenizer_encode (LkTokenizer *self, const char *text, gssize length, gboolean special, GArray *ids, GError **error)
{
  return lk_tokenizer_encode_all (self, text, length < 0 ? strlen (text) : (gsize) length, special, NULL, ids, error);
}

gboolean
_lk_tokenizer_encode_masked (LkTokenizer *self, const char *text, gsize length, const guint8 *mask, GArray *ids, GError **error)
{
  return lk_tokenizer_encode_all (self, text, length, TRUE, mask, ids, error);
}

GBytes *
lk_tokenizer_get_bytes (LkTokenizer *self, gint32 id)
{
  const char *text = lk_tokenizer_get_token (self, id);
  gsize n = 0;
  guint8 *bytes = text && self->kinds[id] == LK_TOKEN_NORMAL ? lk_byte_level_decode (text, &n) : NULL;

  if (bytes)
    return g_bytes_new_take (bytes, n);
  return g_bytes_new (text ? text : "", text ? strlen (text) : 0);
}

/* Each maximal part that cannot be UTF-8 becomes one U+FFFD, as the Unicode standard recommends. */
static GString *
lk_make_valid (const guint8 *bytes, gsize n)
{
  GString *s = g_string_sized_new (n + 1);
  const char *p = (const char *) bytes, *end = p + n;

  while (p < end)
    {
      const char *bad;
      gunichar c;

      g_utf8_validate_len (p, (gsize) (end - p), &bad);
      g_string_append_len (s, p, bad - p);
      p = bad;
      if (p >= end)
        break;
      if (*p == 0) /* fine UTF-8, though GLib stops at it */
        {
          g_string_append_c (s, '\0');
          p++;
          continue;
        }
      g_string_append (s, "\xef\xbf\xbd");
      /* a part is a prefix of some character: drop bytes as long as the prefix could still be completed */
      p++;
      while (p < end && ((guint8) *p & 0xc0) == 0x80 && (c = g_utf8_get_char_validated (bad, p - bad + 1)) == (gunichar) -2)
        p++;
    }
  return s;
}

char *
lk_tokenizer_decode (LkTokenizer *self, const gint32 *ids, guint n, gboolean skip_special)
{
  return g_string_free (lk_tokenizer_decode_string (self, ids, n, skip_special), FALSE);
}

GString *
lk_tokenizer_decode_string (LkTokenizer *self, const gint32 *ids, guint n, gboolean skip_special)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GBytes) token = NULL;

      if (skip_special && lk_tokenizer_is_special (self, ids[i]))
        continue;
      token = lk_tokenizer_get_bytes (self, ids[i]);
      g_byte_array_append (bytes, g_bytes_get_data (token, NULL), (guint) g_bytes_get_size (token));
    }
  return lk_make_valid (bytes->data, bytes->len);
}
