/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Python's methods of strings, lists and dicts, as far as a sandbox lets templates call them; and the global functions.
 */
#include "lk-jinja-private.h"

#define METHOD(name) static LkValue *lk_method_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)

/* Where stripping ends; @chars NULL: white space. */
static gboolean
lk_is_stripped (const LkValue *chars, const char *p, const char *end)
{
  gunichar c = g_utf8_get_char_validated (p, end - p);

  if (!chars || chars->kind != LK_VALUE_STRING)
    return c < 0x110000 && g_unichar_isspace (c);
  for (const char *q = chars->as.string.bytes, *stop = q + chars->as.string.n; q < stop; q = g_utf8_next_char (q))
    if (g_utf8_get_char (q) == c)
      return TRUE;
  return FALSE;
}

static LkValue *
lk_strip (LkContext *context, LkValue *self, const LkValue *chars, gboolean left, gboolean right)
{
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n, *p = begin;

  while (left && p < end && lk_is_stripped (chars, p, end))
    p = g_utf8_next_char (p);
  while (right && end > p)
    {
      const char *last = g_utf8_find_prev_char (p, end);
      if (!last || !lk_is_stripped (chars, last, end))
        break;
      end = last;
    }
  return lk_value_substring (context, self, (gsize) (p - begin), (gsize) (MAX (end, p) - p));
}

METHOD (strip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, NULL), TRUE, TRUE);
}

METHOD (lstrip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, NULL), TRUE, FALSE);
}

METHOD (rstrip)
{
  return lk_strip (context, self, lk_argument (args, n_args, kwargs, 0, NULL), FALSE, TRUE);
}

/* First place of @needle in @self from @from on; −1. */
static gssize
lk_find (const LkValue *self, gsize from, const LkValue *needle)
{
  gsize n = needle->as.string.n;

  for (gsize i = from; n <= self->as.string.n && i <= self->as.string.n - n; i++)
    if (memcmp (self->as.string.bytes + i, needle->as.string.bytes, n) == 0)
      return (gssize) i;
  return -1;
}

static LkValue *
lk_split_spaces (LkContext *context, LkValue *self)
{
  LkValue *list = lk_value_list (context);
  const char *begin = self->as.string.bytes, *end = begin + self->as.string.n;

  for (const char *p = begin; list;)
    {
      const char *q;

      while (p < end && lk_is_stripped (NULL, p, end))
        p = g_utf8_next_char (p);
      for (q = p; q < end && !lk_is_stripped (NULL, q, end);)
        q = g_utf8_next_char (q);
      if (q == p)
        return list;
      if (!lk_list_append (context, list, lk_value_substring (context, self, (gsize) (p - begin), (gsize) (q - p))))
        return NULL;
      p = q;
    }
  return NULL;
}

METHOD (split)
{
  LkValue *by = lk_argument (args, n_args, kwargs, 0, "sep"), *most = lk_argument (args, n_args, kwargs, 1, "maxsplit");
  gint64 left = most && most->kind == LK_VALUE_INT && most->as.integer >= 0 ? most->as.integer : G_MAXINT64;
  LkValue *list;
  gsize from = 0;

  if (!by || by->kind == LK_VALUE_NONE)
    return lk_split_spaces (context, self);
  if (by->kind != LK_VALUE_STRING || by->as.string.n == 0)
    return lk_context_fail (context, "split needs a text to split at");
  list = lk_value_list (context);
  while (list)
    {
      gssize at = left-- > 0 ? lk_find (self, from, by) : -1;
      gsize to = at < 0 ? self->as.string.n : (gsize) at;

      if (!lk_context_step (context) || !lk_list_append (context, list, lk_value_substring (context, self, from, to - from)))
        return NULL;
      if (at < 0)
        return list;
      from = to + by->as.string.n;
    }
  return NULL;
}

static LkValue *
lk_affix (LkContext *context, LkValue *self, LkValue *what, gboolean suffix)
{
  gboolean found = FALSE;

  if (what && what->kind == LK_VALUE_LIST)
    {
      for (gsize i = 0; i < what->as.list.n && !found; i++)
        {
          LkValue *one = lk_affix (context, self, what->as.list.items[i], suffix);
          if (!one)
            return NULL;
          found = lk_value_truth (one);
        }
      return lk_value_bool (context, found);
    }
  if (!what || what->kind != LK_VALUE_STRING)
    return lk_context_fail (context, "startswith and endswith need a text");
  found = what->as.string.n <= self->as.string.n
          && memcmp (self->as.string.bytes + (suffix ? self->as.string.n - what->as.string.n : 0), what->as.string.bytes, what->as.string.n) == 0;
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

METHOD (replace)
{
  LkValue *from = lk_argument (args, n_args, kwargs, 0, "old"), *to = lk_argument (args, n_args, kwargs, 1, "new");
  LkBuilder builder;
  gsize at = 0;

  if (!from || !to || from->kind != LK_VALUE_STRING || to->kind != LK_VALUE_STRING)
    return lk_context_fail (context, "replace needs two texts");
  if (from->as.string.n == 0)
    return self;
  lk_builder_init (&builder, context);
  while (!context->error)
    {
      gssize found = lk_find (self, at, from);
      gsize end = found < 0 ? self->as.string.n : (gsize) found;
      LkValue *kept = lk_value_substring (context, self, at, end - at);

      if (kept)
        lk_builder_value (&builder, kept);
      if (found < 0)
        break;
      lk_builder_value (&builder, to);
      at = end + from->as.string.n;
    }
  return lk_builder_finish (&builder);
}

static LkValue *
lk_map_case (LkContext *context, LkValue *self, char *(*map) (const char *text, gssize n))
{
  g_autofree char *text = map (self->as.string.bytes, (gssize) self->as.string.n);

  return lk_value_derived (context, text, strlen (text), self);
}

METHOD (upper)
{
  return lk_map_case (context, self, g_utf8_strup);
}

METHOD (lower)
{
  return lk_map_case (context, self, g_utf8_strdown);
}

/* Each word's first letter (or only the first) in upper case, the rest in lower. */
static LkValue *
lk_titled (LkContext *context, LkValue *self, gboolean words)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean begin = TRUE;

  for (const char *p = self->as.string.bytes, *end = p + self->as.string.n; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (text, begin ? g_unichar_totitle (c) : g_unichar_tolower (c));
      begin = words && !g_unichar_isalpha (c);
    }
  return lk_value_derived (context, text->str, text->len, self);
}

METHOD (title)
{
  return lk_titled (context, self, TRUE);
}

METHOD (capitalize)
{
  return lk_titled (context, self, FALSE);
}

METHOD (count)
{
  LkValue *what = lk_argument (args, n_args, kwargs, 0, NULL);
  gint64 n = 0;
  gssize at = 0;

  if (!what)
    return lk_context_fail (context, "count needs a value");
  if (self->kind == LK_VALUE_LIST)
    {
      for (gsize i = 0; i < self->as.list.n; i++)
        n += lk_value_equal (self->as.list.items[i], what);
      return lk_value_int (context, n);
    }
  if (what->kind != LK_VALUE_STRING || what->as.string.n == 0)
    return lk_context_fail (context, "count needs a text");
  while ((at = lk_find (self, (gsize) at, what)) >= 0)
    {
      n++;
      at += (gssize) what->as.string.n;
    }
  return lk_value_int (context, n);
}

METHOD (find)
{
  LkValue *what = lk_argument (args, n_args, kwargs, 0, NULL);
  gssize at;

  if (!what || what->kind != LK_VALUE_STRING)
    return lk_context_fail (context, "find needs a text");
  at = lk_find (self, 0, what);
  return lk_value_int (context, at < 0 ? -1 : g_utf8_strlen (self->as.string.bytes, at));
}

METHOD (join)
{
  LkValue *items = n_args > 0 ? lk_value_iterate (context, args[0]) : lk_context_fail (context, "join needs a list");
  LkBuilder builder;

  if (!items)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize i = 0; i < items->as.list.n; i++)
    {
      LkValue *text = lk_value_to_string (context, items->as.list.items[i]);

      if (i > 0)
        lk_builder_value (&builder, self);
      if (text)
        lk_builder_value (&builder, text);
    }
  return lk_builder_finish (&builder);
}

METHOD (splitlines)
{
  LkValue *list = lk_value_list (context);
  gsize from = 0;

  for (gsize i = 0; list && i <= self->as.string.n; i++)
    if (i == self->as.string.n ? i > from : self->as.string.bytes[i] == '\n')
      {
        gsize n = i - from - (i > from && self->as.string.bytes[i - 1] == '\r');

        if (!lk_list_append (context, list, lk_value_substring (context, self, from, n)))
          return NULL;
        from = i + 1;
      }
  return list;
}

METHOD (isdigit)
{
  gboolean all = self->as.string.n > 0;

  for (gsize i = 0; i < self->as.string.n; i++)
    all &= g_ascii_isdigit (self->as.string.bytes[i]);
  return lk_value_bool (context, all);
}

METHOD (keys)
{
  return lk_value_iterate (context, self);
}

METHOD (values)
{
  LkValue *list = lk_value_list (context);

  for (gsize i = 0; list && i < self->as.dict.n; i++)
    if (!lk_list_append (context, list, self->as.dict.values[i]))
      return NULL;
  return list;
}

METHOD (items)
{
  LkValue *list = lk_value_list (context);

  for (gsize i = 0; list && i < self->as.dict.n; i++)
    {
      LkValue *pair = lk_value_list (context);

      if (!pair || !lk_list_append (context, pair, self->as.dict.keys[i]) || !lk_list_append (context, pair, self->as.dict.values[i])
          || !lk_list_append (context, list, pair))
        return NULL;
      pair->as.list.tuple = TRUE;
    }
  return list;
}

METHOD (get)
{
  LkValue *key = lk_argument (args, n_args, kwargs, 0, NULL), *missing = lk_argument (args, n_args, kwargs, 1, "default");
  LkValue *found = key ? lk_dict_get (self, key) : lk_context_fail (context, "get needs a key");

  if (found || context->error)
    return found;
  return missing ? missing : lk_value_none (context);
}

METHOD (sandboxed)
{
  return lk_context_fail (context, "a template may not change its data");
}

static const struct
{
  LkValueKind kind;
  const char *name;
  LkFunction call;
} methods[] = {
  { LK_VALUE_STRING, "strip", lk_method_strip },           { LK_VALUE_STRING, "lstrip", lk_method_lstrip },
  { LK_VALUE_STRING, "rstrip", lk_method_rstrip },         { LK_VALUE_STRING, "split", lk_method_split },
  { LK_VALUE_STRING, "startswith", lk_method_startswith }, { LK_VALUE_STRING, "endswith", lk_method_endswith },
  { LK_VALUE_STRING, "replace", lk_method_replace },       { LK_VALUE_STRING, "upper", lk_method_upper },
  { LK_VALUE_STRING, "lower", lk_method_lower },           { LK_VALUE_STRING, "title", lk_method_title },
  { LK_VALUE_STRING, "capitalize", lk_method_capitalize }, { LK_VALUE_STRING, "count", lk_method_count },
  { LK_VALUE_STRING, "find", lk_method_find },             { LK_VALUE_STRING, "join", lk_method_join },
  { LK_VALUE_STRING, "splitlines", lk_method_splitlines }, { LK_VALUE_STRING, "isdigit", lk_method_isdigit },
  { LK_VALUE_LIST, "count", lk_method_count },             { LK_VALUE_LIST, "append", lk_method_sandboxed },
  { LK_VALUE_LIST, "pop", lk_method_sandboxed },           { LK_VALUE_LIST, "insert", lk_method_sandboxed },
  { LK_VALUE_LIST, "extend", lk_method_sandboxed },        { LK_VALUE_DICT, "keys", lk_method_keys },
  { LK_VALUE_DICT, "values", lk_method_values },           { LK_VALUE_DICT, "items", lk_method_items },
  { LK_VALUE_DICT, "get", lk_method_get },                 { LK_VALUE_DICT, "update", lk_method_sandboxed },
  { LK_VALUE_DICT, "pop", lk_method_sandboxed },           { LK_VALUE_DICT, "setdefault", lk_method_sandboxed },
};

LkValue *
lk_jinja_method (LkContext *context, LkValue *self, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == self->kind && g_str_equal (methods[i].name, name))
      return lk_value_function (context, methods[i].name, methods[i].call, self);
  return NULL;
}

#define LK_RANGE_MOST 100000

METHOD (range)
{
  gint64 v[3] = { 0, 0, 1 };
  LkValue *list = lk_value_list (context);

  if (n_args < 1 || n_args > 3)
    return lk_context_fail (context, "range needs one to three numbers");
  for (guint i = 0; i < n_args; i++)
    {
      if (args[i]->kind != LK_VALUE_INT)
        return lk_context_fail (context, "range needs whole numbers");
      v[n_args == 1 ? 1 : i] = args[i]->as.integer;
    }
  if (v[2] == 0 || ABS ((double) v[1] - (double) v[0]) / ABS ((double) v[2]) > LK_RANGE_MOST)
    return lk_context_fail (context, "the range is too long");
  for (gint64 i = v[0]; list && (v[2] > 0 ? i < v[1] : i > v[1]); i += v[2])
    if (!lk_list_append (context, list, lk_value_int (context, i)))
      return NULL;
  return list;
}

METHOD (dict)
{
  LkValue *dict = lk_value_dict (context);

  for (gsize i = 0; dict && kwargs && i < kwargs->as.dict.n; i++)
    if (!lk_dict_set (context, dict, kwargs->as.dict.keys[i], kwargs->as.dict.values[i]))
      return NULL;
  return dict;
}

METHOD (namespace)
{
  LkValue *space = lk_method_dict (context, self, args, n_args, kwargs);

  if (space)
    space->as.dict.is_namespace = TRUE;
  return space;
}

METHOD (raise_exception)
{
  LkValue *message = n_args > 0 ? lk_value_to_string (context, args[0]) : lk_value_text (context, "");

  return message ? lk_context_fail (context, "%.*s", (int) MIN (message->as.string.n, 1000), message->as.string.bytes) : NULL;
}

METHOD (strftime_now)
{
  g_autoptr (GDateTime) now = context->now ? g_date_time_new_from_unix_utc (context->now) : g_date_time_new_now_local ();
  g_autofree char *format = n_args > 0 && args[0]->kind == LK_VALUE_STRING ? g_strndup (args[0]->as.string.bytes, args[0]->as.string.n) : NULL;
  g_autofree char *text = now && format ? g_date_time_format (now, format) : NULL;

  return text ? lk_value_text (context, text) : lk_context_fail (context, "strftime_now needs a format");
}

gboolean
lk_jinja_add_globals (LkContext *context)
{
  static const struct
  {
    const char *name;
    LkFunction call;
  } globals[] = { { "range", lk_method_range }, { "dict", lk_method_dict }, { "namespace", lk_method_namespace },
                  { "raise_exception", lk_method_raise_exception }, { "strftime_now", lk_method_strftime_now } };

  for (guint i = 0; i < G_N_ELEMENTS (globals); i++)
    if (!lk_dict_set_text (context, context->globals->variables, globals[i].name,
                           lk_value_function (context, globals[i].name, globals[i].call, NULL)))
      return FALSE;
  return TRUE;
}
