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

/* The text before a tag, as its marks want it. @after_tag: text begins right behind one. */
static gboolean
lk_lexer_text (LkLexer *self, const char *to)
{
  const char *begin = self->at, *stop = to;
  gboolean block = to + 1 < self->end && to[1] != '{';
  char mark = to + 2 < self->end ? to[2] : 0;
  gboolean ok;

  if (to < self->end && mark == '-')
    while (stop > begin && g_ascii_isspace (stop[-1]))
      stop--;
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
    while (p < self->end && g_ascii_isspace (*p))
      p++;
  else if (block && mark != '+')
    {
      if (p < self->end && *p == '\r' && p + 1 < self->end && p[1] == '\n')
        p++;
      if (p < self->end && *p == '\n')
        p++;
    }
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

/* Python's escapes as far as templates use them. */
static gboolean
lk_lexer_string (LkLexer *self)
{
  char quote = *self->at;
  g_autoptr (GString) text = g_string_new (NULL);
  const char *p = self->at + 1;

  for (; p < self->end && *p != quote; p++)
    {
      if (*p != '\\' || p + 1 >= self->end)
        {
          g_string_append_c (text, *p);
          continue;
        }
      p++;
      if (*p == 'u' && self->end - p > 4)
        {
          g_autofree char *digits = g_strndup (p + 1, 4);
          g_string_append_unichar (text, (gunichar) g_ascii_strtoull (digits, NULL, 16));
          p += 4;
        }
      else if (*p == 'n' || *p == 't' || *p == 'r')
        g_string_append_c (text, *p == 'n' ? '\n' : *p == 't' ? '\t' : '\r');
      else if (*p == '\\' || *p == '\'' || *p == '"')
        g_string_append_c (text, *p);
      else if (*p != '\n')
        {
          g_string_append_c (text, '\\');
          g_string_append_c (text, *p);
        }
    }
  if (p >= self->end)
    return lk_lexer_fail (self, "a string does not end");
  if (!lk_lexer_add (self, LK_TOKEN_STRING, text->str, text->len))
    return FALSE;
  lk_lexer_advance (self, p + 1);
  return TRUE;
}

static gboolean
lk_lexer_number (LkLexer *self)
{
  const char *p = self->at;
  LkTokenType type = LK_TOKEN_INT;

  while (p < self->end && (g_ascii_isdigit (*p) || *p == '_'))
    p++;
  if (p + 1 < self->end && *p == '.' && g_ascii_isdigit (p[1]))
    {
      type = LK_TOKEN_FLOAT;
      for (p++; p < self->end && g_ascii_isdigit (*p);)
        p++;
    }
  if (!lk_lexer_add (self, type, self->at, (gsize) (p - self->at)))
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

static gboolean
lk_is_name (char c)
{
  return g_ascii_isalnum (c) || c == '_' || (c & 0x80);
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

/* {% raw %} … {% endraw %}; FALSE without failing when the tag at hand is another. */
static gboolean
lk_lexer_raw (LkLexer *self)
{
  static const char *const opening = "^\\{%[-+]?\\s*raw\\s*[-+]?%\\}";
  g_autoptr (GRegex) begin = g_regex_new (opening, 0, 0, NULL);
  g_autoptr (GRegex) close = g_regex_new ("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL, end_match = NULL;
  int from, to, stop, after;

  if (!g_regex_match_full (begin, self->at, MIN (self->end - self->at, 64), 0, 0, &match, NULL) || !g_match_info_fetch_pos (match, 0, &from, &to))
    return FALSE;
  if (!g_regex_match_full (close, self->at + to, self->end - self->at - to, 0, 0, &end_match, NULL)
      || !g_match_info_fetch_pos (end_match, 0, &stop, &after))
    return lk_lexer_fail (self, "a raw block does not end");
  lk_lexer_advance (self, self->at + to);
  lk_lexer_add (self, LK_TOKEN_TEXT, self->at, (gsize) stop);
  lk_lexer_advance (self, self->at + after);
  return TRUE;
}

GArray *
lk_jinja_lex (LkArena *arena, const char *source, const char *name, GError **error)
{
  gsize n = strlen (source);
  LkLexer self = { arena, source, source, source + n, name, 1, g_array_new (FALSE, TRUE, sizeof (LkToken)), error, FALSE };

  if (n > 0 && source[n - 1] == '\n') /* keep_trailing_newline is off */
    self.end--;
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
