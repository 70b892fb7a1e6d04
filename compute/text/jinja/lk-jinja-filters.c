/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filters: one row each.
 */
#include "lk-jinja-private.h"

#include <math.h>

#define FILTER(name) static LkValue *lk_filter_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)

/* A filter that is a method of strings. */
static LkValue *
lk_filter_by_method (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs, const char *method)
{
  LkValue *text = lk_value_to_string (context, self);

  return text ? lk_string_method (method) (context, text, args, n_args, kwargs) : NULL;
}

/* A keyword or, behind the @i positional ones, the argument that may be one of the numbers we know as options. */
static gboolean
lk_option (LkValue **args, guint n_args, LkValue *kwargs, guint i, const char *name)
{
  LkValue *value = lk_argument (args, n_args, kwargs, i, name);

  return value && lk_value_truth (value);
}

#define METHOD_FILTER(name, method) \
  FILTER (name) \
  { \
    return lk_filter_by_method (context, self, args, n_args, kwargs, method); \
  }

METHOD_FILTER (trim, "strip")
METHOD_FILTER (upper, "upper")
METHOD_FILTER (lower, "lower")
METHOD_FILTER (capitalize, "capitalize")
METHOD_FILTER (replace, "replace")
METHOD_FILTER (center, "center")

/* The letter behind each blank, hyphen or opening bracket in upper case, others in lower. */
FILTER (title)
{
  LkValue *text = lk_value_to_string (context, self);
  gboolean first = TRUE;
  LkBuilder builder;

  if (!text)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize i = 0, n; i < text->as.string.n && !context->error; i += n)
    {
      const char *p = text->as.string.bytes + i;
      gunichar c = g_utf8_get_char (p);
      LkValue *one, *cased;

      n = (gsize) (g_utf8_next_char (p) - p);
      one = lk_value_substring (context, text, i, n);
      cased = one ? lk_string_method (first ? "upper" : "lower") (context, one, NULL, 0, NULL) : NULL;
      if (cased)
        lk_builder_value (&builder, cased);
      first = lk_is_space (c) || (c < 128 && c && strchr ("-({[<", (int) c));
    }
  return lk_builder_finish (&builder);
}

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
  LkValue *character = self->kind == LK_VALUE_STRING ? lk_string_at (context, self, 0) : NULL;
  LkValue *items = character ? NULL : lk_value_iterate (context, self);

  return character ? character : !items ? NULL : items->as.list.n ? items->as.list.items[0] : lk_value_undefined (context, "the first item");
}

FILTER (last)
{
  LkValue *character = self->kind == LK_VALUE_STRING ? lk_string_at (context, self, -1) : NULL;
  LkValue *items = character ? NULL : lk_value_iterate (context, self);

  return character ? character : !items ? NULL : items->as.list.n ? items->as.list.items[items->as.list.n - 1] : lk_value_undefined (context, "the last item");
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

/* x[attribute]; "a.b" goes down, numbers are places. */
static LkValue *
lk_attribute_of (LkContext *context, LkValue *item, LkValue *attribute)
{
  g_autofree char *path = NULL;
  g_auto (GStrv) parts = NULL;

  if (attribute->kind == LK_VALUE_INT)
    return lk_get_item (context, item, attribute);
  if (attribute->kind != LK_VALUE_STRING)
    return lk_context_fail (context, "an attribute's name is missing");
  path = g_strndup (attribute->as.string.bytes, attribute->as.string.n);
  parts = g_strsplit (path, ".", -1);
  for (guint i = 0; item && parts[i]; i++)
    {
      guint64 place;
      gboolean number = g_ascii_string_to_unsigned (parts[i], 10, 0, G_MAXINT32, &place, NULL);
      LkValue *name = number ? lk_value_int (context, (gint64) place) : lk_value_text (context, parts[i]);

      item = name ? lk_get_item (context, item, name) : NULL;
    }
  return item;
}

FILTER (join)
{
  LkValue *by = lk_argument (args, n_args, kwargs, 0, "d"), *attribute = lk_argument (args, n_args, kwargs, 1, "attribute");
  LkValue *items = lk_value_iterate (context, self), *texts = lk_value_list (context);

  for (gsize i = 0; items && texts && i < items->as.list.n; i++)
    {
      LkValue *item = attribute ? lk_attribute_of (context, items->as.list.items[i], attribute) : items->as.list.items[i];
      if (!lk_list_append (context, texts, item ? lk_value_to_string (context, item) : NULL))
        return NULL;
    }
  by = by ? lk_value_to_string (context, by) : lk_value_text (context, "");
  return items && texts && by ? lk_string_method ("join") (context, by, &texts, 1, NULL) : NULL;
}

/* tojson (ensure_ascii=False, indent=None, separators=None, sort_keys=False), as Hugging Face defines it. */
FILTER (tojson)
{
  LkValue *indent = lk_argument (args, n_args, kwargs, 1, "indent"), *separators = lk_argument (args, n_args, kwargs, 2, "separators");
  g_autofree char *blanks = NULL;
  LkJsonStyle style = { .ascii = lk_option (args, n_args, kwargs, 0, "ensure_ascii"), .sort = lk_option (args, n_args, kwargs, 3, "sort_keys") };

  if (indent && indent->kind == LK_VALUE_STRING)
    blanks = g_strndup (indent->as.string.bytes, indent->as.string.n);
  else if (indent && indent->kind == LK_VALUE_INT)
    blanks = g_strnfill ((gsize) CLAMP (indent->as.integer, 0, 64), ' ');
  style.indent = blanks;
  if (separators && separators->kind == LK_VALUE_LIST && separators->as.list.n == 2
      && separators->as.list.items[0]->kind == LK_VALUE_STRING && separators->as.list.items[1]->kind == LK_VALUE_STRING)
    {
      style.item_separator = separators->as.list.items[0];
      style.key_separator = separators->as.list.items[1];
    }
  else if (separators && separators->kind != LK_VALUE_NONE)
    return lk_context_fail (context, "separators are two texts");
  return lk_value_to_json (context, self, &style);
}

/* A text as a number, white space around it allowed; FALSE: it is none. */
static gboolean
lk_text_number (const LkValue *text, double *number)
{
  g_autofree char *copy = g_strstrip (g_strndup (text->as.string.bytes, text->as.string.n));
  char *end;

  *number = g_ascii_strtod (copy, &end);
  return *copy && !*end && !strpbrk (copy, "xXnN"); /* neither hexadecimal nor inf and nan */
}

FILTER (int)
{
  LkValue *other = lk_argument (args, n_args, kwargs, 0, "default"), *base = lk_argument (args, n_args, kwargs, 1, "base");
  double number = 0;

  if (self->kind == LK_VALUE_INT)
    return self;
  if (self->kind == LK_VALUE_BOOL)
    return lk_value_int (context, self->as.boolean);
  if (self->kind == LK_VALUE_STRING)
    {
      g_autofree char *text = g_strstrip (g_strndup (self->as.string.bytes, self->as.string.n));
      gint64 integer, radix = base && base->kind == LK_VALUE_INT ? base->as.integer : 10;

      if (radix >= 2 && radix <= 36 && g_ascii_string_to_signed (text, (guint) radix, G_MININT64, G_MAXINT64, &integer, NULL))
        return lk_value_int (context, integer);
    }
  if (self->kind == LK_VALUE_FLOAT || (self->kind == LK_VALUE_STRING && lk_text_number (self, &number)))
    {
      number = self->kind == LK_VALUE_FLOAT ? self->as.real : number;
      if (fabs (number) < 9e18)
        return lk_value_int (context, (gint64) number);
    }
  return other ? other : lk_value_int (context, 0);
}

FILTER (float)
{
  LkValue *other = lk_argument (args, n_args, kwargs, 0, "default");
  double number;

  if (self->kind == LK_VALUE_FLOAT)
    return self;
  if (self->kind == LK_VALUE_INT || self->kind == LK_VALUE_BOOL)
    return lk_value_float (context, self->kind == LK_VALUE_INT ? (double) self->as.integer : self->as.boolean);
  if (self->kind == LK_VALUE_STRING && lk_text_number (self, &number))
    return lk_value_float (context, number);
  return other ? other : lk_value_float (context, 0);
}

FILTER (abs)
{
  return self->kind == LK_VALUE_INT     ? lk_value_int (context, self->as.integer == G_MININT64 ? G_MAXINT64 : ABS (self->as.integer))
         : self->kind == LK_VALUE_FLOAT ? lk_value_float (context, fabs (self->as.real))
                                        : lk_context_fail (context, "abs needs a number");
}

/* round (precision=0, method="common"): common is to the even neighbour, of whole numbers a whole number. */
FILTER (round)
{
  LkValue *digits = lk_argument (args, n_args, kwargs, 0, "precision"), *method = lk_argument (args, n_args, kwargs, 1, "method");
  gint64 precision = digits && digits->kind == LK_VALUE_INT ? CLAMP (digits->as.integer, -300, 300) : 0;
  double scale = pow (10, (double) precision), number = self->kind == LK_VALUE_INT ? (double) self->as.integer : self->as.real;
  gboolean common = !method || lk_value_is_text (method, "common");
  char text[400], format[16];

  if (self->kind != LK_VALUE_INT && self->kind != LK_VALUE_FLOAT)
    return lk_context_fail (context, "round needs a number");
  if (!common && !lk_value_is_text (method, "ceil") && !lk_value_is_text (method, "floor"))
    return lk_context_fail (context, "round knows common, ceil and floor");
  if (!common)
    return lk_value_float (context, (lk_value_is_text (method, "ceil") ? ceil (number * scale) : floor (number * scale)) / scale);
  if (self->kind == LK_VALUE_INT && precision >= 0)
    return self;
  if (precision <= 0 || !isfinite (number) || fabs (number) > 1e22)
    return lk_value_float (context, precision <= 0 ? rint (number * scale) / scale : number);
  g_snprintf (format, sizeof format, "%%.%df", (int) precision); /* by the digits, as Python: 2.675 is below its half */
  g_ascii_formatd (text, sizeof text, format, number);
  return lk_value_float (context, g_ascii_strtod (text, NULL));
}

FILTER (items)
{
  LkValue *method;

  if (self->kind == LK_VALUE_UNDEFINED)
    return lk_value_list (context);
  method = lk_jinja_method (context, self, "items");
  return method ? lk_call (context, method, NULL, 0, NULL) : lk_context_fail (context, "items needs a dict");
}

typedef struct
{
  LkValue *item, *key;
} LkSorted;

/* Stable: halves are sorted, then merged. FALSE when two keys have no order. */
static gboolean
lk_merge_sort (LkContext *context, LkSorted *a, LkSorted *spare, gsize n, gboolean descending)
{
  gsize half = n / 2, i = 0, k = half;

  if (n < 2)
    return TRUE;
  if (!lk_merge_sort (context, a, spare, half, descending) || !lk_merge_sort (context, a + half, spare, n - half, descending))
    return FALSE;
  for (gsize out = 0; out < n; out++)
    {
      int order = k == n ? -1 : 1;

      if (i < half && k < n)
        {
          if (!lk_context_work (context, 1) || !lk_value_order (context, a[i].key, a[k].key, &order))
            return FALSE;
          order = descending ? -order : order;
          order = order == 0 ? -1 : order;
        }
      spare[out] = order < 0 ? a[i++] : a[k++];
    }
  memcpy (a, spare, n * sizeof *a);
  return TRUE;
}

/* @keys: of each item; texts without regard to case unless @exact. */
static LkValue *
lk_sorted (LkContext *context, LkValue *list, LkValue *keys, gboolean exact, gboolean descending)
{
  gsize n = list && keys ? list->as.list.n : 0;
  g_autofree LkSorted *items = g_new (LkSorted, n + 1);
  g_autofree LkSorted *spare = g_new (LkSorted, n + 1);
  LkValue *result = list && keys ? lk_value_list (context) : NULL;

  for (gsize i = 0; i < n; i++)
    {
      LkValue *key = keys->as.list.items[i];

      items[i].item = list->as.list.items[i];
      items[i].key = key->kind == LK_VALUE_STRING && !exact ? lk_string_method ("lower") (context, key, NULL, 0, NULL) : key;
      if (!items[i].key)
        return NULL;
    }
  if (!result || !lk_merge_sort (context, items, spare, n, descending))
    return NULL;
  for (gsize i = 0; i < n; i++)
    if (!lk_list_append (context, result, items[i].item))
      return NULL;
  return result;
}

/* The attribute of each item, or the items themselves. */
static LkValue *
lk_keys_of (LkContext *context, LkValue *items, LkValue *attribute)
{
  LkValue *keys = items ? lk_value_list (context) : NULL;

  for (gsize i = 0; keys && i < items->as.list.n; i++)
    if (!lk_list_append (context, keys, attribute ? lk_attribute_of (context, items->as.list.items[i], attribute) : items->as.list.items[i]))
      return NULL;
  return keys;
}

FILTER (sort)
{
  LkValue *items = lk_value_iterate (context, self), *attribute = lk_argument (args, n_args, kwargs, 2, "attribute");

  attribute = attribute && attribute->kind != LK_VALUE_NONE ? attribute : NULL;
  return lk_sorted (context, items, lk_keys_of (context, items, attribute), lk_option (args, n_args, kwargs, 1, "case_sensitive"),
                    lk_option (args, n_args, kwargs, 0, "reverse"));
}

FILTER (dictsort)
{
  LkValue *pairs = lk_filter_items (context, self, NULL, 0, NULL), *by = lk_argument (args, n_args, kwargs, 1, "by");
  LkValue *place = lk_value_int (context, by && lk_value_is_text (by, "value"));

  return place ? lk_sorted (context, pairs, lk_keys_of (context, pairs, place), lk_option (args, n_args, kwargs, 0, "case_sensitive"),
                            lk_option (args, n_args, kwargs, 2, "reverse"))
               : NULL;
}

FILTER (unique)
{
  LkValue *items = lk_value_iterate (context, self), *list = lk_value_list (context), *keys, *seen = lk_value_list (context);
  LkValue *attribute = lk_argument (args, n_args, kwargs, 1, "attribute");
  gboolean exact = lk_option (args, n_args, kwargs, 0, "case_sensitive");

  keys = lk_keys_of (context, items, attribute);
  for (gsize i = 0; keys && list && seen && i < keys->as.list.n; i++)
    {
      LkValue *key = keys->as.list.items[i];
      gboolean known = FALSE;

      if (key->kind == LK_VALUE_STRING && !exact)
        key = lk_string_method ("lower") (context, key, NULL, 0, NULL);
      for (gsize k = 0; key && k < seen->as.list.n && !known; k++)
        known = lk_value_equal (context, seen->as.list.items[k], key);
      if (context->error || (!known && (!lk_list_append (context, seen, key) || !lk_list_append (context, list, items->as.list.items[i]))))
        return NULL;
    }
  return keys && seen ? list : NULL;
}

/* The least or the greatest; undefined of nothing. */
static LkValue *
lk_extreme (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs, gboolean last)
{
  LkValue *items = lk_value_iterate (context, self), *attribute = lk_argument (args, n_args, kwargs, 1, "attribute");
  LkValue *sorted = lk_sorted (context, items, lk_keys_of (context, items, attribute), lk_option (args, n_args, kwargs, 0, "case_sensitive"), last);

  return !sorted ? NULL : sorted->as.list.n ? sorted->as.list.items[0] : lk_value_undefined (context, "the item");
}

FILTER (min)
{
  return lk_extreme (context, self, args, n_args, kwargs, FALSE);
}

FILTER (max)
{
  return lk_extreme (context, self, args, n_args, kwargs, TRUE);
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

  if ((by_attribute && n_args < 1) || (name && !test))
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

  if (!attribute && !filter)
    return lk_context_fail (context, "map needs an attribute or a filter there is");
  for (gsize i = 0; items && list && i < items->as.list.n; i++)
    {
      LkValue *item = items->as.list.items[i];

      item = filter ? filter (context, item, args + 1, n_args - 1, kwargs) : lk_attribute_of (context, item, attribute);
      if (item && item->kind == LK_VALUE_UNDEFINED && missing)
        item = missing;
      if (!lk_context_step (context) || !lk_list_append (context, list, item))
        return NULL;
    }
  return items ? list : NULL;
}

/* indent (width=4, first=False, blank=False): every line but the first moves to the right, empty ones only with blank. */
FILTER (indent)
{
  LkValue *width = lk_argument (args, n_args, kwargs, 0, "width"), *text = lk_value_to_string (context, self), *lines;
  gboolean first = lk_option (args, n_args, kwargs, 1, "first"), blank = lk_option (args, n_args, kwargs, 2, "blank");
  g_autofree char *spaces = g_strnfill ((gsize) (width && width->kind == LK_VALUE_INT ? CLAMP (width->as.integer, 0, 256) : 4), ' ');
  LkValue *shift = width && width->kind == LK_VALUE_STRING ? width : lk_value_text (context, spaces);
  LkValue *newline = lk_value_text (context, "\n"), *whole = text && newline ? lk_value_concat (context, text, newline) : NULL;
  LkBuilder builder;

  lines = whole && shift ? lk_string_method ("splitlines") (context, whole, NULL, 0, NULL) : NULL;
  if (!lines)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize i = 0; i < lines->as.list.n && !context->error; i++)
    {
      LkValue *line = lines->as.list.items[i];

      if (i > 0)
        lk_builder_text (&builder, "\n", 1, 0);
      if (i > 0 ? blank || line->as.string.n > 0 : first)
        lk_builder_value (&builder, shift);
      lk_builder_value (&builder, line);
    }
  return lk_builder_finish (&builder);
}

FILTER (sum)
{
  LkValue *items = lk_value_iterate (context, self), *attribute = lk_argument (args, n_args, kwargs, 0, "attribute");
  LkValue *total = lk_argument (args, n_args, kwargs, 1, "start"), *keys;

  keys = lk_keys_of (context, items, attribute && attribute->kind != LK_VALUE_NONE ? attribute : NULL);
  total = total ? total : lk_value_int (context, 0);
  for (gsize i = 0; keys && total && i < keys->as.list.n; i++)
    total = lk_binary (context, "+", total, keys->as.list.items[i]);
  return keys ? total : NULL;
}

/* batch (n, fill): lists of n; the last is filled up when there is something to fill it with. */
FILTER (batch)
{
  LkValue *items = lk_value_iterate (context, self), *size = lk_argument (args, n_args, kwargs, 0, "linecount");
  LkValue *fill = lk_argument (args, n_args, kwargs, 1, "fill_with"), *list = lk_value_list (context), *part = NULL;
  gsize n = size && size->kind == LK_VALUE_INT && size->as.integer > 0 ? (gsize) size->as.integer : 0;

  if (n == 0 || !items || !list)
    return n ? NULL : lk_context_fail (context, "batch needs a number");
  for (gsize i = 0; i < items->as.list.n; i++)
    if ((i % n == 0 && !lk_list_append (context, list, part = lk_value_list (context))) || !lk_list_append (context, part, items->as.list.items[i]))
      return NULL;
  while (part && fill && fill->kind != LK_VALUE_NONE && part->as.list.n < n)
    if (!lk_list_append (context, part, fill))
      return NULL;
  return list;
}

/* attr (name): the attribute alone, never the item. */
FILTER (attr)
{
  g_autofree char *name = n_args > 0 && args[0]->kind == LK_VALUE_STRING ? g_strndup (args[0]->as.string.bytes, args[0]->as.string.n) : g_strdup ("");
  LkValue *method = lk_jinja_method (context, self, name);

  return method || context->error ? method : lk_value_undefined (context, "the attribute");
}

FILTER (format)
{
  return self->kind == LK_VALUE_STRING ? lk_string_format (context, self, args, n_args) : lk_context_fail (context, "format needs a text");
}

FILTER (wordcount)
{
  LkValue *text = lk_value_to_string (context, self);
  gboolean inside = FALSE;
  gint64 n = 0;

  for (const char *p = text ? text->as.string.bytes : "", *end = p + (text ? text->as.string.n : 0); p < end; p = g_utf8_next_char (p))
    {
      gboolean word = g_unichar_isalnum (g_utf8_get_char (p)) || *p == '_';
      n += word && !inside;
      inside = word;
    }
  return text ? lk_value_int (context, n) : NULL;
}

/* HTML's five characters. */
FILTER (escape)
{
  static const char plain[] = "&<>'\"";
  static const char *const escapes[] = { "&amp;", "&lt;", "&gt;", "&#39;", "&#34;" };
  LkValue *text = lk_value_to_string (context, self);
  LkBuilder builder;

  if (!text)
    return NULL;
  lk_builder_init (&builder, context);
  for (gsize i = 0; i < text->as.string.n && !context->error; i++)
    {
      const char *p = text->as.string.bytes + i, *known = *p ? strchr (plain, *p) : NULL, *out = known ? escapes[known - plain] : p;

      lk_builder_text (&builder, out, known ? strlen (out) : 1, text->as.string.tags ? text->as.string.tags[i] : 0);
    }
  return lk_builder_finish (&builder);
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
  { "sum", lk_filter_sum },         { "min", lk_filter_min },         { "max", lk_filter_max },           { "batch", lk_filter_batch },
  { "attr", lk_filter_attr },       { "format", lk_filter_format },   { "wordcount", lk_filter_wordcount }, { "center", lk_filter_center },
  { "escape", lk_filter_escape },   { "e", lk_filter_escape },
};

LkFunction
lk_jinja_filter (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    if (g_str_equal (filters[i].name, name))
      return filters[i].function;
  return NULL;
}
