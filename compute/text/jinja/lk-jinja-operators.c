/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-jinja-private.h"

#include <math.h>

static gboolean
lk_is_number (const LkValue *value)
{
  return value->kind == LK_VALUE_INT || value->kind == LK_VALUE_FLOAT || value->kind == LK_VALUE_BOOL;
}

static double
lk_number (const LkValue *value)
{
  return value->kind == LK_VALUE_FLOAT ? value->as.real : value->kind == LK_VALUE_INT ? (double) value->as.integer : value->as.boolean;
}

static gint64
lk_integer (const LkValue *value)
{
  return value->kind == LK_VALUE_INT ? value->as.integer : value->as.boolean;
}

static LkValue *
lk_fail_operator (LkContext *context, const char *operator, const LkValue *a, const LkValue *b)
{
  const LkValue *undefined = a->kind == LK_VALUE_UNDEFINED ? a : b->kind == LK_VALUE_UNDEFINED ? b : NULL;

  if (undefined)
    return lk_context_fail (context, "“%s” is undefined", undefined->as.name ? undefined->as.name : "a value");
  return lk_context_fail (context, "%s %s %s is not possible", lk_value_kind_name (a), operator, lk_value_kind_name (b));
}

static LkValue *
lk_binary_int (LkContext *context, const char *operator, gint64 a, gint64 b)
{
  gint64 r, q;
  gboolean overflow = FALSE;

  if ((*operator == '%' || g_str_equal (operator, "//")) && (b == 0 || (a == G_MININT64 && b == -1)))
    return lk_context_fail (context, "division by zero");
  if (*operator == '+')
    overflow = __builtin_add_overflow (a, b, &r);
  else if (*operator == '-')
    overflow = __builtin_sub_overflow (a, b, &r);
  else if (g_str_equal (operator, "*"))
    overflow = __builtin_mul_overflow (a, b, &r);
  else
    {
      q = a / b;
      q -= a % b != 0 && (a < 0) != (b < 0); /* Python rounds down */
      r = *operator == '%' ? a - q * b : q;
    }
  return overflow ? lk_context_fail (context, "a number grows too large") : lk_value_int (context, r);
}

static LkValue *
lk_binary_float (LkContext *context, const char *operator, double a, double b)
{
  if ((*operator == '/' || *operator == '%') && b == 0)
    return lk_context_fail (context, "division by zero");
  if (*operator == '+')
    return lk_value_float (context, a + b);
  if (*operator == '-')
    return lk_value_float (context, a - b);
  if (g_str_equal (operator, "*"))
    return lk_value_float (context, a * b);
  if (g_str_equal (operator, "//"))
    return lk_value_float (context, floor (a / b));
  if (*operator == '%')
    return lk_value_float (context, a - floor (a / b) * b);
  return lk_value_float (context, a / b);
}

static LkValue *
lk_power (LkContext *context, const LkValue *a, const LkValue *b)
{
  double result = pow (lk_number (a), lk_number (b));

  if (lk_number (a) == 0 && lk_number (b) < 0)
    return lk_context_fail (context, "division by zero");
  if (a->kind != LK_VALUE_FLOAT && b->kind != LK_VALUE_FLOAT && lk_integer (b) >= 0 && fabs (result) < 9007199254740992.0)
    return lk_value_int (context, (gint64) result);
  return lk_value_float (context, result);
}

/* 'ab' * 3, [x] * 3 */
static LkValue *
lk_repeat (LkContext *context, LkValue *value, gint64 times)
{
  LkValue *list;
  LkBuilder builder;

  if (value->kind == LK_VALUE_STRING)
    {
      if (times > 0 && value->as.string.n > (gsize) (LK_JINJA_MAX_OUTPUT / times))
        return lk_context_fail (context, "a text grows too long");
      lk_builder_init (&builder, context);
      for (gint64 i = 0; i < times && value->as.string.n > 0 && !context->error; i++)
        lk_builder_value (&builder, value);
      return lk_builder_finish (&builder);
    }
  list = lk_value_list (context);
  for (gint64 i = 0; list && i < times && value->as.list.n > 0; i++)
    for (gsize k = 0; k < value->as.list.n; k++)
      if (!lk_context_step (context) || !lk_list_append (context, list, value->as.list.items[k]))
        return NULL;
  return list;
}

static LkValue *
lk_join_lists (LkContext *context, LkValue *a, LkValue *b)
{
  LkValue *list = lk_value_list (context), *parts[] = { a, b };

  if (list)
    list->as.list.tuple = a->as.list.tuple;
  for (guint p = 0; p < 2; p++)
    for (gsize i = 0; i < parts[p]->as.list.n; i++)
      if (!list || !lk_list_append (context, list, parts[p]->as.list.items[i]))
        return NULL;
  return list;
}

LkValue *
lk_binary (LkContext *context, const char *operator, LkValue *a, LkValue *b)
{
  if (*operator == '~')
    {
      a = lk_value_to_string (context, a);
      b = a ? lk_value_to_string (context, b) : NULL;
      return b ? lk_value_concat (context, a, b) : NULL;
    }
  if (lk_is_number (a) && lk_is_number (b))
    {
      if (g_str_equal (operator, "**"))
        return lk_power (context, a, b);
      if (a->kind != LK_VALUE_FLOAT && b->kind != LK_VALUE_FLOAT && !g_str_equal (operator, "/"))
        return lk_binary_int (context, operator, lk_integer (a), lk_integer (b));
      return lk_binary_float (context, operator, lk_number (a), lk_number (b));
    }
  if (*operator == '+' && a->kind == LK_VALUE_STRING && b->kind == LK_VALUE_STRING)
    return lk_value_concat (context, a, b);
  if (*operator == '+' && a->kind == LK_VALUE_LIST && b->kind == LK_VALUE_LIST && a->as.list.tuple == b->as.list.tuple)
    return lk_join_lists (context, a, b);
  if (g_str_equal (operator, "*") && (a->kind == LK_VALUE_STRING || a->kind == LK_VALUE_LIST) && b->kind == LK_VALUE_INT)
    return lk_repeat (context, a, b->as.integer);
  if (g_str_equal (operator, "*") && (b->kind == LK_VALUE_STRING || b->kind == LK_VALUE_LIST) && a->kind == LK_VALUE_INT)
    return lk_repeat (context, b, a->as.integer);
  if (*operator == '%' && a->kind == LK_VALUE_STRING && b->kind == LK_VALUE_LIST && b->as.list.tuple)
    return lk_string_format (context, a, b->as.list.items, (guint) MIN (b->as.list.n, G_MAXUINT));
  if (*operator == '%' && a->kind == LK_VALUE_STRING && b->kind != LK_VALUE_UNDEFINED)
    return lk_string_format (context, a, &b, 1);
  return lk_fail_operator (context, operator, a, b);
}

/* b holds a */
static gboolean
lk_contains (LkContext *context, LkValue *a, LkValue *b, gboolean *found)
{
  *found = FALSE;
  if (b->kind == LK_VALUE_STRING && a->kind == LK_VALUE_STRING)
    {
      *found = lk_string_find (context, b, 0, a) >= 0;
      return !context->error;
    }
  if (b->kind == LK_VALUE_DICT)
    {
      *found = lk_dict_get (b, a) != NULL;
      return TRUE;
    }
  if (b->kind == LK_VALUE_STRING)
    return lk_context_fail (context, "%s in str is not possible", lk_value_kind_name (a)) != NULL;
  b = lk_value_iterate (context, b);
  for (gsize i = 0; b && i < b->as.list.n && !*found; i++)
    *found = lk_value_equal (context, a, b->as.list.items[i]);
  return b != NULL && !context->error;
}

LkValue *
lk_compare (LkContext *context, const char *operator, LkValue *a, LkValue *b)
{
  gboolean found;
  int order;

  if (g_str_equal (operator, "=="))
    return lk_value_bool (context, lk_value_equal (context, a, b));
  if (g_str_equal (operator, "!="))
    return lk_value_bool (context, !lk_value_equal (context, a, b));
  if (g_str_has_suffix (operator, "in"))
    return lk_contains (context, a, b, &found) ? lk_value_bool (context, found == (*operator == 'i')) : NULL;
  if (a->kind == LK_VALUE_UNDEFINED || b->kind == LK_VALUE_UNDEFINED)
    return lk_fail_operator (context, operator, a, b);
  if (!lk_value_order (context, a, b, &order))
    return NULL;
  return lk_value_bool (context, *operator == '<' ? (operator[1] ? order <= 0 : order < 0) : (operator[1] ? order >= 0 : order > 0));
}

static gboolean
lk_slice_index (LkContext *context, const LkValue *value, gint64 n, gint64 missing, gint64 low, gint64 high, gint64 *out)
{
  *out = missing;
  if (!value || value->kind == LK_VALUE_NONE)
    return TRUE;
  if (value->kind != LK_VALUE_INT)
    return lk_context_fail (context, "an index must be a whole number") != NULL;
  *out = value->as.integer < 0 ? MAX (value->as.integer, G_MININT32) + n : value->as.integer;
  *out = CLAMP (*out, low, high);
  return TRUE;
}

/* [from:to] of a text by characters, step 1: the bytes are shared. */
static LkValue *
lk_slice_text (LkContext *context, LkValue *value, gint64 from, gint64 to)
{
  const char *bytes = value->as.string.bytes, *begin = g_utf8_offset_to_pointer (bytes, from);
  const char *end = to > from ? g_utf8_offset_to_pointer (begin, to - from) : begin;

  return lk_value_substring (context, value, (gsize) (begin - bytes), (gsize) (end - begin));
}

static LkValue *
lk_slice_items (LkContext *context, LkValue *value, gint64 from, gint64 to, gint64 by)
{
  LkValue *items = lk_value_iterate (context, value), *result = items ? lk_value_list (context) : NULL;
  LkBuilder builder;

  for (gint64 i = from; result && (by > 0 ? i < to : i > to); i += by)
    if (!lk_list_append (context, result, items->as.list.items[i]))
      return NULL;
  if (!result || value->kind == LK_VALUE_LIST)
    {
      if (result)
        result->as.list.tuple = value->as.list.tuple;
      return result;
    }
  lk_builder_init (&builder, context);
  for (gsize i = 0; i < result->as.list.n; i++)
    lk_builder_value (&builder, result->as.list.items[i]);
  return lk_builder_finish (&builder);
}

LkValue *
lk_slice (LkContext *context, LkValue *value, LkValue *begin, LkValue *end, LkValue *step)
{
  gint64 by = 1, n, from, to;
  gsize length;

  if (value->kind == LK_VALUE_UNDEFINED)
    return lk_fail_operator (context, "[:]", value, value);
  if (value->kind != LK_VALUE_LIST && value->kind != LK_VALUE_STRING)
    return lk_value_undefined (context, "a part of this");
  if (step && step->kind != LK_VALUE_NONE && step->kind != LK_VALUE_INT)
    return lk_context_fail (context, "an index must be a whole number");
  if (step && step->kind == LK_VALUE_INT)
    by = CLAMP (step->as.integer, -G_MAXINT32, G_MAXINT32);
  if (by == 0)
    return lk_context_fail (context, "the step of a slice is zero");
  if (!lk_value_length (context, value, &length) || !lk_context_work (context, value->kind == LK_VALUE_STRING ? length / 4 : 0))
    return NULL;
  n = (gint64) length;
  if (!lk_slice_index (context, begin, n, by > 0 ? 0 : n - 1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, &from)
      || !lk_slice_index (context, end, n, by > 0 ? n : -1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, &to))
    return NULL;
  return by == 1 && value->kind == LK_VALUE_STRING ? lk_slice_text (context, value, from, to) : lk_slice_items (context, value, from, to, by);
}
