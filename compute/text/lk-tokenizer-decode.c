/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-tokenizer-private.h"

GBytes *
lk_tokenizer_get_bytes (LkTokenizer *self, gint32 id)
{
  if (id < 0 || (guint) id >= self->n_tokens)
    return g_bytes_new (NULL, 0);
  return g_bytes_new (self->spelled + self->spelled_at[id], self->spelled_at[id + 1] - self->spelled_at[id]);
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

/* A run of byte tokens that is no text: each byte is one U+FFFD, as the reference has it. */
static void
lk_flush_bytes (GByteArray *out, GByteArray *run)
{
  gboolean valid = TRUE;
  const char *p = (const char *) run->data, *end, *bad;

  if (run->len == 0)
    return;
  end = p + run->len;
  while (valid && p < end && !g_utf8_validate_len (p, (gsize) (end - p), &bad))
    {
      valid = *bad == 0;
      p = bad + 1;
    }
  for (guint i = 0; !valid && i < run->len; i++)
    g_byte_array_append (out, (const guint8 *) "\xef\xbf\xbd", 3);
  if (valid)
    g_byte_array_append (out, run->data, run->len);
  g_byte_array_set_size (run, 0);
}

GString *
lk_tokenizer_decode_string (LkTokenizer *self, const gint32 *ids, guint n, gboolean skip_special)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GByteArray) run = g_byte_array_new ();
  guint skip;

  for (guint i = 0; i < n; i++)
    {
      gint32 id = ids[i];

      if (id < 0 || (guint) id >= self->n_tokens || (skip_special && lk_tokenizer_is_special (self, id)))
        continue;
      if (run->len > 0 && self->kinds[id] != LK_TOKEN_BYTE)
        lk_flush_bytes (bytes, run);
      g_byte_array_append (self->kinds[id] == LK_TOKEN_BYTE ? run : bytes, self->spelled + self->spelled_at[id],
                           self->spelled_at[id + 1] - self->spelled_at[id]);
    }
  lk_flush_bytes (bytes, run);
  skip = self->strip_prefix && bytes->len > 0 && bytes->data[0] == ' ';
  return lk_make_valid (bytes->data + skip, bytes->len - skip);
}
