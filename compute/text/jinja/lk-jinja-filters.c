/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filters: one row each.
 */
#include "lk-jinja-private.h"

#include <math.h>
#include <stdlib.h>

#define FILTER(name) static LkValue *lk_filter_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)

/* A filter that is a method of strings. */
static LkValue *
lk_filter_by_method (LkContext *context, LkValue *self, LkValue **args, guint n_args, const char *method)
{
  LkValue *text = lk_value_to_string (context, self);
  LkValue *function = text ? lk_jinja_method (context, text, method) : NULL;

  return function ? lk_call (context, function, args, n_args, NULL) : NULL;
}

#define METHOD_FILTER(name, method) \
  FILTER (name) \
  { \
    return lk_filter_by_method (context, self, args, n_args, method); \
  }

METHOD_FILTER (trim, "strip")
METHOD_FILTER (upper, "upper")
METHOD_FILTER (lower, "lower")
METHOD_FILTER (title, "title")
METHOD_FILTER (capitalize, "capitalize")
METHOD_FILTER (replace, "replace")

FILTER (length)
{
  gsize n;

  return lk_value_length (context, self, &n) ? lk_value_int (context, (gint64) n) : NULL;
}

FILTER (string)
{
  return lk_value_to_string (context, self);
}

FILTER (same)
{
  return self;
}

FILTER (list)
{
  LkValue *items = lk_value_iterate (context, self);
  LkValue *copy = items ? lk_value_list (context) : NULL;

  for (gsize i = 0; copy && i < items->as.list.n; i++)
    if (!lk_list_append (context, copy, items->as.list.items[i]))
      return NULL;
  return copy;
}

FILTER (first)
{
  LkValue *items = lk_value_iterate (context, self);

  return !items ? NULL : items->as.list.n ? items->as.list.items[0] : lk_value_undefined (context, "the first item");
}

FILTER (last)
{
  LkValue *items = lk_value_iterate (context, self);

  return !items ? NULL : items->as.list.n ? items->as.list.items[items->as.list.n - 1] : lk_value_undefined (context, "the last item");
}

FILTER (reverse)
{
  LkValue *items = lk_value_iterate (context, self), *minus = lk_value_int (context, -1);

  return items && minus ? lk_slice (context, self->kind == LK_VALUE_STRING ? self : items, NULL, NULL, minus) : NULL;
}

FILTER (default)
{
  LkValue *other = lk_argument (args, n_args, kwargs, 0, "default_value"), *boolean = lk_argument (args, n_args, kwargs, 1, "boolean");

  if (self->kind != LK_VALUE_UNDEFINED && !(boolean && lk_value_truth (boolean) && !lk_value_truth (self)))
    return self;
  return other ? other : lk_value_text (context, "");
}

/* x[attribute], "a.b" goes down. */
static LkValue *
lk_attribute_of (LkContext *context, LkValue *item, const LkValue *attribute)
{
  g_autofree char *path = g_strndup (attribute->as.string.bytes, attribute->as.string.n);
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);

  for (guint i = 0; item && parts[i]; i++)
    {
      LkValue *name = lk_value_text (context, parts[i]);
      item = name ? lk_get_item (context, item, name) : NULL;
    }
  return item;
}

FILTER (join)
{
  LkValue *by = lk_argument (args, n_args, kwargs, 0, "d"), *attribute = lk_argument (args, n_args, kwargs, 1, "attribute");
  LkValue *items = lk_value_iterate (context, self), *texts = lk_value_list (context), *method;

  for (gsize i = 0; items && texts && i < items->as.list.n; i++)
    if (!lk_list_append (context, texts, attribute ? lk_attribute_of (context, items->as.list.items[i], attribute) : items->as.list.items[i]))
      return NULL;
  by = by ? lk_value_to_string (context, by) : lk_value_text (context, "");
  method = items && texts && by ? lk_jinja_method (context, by, "join") : NULL;
  return method ? lk_call (context, method, &texts, 1, NULL) : NULL;
}

FILTER (tojson)
{
  LkValue *indent = lk_argument (args, n_args, kwargs, 0, "indent");

  if (kwargs && lk_dict_get_text (kwargs, "indent"))
    indent = lk_dict_get_text (kwargs, "indent");
  return lk_value_to_json (context, self, indent && indent->kind == LK_VALUE_INT ? (int) CLAMP (indent->as.integer, 0, 16) : -1);
}

FILTER (int)
{
  LkValue *other = lk_argument (args, n_args, kwargs, 0, "default");

  if (self->kind == LK_VALUE_FLOAT)
    return lk_value_int (context, (gint64) CLAMP (self->as.real, -9e18, 9e18));
  if (self->kind == LK_VALUE_BOOL)
    return lk_value_int (context, self->as.boolean);
  if (self->kind == LK_VALUE_STRING)
    {
      g_autofree char *text = g_strstrip (g_strndup (self->as.string.bytes, self->as.string.n));
      char *end;
      double number = g_ascii_strtod (text, &end);

      return *text && !*end ? lk_value_int (context, (gint64) CLAMP (number, -9e18, 9e18)) : other ? other : lk_value_int (context, 0);
    }
  return self->kind == LK_VALUE_INT ? self : other ? other : lk_value_int (context, 0);
}

FILTER (float)
{
  if (self->kind == LK_VALUE_STRING)
    {
      g_autofree char *text = g_strndup (self->as.string.bytes, self->as.string.n);
      return lk_value_float (context, g_ascii_strtod (text, NULL));
    }
  return lk_value_float (context, self->kind == LK_VALUE_INT ? (double) self->as.integer : self->kind == LK_VALUE_FLOAT ? self->as.real : 0);
}

FILTER (abs)
{
  return self->kind == LK_VALUE_INT     ? lk_value_int (context, self->as.integer == G_MININT64 ? G_MAXINT64 : ABS (self->as.integer))
         : self->kind == LK_VALUE_FLOAT ? lk_value_float (context, fabs (self->as.real))
                                        : lk_context_fail (context, "abs needs a number");
}

FILTER (round)
{
  LkValue *digits = lk_argument (args, n_args, kwargs, 0, "precision");
  double scale = digits && digits->kind == LK_VALUE_INT ? pow (10, (double) CLAMP (digits->as.integer, -15, 15)) : 1;
  double number = self->kind == LK_VALUE_INT ? (double) self->as.integer : self->kind == LK_VALUE_FLOAT ? self->as.real : 0;

  return lk_value_float (context, rint (number * scale) / scale);
}

FILTER (items)
{
  LkValue *method;

  if (self->kind == LK_VALUE_UNDEFINED)
    return lk_value_list (context);
  method = lk_jinja_method (context, self, "items");
  return method ? lk_call (context, method, NULL, 0, NULL) : lk_context_fail (context, "items needs a dict");
}

/* Stable insertion sort: lists in templates are short, and the order may fail in the middle. */
static gboolean
lk_sort_items (LkContext *context, LkValue *list, LkValue **keys, gboolean descending)
{
  for (gsize i = 1; i < list->as.list.n; i++)
    {
      LkValue *item = list->as.list.items[i], *key = keys[i];
      gsize k = i;
      int order;

      for (; k > 0; k--)
        {
          if (!lk_context_step (context) || !lk_value_order (context, key, keys[k - 1], &order))
            return FALSE;
          if (descending ? order <= 0 : order >= 0)
            break;
          list->as.list.items[k] = list->as.list.items[k - 1];
          keys[k] = keys[k - 1];
        }
      list->as.list.items[k] = item;
      keys[k] = key;
    }
  return TRUE;
}

static LkValue *
lk_sorted (LkContext *context, LkValue *list, const LkValue *attribute, gboolean by_first, gboolean descending)
{
  g_autofree LkValue **keys = list ? g_new (LkValue *, list->as.list.n + 1) : NULL;

  for (gsize i = 0; list && i < list->as.list.n; i++)
    {
      LkValue *item = list->as.list.items[i];
      LkValue *key = by_first ? item->as.list.items[0] : attribute ? lk_attribute_of (context, item, attribute) : item;

      if (key && key->kind == LK_VALUE_STRING) /* without regard to case, as Jinja does */
        {
          LkValue *lower = lk_jinja_method (context, key, "lower");
          key = lower ? lk_call (context, lower, NULL, 0, NULL) : NULL;
        }
      if (!(keys[i] = key))
        return NULL;
    }
  return list && lk_sort_items (context, list, keys, descending) ? list : NULL;
}

FILTER (sort)
{
  LkValue *reverse = lk_argument (args, n_args, kwargs, 0, "reverse"), *attribute = kwargs ? lk_dict_get_text (kwargs, "attribute") : NULL;

  return lk_sorted (context, lk_filter_list (context, self, NULL, 0, NULL), attribute, FALSE, reverse && lk_value_truth (reverse));
}

FILTER (dictsort)
{
  LkValue *pairs = lk_filter_items (context, self, NULL, 0, NULL), *reverse = kwargs ? lk_dict_get_text (kwargs, "reverse") : NULL;

  return pairs ? lk_sorted (context, pairs, NULL, TRUE, reverse && lk_value_truth (reverse)) : NULL;
}

FILTER (unique)
{
  LkValue *items = lk_value_iterate (context, self), *list = lk_value_list (context);

  for (gsize i = 0; items && list && i < items->as.list.n; i++)
    {
      gboolean seen = FALSE;

      for (gsize k = 0; k < list->as.list.n && !seen; k++)
        seen = lk_value_equal (list->as.list.items[k], items->as.list.items[i]);
      if (!lk_context_step (context) || (!seen && !lk_list_append (context, list, items->as.list.items[i])))
        return NULL;
    }
  return items ? list : NULL;
}

/* select, reject, selectattr, rejectattr */
static LkValue *
lk_select (LkContext *context, LkValue *self, LkValue **args, guint n_args, gboolean by_attribute, gboolean wanted)
{
  LkValue *items = lk_value_iterate (context, self), *list = lk_value_list (context);
  guint skip = by_attribute ? 1 : 0;
  g_autofree char *name = n_args > skip && args[skip]->kind == LK_VALUE_STRING ? g_strndup (args[skip]->as.string.bytes, args[skip]->as.string.n)
                                                                               : NULL;
  LkFunction test = name ? lk_jinja_test (name) : NULL;

  if ((by_attribute && (n_args < 1 || args[0]->kind != LK_VALUE_STRING)) || (name && !test))
    return lk_context_fail (context, "select needs an attribute and a test there is");
  for (gsize i = 0; items && list && i < items->as.list.n; i++)
    {
      LkValue *value = by_attribute ? lk_attribute_of (context, items->as.list.items[i], args[0]) : items->as.list.items[i];

      if (value && test)
        value = test (context, value, args + skip + 1, n_args - skip - 1, NULL);
      if (!value || !lk_context_step (context)
          || (lk_value_truth (value) == wanted && !lk_list_append (context, list, items->as.list.items[i])))
        return NULL;
    }
  return items ? list : NULL;
}

FILTER (select)
{
  return lk_select (context, self, args, n_args, FALSE, TRUE);
}

FILTER (reject)
{
  return lk_select (context, self, args, n_args, FALSE, FALSE);
}

FILTER (selectattr)
{
  return lk_select (context, self, args, n_args, TRUE, TRUE);
}

FILTER (rejectattr)
{
  return lk_select (context, self, args, n_args, TRUE, FALSE);
}

FILTER (map)
{
  LkValue *items = lk_value_iterate (context, self), *list = lk_value_list (context);
  LkValue *attribute = kwargs ? lk_dict_get_text (kwargs, "attribute") : NULL, *missing = kwargs ? lk_dict_get_text (kwargs, "default") : NULL;
  g_autofree char *name = n_args > 0 && args[0]->kind == LK_VALUE_STRING ? g_strndup (args[0]->as.string.bytes, args[0]->as.string.n) : NULL;
  LkFunction filter = name ? lk_jinja_filter (name) : NULL;

  if (!(attribute && attribute->kind == LK_VALUE_STRING) && !filter)
    return lk_context_fail (context, "map needs an attribute or a filter there is");
  for (gsize i = 0; items && list && i < items->as.list.n; i++)
    {
      LkValue *item = items->as.list.items[i];

      item = filter ? filter (context, item, args + 1, n_args - 1, NULL) : lk_attribute_of (context, item, attribute);
      if (item && item->kind == LK_VALUE_UNDEFINED && missing)
        item = missing;
      if (!lk_context_step (context) || !lk_list_append (context, list, item))
        return NULL;
    }
  return items ? list : NULL;
}

FILTER (indent)
{
  LkValue *width = lk_argument (args, n_args, kwargs, 0, "width"), *first = lk_argument (args, n_args, kwargs, 1, "first");
  gint64 n = width && width->kind == LK_VALUE_INT ? CLAMP (width->as.integer, 0, 256) : 4;
  g_autofree char *spaces = g_strnfill ((gsize) n, ' ');
  LkValue *text = lk_value_to_string (context, self);
  LkBuilder builder;

  if (!text)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize from = 0; from <= text->as.string.n;)
    {
      const char *line = text->as.string.bytes + from, *end = memchr (line, '\n', text->as.string.n - from);
      gsize length = end ? (gsize) (end - line) : text->as.string.n - from;
      LkValue *part = lk_value_substring (context, text, from, length + (end ? 1 : 0));

      if (!part)
        break;
      if (length > 0 && (from > 0 || (first && lk_value_truth (first))))
        lk_builder_text (&builder, spaces, (gsize) n, 0);
      lk_builder_value (&builder, part);
      if (!end)
        break;
      from += length + 1;
    }
  return lk_builder_finish (&builder);
}

FILTER (sum)
{
  LkValue *items = lk_value_iterate (context, self), *attribute = lk_argument (args, n_args, kwargs, 0, "attribute");
  LkValue *total = lk_value_int (context, 0);

  for (gsize i = 0; items && total && i < items->as.list.n; i++)
    {
      LkValue *item = attribute ? lk_attribute_of (context, items->as.list.items[i], attribute) : items->as.list.items[i];
      total = item ? lk_binary (context, "+", total, item) : NULL;
    }
  return items ? total : NULL;
}

static const struct
{
  const char *name;
  LkFunction function;
} filters[] = {
  { "trim", lk_filter_trim },       { "upper", lk_filter_upper },     { "lower", lk_filter_lower },       { "title", lk_filter_title },
  { "capitalize", lk_filter_capitalize }, { "replace", lk_filter_replace }, { "length", lk_filter_length }, { "count", lk_filter_length },
  { "string", lk_filter_string },   { "safe", lk_filter_same },       { "list", lk_filter_list },         { "first", lk_filter_first },
  { "last", lk_filter_last },       { "reverse", lk_filter_reverse }, { "default", lk_filter_default },   { "d", lk_filter_default },
  { "join", lk_filter_join },       { "tojson", lk_filter_tojson },   { "int", lk_filter_int },           { "float", lk_filter_float },
  { "abs", lk_filter_abs },         { "round", lk_filter_round },     { "items", lk_filter_items },       { "sort", lk_filter_sort },
  { "dictsort", lk_filter_dictsort }, { "unique", lk_filter_unique }, { "select", lk_filter_select },     { "reject", lk_filter_reject },
  { "selectattr", lk_filter_selectattr }, { "rejectattr", lk_filter_rejectattr }, { "map", lk_filter_map }, { "indent", lk_filter_indent },
  { "sum", lk_filter_sum },
};

LkFunction
lk_jinja_filter (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    if (g_str_equal (filters[i].name, name))
      return filters[i].function;
  return NULL;
}
