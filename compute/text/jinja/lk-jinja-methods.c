/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Python's methods of lists and dicts, as far as a sandbox lets templates call them; and the global functions.
 */
#include "lk-jinja-private.h"

#define METHOD(name) static LkValue *lk_method_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)

METHOD (count)
{
  gint64 n = 0;

  if (n_args != 1)
    return lk_context_fail (context, "count needs a value");
  for (gsize i = 0; i < self->as.list.n; i++)
    n += lk_value_equal (context, self->as.list.items[i], args[0]);
  return lk_value_int (context, n);
}

METHOD (index)
{
  for (gsize i = 0; n_args > 0 && i < self->as.list.n; i++)
    if (lk_value_equal (context, self->as.list.items[i], args[0]))
      return lk_value_int (context, (gint64) i);
  return lk_context_fail (context, "the value is not in the list");
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

METHOD (copy)
{
  LkValue *copy = self->kind == LK_VALUE_DICT ? lk_value_dict (context) : lk_value_list (context);

  if (self->kind == LK_VALUE_DICT)
    for (gsize i = 0; copy && i < self->as.dict.n; i++)
      copy = lk_dict_set (context, copy, self->as.dict.keys[i], self->as.dict.values[i]) ? copy : NULL;
  else
    for (gsize i = 0; copy && i < self->as.list.n; i++)
      copy = lk_list_append (context, copy, self->as.list.items[i]) ? copy : NULL;
  return copy;
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
  { LK_VALUE_LIST, "count", lk_method_count },       { LK_VALUE_LIST, "index", lk_method_index },
  { LK_VALUE_LIST, "copy", lk_method_copy },         { LK_VALUE_LIST, "append", lk_method_sandboxed },
  { LK_VALUE_LIST, "pop", lk_method_sandboxed },     { LK_VALUE_LIST, "insert", lk_method_sandboxed },
  { LK_VALUE_LIST, "extend", lk_method_sandboxed },  { LK_VALUE_LIST, "remove", lk_method_sandboxed },
  { LK_VALUE_LIST, "sort", lk_method_sandboxed },    { LK_VALUE_LIST, "reverse", lk_method_sandboxed },
  { LK_VALUE_LIST, "clear", lk_method_sandboxed },   { LK_VALUE_DICT, "keys", lk_method_keys },
  { LK_VALUE_DICT, "values", lk_method_values },     { LK_VALUE_DICT, "items", lk_method_items },
  { LK_VALUE_DICT, "get", lk_method_get },           { LK_VALUE_DICT, "copy", lk_method_copy },
  { LK_VALUE_DICT, "update", lk_method_sandboxed },  { LK_VALUE_DICT, "pop", lk_method_sandboxed },
  { LK_VALUE_DICT, "popitem", lk_method_sandboxed }, { LK_VALUE_DICT, "setdefault", lk_method_sandboxed },
  { LK_VALUE_DICT, "clear", lk_method_sandboxed },
};

LkValue *
lk_jinja_method (LkContext *context, LkValue *self, const char *name)
{
  LkFunction text = self->kind == LK_VALUE_STRING ? lk_string_method (name) : NULL;

  if (text)
    return lk_value_function (context, name, text, self);
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == self->kind && g_str_equal (methods[i].name, name))
      return lk_value_function (context, methods[i].name, methods[i].call, self);
  return NULL;
}

#define LK_RANGE_MOST 100000

METHOD (range)
{
  gint64 v[3] = { 0, 0, 1 }, n;
  LkValue *list = lk_value_list (context);
  double count;

  if (n_args < 1 || n_args > 3)
    return lk_context_fail (context, "range needs one to three numbers");
  for (guint i = 0; i < n_args; i++)
    {
      if (args[i]->kind != LK_VALUE_INT && args[i]->kind != LK_VALUE_BOOL)
        return lk_context_fail (context, "range needs whole numbers");
      v[n_args == 1 ? 1 : i] = args[i]->kind == LK_VALUE_INT ? args[i]->as.integer : args[i]->as.boolean;
    }
  count = v[2] ? ((double) v[1] - (double) v[0]) / (double) v[2] : G_MAXDOUBLE;
  if (count > LK_RANGE_MOST)
    return lk_context_fail (context, "the range is too long");
  if ((v[2] > 0 ? v[0] >= v[1] : v[0] <= v[1]))
    return list;
  /* both ends are within 100000 steps of each other: neither product nor sum can pass the range of numbers */
  n = v[2] > 0 ? (v[1] - v[0] - 1) / v[2] + 1 : (v[1] - v[0] + 1) / v[2] + 1;
  for (gint64 i = 0; list && i < n; i++)
    if (!lk_list_append (context, list, lk_value_int (context, v[0] + i * v[2])))
      return NULL;
  return list;
}

/* dict (mapping or pairs, name=value …) */
METHOD (dict)
{
  LkValue *dict = lk_value_dict (context), *from = n_args > 0 ? args[0] : NULL;
  LkValue *pairs = from && from->kind == LK_VALUE_DICT ? lk_method_items (context, from, NULL, 0, NULL) : from ? lk_value_iterate (context, from) : NULL;

  if (from && !pairs)
    return NULL;
  for (gsize i = 0; dict && pairs && i < pairs->as.list.n; i++)
    {
      LkValue *pair = pairs->as.list.items[i];

      if (pair->kind != LK_VALUE_LIST || pair->as.list.n != 2)
        return lk_context_fail (context, "dict needs pairs");
      if (!lk_dict_set (context, dict, pair->as.list.items[0], pair->as.list.items[1]))
        return NULL;
    }
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

/* Names and orders of Python's strftime in the C locale, which is the one templates are written for. NULL: GLib knows it as well. */
static const char *
lk_time_name (GDateTime *time, char kind)
{
  static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
  static const char *const months[] = { "January", "February", "March", "April", "May", "June",
                                        "July", "August", "September", "October", "November", "December" };
  static const struct
  {
    char kind;
    const char *format;
  } formats[] = { { 'c', "%a %b %e %H:%M:%S %Y" }, { 'x', "%m/%d/%y" }, { 'X', "%H:%M:%S" } };

  if (kind == 'a' || kind == 'A')
    return days[g_date_time_get_day_of_week (time) - 1];
  if (kind == 'b' || kind == 'B' || kind == 'h')
    return months[g_date_time_get_month (time) - 1];
  if (kind == 'p')
    return g_date_time_get_hour (time) < 12 ? "AM" : "PM";
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].kind == kind)
      return formats[i].format;
  return NULL;
}

/* One conversion whose letter is at @p, “-”, “_” or “0” before it allowed; returns its last letter. */
static const char *
lk_time_convert (GString *out, GDateTime *time, const char *p)
{
  const char *name = lk_time_name (time, *p);
  gboolean flag = strchr ("-_0", *p) && p[1];
  char spec[4] = { '%', *p, flag ? p[1] : 0, 0 };
  g_autofree char *text = NULL;

  if (!g_ascii_isgraph (p[flag])) /* no conversion has such a letter: the sign stands for itself, as in Python */
    {
      g_string_append_c (out, '%');
      return p - 1;
    }
  if (name && strchr ("cxX", *p))
    for (; *name; name++)
      if (*name == '%')
        name = lk_time_convert (out, time, name + 1);
      else
        g_string_append_c (out, *name);
  else if (name)
    g_string_append_len (out, name, strchr ("abh", *p) ? 3 : (gssize) strlen (name));
  else
    {
      text = g_date_time_format (time, spec);
      g_string_append (out, text ? text : spec);
    }
  return p + flag;
}

static void
lk_time_append (GString *out, GDateTime *time, const char *format)
{
  for (const char *p = format; *p; p++)
    if (*p == '%' && p[1])
      p = lk_time_convert (out, time, p + 1);
    else
      g_string_append_c (out, *p);
}

METHOD (strftime_now)
{
  g_autoptr (GDateTime) now = context->now ? g_date_time_new_from_unix_local (context->now) : g_date_time_new_now_local ();
  g_autofree char *format = n_args > 0 && args[0]->kind == LK_VALUE_STRING ? g_strndup (args[0]->as.string.bytes, args[0]->as.string.n) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!now || !format)
    return lk_context_fail (context, "strftime_now needs a format");
  lk_time_append (text, now, format);
  return lk_value_string (context, text->str, text->len, NULL);
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
