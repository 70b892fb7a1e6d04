/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-pretokenizer.h"

#include <string.h>

typedef enum
{
  LK_CLASS_OTHER,
  LK_CLASS_LETTER, /* \p{L} */
  LK_CLASS_NUMBER, /* \p{N} */
  LK_CLASS_SPACE,  /* \s: White_Space */
} LkClass;

static gboolean
lk_is_space (gunichar c)
{
  return (c >= 9 && c <= 13) || c == 32 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
         || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static LkClass
lk_classify (gunichar c)
{
  if (c < 128)
    return g_ascii_isalpha ((char) c) ? LK_CLASS_LETTER : g_ascii_isdigit ((char) c) ? LK_CLASS_NUMBER
                                                      : lk_is_space (c)              ? LK_CLASS_SPACE
                                                                                     : LK_CLASS_OTHER;
  if (lk_is_space (c))
    return LK_CLASS_SPACE;
  switch ((int) g_unichar_type (c))
    {
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
      return LK_CLASS_LETTER;
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_OTHER_NUMBER:
      return LK_CLASS_NUMBER;
    default:
      return LK_CLASS_OTHER;
    }
}

static LkClass
lk_class_at (const char *p, const char *end)
{
  return p < end ? lk_classify (g_utf8_get_char (p)) : LK_CLASS_SPACE;
}

static const char *
lk_skip (const char *p, const char *end, LkClass class)
{
  while (p < end && lk_classify (g_utf8_get_char (p)) == class)
    p = g_utf8_next_char (p);
  return p;
}

/* 's 't 're 've 'm 'll 'd after an apostrophe; @p itself when there is none. */
static const char *
lk_skip_contraction (const char *p, const char *end, gboolean any_case)
{
  static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };

  if (*p != '\'')
    return p;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      gsize n = strlen (endings[i]);

      if ((gsize) (end - p - 1) >= n
          && (any_case ? g_ascii_strncasecmp (p + 1, endings[i], n) == 0 : strncmp (p + 1, endings[i], n) == 0))
        return p + 1 + n;
    }
  /* (?i:'s) also matches U+017F, the long s */
  if (any_case && end - p >= 3 && strncmp (p + 1, "\xc5\xbf", 2) == 0)
    return p + 3;
  return p;
}

/* \s+(?!\S)|\s+ */
static const char *
lk_skip_spaces (const char *p, const char *end)
{
  const char *q = lk_skip (p, end, LK_CLASS_SPACE);
  const char *last;

  if (q == end)
    return q;
  last = g_utf8_find_prev_char (p, q);
  return last && last > p ? last : q;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static const char *
lk_next_gpt2 (const char *p, const char *end)
{
  const char *q = lk_skip_contraction (p, end, FALSE);
  const char *after;

  if (q > p)
    return q;
  after = *p == ' ' && p + 1 < end && lk_class_at (p + 1, end) != LK_CLASS_SPACE ? p + 1 : p;
  if (lk_class_at (after, end) != LK_CLASS_SPACE)
    return lk_skip (after, end, lk_class_at (after, end));
  return lk_skip_spaces (p, end);
}

static gboolean
lk_is_newline (const char *p, const char *end)
{
  return p < end && (*p == '\n' || *p == '\r');
}

/* \s*[\r\n]+: to behind the last line end of the run of spaces; @p when there is none. */
static const char *
lk_skip_lines (const char *p, const char *end)
{
  const char *q = lk_skip (p, end, LK_CLASS_SPACE);

  while (q > p && !lk_is_newline (q - 1, end))
    q = g_utf8_prev_char (q);
  return q;
}

/* The pattern of Llama 3; @digits: how many digits a piece may hold. */
static const char *
lk_next_words (const char *p, const char *end, guint digits)
{
  const char *q = lk_skip_contraction (p, end, TRUE);
  LkClass class = lk_class_at (p, end);
  const char *after;

  if (q > p)
    return q;
  /* [^\r\n\p{L}\p{N}]?\p{L}+ */
  if (class == LK_CLASS_LETTER)
    return lk_skip (p, end, LK_CLASS_LETTER);
  after = g_utf8_next_char (p);
  if (class != LK_CLASS_NUMBER && !lk_is_newline (p, end) && after < end && lk_class_at (after, end) == LK_CLASS_LETTER)
    return lk_skip (after, end, LK_CLASS_LETTER);
  if (class == LK_CLASS_NUMBER)
    {
      for (q = p; digits > 0 && q < end && lk_class_at (q, end) == LK_CLASS_NUMBER; digits--)
        q = g_utf8_next_char (q);
      return q;
    }
  /*  ?[^\s\p{L}\p{N}]+[\r\n]* */
  after = *p == ' ' ? p + 1 : p;
  if (after < end && lk_class_at (after, end) == LK_CLASS_OTHER)
    {
      q = lk_skip (after, end, LK_CLASS_OTHER);
      while (lk_is_newline (q, end))
        q++;
      return q;
    }
  q = lk_skip_lines (p, end);
  return q > p ? q : lk_skip_spaces (p, end);
}

static const char *
lk_next_llama3 (const char *p, const char *end)
{
  return lk_next_words (p, end, 3);
}

static const char *
lk_next_qwen2 (const char *p, const char *end)
{
  return lk_next_words (p, end, 1);
}

#define WORDS_HEAD "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
#define WORDS_TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const LkPretokenizer pretokenizers[] = {
  { "gpt-2", NULL, FALSE, FALSE, FALSE, lk_next_gpt2 },
  { "smollm", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "llama-bpe", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "qwen2", WORDS_HEAD WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_qwen2 },
};

const LkPretokenizer *
lk_pretokenizer_by_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (pretokenizers); i++)
    if (g_strcmp0 (pretokenizers[i].name, name) == 0)
      return &pretokenizers[i];
  return NULL;
}

const LkPretokenizer *
lk_pretokenizer_by_regex (const char *regex)
{
  for (guint i = 0; i < G_N_ELEMENTS (pretokenizers); i++)
    if (pretokenizers[i].regex && g_str_equal (pretokenizers[i].regex, regex))
      return &pretokenizers[i];
  return NULL;
}

char *
lk_pretokenizer_list (void)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (pretokenizers); i++)
    g_string_append_printf (s, "%s%s", i ? ", " : "", pretokenizers[i].name);
  return g_string_free (s, FALSE);
}

static void
lk_pretokenizer_split_part (const LkPretokenizer *self, const char *p, const char *end, LkPieceFunc func, gpointer data)
{
  while (p < end)
    {
      const char *q = self->next (p, end);

      func (p, (gsize) (q - p), data);
      p = q;
    }
}

void
lk_pretokenizer_split (const LkPretokenizer *self, const char *text, gsize length, LkPieceFunc func, gpointer data)
{
  const char *end = text + length, *begin = text;

  for (const char *p = text; self->digits && p < end;)
    {
      const char *after = g_utf8_next_char (p);

      if (lk_class_at (p, end) == LK_CLASS_NUMBER)
        {
          lk_pretokenizer_split_part (self, begin, p, func, data);
          func (p, (gsize) (after - p), data);
          begin = after;
        }
      p = after;
    }
  lk_pretokenizer_split_part (self, begin, end, func, data);
}
