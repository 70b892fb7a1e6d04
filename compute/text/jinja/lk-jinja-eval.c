/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-jinja-private.h"

gboolean
lk_context_step (LkContext *context)
{
  if (++context->steps <= LK_JINJA_MAX_STEPS)
    return TRUE;
  lk_context_fail (context, "the template takes too many steps");
  return FALSE;
}

gboolean
lk_context_work (LkContext *context, gsize n)
{
  gboolean enough = n <= context->work;

  context->work = enough ? context->work - n : 0;
  if (!enough)
    lk_context_fail (context, "the template takes too much work");
  return enough;
}

gboolean
lk_context_look (LkContext *context, const LkValue *value)
{
  return lk_context_work (context, value->kind == LK_VALUE_STRING ? value->as.string.n / 4 : value->kind == LK_VALUE_LIST ? value->as.list.n / 16 : 0);
}

gboolean
lk_context_enter (LkContext *context)
{
  if (++context->depth <= LK_JINJA_MAX_CALLS)
    return TRUE;
  lk_context_fail (context, "the template is nested too deeply");
  return FALSE;
}

static LkValue *
lk_eval_name (LkContext *context, const LkExpr *expr)
{
  for (LkScope *scope = context->scope; scope; scope = scope->parent)
    {
      LkValue *value = lk_dict_get_text (scope->variables, expr->name);
      if (value)
        return value;
    }
  return lk_value_undefined (context, expr->name);
}

static gpointer
lk_fail_undefined (LkContext *context, const LkValue *value)
{
  return lk_context_fail (context, "“%s” is undefined", value->as.name ? value->as.name : "a value");
}

LkValue *
lk_get_item (LkContext *context, LkValue *value, LkValue *key)
{
  g_autofree char *name = key->kind == LK_VALUE_STRING ? g_strndup (key->as.string.bytes, MIN (key->as.string.n, 200)) : NULL;
  LkValue *found = NULL;

  if (value->kind == LK_VALUE_UNDEFINED)
    return lk_fail_undefined (context, value);
  if (!lk_context_look (context, key))
    return NULL;
  if (value->kind == LK_VALUE_DICT)
    found = lk_dict_get (value, key);
  else if (value->kind == LK_VALUE_STRING && key->kind == LK_VALUE_INT)
    found = lk_string_at (context, value, key->as.integer);
  else if (value->kind == LK_VALUE_LIST && key->kind == LK_VALUE_INT)
    {
      gint64 n = (gint64) value->as.list.n, i = key->as.integer < 0 ? MAX (key->as.integer, -n - 1) + n : key->as.integer;

      found = i >= 0 && i < n ? value->as.list.items[i] : NULL;
    }
  if (!found && !context->error && name)
    found = lk_jinja_method (context, value, name);
  if (found || context->error)
    return found;
  key = name ? lk_value_text (context, name) : NULL;
  return lk_value_undefined (context, key ? key->as.string.bytes : "an item");
}

/* a.b: a method first, then the item, as Jinja does. */
LkValue *
lk_get_attribute (LkContext *context, LkValue *value, const char *name)
{
  LkValue *found;

  if (value->kind == LK_VALUE_UNDEFINED)
    return lk_fail_undefined (context, value);
  found = value->kind == LK_VALUE_DICT && value->as.dict.is_namespace ? NULL : lk_jinja_method (context, value, name);
  if (!found && !context->error && value->kind == LK_VALUE_DICT)
    found = lk_dict_get_text (value, name);
  return found || context->error ? found : lk_value_undefined (context, name);
}

LkValue *
lk_call (LkContext *context, LkValue *function, LkValue **args, guint n_args, LkValue *kwargs)
{
  if (function->kind == LK_VALUE_UNDEFINED)
    return lk_fail_undefined (context, function);
  if (function->kind == LK_VALUE_DICT && function->as.dict.loop)
    return lk_call_loop (context, function, args, n_args);
  if (function->kind != LK_VALUE_FUNCTION)
    return lk_context_fail (context, "%s cannot be called", lk_value_kind_name (function));
  if (function->as.function.macro)
    return lk_call_macro (context, function, args, n_args, kwargs);
  if (function->as.function.self && !lk_context_look (context, function->as.function.self))
    return NULL;
  return function->as.function.call (context, function->as.function.self, args, n_args, kwargs);
}

#define LK_MAX_ARGUMENTS 64

/* Arguments from items[first…] and keywords. */
static gboolean
lk_eval_arguments (LkContext *context, const LkExpr *expr, guint first, LkValue **args, guint *n_args, LkValue **kwargs)
{
  *n_args = expr->n_items - first;
  *kwargs = NULL;
  if (*n_args > LK_MAX_ARGUMENTS)
    return lk_context_fail (context, "too many arguments") != NULL;
  for (guint i = 0; i < *n_args; i++)
    if (!(args[i] = lk_eval (context, expr->items[first + i])))
      return FALSE;
  if (expr->n_keywords > 0 && !(*kwargs = lk_value_dict (context)))
    return FALSE;
  for (guint i = 0; i < expr->n_keywords; i++)
    if (!lk_dict_set_text (context, *kwargs, expr->names[i], lk_eval (context, expr->keywords[i])))
      return FALSE;
  return TRUE;
}

static LkValue *
lk_eval_call (LkContext *context, const LkExpr *expr)
{
  LkValue *function = lk_eval (context, expr->items[0]);
  LkValue *args[LK_MAX_ARGUMENTS], *kwargs;
  guint n_args;

  if (!function || !lk_eval_arguments (context, expr, 1, args, &n_args, &kwargs))
    return NULL;
  context->line = expr->line;
  return lk_call (context, function, args, n_args, kwargs);
}

/* A filter or a test. */
static LkValue *
lk_eval_piped (LkContext *context, const LkExpr *expr)
{
  LkValue *self = lk_eval (context, expr->items[0]);
  LkValue *args[LK_MAX_ARGUMENTS], *kwargs;
  guint n_args;

  if (!self || !lk_eval_arguments (context, expr, 1, args, &n_args, &kwargs))
    return NULL;
  context->line = expr->line;
  if (!expr->function)
    return lk_context_fail (context, "there is no %s “%s”", expr->kind == LK_EXPR_TEST ? "test" : "filter", expr->name);
  return lk_context_look (context, self) ? expr->function (context, self, args, n_args, kwargs) : NULL;
}

static LkValue *
lk_eval_list (LkContext *context, const LkExpr *expr)
{
  LkValue *list = lk_value_list (context);

  for (guint i = 0; list && i < expr->n_items; i++)
    if (!lk_list_append (context, list, lk_eval (context, expr->items[i])))
      return NULL;
  if (list)
    list->as.list.tuple = expr->kind == LK_EXPR_TUPLE;
  return list;
}

static LkValue *
lk_eval_dict (LkContext *context, const LkExpr *expr)
{
  LkValue *dict = lk_value_dict (context);

  for (guint i = 0; dict && i + 1 < expr->n_items; i += 2)
    {
      LkValue *key = lk_eval (context, expr->items[i]);
      if (!key || !lk_dict_set (context, dict, key, lk_eval (context, expr->items[i + 1])))
        return NULL;
    }
  return dict;
}

static LkValue *
lk_eval_slice (LkContext *context, const LkExpr *expr)
{
  LkValue *parts[4] = { NULL };

  for (guint i = 0; i < 4; i++)
    if (expr->items[i] && !(parts[i] = lk_eval (context, expr->items[i])))
      return NULL;
  return lk_slice (context, parts[0], parts[1], parts[2], parts[3]);
}

/* a < b <= c: true when each pair holds. */
static LkValue *
lk_eval_compare (LkContext *context, const LkExpr *expr)
{
  LkValue *left = lk_eval (context, expr->items[0]), *result = NULL;

  for (guint i = 1; left && i < expr->n_items; i++)
    {
      LkValue *right = lk_eval (context, expr->items[i]);

      result = right ? lk_compare (context, expr->names[i - 1], left, right) : NULL;
      if (!result || !lk_value_truth (result))
        return result;
      left = right;
    }
  return left ? result : NULL;
}

static LkValue *
lk_eval_negate (LkContext *context, LkValue *value)
{
  if (value->kind == LK_VALUE_INT && value->as.integer == G_MININT64)
    return lk_context_fail (context, "a number grows too large");
  if (value->kind == LK_VALUE_FLOAT)
    return lk_value_float (context, -value->as.real);
  if (value->kind == LK_VALUE_INT)
    return lk_value_int (context, -value->as.integer);
  return lk_context_fail (context, "%s has no negative", lk_value_kind_name (value));
}

static gboolean
lk_is_chain (const LkExpr *expr)
{
  return expr->kind == LK_EXPR_AND || expr->kind == LK_EXPR_OR || expr->kind == LK_EXPR_BINARY || expr->kind == LK_EXPR_ITEM;
}

/* @expr with @a for what stands on its left. */
static LkValue *
lk_eval_right (LkContext *context, const LkExpr *expr, LkValue *a)
{
  LkValue *b;

  if (expr->kind == LK_EXPR_AND || expr->kind == LK_EXPR_OR)
    return lk_value_truth (a) == (expr->kind == LK_EXPR_OR) ? a : lk_eval (context, expr->items[1]);
  b = lk_eval (context, expr->items[1]);
  if (!b)
    return NULL;
  context->line = expr->line;
  return expr->kind == LK_EXPR_ITEM ? lk_get_item (context, a, b) : lk_binary (context, expr->name, a, b);
}

/* a + b + c … grows to the left: long chains are walked, not nested. */
static LkValue *
lk_eval_chain (LkContext *context, const LkExpr *expr)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  LkValue *value;

  for (; lk_is_chain (expr); expr = expr->items[0])
    g_ptr_array_add (chain, (gpointer) expr);
  value = lk_eval (context, expr);
  for (guint i = chain->len; value && i-- > 0;)
    value = lk_context_step (context) ? lk_eval_right (context, g_ptr_array_index (chain, i), value) : NULL;
  return value;
}

static LkValue *
lk_eval_one (LkContext *context, const LkExpr *expr)
{
  LkValue *value = lk_eval (context, expr->items[0]);

  if (!value)
    return NULL;
  context->line = expr->line;
  switch ((int) expr->kind)
    {
    case LK_EXPR_ATTRIBUTE:
      return lk_get_attribute (context, value, expr->name);
    case LK_EXPR_NOT:
      return lk_value_bool (context, !lk_value_truth (value));
    case LK_EXPR_NEGATE:
      return lk_eval_negate (context, value);
    case LK_EXPR_IF:
      if (lk_value_truth (value))
        return lk_eval (context, expr->items[1]);
      return expr->n_items > 2 ? lk_eval (context, expr->items[2]) : lk_value_undefined (context, "the other case");
    default:
      return value;
    }
}

static LkValue *
lk_eval_kind (LkContext *context, const LkExpr *expr)
{
  switch (expr->kind)
    {
    case LK_EXPR_LITERAL:
      return expr->literal;
    case LK_EXPR_NAME:
      return lk_eval_name (context, expr);
    case LK_EXPR_LIST:
    case LK_EXPR_TUPLE:
      return lk_eval_list (context, expr);
    case LK_EXPR_DICT:
      return lk_eval_dict (context, expr);
    case LK_EXPR_SLICE:
      return lk_eval_slice (context, expr);
    case LK_EXPR_CALL:
      return lk_eval_call (context, expr);
    case LK_EXPR_FILTER:
    case LK_EXPR_TEST:
      return lk_eval_piped (context, expr);
    case LK_EXPR_CAPTURED:
      return context->captured;
    case LK_EXPR_COMPARE:
      return lk_eval_compare (context, expr);
    case LK_EXPR_AND:
    case LK_EXPR_OR:
    case LK_EXPR_BINARY:
    case LK_EXPR_ITEM:
      return lk_eval_chain (context, expr);
    case LK_EXPR_ATTRIBUTE:
    case LK_EXPR_NOT:
    case LK_EXPR_NEGATE:
    case LK_EXPR_POSITIVE:
    case LK_EXPR_IF:
    default:
      return lk_eval_one (context, expr);
    }
}

LkValue *
lk_eval (LkContext *context, const LkExpr *expr)
{
  LkValue *value;

  context->line = expr->line;
  if (!lk_context_step (context) || !lk_context_enter (context))
    return NULL;
  value = lk_eval_kind (context, expr);
  context->depth--;
  return context->error ? NULL : value;
}
