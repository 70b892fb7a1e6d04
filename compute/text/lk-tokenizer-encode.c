/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text to ids: added tokens are found first; each part between them is normalised, cut where no token can cross, and each piece
 * encoded for itself. Pieces come again and again, so the last ones are kept.
 */
#include <string.h>

#include "lk-error.h"
#include "lk-tokenizer-private.h"

#define LK_CACHE_SLOTS (1 << 15)
#define LK_CACHE_BYTES 22
#define LK_CACHE_IDS 10

typedef struct
{
  guint8 n_bytes, n_ids; /* n_bytes 0: empty */
  char bytes[LK_CACHE_BYTES];
  gint32 ids[LK_CACHE_IDS];
} LkCacheSlot;

struct _LkPieceCache
{
  LkCacheSlot slots[LK_CACHE_SLOTS];
};

void
_lk_piece_cache_free (struct _LkPieceCache *cache)
{
  g_free (cache);
}

typedef struct
{
  LkTokenizer *self;
  GArray *ids;
  struct _LkPieceCache *cache; /* NULL: somebody else uses it */
  gboolean failed;
  gboolean unknown;            /* the piece at hand held something unknown */
  gboolean after_unknown;      /* the last id stands for something unknown */
} LkEncodeJob;

static void
lk_job_append (LkEncodeJob *job, gint32 id)
{
  g_array_append_val (job->ids, id);
  job->after_unknown = FALSE;
}

/* A character that is no token: its bytes, or “unknown”. */
static void
lk_job_unknown (LkEncodeJob *job, gunichar c)
{
  LkTokenizer *self = job->self;
  char bytes[6];
  int n = g_unichar_to_utf8 (c, bytes);
  gboolean all = self->byte_fallback;

  for (int i = 0; i < n; i++)
    all = all && self->byte_ids[(guint8) bytes[i]] >= 0;
  for (int i = 0; all && i < n; i++)
    lk_job_append (job, self->byte_ids[(guint8) bytes[i]]);
  if (all)
    return;
  job->unknown = TRUE;
  job->failed |= self->unk < 0;
  if (self->unk >= 0 && !(self->fuse_unk && job->after_unknown))
    g_array_append_val (job->ids, self->unk);
  job->after_unknown = TRUE;
}

static void
lk_encode_bytes (LkEncodeJob *job, const char *piece, gsize length)
{
  LkTokenizer *self = job->self;
  guint begin = job->ids->len;
  gint32 id = self->ignore_merges ? _lk_tokenizer_find_spelling (self, piece, length) : -1;
  gint32 *ids;

  if (id >= 0)
    {
      g_array_append_val (job->ids, id);
      return;
    }
  g_array_set_size (job->ids, begin + (guint) length);
  ids = &g_array_index (job->ids, gint32, begin);
  for (gsize i = 0; i < length; i++)
    {
      ids[i] = self->byte_ids[(guint8) piece[i]];
      job->failed |= ids[i] < 0;
    }
  if (!job->failed)
    g_array_set_size (job->ids, begin + (guint) lk_bpe_merge (self->bpe, ids, length));
}

/* Symbols above the tokens are characters that are none: first those in @others, then all by their number. */
static void
lk_encode_chars (LkEncodeJob *job, const char *piece, gsize length)
{
  LkTokenizer *self = job->self;
  gint32 known = (gint32) (self->n_tokens + self->others->len), few[64];
  g_autofree gint32 *many = length > G_N_ELEMENTS (few) ? g_new (gint32, length) : NULL;
  gint32 *symbols = many ? many : few;
  gsize n = 0;

  for (const char *p = piece, *end = piece + length; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gint32 symbol = _lk_tokenizer_symbol (self, c);

      symbols[n++] = symbol >= 0 ? symbol : known + (gint32) c;
    }
  n = lk_bpe_merge (self->bpe, symbols, n);
  for (gsize i = 0; i < n; i++)
    if (symbols[i] < (gint32) self->n_tokens)
      lk_job_append (job, symbols[i]);
    else
      lk_job_unknown (job, symbols[i] < known ? g_array_index (self->others, gunichar, symbols[i] - (gint32) self->n_tokens)
                                              : (gunichar) (symbols[i] - known));
}

static void
lk_encode_cut (const char *piece, gsize length, gint32 id, gpointer data)
{
  if (id >= 0)
    lk_job_append (data, id);
  else
    lk_job_unknown (data, g_utf8_get_char (piece));
}

static void
lk_encode_piece (const char *piece, gsize length, gpointer data)
{
  LkEncodeJob *job = data;
  gboolean small = job->cache && length <= LK_CACHE_BYTES;
  LkCacheSlot *slot = small ? &job->cache->slots[_lk_hash_bytes (piece, length) % LK_CACHE_SLOTS] : NULL;
  guint before = job->ids->len;

  if (length == 0)
    return;
  if (slot && slot->n_bytes == length && memcmp (slot->bytes, piece, length) == 0)
    {
      g_array_append_vals (job->ids, slot->ids, slot->n_ids);
      job->after_unknown = FALSE;
      return;
    }
  job->unknown = FALSE;
  if (job->self->model == LK_TEXT_BYTES)
    lk_encode_bytes (job, piece, length);
  else if (job->self->model == LK_TEXT_CHARS)
    lk_encode_chars (job, piece, length);
  else
    lk_unigram_cut (job->self->unigram, piece, length, lk_encode_cut, job);
  if (slot && !job->unknown && !job->failed && job->ids->len - before <= LK_CACHE_IDS)
    {
      slot->n_bytes = (guint8) length;
      slot->n_ids = (guint8) (job->ids->len - before);
      memcpy (slot->bytes, piece, length);
      memcpy (slot->ids, &g_array_index (job->ids, gint32, before), slot->n_ids * sizeof (gint32));
    }
}

#define LK_WHOLE_MOST 256 /* no token is longer where whole parts are looked up */

/* Cut between characters that no token holds side by side. */
static void
lk_encode_text (LkEncodeJob *job, const char *text, gsize length)
{
  const char *end = text + length, *begin = text;
  gunichar last = 0;

  if (job->self->ignore_merges && length < LK_WHOLE_MOST)
    {
      g_autofree char *copy = g_strndup (text, length);
      gint32 whole = lk_tokenizer_lookup (job->self, copy);

      if (whole >= 0 && job->self->kinds[whole] == LK_TOKEN_NORMAL)
        {
          lk_job_append (job, whole);
          return;
        }
    }
  for (const char *p = text; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = (guchar) *p < 128 ? (guchar) *p : g_utf8_get_char (p);

      if (p > begin && ((c == 0x2581 && job->self->split_blanks) || _lk_tokenizer_parts (job->self, last, c)))
        {
          lk_encode_piece (begin, (gsize) (p - begin), job);
          begin = p;
        }
      last = c;
    }
  lk_encode_piece (begin, (gsize) (end - begin), job);
}

/* @mode of a text that may hold NUL, at which GLib stops. (transfer full) */
static GString *
lk_normalize_unicode (const char *text, gsize length, GNormalizeMode mode)
{
  GString *s = g_string_sized_new (length);
  const char *end = text + length;

  while (text < end)
    {
      const char *stop = memchr (text, 0, (gsize) (end - text));
      g_autofree char *part = g_utf8_normalize (text, (stop ? stop : end) - text, mode);

      g_string_append (s, part);
      if (stop)
        g_string_append_c (s, '\0');
      text = stop ? stop + 1 : end;
    }
  return s;
}

static gboolean
lk_is_ascii (const char *text, gsize length)
{
  guint64 word, high = 0;
  gsize i = 0;

  for (; i + 8 <= length; i += 8)
    {
      memcpy (&word, text + i, 8);
      high |= word;
    }
  for (; i < length; i++)
    high |= (guint8) text[i];
  return !(high & 0x8080808080808080u);
}

static void
lk_normalize_case (GString *s)
{
  GString *lower = g_string_sized_new (s->len);

  for (const char *p = s->str, *end = p + s->len; p < end; p = g_utf8_next_char (p))
    g_string_append_unichar (lower, g_unichar_tolower (g_utf8_get_char (p)));
  g_string_truncate (s, 0);
  g_string_append_len (s, lower->str, (gssize) lower->len);
  g_string_free (lower, TRUE);
}

/* Runs of blanks as one, none at the ends. */
static void
lk_normalize_blanks (GString *s)
{
  gsize out = 0;

  for (gsize i = 0; i < s->len; i++)
    if (s->str[i] != ' ' || (out > 0 && s->str[out - 1] != ' '))
      s->str[out++] = s->str[i];
  g_string_truncate (s, out > 0 && s->str[out - 1] == ' ' ? out - 1 : out);
}

static GString *
lk_replace (GString *s, const char *from, const char *to)
{
  GString *out = g_string_sized_new (s->len + s->len / 4);
  gsize n = strlen (from), begin = 0;

  for (gsize i = 0; n > 0 && i + n <= s->len;)
    {
      const char *p = memchr (s->str + i, *from, s->len - n + 1 - i);

      if (!p)
        break;
      i = (gsize) (p - s->str);
      if (memcmp (p, from, n) != 0)
        {
          i++;
          continue;
        }
      g_string_append_len (out, s->str + begin, (gssize) (i - begin));
      g_string_append (out, to);
      begin = i += n;
    }
  g_string_append_len (out, s->str + begin, (gssize) (s->len - begin));
  g_string_free (s, TRUE);
  return out;
}

/* The part as the model sees it; NULL: as it is. (transfer full) */
static GString *
lk_normalize_part (LkTokenizer *self, const char *text, gsize length, const LkEncodeState *state)
{
  gboolean unicode = self->unicode >= 0 && !lk_is_ascii (text, length);
  gboolean missing;
  GString *s;

  if (!unicode && !self->lowercase && !self->collapse && self->replacements->len == 0 && !self->blanks && self->prefix == LK_PREFIX_NEVER)
    return NULL;
  s = unicode ? lk_normalize_unicode (text, length, (GNormalizeMode) self->unicode) : g_string_new_len (text, (gssize) length);
  if (self->lowercase)
    lk_normalize_case (s);
  if (self->collapse)
    lk_normalize_blanks (s);
  for (guint i = 0; i < self->replacements->len; i++)
    {
      const LkReplacement *r = &g_array_index (self->replacements, LkReplacement, i);
      s = lk_replace (s, r->from, r->to);
    }
  missing = s->len > 0 && s->str[0] != ' ' && !g_str_has_prefix (s->str, LK_TOKENIZER_BLANK);
  if (!state->raw && s->len > 0
      && (self->prefix == LK_PREFIX_ALWAYS || (self->prefix == LK_PREFIX_MISSING && missing)
          || (self->prefix == LK_PREFIX_FIRST && missing && !state->begun)))
    g_string_prepend_c (s, ' ');
  return self->blanks ? lk_replace (s, " ", LK_TOKENIZER_BLANK) : s;
}

static void
lk_encode_part (LkEncodeJob *job, const char *text, gsize length, LkEncodeState *state)
{
  LkTokenizer *self = job->self;
  GString *normal;

  if (length == 0)
    return;
  normal = lk_normalize_part (self, text, length, state);
  text = normal ? normal->str : text;
  length = normal ? normal->len : length;
  job->after_unknown = FALSE;
  if (self->model == LK_TEXT_BYTES)
    lk_pretokenizer_split (self->pre, text, length, lk_encode_piece, job);
  else
    lk_encode_text (job, text, length);
  if (normal)
    g_string_free (normal, TRUE);
  state->begun = state->raw = TRUE;
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
lk_encode_all (LkTokenizer *self, const char *text, gsize n, gboolean special, const guint8 *mask, LkEncodeState *state, GArray *ids,
               GError **error)
{
  LkEncodeJob job = { .self = self, .ids = ids };
  const char *p = text, *end = text + n;
  LkAddedMatch match;
  gboolean locked;

  if (n > G_MAXINT32 / 2 || !lk_is_utf8 (text, n))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "The text is not UTF-8 or longer than a gigabyte");
      return FALSE;
    }
  locked = g_mutex_trylock (&self->cache_lock);
  if (locked && !self->cache)
    self->cache = g_new0 (struct _LkPieceCache, 1);
  job.cache = locked ? self->cache : NULL;
  while (!job.failed && lk_added_tokens_find (self->added, text, p, end, special, mask, &match))
    {
      lk_encode_part (&job, p, (gsize) (match.begin - p), state);
      g_array_append_val (ids, match.id);
      state->begun = TRUE;
      state->raw = FALSE;
      p = match.end;
    }
  if (!job.failed)
    lk_encode_part (&job, p, (gsize) (end - p), state);
  if (locked)
    g_mutex_unlock (&self->cache_lock);
  if (job.failed)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: the vocabulary has no token for a byte of the text", self->source);
  return !job.failed;
}

gboolean
lk_tokenizer_encode (LkTokenizer *self, const char *text, gssize length, gboolean special, GArray *ids, GError **error)
{
  LkEncodeState state = { FALSE, FALSE };

  return lk_encode_all (self, text, length < 0 ? strlen (text) : (gsize) length, special, NULL, &state, ids, error);
}

gboolean
_lk_tokenizer_encode_masked (LkTokenizer *self, const char *text, gsize length, const guint8 *mask, LkEncodeState *state, GArray *ids,
                             GError **error)
{
  return lk_encode_all (self, text, length, TRUE, mask, state, ids, error);
}
