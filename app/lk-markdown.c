/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-markdown.h"

#include <string.h>

#define DEPTH 6      /* of emphasis within emphasis */
#define REACH 4000   /* bytes in which the end of an emphasis or a link is looked for: a line of asterisks must not cost its square */

static void
block_free (gpointer data)
{
  LkMarkdownBlock *block = data;

  g_free (block->language);
  g_free (block->text);
  g_free (block);
}

static void
add_block (GPtrArray *blocks, gboolean is_code, const char *language, GString *text)
{
  LkMarkdownBlock *block;

  if (!is_code)
    g_string_erase (text, 0, (gssize) strspn (text->str, "\n"));
  while (text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  if (text->len == 0 && !is_code)
    return;
  block = g_new0 (LkMarkdownBlock, 1);
  block->is_code = is_code;
  block->language = g_strdup (language);
  block->text = g_strdup (text->str);
  g_string_truncate (text, 0);
  g_ptr_array_add (blocks, block);
}

static void
append_escaped (GString *out, const char *text, gsize size)
{
  g_autofree char *escaped = g_markup_escape_text (text, (gssize) size);

  g_string_append (out, escaped);
}

static const struct
{
  const char *mark;
  const char *tag;
  gboolean raw; /* nothing within it is looked at */
} emphases[] = {
  { "**", "b", FALSE }, { "__", "b", FALSE }, { "~~", "s", FALSE }, { "``", "tt", TRUE },
  { "`", "tt", TRUE },  { "*", "i", FALSE },  { "_", "i", FALSE },
};

static gboolean
is_word (const char *at)
{
  return g_unichar_isalnum (g_utf8_get_char_validated (at, -1));
}

/* Where the emphasis that @mark at @text begins ends; NULL: it is no emphasis. @before: the byte before, 0 at the beginning. */
static const char *
find_end (const char *text, const char *end, const char *mark, gboolean raw, char before)
{
  gsize length = strlen (mark);
  const char *from = text + length;
  const char *stop = end - from > REACH ? from + REACH : end;

  if (from >= end || (!raw && g_ascii_isspace (*from)) || (mark[0] == '_' && (g_ascii_isalnum (before) || (before & 0x80))))
    return NULL;
  for (const char *at = from + 1; at + length <= stop; at++)
    {
      if (strncmp (at, mark, length) != 0 || (!raw && g_ascii_isspace (at[-1])))
        continue;
      /* one asterisk of two is no end of one, and snake_case no emphasis */
      if (length == 1 && (at[1] == mark[0] || at[-1] == mark[0]) && at + 1 < end)
        continue;
      if (mark[0] == '_' && at + length < end && is_word (at + length))
        continue;
      return at;
    }
  return NULL;
}

/* [text](address): both are shown. Returns what comes behind, or NULL. */
static const char *
append_link (GString *out, const char *text, const char *end)
{
  const char *stop = end - text > REACH ? text + REACH : end;
  const char *close = memchr (text, ']', (gsize) (stop - text));
  const char *last = close != NULL && close + 1 < stop && close[1] == '(' ? memchr (close, ')', (gsize) (stop - close)) : NULL;

  if (last == NULL || close == text + 1)
    return NULL;
  append_escaped (out, text + 1, (gsize) (close - text - 1));
  g_string_append (out, " (");
  append_escaped (out, close + 2, (gsize) (last - close - 2));
  g_string_append_c (out, ')');
  return last + 1;
}

static void
append_inline (GString *out, const char *text, const char *end, guint depth)
{
  const char *plain = text;
  const char *at = text;

  while (at < end)
    {
      const char *close = NULL, *behind = NULL;
      guint i = 0;

      if (*at == '\\' && at + 1 < end && g_ascii_ispunct (at[1]))
        {
          append_escaped (out, plain, (gsize) (at - plain));
          plain = at + 1;
          at += 2;
          continue;
        }
      for (; depth < DEPTH && i < G_N_ELEMENTS (emphases) && close == NULL; i++)
        if (g_str_has_prefix (at, emphases[i].mark))
          close = find_end (at, end, emphases[i].mark, emphases[i].raw, at > text ? at[-1] : 0);
      if (close != NULL)
        {
          const char *mark = emphases[i - 1].mark, *tag = emphases[i - 1].tag;

          append_escaped (out, plain, (gsize) (at - plain));
          g_string_append_printf (out, "<%s>", tag);
          if (emphases[i - 1].raw)
            append_escaped (out, at + strlen (mark), (gsize) (close - at) - strlen (mark));
          else
            append_inline (out, at + strlen (mark), close, depth + 1);
          g_string_append_printf (out, "</%s>", tag);
          plain = at = close + strlen (mark);
          continue;
        }
      if (*at == '[')
        {
          g_autoptr (GString) link = g_string_new (NULL);

          behind = append_link (link, at, end);
          if (behind != NULL)
            {
              append_escaped (out, plain, (gsize) (at - plain));
              g_string_append (out, link->str);
              plain = at = behind;
              continue;
            }
        }
      at++;
    }
  append_escaped (out, plain, (gsize) (end - plain));
}

static gboolean
is_rule (const char *line)
{
  gsize n = strspn (line, "-*_ ");

  return line[n] == 0 && n >= 3 && strchr (line, ' ') == NULL && line[0] == line[1] && line[1] == line[2];
}

static void
append_line (GString *out, const char *line)
{
  gsize indent = strspn (line, " \t");
  const char *rest = line + indent;
  gsize level = strspn (rest, "#");

  if (is_rule (rest))
    {
      g_string_append (out, "────────\n");
      return;
    }
  if (level > 0 && level <= 6 && rest[level] == ' ')
    {
      g_string_append (out, level <= 2 ? "<big><b>" : "<b>");
      append_inline (out, rest + level + 1, rest + strlen (rest), 0);
      g_string_append (out, level <= 2 ? "</b></big>\n" : "</b>\n");
      return;
    }
  for (gsize i = 0; i < MIN (indent, 12); i++)
    g_string_append (out, "\u00a0");
  if (strchr ("-*+", rest[0]) != NULL && rest[0] != 0 && rest[1] == ' ')
    {
      g_string_append (out, "• ");
      rest += 2;
    }
  else if (rest[0] == '>' && (rest[1] == ' ' || rest[1] == 0))
    {
      g_string_append (out, "│ ");
      rest += rest[1] == ' ' ? 2 : 1;
    }
  append_inline (out, rest, rest + strlen (rest), 0);
  g_string_append_c (out, '\n');
}

/* Control characters are no markup in any spelling. (transfer full) */
static char *
without_controls (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_sized_new (strlen (valid));

  for (const char *c = valid; *c != 0; c = g_utf8_next_char (c))
    {
      gunichar letter = g_utf8_get_char (c);

      if (letter == '\n' || letter == '\t' || !g_unichar_iscntrl (letter))
        g_string_append_unichar (out, letter);
      else if (letter != '\r')
        g_string_append_unichar (out, 0xfffd);
    }
  return g_string_free (out, FALSE);
}

/* How many marks a fence has; 0: the line is none. */
static gsize
fence_length (const char *line, char mark)
{
  gsize n = 0;

  while (line[n] == mark)
    n++;
  return n >= 3 ? n : 0;
}

GPtrArray *
lk_markdown_parse (const char *text)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func (block_free);
  g_autofree char *clean = without_controls (text);
  g_auto (GStrv) lines = g_strsplit (clean, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *language = NULL;
  gsize fence = 0;
  char mark = 0;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " ");
      gsize length = line[0] == '`' || line[0] == '~' ? fence_length (line, line[0]) : 0;

      if (fence > 0 && line[0] == mark && length >= fence && line[length + strspn (line + length, " \t")] == 0)
        {
          add_block (blocks, TRUE, language, out);
          fence = 0;
        }
      else if (fence > 0)
        g_string_append_printf (out, "%s\n", lines[i]);
      else if (length > 0 && strchr (line + length, '`') == NULL)
        {
          add_block (blocks, FALSE, "", out);
          fence = length;
          mark = line[0];
          g_free (language);
          language = g_strstrip (g_strdup (line + length));
        }
      else
        append_line (out, lines[i]);
    }
  add_block (blocks, fence > 0, fence > 0 ? language : "", out);
  return blocks;
}
