/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text and tags, with trim_blocks and lstrip_blocks: the newline after a block tag and the blanks before one at the
 * beginning of a line vanish; “-” takes all white space on its side, “+” keeps it.
 */
#include "lk-jinja-lexer.h"

typedef struct
{
  LkArena *arena;
  const char *source, *at, *end, *name;
  guint line;
  GArray *tokens;
  GError **error;
  gboolean failed;
} LkLexer;

static gboolean
lk_lexer_fail (LkLexer *self, const char *what)
{
  if (!self->failed)
    g_set_error (self->error, LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %u: %s", self->name, self->line, what);
  self->failed = TRUE;
  return FALSE;
}

static gboolean
lk_lexer_add (LkLexer *self, LkTokenType type, const char *text, gsize n)
{
  char *copy = lk_arena_alloc (self->arena, n + 1);
  LkToken token = { type, copy, n, self->line };

  if (!copy)
    return lk_lexer_fail (self, "the template needs too much memory");
  if (n > 0)
    memcpy (copy, text, n);
  g_array_append_val (self->tokens, token);
  return TRUE;
}

static void
lk_lexer_advance (LkLexer *self, const char *to)
{
  for (; self->at < to; self->at++)
    self->line += *self->at == '\n';
}

static gboolean
lk_lexer_looking_at (LkLexer *self, const char *text)
{
  gsize n = strlen (text);

  return (gsize) (self->end - self->at) >= n && memcmp (self->at, text, n) == 0;
}

/* Where the next {{, {% or {# begins. */
static const char *
lk_lexer_find_tag (LkLexer *self)
{
  for (const char *p = self->at; p + 1 < self->end; p++)
    if (*p == '{' && (p[1] == '{' || p[1] == '%' || p[1] == '#'))
      return p;
  return self->end;
}

/* The end of [begin, stop) without the white space there. */
static const char *
lk_strip_end (const char *begin, const char *stop)
{
  while (stop > begin)
    {
      const char *last = g_utf8_prev_char (stop);
      if (!lk_is_space (g_utf8_get_char (last)))
        break;
      stop = last;
    }
  return stop;
}

/* The text before a tag, as its marks want it. @after_tag: text begins right behind one. */
static gboolean
lk_lexer_text (LkLexer *self, const char *to)
{
  const char *begin = self->at, *stop = to;
  gboolean block = to + 1 < self->end && to[1] != '{';
  char mark = to + 2 < self->end ? to[2] : 0;
  gboolean ok;

  if (to < self->end && mark == '-')
    stop = lk_strip_end (begin, stop);
  else if (to < self->end && block && mark != '+')
    {
      const char *p = to;

      while (p > begin && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
      if (p > begin ? p[-1] == '\n' : p == self->source || p[-1] == '\n')
        stop = p;
    }
  ok = stop == begin || lk_lexer_add (self, LK_TOKEN_TEXT, begin, (gsize) (stop - begin));
  lk_lexer_advance (self, to);
  return ok;
}

/* After a closing mark: “-” eats white space, a block's newline is trimmed. */
static void
lk_lexer_after_tag (LkLexer *self, char mark, gboolean block)
{
  const char *p = self->at;

  if (mark == '-')
    while (p < self->end && lk_is_space (g_utf8_get_char (p)))
      p = g_utf8_next_char (p);
  else if (block && mark != '+' && p < self->end && *p == '\n')
    p++;
  lk_lexer_advance (self, p);
}

static gboolean
lk_lexer_comment (LkLexer *self)
{
  const char *p = g_strstr_len (self->at + 2, self->end - self->at - 2, "#}");
  char mark;

  if (!p)
    return lk_lexer_fail (self, "a comment does not end");
  mark = p > self->at + 2 ? p[-1] : 0;
  lk_lexer_advance (self, p + 2);
  lk_lexer_after_tag (self, mark, TRUE);
  return TRUE;
}

/* @digits hexadecimal digits at @p as a character; 0 halves of pairs are put together. FALSE: they are not there, or no character. */
static gboolean
lk_lexer_hex (LkLexer *self, const char **p, guint digits, GString *text)
{
  guint64 code = 0, low = 0;

  for (guint i = 0; i < digits; i++)
    {
      int digit = *p < self->end ? g_ascii_xdigit_value (**p) : -1;
      if (digit < 0)
        return FALSE;
      code = code * 16 + (guint64) digit;
      (*p)++;
    }
  if (code >= 0xd800 && code < 0xdc00 && self->end - *p > 6 && (*p)[0] == '\\' && (*p)[1] == 'u')
    {
      for (guint i = 2; i < 6; i++)
        low = low * 16 + (guint64) MAX (0, g_ascii_xdigit_value ((*p)[i]));
      if (low >= 0xdc00 && low < 0xe000)
        {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          *p += 6;
        }
    }
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
    return FALSE;
  g_string_append_unichar (text, (gunichar) code);
  return TRUE;
}

/* What follows a backslash, Python's escapes; *p is behind it and goes behind the escape. An unknown one is text. */
static gboolean
lk_lexer_escape (LkLexer *self, const char **p, GString *text)
{
  static const char letters[] = "ntrabfv\\'\"", values[] = "\n\t\r\a\b\f\v\\'\"";
  const char *letter = strchr (letters, **p);
  char c = *(*p)++;
  guint code = 0;

  if (letter && c)
    g_string_append_c (text, values[letter - letters]);
  else if (c == 'x' || c == 'u' || c == 'U')
    return lk_lexer_hex (self, p, c == 'x' ? 2 : c == 'u' ? 4 : 8, text) || lk_lexer_fail (self, "an escape that means no character");
  else if (c >= '0' && c <= '7')
    {
      (*p)--;
      for (guint i = 0; i < 3 && *p < self->end && **p >= '0' && **p <= '7'; i++)
        code = code * 8 + (guint) (*(*p)++ - '0');
      g_string_append_unichar (text, code);
    }
  else if (c != '\n')
    {
      g_string_append_c (text, '\\');
      (*p)--;
    }
  return TRUE;
}

static gboolean
lk_lexer_string (LkLexer *self)
{
  char quote = *self->at;
  g_autoptr (GString) text = g_string_new (NULL);
  const char *p = self->at + 1;

  while (p < self->end && *p != quote)
    {
      char c = *p++;

      if (c != '\\' || p >= self->end)
        g_string_append_c (text, c);
      else if (!lk_lexer_escape (self, &p, text))
        return FALSE;
    }
  if (p >= self->end)
    return lk_lexer_fail (self, "a string does not end");
  if (!lk_lexer_add (self, LK_TOKEN_STRING, text->str, text->len))
    return FALSE;
  lk_lexer_advance (self, p + 1);
  return TRUE;
}

static gboolean
lk_is_name (char c)
{
  return g_ascii_isalnum (c) || c == '_' || (c & 0x80);
}

/* 1_000, 0x1f, 1.5, 2e-3 */
static gboolean
lk_lexer_number (LkLexer *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *p = self->at;
  LkTokenType type = LK_TOKEN_INT;
  gboolean based = *p == '0' && p + 1 < self->end && strchr ("bBoOxX", p[1]);

  for (; p < self->end; p++)
    {
      gboolean fraction = *p == '.' && type == LK_TOKEN_INT && p + 1 < self->end && g_ascii_isdigit (p[1]) && !based;
      gboolean exponent = (*p == 'e' || *p == 'E') && !based && p + 1 < self->end
                          && (g_ascii_isdigit (p[1]) || ((p[1] == '-' || p[1] == '+') && p + 2 < self->end && g_ascii_isdigit (p[2])));

      if (fraction || exponent)
        {
          type = LK_TOKEN_FLOAT;
          g_string_append_c (text, *p);
          if (exponent)
            g_string_append_c (text, *++p);
        }
      else if (g_ascii_isdigit (*p) || (based && lk_is_name (*p) && *p != '_'))
        g_string_append_c (text, *p);
      else if (*p != '_')
        break;
    }
  if (!lk_lexer_add (self, type, text->str, text->len))
    return FALSE;
  self->at = p;
  return TRUE;
}

static gboolean
lk_lexer_operator (LkLexer *self)
{
  static const char *const operators[] = { "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[",
                                           "]", "{", "}", ".", ",", ":", "|" };

  for (guint i = 0; i < G_N_ELEMENTS (operators); i++)
    if (lk_lexer_looking_at (self, operators[i]))
      {
        if (!lk_lexer_add (self, LK_TOKEN_OPERATOR, operators[i], strlen (operators[i])))
          return FALSE;
        self->at += strlen (operators[i]);
        return TRUE;
      }
  return lk_lexer_fail (self, "a character that means nothing here");
}

/* Tokens of one tag up to @close ("}}" or "%}"). */
static gboolean
lk_lexer_tag (LkLexer *self, const char *close, LkTokenType begin, LkTokenType end)
{
  gboolean block = begin == LK_TOKEN_BLOCK_BEGIN;
  guint braces = 0;

  if (!lk_lexer_add (self, begin, "", 0))
    return FALSE;
  lk_lexer_advance (self, self->at + 2 + (self->at + 2 < self->end && (self->at[2] == '-' || self->at[2] == '+')));
  while (self->at < self->end)
    {
      char c = *self->at, mark = 0;

      if (g_ascii_isspace (c))
        {
          lk_lexer_advance (self, self->at + 1);
          continue;
        }
      if ((c == '-' || c == '+') && (gsize) (self->end - self->at) > 2 && memcmp (self->at + 1, close, 2) == 0)
        mark = c;
      if (braces == 0 && (mark || lk_lexer_looking_at (self, close)))
        {
          self->at += mark ? 3 : 2;
          if (!lk_lexer_add (self, end, "", 0))
            return FALSE;
          lk_lexer_after_tag (self, mark, block);
          return TRUE;
        }
      braces += c == '{';
      braces -= c == '}' && braces > 0;
      if (c == '"' || c == '\'')
        {
          if (!lk_lexer_string (self))
            return FALSE;
        }
      else if (g_ascii_isdigit (c))
        {
          if (!lk_lexer_number (self))
            return FALSE;
        }
      else if (lk_is_name (c))
        {
          const char *p = self->at;

          while (p < self->end && lk_is_name (*p))
            p++;
          if (!lk_lexer_add (self, LK_TOKEN_NAME, self->at, (gsize) (p - self->at)))
            return FALSE;
          self->at = p;
        }
      else if (!lk_lexer_operator (self))
        return FALSE;
    }
  return lk_lexer_fail (self, "a tag does not end");
}

/* Behind “{% name %}” at @p, its marks in *before and *after; NULL: there is another tag. */
static const char *
lk_lexer_match_tag (LkLexer *self, const char *p, const char *name, char *before, char *after)
{
  gsize n = strlen (name);

  if (self->end - p < 2 || p[0] != '{' || p[1] != '%')
    return NULL;
  p += 2;
  *before = p < self->end && (*p == '-' || *p == '+') ? *p++ : 0;
  while (p < self->end && g_ascii_isspace (*p))
    p++;
  if ((gsize) (self->end - p) < n || memcmp (p, name, n) != 0)
    return NULL;
  for (p += n; p < self->end && g_ascii_isspace (*p);)
    p++;
  *after = p < self->end && (*p == '-' || *p == '+') ? *p++ : 0;
  return self->end - p >= 2 && p[0] == '%' && p[1] == '}' ? p + 2 : NULL;
}

/* {% raw %} … {% endraw %}; FALSE without failing when the tag at hand is another. */
static gboolean
lk_lexer_raw (LkLexer *self)
{
  char before, after;
  const char *begin = lk_lexer_match_tag (self, self->at, "raw", &before, &after), *end = NULL, *stop;

  if (!begin)
    return FALSE;
  lk_lexer_advance (self, begin);
  if (after == '-')
    lk_lexer_after_tag (self, after, FALSE);
  for (stop = self->at; stop < self->end; stop++)
    if ((end = lk_lexer_match_tag (self, stop, "endraw", &before, &after)))
      break;
  if (!end)
    return lk_lexer_fail (self, "a raw block does not end");
  lk_lexer_add (self, LK_TOKEN_TEXT, self->at, (gsize) ((before == '-' ? lk_strip_end (self->at, stop) : stop) - self->at));
  lk_lexer_advance (self, end);
  lk_lexer_after_tag (self, after, TRUE);
  return TRUE;
}

/* The source with each kind of line end as “\n” and without the last; NULL when memory ends. */
static char *
lk_lexer_normalize (LkArena *arena, const char *source)
{
  char *copy = lk_arena_alloc (arena, strlen (source) + 1), *out = copy;

  for (const char *p = source; copy && *p; p++)
    if (*p != '\r')
      *out++ = *p;
    else if (p[1] != '\n')
      *out++ = '\n';
  if (copy && out > copy && out[-1] == '\n') /* keep_trailing_newline is off */
    out--;
  if (copy)
    *out = '\0';
  return copy;
}

GArray *
lk_jinja_lex (LkArena *arena, const char *source, const char *name, GError **error)
{
  char *text = lk_lexer_normalize (arena, source);
  LkLexer self = { arena, text, text, NULL, name, 1, g_array_new (FALSE, TRUE, sizeof (LkToken)), error, FALSE };

  if (text)
    self.end = text + strlen (text);
  else
    lk_lexer_fail (&self, "the template needs too much memory");
  while (!self.failed && self.at < self.end)
    {
      const char *tag = lk_lexer_find_tag (&self);

      if (!lk_lexer_text (&self, tag) || tag == self.end)
        break;
      if (tag[1] == '#')
        lk_lexer_comment (&self);
      else if (tag[1] == '{')
        lk_lexer_tag (&self, "}}", LK_TOKEN_PRINT_BEGIN, LK_TOKEN_PRINT_END);
      else if (!lk_lexer_raw (&self) && !self.failed)
        lk_lexer_tag (&self, "%}", LK_TOKEN_BLOCK_BEGIN, LK_TOKEN_BLOCK_END);
    }
  if (!self.failed)
    lk_lexer_add (&self, LK_TOKEN_END, "", 0);
  if (self.failed)
    {
      g_array_unref (self.tokens);
      return NULL;
    }
  return self.tokens;
}
