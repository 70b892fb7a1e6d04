/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Python's methods of str, as far as a sandbox lets templates call them. White space and case are Python's, whatever the locale.
 */
#define _GNU_SOURCE /* memmem */
#include "lk-jinja-private.h"

#include <math.h>

#define METHOD(name) static LkValue *lk_str_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)

gboolean
lk_is_space (gunichar c)
{
  if (c < 128)
    return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
         || c == 0x3000;
}

/* Where stripping ends; @chars NULL: white space. */
static gboolean
lk_is_stripped (const LkValue *chars, const char *p)
{
  gunichar c = g_utf8_get_char (p);

  if (!chars || chars->kind != LK_VALUE_STRING)
    return lk_is_space (c);
  for (const char *q = chars->as.string.bytes, *stop = q + chars->as.string.n; q < stop; q = g_utf8_next_char (q))
    if (g_utf8_get_char (q) == c)
      return TRUE;
  return FALSE;
}

static LkValue *
lk_strip (LkContext *context, LkValue *self, LkValue *chars, gboolean left, gboolean right)
{
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n, *p = begin;

  while (left && p < end && lk_is_stripped (chars, p))
    p = g_utf8_next_char (p);
  while (right && end > p)
    {
      const char *last = g_utf8_prev_char (end);
      if (!lk_is_stripped (chars, last))
        break;
      end = last;
    }
  return lk_value_substring (context, self, (gsize) (p - begin), (gsize) (end - p));
}

METHOD (strip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, "chars"), TRUE, TRUE);
}

METHOD (lstrip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, "chars"), TRUE, FALSE);
}

METHOD (rstrip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, "chars"), FALSE, TRUE);
}

gssize
lk_string_find (LkContext *context, const LkValue *self, gsize from, const LkValue *needle)
{
  const char *found;

  if (from > self->as.string.n || !lk_context_work (context, needle->as.string.n / 16 + 1))
    return -1;
  if (needle->as.string.n == 0)
    return (gssize) from;
  found = memmem (self->as.string.bytes + from, self->as.string.n - from, needle->as.string.bytes, needle->as.string.n);
  if (!lk_context_work (context, (found ? (gsize) (found - self->as.string.bytes) - from : self->as.string.n - from) / 16))
    return -1;
  return found ? found - self->as.string.bytes : -1;
}

/* The last place of @needle; −1. */
static gssize
lk_string_find_last (LkContext *context, const LkValue *self, const LkValue *needle)
{
  gssize last = -1;

  for (gssize at = 0; (at = lk_string_find (context, self, (gsize) at, needle)) >= 0; at++)
    last = at;
  return last;
}

/* The first argument, which must be a text; NULL after failing. */
static LkValue *
lk_text_argument (LkContext *context, LkValue **args, guint n_args, LkValue *kwargs, guint i, const char *name)
{
  LkValue *value = lk_argument (args, n_args, kwargs, i, name);

  return value && value->kind == LK_VALUE_STRING ? value : lk_context_fail (context, "a text is missing among the arguments");
}

static LkValue *
lk_split_spaces (LkContext *context, LkValue *self, gint64 most)
{
  LkValue *list = lk_value_list (context);
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n;

  for (const char *p = begin, *q; list; p = q)
    {
      while (p < end && lk_is_space (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      if (p == end)
        return list;
      for (q = p; q < end && (most == 0 || !lk_is_space (g_utf8_get_char (q)));)
        q = g_utf8_next_char (q);
      most--;
      if (!lk_list_append (context, list, lk_value_substring (context, self, (gsize) (p - begin), (gsize) (q - p))))
        return NULL;
    }
  return NULL;
}

METHOD (split)
{
  LkValue *by = lk_argument (args, n_args, kwargs, 0, "sep"), *most = lk_argument (args, n_args, kwargs, 1, "maxsplit"), *list;
  gint64 left = most && most->kind == LK_VALUE_INT && most->as.integer >= 0 ? most->as.integer : G_MAXINT64;
  gsize from = 0;

  if (!by || by->kind == LK_VALUE_NONE)
    return lk_split_spaces (context, self, left);
  if (by->kind != LK_VALUE_STRING || by->as.string.n == 0)
    return lk_context_fail (context, "split needs a text to split at");
  list = lk_value_list (context);
  while (list)
    {
      gssize at = left-- > 0 ? lk_string_find (context, self, from, by) : -1;
      gsize to = at < 0 ? self->as.string.n : (gsize) at;

      if (!lk_list_append (context, list, lk_value_substring (context, self, from, to - from)))
        return NULL;
      if (at < 0)
        return list;
      from = to + by->as.string.n;
    }
  return NULL;
}

METHOD (rsplit)
{
  LkValue *by = lk_argument (args, n_args, kwargs, 0, "sep"), *most = lk_argument (args, n_args, kwargs, 1, "maxsplit"), *all, *list;
  gsize left = most && most->kind == LK_VALUE_INT && most->as.integer >= 0 ? (gsize) most->as.integer : G_MAXSIZE, first;

  all = by && by->kind == LK_VALUE_STRING ? lk_str_split (context, self, &by, 1, NULL) : lk_split_spaces (context, self, G_MAXINT64);
  if (!all || left >= all->as.list.n - MIN (1, all->as.list.n))
    return all;
  list = lk_value_list (context);
  first = all->as.list.n - 1 - left; /* the pieces up to this one stay together */
  for (gsize i = first; list && i < all->as.list.n; i++)
    {
      LkValue *piece = all->as.list.items[i];
      if (i == first)
        piece = lk_value_substring (context, self, 0, (gsize) (piece->as.string.bytes + piece->as.string.n - self->as.string.bytes));
      if (!lk_list_append (context, list, piece))
        return NULL;
    }
  return list;
}

/* \n \r \r\n and the rarer ends of lines Python knows. */
METHOD (splitlines)
{
  LkValue *list = lk_value_list (context), *keep = lk_argument (args, n_args, kwargs, 0, "keepends");
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n, *next;

  for (const char *p = begin, *line = begin; list && line < end; p = next)
    {
      gunichar c = p < end ? g_utf8_get_char (p) : '\n';

      next = p < end ? g_utf8_next_char (p) : p;
      if (!((c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029))
        continue;
      next += c == '\r' && next < end && *next == '\n';
      if (!lk_list_append (context, list,
                           lk_value_substring (context, self, (gsize) (line - begin), (gsize) ((keep && lk_value_truth (keep) ? next : p) - line))))
        return NULL;
      line = next;
    }
  return list;
}

static LkValue *
lk_affix (LkContext *context, LkValue *self, LkValue *what, gboolean suffix)
{
  LkValue **items = what && what->kind == LK_VALUE_LIST ? what->as.list.items : &what;
  gsize n_items = what && what->kind == LK_VALUE_LIST ? what->as.list.n : 1;
  gboolean found = FALSE;

  for (gsize i = 0; i < n_items && !found; i++)
    {
      const LkValue *item = items[i];
      gsize n;

      if (!item || item->kind != LK_VALUE_STRING)
        return lk_context_fail (context, "startswith and endswith need a text");
      n = item->as.string.n;
      found = n <= self->as.string.n && memcmp (self->as.string.bytes + (suffix ? self->as.string.n - n : 0), item->as.string.bytes, n) == 0;
      if (!lk_context_work (context, n / 16 + 1))
        return NULL;
    }
  return lk_value_bool (context, found);
}

METHOD (startswith)
{
  return lk_affix (context, self, lk_argument (args, n_args, kwargs, 0, NULL), FALSE);
}

METHOD (endswith)
{
  return lk_affix (context, self, lk_argument (args, n_args, kwargs, 0, NULL), TRUE);
}

METHOD (removeprefix)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL), *found = what ? lk_affix (context, self, what, FALSE) : NULL;
  gsize n = found && found->as.boolean ? what->as.string.n : 0;

  return found ? lk_value_substring (context, self, n, self->as.string.n - n) : NULL;
}

METHOD (removesuffix)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL), *found = what ? lk_affix (context, self, what, TRUE) : NULL;

  return found ? lk_value_substring (context, self, 0, self->as.string.n - (found->as.boolean ? what->as.string.n : 0)) : NULL;
}

METHOD (replace)
{
  LkValue *from = lk_text_argument (context, args, n_args, kwargs, 0, "old"), *to = lk_text_argument (context, args, n_args, kwargs, 1, "new");
  LkValue *count = lk_argument (args, n_args, kwargs, 2, "count");
  gint64 left = count && count->kind == LK_VALUE_INT && count->as.integer >= 0 ? count->as.integer : G_MAXINT64;
  LkBuilder builder;
  gsize at = 0, n = self->as.string.n;

  if (!from || !to)
    return NULL;
  lk_builder_init (&builder, context);
  while (lk_context_work (context, 16) && !context->error)
    {
      gssize found = left-- > 0 ? lk_string_find (context, self, at, from) : -1;
      gsize end = found < 0 ? n : (gsize) found;
      LkValue *kept;

      /* an empty text stands before each character and at the end */
      if (found >= 0 && from->as.string.n == 0)
        {
          lk_builder_value (&builder, to);
          end = at < n ? (gsize) (g_utf8_next_char (self->as.string.bytes + at) - self->as.string.bytes) : n + 1;
        }
      kept = at < n ? lk_value_substring (context, self, at, MIN (end, n) - at) : NULL;
      if (kept)
        lk_builder_value (&builder, kept);
      if (found < 0 || end > n)
        break;
      if (from->as.string.n > 0)
        lk_builder_value (&builder, to);
      at = end + from->as.string.n;
    }
  return lk_builder_finish (&builder);
}

typedef enum
{
  LK_CASE_LOWER,
  LK_CASE_UPPER,
  LK_CASE_SWAP,
  LK_CASE_TITLE, /* the first letter of each run of letters */
  LK_CASE_CAPITAL,
} LkCase;

static LkValue *
lk_map_case (LkContext *context, LkValue *self, LkCase how)
{
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n, *next;
  gboolean first = TRUE;
  LkBuilder builder;

  lk_builder_init (&builder, context);
  for (const char *p = begin; p < end && !context->error; p = next)
    {
      gunichar c = g_utf8_get_char (p);
      gboolean up = how == LK_CASE_UPPER || (how == LK_CASE_SWAP && !g_unichar_isupper (c)) || (how >= LK_CASE_TITLE && first);
      gboolean sharp = c == 0xdf && up; /* ß has no capital */
      char text[8];
      int n = sharp ? 2 : g_unichar_to_utf8 (up ? how >= LK_CASE_TITLE ? g_unichar_totitle (c) : g_unichar_toupper (c) : g_unichar_tolower (c), text);

      next = g_utf8_next_char (p);
      lk_builder_text (&builder, sharp ? how >= LK_CASE_TITLE ? "Ss" : "SS" : text, (gsize) n,
                       self->as.string.tags ? self->as.string.tags[p - begin] : 0);
      first = how == LK_CASE_TITLE && !g_unichar_isalpha (c);
    }
  return lk_builder_finish (&builder);
}

METHOD (upper)
{
  return lk_map_case (context, self, LK_CASE_UPPER);
}

METHOD (lower)
{
  return lk_map_case (context, self, LK_CASE_LOWER);
}

METHOD (swapcase)
{
  return lk_map_case (context, self, LK_CASE_SWAP);
}

METHOD (title)
{
  return lk_map_case (context, self, LK_CASE_TITLE);
}

METHOD (capitalize)
{
  return lk_map_case (context, self, LK_CASE_CAPITAL);
}

METHOD (count)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL);
  gint64 n = 0;

  if (!what)
    return NULL;
  if (what->as.string.n == 0)
    return lk_value_int (context, g_utf8_strlen (self->as.string.bytes, (gssize) self->as.string.n) + 1);
  for (gssize at = 0; (at = lk_string_find (context, self, (gsize) at, what)) >= 0; at += (gssize) what->as.string.n)
    n++;
  return lk_value_int (context, n);
}

static LkValue *
lk_place (LkContext *context, const LkValue *self, gssize at, gboolean must)
{
  if (at < 0 && must)
    return lk_context_fail (context, "the text is not found");
  return lk_value_int (context, at < 0 ? -1 : g_utf8_strlen (self->as.string.bytes, at));
}

METHOD (find)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL);

  return what ? lk_place (context, self, lk_string_find (context, self, 0, what), FALSE) : NULL;
}

METHOD (rfind)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL);

  return what ? lk_place (context, self, lk_string_find_last (context, self, what), FALSE) : NULL;
}

METHOD (index)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL);

  return what ? lk_place (context, self, lk_string_find (context, self, 0, what), TRUE) : NULL;
}

METHOD (rindex)
{
  LkValue *what = lk_text_argument (context, args, n_args, kwargs, 0, NULL);

  return what ? lk_place (context, self, lk_string_find_last (context, self, what), TRUE) : NULL;
}

/* Before, the text itself, behind; @last: at its last place. */
static LkValue *
lk_partition (LkContext *context, LkValue *self, LkValue *by, gboolean last)
{
  gssize at = !by ? -1 : last ? lk_string_find_last (context, self, by) : lk_string_find (context, self, 0, by);
  gsize n = self->as.string.n, begin = at >= 0 ? (gsize) at : last ? 0 : n, end = at >= 0 ? begin + by->as.string.n : begin;
  LkValue *list = by ? lk_value_list (context) : NULL;

  if (!list || !lk_list_append (context, list, lk_value_substring (context, self, 0, begin))
      || !lk_list_append (context, list, lk_value_substring (context, self, begin, end - begin))
      || !lk_list_append (context, list, lk_value_substring (context, self, end, n - end)))
    return NULL;
  list->as.list.tuple = TRUE;
  return list;
}

METHOD (partition)
{
  return lk_partition (context, self, lk_text_argument (context, args, n_args, kwargs, 0, NULL), FALSE);
}

METHOD (rpartition)
{
  return lk_partition (context, self, lk_text_argument (context, args, n_args, kwargs, 0, NULL), TRUE);
}

METHOD (join)
{
  LkValue *items = n_args > 0 ? lk_value_iterate (context, args[0]) : lk_context_fail (context, "join needs a list");
  LkBuilder builder;

  if (!items)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize i = 0; i < items->as.list.n && !context->error; i++)
    {
      LkValue *item = items->as.list.items[i];

      if (item->kind != LK_VALUE_STRING)
        lk_context_fail (context, "join needs texts, and item %" G_GSIZE_FORMAT " is %s", i, lk_value_kind_name (item));
      else if (i > 0)
        lk_builder_value (&builder, self);
      if (!context->error)
        lk_builder_value (&builder, item);
    }
  return lk_builder_finish (&builder);
}

/* At least one character, and all of them pass. */
static LkValue *
lk_all (LkContext *context, const LkValue *self, gboolean (*passes) (gunichar c))
{
  const char *end = self->as.string.bytes + self->as.string.n;
  gboolean all = self->as.string.n > 0;

  for (const char *p = self->as.string.bytes; all && p < end; p = g_utf8_next_char (p))
    all = passes (g_utf8_get_char (p));
  return lk_value_bool (context, all);
}

METHOD (isdigit)
{
  return lk_all (context, self, g_unichar_isdigit);
}

METHOD (isalpha)
{
  return lk_all (context, self, g_unichar_isalpha);
}

METHOD (isalnum)
{
  return lk_all (context, self, g_unichar_isalnum);
}

METHOD (isspace)
{
  return lk_all (context, self, lk_is_space);
}

/* A letter that has a case is there, and none has the other one. */
static LkValue *
lk_has_case (LkContext *context, const LkValue *self, gboolean upper)
{
  const char *end = self->as.string.bytes + self->as.string.n;
  gboolean seen = FALSE, other = FALSE;

  for (const char *p = self->as.string.bytes; p < end; p = g_utf8_next_char (p))
    {
      seen |= upper ? g_unichar_isupper (g_utf8_get_char (p)) : g_unichar_islower (g_utf8_get_char (p));
      other |= upper ? g_unichar_islower (g_utf8_get_char (p)) : g_unichar_isupper (g_utf8_get_char (p));
    }
  return lk_value_bool (context, seen && !other);
}

METHOD (isupper)
{
  return lk_has_case (context, self, TRUE);
}

METHOD (islower)
{
  return lk_has_case (context, self, FALSE);
}

/* @before and @after blanks (or @fill) around, so that the whole has the width asked for. */
static LkValue *
lk_pad (LkContext *context, LkValue *self, LkValue **args, guint n_args, int side)
{
  LkValue *width = lk_argument (args, n_args, NULL, 0, NULL), *fill = lk_argument (args, n_args, NULL, 1, NULL);
  glong n = g_utf8_strlen (self->as.string.bytes, (gssize) self->as.string.n);
  gint64 missing = width && width->kind == LK_VALUE_INT ? width->as.integer - n : 0, before;
  LkBuilder builder;

  if (!width || width->kind != LK_VALUE_INT || (fill && fill->kind != LK_VALUE_STRING))
    return lk_context_fail (context, "a width is missing");
  if (missing <= 0)
    return self;
  if (missing > LK_JINJA_MAX_OUTPUT)
    return lk_context_fail (context, "a text grows too long");
  before = side < 0 ? 0 : side > 0 ? missing : missing / 2 + (missing & width->as.integer & 1);
  lk_builder_init (&builder, context);
  for (gint64 i = 0; i <= missing && !context->error; i++)
    {
      if (i == before)
        lk_builder_value (&builder, self);
      if (i < missing && fill)
        lk_builder_value (&builder, fill);
      else if (i < missing)
        lk_builder_text (&builder, " ", 1, 0);
    }
  return lk_builder_finish (&builder);
}

METHOD (ljust)
{
  return lk_pad (context, self, args, n_args, -1);
}

METHOD (rjust)
{
  return lk_pad (context, self, args, n_args, 1);
}

METHOD (center)
{
  return lk_pad (context, self, args, n_args, 0);
}

/* One {…} of str.format: a number, a name or nothing; *next counts the last kind. */
static LkValue *
lk_format_field (LkContext *context, const char *field, gsize n, LkValue **args, guint n_args, LkValue *kwargs, guint *next)
{
  g_autofree char *name = g_strndup (field, n);
  guint64 i = *next;
  LkValue *value;

  if (n == 0)
    (*next)++;
  else if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT, &i, NULL))
    i = G_MAXUINT;
  value = i < n_args ? args[i] : kwargs ? lk_dict_get_text (kwargs, name) : NULL;
  return value ? lk_value_to_string (context, value) : lk_context_fail (context, "format has nothing for “{%s}”", name);
}

METHOD (format)
{
  const char *end = self->as.string.bytes + self->as.string.n;
  LkBuilder builder;
  guint next = 0;

  lk_builder_init (&builder, context);
  for (const char *p = self->as.string.bytes; p < end && !context->error; p++)
    {
      const char *close = *p == '{' ? memchr (p, '}', (gsize) (end - p)) : NULL;
      LkValue *value;

      if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p)
        lk_builder_text (&builder, p++, 1, 0);
      else if (*p == '}' || (*p == '{' && !close))
        lk_context_fail (context, "a brace of format stands alone");
      else if (*p == '{')
        {
          value = lk_format_field (context, p + 1, (gsize) (close - p - 1), args, n_args, kwargs, &next);
          if (value)
            lk_builder_value (&builder, value);
          p = close;
        }
      else
        lk_builder_text (&builder, p, 1, self->as.string.tags ? self->as.string.tags[p - self->as.string.bytes] : 0);
    }
  return lk_builder_finish (&builder);
}

/* A number under %d, %f and kin; @spec is the whole “%05.1f”. */
static LkValue *
lk_percent_number (LkContext *context, const char *spec, const LkValue *value)
{
  char text[128], kind = spec[strlen (spec) - 1];
  double real = value->kind == LK_VALUE_FLOAT ? value->as.real : value->kind == LK_VALUE_INT ? (double) value->as.integer : value->as.boolean;
  g_autofree char *real_spec = g_strdup_printf ("%.*s.0f", (int) strlen (spec) - 1, spec);

  if (value->kind != LK_VALUE_FLOAT && value->kind != LK_VALUE_INT && value->kind != LK_VALUE_BOOL)
    return lk_context_fail (context, "%s is no number for “%s”", lk_value_kind_name (value), spec);
  if (kind != 'd' && kind != 'i')
    g_ascii_formatd (text, sizeof text, spec, real);
  else
    g_ascii_formatd (text, sizeof text, real_spec, trunc (real));
  return strlen (text) + 1 < sizeof text ? lk_value_text (context, text) : lk_context_fail (context, "“%s” is too wide", spec);
}

LkValue *
lk_string_format (LkContext *context, const LkValue *format, LkValue **args, guint n_args)
{
  const char *end = format->as.string.bytes + format->as.string.n;
  LkBuilder builder;
  guint next = 0;

  lk_builder_init (&builder, context);
  for (const char *p = format->as.string.bytes; p < end && !context->error; p++)
    {
      const char *q = p + 1;
      g_autofree char *spec = NULL;
      LkValue *value;

      if (*p != '%')
        {
          lk_builder_text (&builder, p, 1, format->as.string.tags ? format->as.string.tags[p - format->as.string.bytes] : 0);
          continue;
        }
      while (q < end && q - p < 10 && (g_ascii_isdigit (*q) || strchr ("-+ .", *q)))
        q++;
      spec = g_strndup (p, q < end ? (gsize) (q - p + 1) : 0);
      if (q < end && *q == '%')
        lk_builder_text (&builder, "%", 1, 0);
      else if (q >= end || !strchr ("sdifgeErF", *q) || (strchr ("sr", *q) && q > p + 1) || next >= n_args)
        lk_context_fail (context, "“%s” cannot be formatted", spec);
      else
        {
          LkValue *list = *q == 'r' ? lk_value_list (context) : NULL;

          value = args[next++];
          if (*q == 'r' && list && lk_list_append (context, list, value))
            value = (list = lk_value_to_string (context, list)) ? lk_value_substring (context, list, 1, list->as.string.n - 2) : NULL;
          else
            value = *q == 's' ? lk_value_to_string (context, value) : lk_percent_number (context, spec, value);
          if (value)
            lk_builder_value (&builder, value);
        }
      p = q;
    }
  if (!context->error && next < n_args)
    lk_context_fail (context, "not all values were formatted");
  return lk_builder_finish (&builder);
}

static const struct
{
  const char *name;
  LkFunction call;
} methods[] = {
  { "strip", lk_str_strip },           { "lstrip", lk_str_lstrip },     { "rstrip", lk_str_rstrip },       { "split", lk_str_split },
  { "rsplit", lk_str_rsplit },         { "splitlines", lk_str_splitlines }, { "startswith", lk_str_startswith }, { "endswith", lk_str_endswith },
  { "removeprefix", lk_str_removeprefix }, { "removesuffix", lk_str_removesuffix }, { "replace", lk_str_replace }, { "upper", lk_str_upper },
  { "lower", lk_str_lower },           { "casefold", lk_str_lower },    { "swapcase", lk_str_swapcase },   { "title", lk_str_title },
  { "capitalize", lk_str_capitalize }, { "count", lk_str_count },       { "find", lk_str_find },           { "rfind", lk_str_rfind },
  { "index", lk_str_index },           { "rindex", lk_str_rindex },     { "partition", lk_str_partition }, { "rpartition", lk_str_rpartition },
  { "join", lk_str_join },             { "isdigit", lk_str_isdigit },   { "isnumeric", lk_str_isdigit },   { "isdecimal", lk_str_isdigit },
  { "isalpha", lk_str_isalpha },       { "isalnum", lk_str_isalnum },   { "isspace", lk_str_isspace },     { "isupper", lk_str_isupper },
  { "islower", lk_str_islower },       { "ljust", lk_str_ljust },       { "rjust", lk_str_rjust },         { "center", lk_str_center },
  { "format", lk_str_format },
};

LkFunction
lk_string_method (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_str_equal (methods[i].name, name))
      return methods[i].call;
  return NULL;
}
