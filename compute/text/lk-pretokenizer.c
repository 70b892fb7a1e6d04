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

static inline LkClass
lk_classify_ascii (gunichar c)
{
  if ((c | 32) - 'a' < 26)
    return LK_CLASS_LETTER;
  if (c - '0' < 10)
    return LK_CLASS_NUMBER;
  return c == ' ' || c - 9 < 5 ? LK_CLASS_SPACE : LK_CLASS_OTHER;
}

static LkClass
lk_classify (gunichar c)
{
  if (c < 128)
    return lk_classify_ascii (c);
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
  while (p < end && ((guchar) *p < 128 ? lk_classify_ascii ((guchar) *p) : lk_classify (g_utf8_get_char (p))) == class)
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

/* From @p, a number: at most @digits of them. */
static const char *
lk_skip_digits (const char *p, const char *end, guint digits)
{
  for (; digits > 0 && p < end && lk_class_at (p, end) == LK_CLASS_NUMBER; digits--)
    p = g_utf8_next_char (p);
  return p;
}

/* ' ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+', with @slashes '[\r\n/]*'. */
static const char *
lk_next_rest (const char *p, const char *end, gboolean slashes)
{
  const char *after = *p == ' ' ? p + 1 : p, *q;

  if (after < end && lk_class_at (after, end) == LK_CLASS_OTHER)
    {
      q = lk_skip (after, end, LK_CLASS_OTHER);
      while (lk_is_newline (q, end) || (slashes && q < end && *q == '/'))
        q++;
      return q;
    }
  q = lk_skip_lines (p, end);
  return q > p ? q : lk_skip_spaces (p, end);
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
  return class == LK_CLASS_NUMBER ? lk_skip_digits (p, end, digits) : lk_next_rest (p, end, FALSE);
}

typedef enum
{
  LK_LETTER_UPPER = 1 << 0, /* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] */
  LK_LETTER_LOWER = 1 << 1, /* [\p{Ll}\p{Lm}\p{Lo}\p{M}] */
} LkLetter;

static guint
lk_letter (gunichar c)
{
  if (c < 128)
    return c - 'A' < 26 ? LK_LETTER_UPPER : c - 'a' < 26 ? LK_LETTER_LOWER : 0;
  switch ((int) g_unichar_type (c))
    {
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
      return LK_LETTER_UPPER;
    case G_UNICODE_LOWERCASE_LETTER:
      return LK_LETTER_LOWER;
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_SPACING_MARK:
    case G_UNICODE_ENCLOSING_MARK:
      return LK_LETTER_UPPER | LK_LETTER_LOWER;
    default:
      return 0;
    }
}

static const char *
lk_skip_letters (const char *p, const char *end, guint letter)
{
  while (p < end && lk_letter (g_utf8_get_char (p)) & letter)
    p = g_utf8_next_char (p);
  return p;
}

/* upper* lower+: the upper ones are taken first and given back where one of them is both; @p itself when nothing matches. */
static const char *
lk_match_lower (const char *p, const char *end)
{
  const char *q = lk_skip_letters (p, end, LK_LETTER_UPPER);

  if (q < end && lk_letter (g_utf8_get_char (q)) & LK_LETTER_LOWER)
    return lk_skip_letters (q, end, LK_LETTER_LOWER);
  while (q > p && !(lk_letter (g_utf8_get_char (g_utf8_prev_char (q))) & LK_LETTER_LOWER))
    q = g_utf8_prev_char (q);
  return q;
}

/* upper+ lower* */
static const char *
lk_match_upper (const char *p, const char *end)
{
  const char *q = lk_skip_letters (p, end, LK_LETTER_UPPER);

  return q > p ? lk_skip_letters (q, end, LK_LETTER_LOWER) : p;
}

/* Words that end where a capital begins (Tekken, o200k), one character that is no letter or number before them. */
static const char *
lk_next_cased (const char *p, const char *end, guint digits, gboolean contractions)
{
  static const char *(*const match[]) (const char *p, const char *end) = { lk_match_lower, lk_match_upper };
  LkClass class = lk_class_at (p, end);
  gboolean led = (class == LK_CLASS_OTHER || class == LK_CLASS_SPACE) && !lk_is_newline (p, end);
  const char *after = g_utf8_next_char (p), *q;

  for (guint i = 0; class != LK_CLASS_NUMBER && i < G_N_ELEMENTS (match); i++)
    {
      q = led ? match[i](after, end) : after;
      if (q == after)
        q = match[i](p, end);
      if (q == p)
        continue;
      return contractions && q < end ? lk_skip_contraction (q, end, TRUE) : q;
    }
  return class == LK_CLASS_NUMBER ? lk_skip_digits (p, end, digits) : lk_next_rest (p, end, TRUE);
}

static const char *
lk_next_tekken (const char *p, const char *end)
{
  return lk_next_cased (p, end, 1, FALSE);
}

static const char *
lk_next_o200k (const char *p, const char *end)
{
  return lk_next_cased (p, end, 3, TRUE);
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

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define WORDS_HEAD CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
#define LINES_TAIL "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define WORDS_TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" LINES_TAIL
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(suffix, digits) \
  "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" suffix "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" suffix "|\\p{N}" digits \
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" LINES_TAIL

/* The first row of a pattern is the one a tokenizer.json gets the name of. */
static const LkPretokenizer pretokenizers[] = {
  { "gpt-2", NULL, FALSE, FALSE, FALSE, lk_next_gpt2 },
  { "phi-2", NULL, FALSE, FALSE, FALSE, lk_next_gpt2 },
  { "olmo", NULL, FALSE, FALSE, FALSE, lk_next_gpt2 },
  { "exaone4", NULL, FALSE, FALSE, FALSE, lk_next_gpt2 },
  { "smollm", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "starcoder", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "refact", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "command-r", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "codeshell", NULL, TRUE, FALSE, FALSE, lk_next_gpt2 },
  { "llama-bpe", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "llama3", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "llama-v3", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "falcon3", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "pixtral", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, TRUE, TRUE, lk_next_llama3 },
  { "dbrx", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_llama3 }, /* cl100k: Phi-4 */
  { "smaug-bpe", WORDS_HEAD "{1,3}" WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_llama3 },
  { "qwen2", WORDS_HEAD WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_qwen2 },
  { "deepseek-r1-qwen", WORDS_HEAD WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_qwen2 },
  { "megrez", WORDS_HEAD WORDS_TAIL, FALSE, FALSE, FALSE, lk_next_qwen2 },
  { "tekken", CASED ("", ""), FALSE, TRUE, TRUE, lk_next_tekken },
  { "gpt-4o", CASED (CONTRACTIONS "?", "{1,3}"), FALSE, FALSE, FALSE, lk_next_o200k },
  { "llama4", CASED (CONTRACTIONS "?", "{1,3}"), FALSE, FALSE, FALSE, lk_next_o200k },
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

const LkPretokenizer *
lk_pretokenizer_variant (const LkPretokenizer *self, gboolean ignore_merges)
{
  for (guint i = 0; self->regex && i < G_N_ELEMENTS (pretokenizers); i++)
    if (g_strcmp0 (pretokenizers[i].regex, self->regex) == 0 && pretokenizers[i].ignore_merges == ignore_merges)
      return &pretokenizers[i];
  return self;
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
