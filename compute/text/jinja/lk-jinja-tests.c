/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * “is” tests: one row each.
 */
#include "lk-jinja-private.h"

#define KIND_TEST(name, condition) \
  static LkValue *lk_test_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs) \
  { \
    return lk_value_bool (context, condition); \
  }

KIND_TEST (defined, self->kind != LK_VALUE_UNDEFINED)
KIND_TEST (undefined, self->kind == LK_VALUE_UNDEFINED)
KIND_TEST (none, self->kind == LK_VALUE_NONE)
KIND_TEST (string, self->kind == LK_VALUE_STRING)
KIND_TEST (mapping, self->kind == LK_VALUE_DICT && !self->as.dict.is_namespace)
KIND_TEST (iterable, self->kind == LK_VALUE_LIST || self->kind == LK_VALUE_STRING || self->kind == LK_VALUE_UNDEFINED
                       || (self->kind == LK_VALUE_DICT && !self->as.dict.is_namespace))
KIND_TEST (sequence, self->kind == LK_VALUE_LIST || self->kind == LK_VALUE_STRING || self->kind == LK_VALUE_UNDEFINED
                       || (self->kind == LK_VALUE_DICT && !self->as.dict.is_namespace))
KIND_TEST (number, self->kind == LK_VALUE_INT || self->kind == LK_VALUE_FLOAT || self->kind == LK_VALUE_BOOL)
KIND_TEST (integer, self->kind == LK_VALUE_INT)
KIND_TEST (float, self->kind == LK_VALUE_FLOAT)
KIND_TEST (boolean, self->kind == LK_VALUE_BOOL)
KIND_TEST (true, self->kind == LK_VALUE_BOOL && self->as.boolean)
KIND_TEST (false, self->kind == LK_VALUE_BOOL && !self->as.boolean)
KIND_TEST (callable, self->kind == LK_VALUE_FUNCTION)
KIND_TEST (even, self->kind == LK_VALUE_INT && self->as.integer % 2 == 0)
KIND_TEST (odd, self->kind == LK_VALUE_INT && self->as.integer % 2 != 0)

static LkValue *
lk_test_compare (LkContext *context, LkValue *self, LkValue **args, guint n_args, const char *operator)
{
  return n_args == 1 ? lk_compare (context, operator, self, args[0]) : lk_context_fail (context, "this test needs one value");
}

#define COMPARE_TEST(name, operator) \
  static LkValue *lk_test_##name (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs) \
  { \
    return lk_test_compare (context, self, args, n_args, operator); \
  }

COMPARE_TEST (eq, "==")
COMPARE_TEST (ne, "!=")
COMPARE_TEST (lt, "<")
COMPARE_TEST (le, "<=")
COMPARE_TEST (gt, ">")
COMPARE_TEST (ge, ">=")
COMPARE_TEST (in, "in")

static LkValue *
lk_test_divisibleby (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  gint64 by = n_args == 1 && args[0]->kind == LK_VALUE_INT ? args[0]->as.integer : 0;

  if (by == 0 || self->kind != LK_VALUE_INT)
    return lk_context_fail (context, "divisibleby needs whole numbers");
  return lk_value_bool (context, by == -1 || self->as.integer % by == 0); /* the lowest number by -1 cannot be computed */
}

static LkValue *
lk_test_method (LkContext *context, LkValue *self, const char *method)
{
  LkValue *text = lk_value_to_string (context, self);

  return text ? lk_string_method (method) (context, text, NULL, 0, NULL) : NULL;
}

static LkValue *
lk_test_lower (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  return lk_test_method (context, self, "islower");
}

static LkValue *
lk_test_upper (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  return lk_test_method (context, self, "isupper");
}

/* Python's “is”: the same kind, and the same value as far as values are shared. */
static LkValue *
lk_test_sameas (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  if (n_args != 1)
    return lk_context_fail (context, "this test needs one value");
  return lk_value_bool (context, self == args[0] || (self->kind == args[0]->kind && lk_value_equal (context, self, args[0])));
}

static LkValue *
lk_test_named (LkContext *context, LkValue *self, LkFunction (*find) (const char *name))
{
  g_autofree char *name = self->kind == LK_VALUE_STRING ? g_strndup (self->as.string.bytes, self->as.string.n) : g_strdup ("");

  return lk_value_bool (context, find (name) != NULL);
}

static LkValue *
lk_test_filter (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  return lk_test_named (context, self, lk_jinja_filter);
}

static LkValue *
lk_test_test (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  return lk_test_named (context, self, lk_jinja_test);
}

static const struct
{
  const char *name;
  LkFunction function;
} tests[] = {
  { "defined", lk_test_defined },   { "undefined", lk_test_undefined }, { "none", lk_test_none },         { "string", lk_test_string },
  { "mapping", lk_test_mapping },   { "iterable", lk_test_iterable },   { "sequence", lk_test_sequence }, { "number", lk_test_number },
  { "integer", lk_test_integer },   { "float", lk_test_float },         { "boolean", lk_test_boolean },   { "true", lk_test_true },
  { "false", lk_test_false },       { "callable", lk_test_callable },   { "even", lk_test_even },         { "odd", lk_test_odd },
  { "eq", lk_test_eq },             { "==", lk_test_eq },               { "equalto", lk_test_eq },        { "sameas", lk_test_sameas },
  { "ne", lk_test_ne },             { "lt", lk_test_lt },               { "lessthan", lk_test_lt },       { "le", lk_test_le },
  { "gt", lk_test_gt },             { "greaterthan", lk_test_gt },      { "ge", lk_test_ge },             { "in", lk_test_in },
  { "divisibleby", lk_test_divisibleby }, { "lower", lk_test_lower },   { "upper", lk_test_upper },
  { "!=", lk_test_ne },             { "<", lk_test_lt },                { "<=", lk_test_le },             { ">", lk_test_gt },
  { ">=", lk_test_ge },             { "filter", lk_test_filter },       { "test", lk_test_test },
};

LkFunction
lk_jinja_test (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    if (g_str_equal (tests[i].name, name))
      return tests[i].function;
  return NULL;
}
