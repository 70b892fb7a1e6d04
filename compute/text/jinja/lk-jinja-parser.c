/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Expressions: recursive descent with a depth limit; precedence as Jinja's: if-else, or, and, not, comparisons, + −, ~, * / // %,
 * **, filters and tests, unary, postfix.
 */
#include "lk-jinja-parser.h"

gpointer
lk_parser_fail (LkParser *self, const char *what)
{
  const LkToken *token = &self->tokens[self->at];
  g_autofree char *text = g_utf8_substring (token->text, 0, MIN (40, g_utf8_strlen (token->text, (gssize) token->n)));

  if (!self->failed)
    g_set_error (self->error, LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %u: %s%s%s%s", self->jinja->name, token->line, what,
                 token->n ? " at “" : "", text, token->n ? "”" : "");
  self->failed = TRUE;
  return NULL;
}

gboolean
lk_parser_enter (LkParser *self)
{
  if (++self->depth <= LK_JINJA_MAX_DEPTH)
    return TRUE;
  lk_parser_fail (self, "nested too deeply");
  return FALSE;
}

gpointer
lk_parser_alloc (LkParser *self, gsize size)
{
  gpointer memory = self->failed ? NULL : lk_arena_alloc (self->arena, size);

  return memory ? memory : lk_parser_fail (self, "the template needs too much memory");
}

gboolean
lk_at_operator (LkParser *self, const char *text)
{
  const LkToken *token = &self->tokens[self->at];

  return token->type == LK_TOKEN_OPERATOR && g_str_equal (token->text, text);
}

gboolean
lk_at_name (LkParser *self, const char *text)
{
  const LkToken *token = &self->tokens[self->at];

  return token->type == LK_TOKEN_NAME && g_str_equal (token->text, text);
}

gboolean
lk_take_operator (LkParser *self, const char *text)
{
  if (!lk_at_operator (self, text))
    return FALSE;
  self->at++;
  return TRUE;
}

gboolean
lk_take_name (LkParser *self, const char *text)
{
  if (!lk_at_name (self, text))
    return FALSE;
  self->at++;
  return TRUE;
}

gboolean
lk_expect_operator (LkParser *self, const char *text)
{
  g_autofree char *what = NULL;

  if (lk_take_operator (self, text))
    return TRUE;
  what = g_strdup_printf ("“%s” is missing", text);
  lk_parser_fail (self, what);
  return FALSE;
}

const char *
lk_take_any_name (LkParser *self)
{
  if (self->tokens[self->at].type != LK_TOKEN_NAME)
    return lk_parser_fail (self, "a name is missing");
  return self->tokens[self->at++].text;
}

LkExpr *
lk_new_expr (LkParser *self, LkExprKind kind)
{
  LkExpr *expr = lk_parser_alloc (self, sizeof (LkExpr));

  if (expr)
    {
      expr->kind = kind;
      expr->line = self->tokens[self->at].line;
    }
  return expr;
}

gboolean
lk_add_pointer (LkParser *self, gpointer **items, guint *n, gpointer item)
{
  if (!item && self->failed)
    return FALSE;
  if ((*n & (*n - 1)) == 0) /* full at powers of two */
    {
      gpointer *copy = lk_parser_alloc (self, MAX (1, 2 * (gsize) *n) * sizeof *copy);

      if (!copy)
        return FALSE;
      if (*n > 0)
        memcpy (copy, *items, *n * sizeof *copy);
      *items = copy;
    }
  (*items)[(*n)++] = item;
  return TRUE;
}

static gboolean
lk_add_item (LkParser *self, LkExpr *expr, LkExpr *item)
{
  return lk_add_pointer (self, (gpointer **) (void *) &expr->items, &expr->n_items, item);
}

static gboolean
lk_add_keyword (LkParser *self, LkExpr *expr, const char *name, LkExpr *value)
{
  guint n = expr->n_keywords;

  return lk_add_pointer (self, (gpointer **) (void *) &expr->names, &n, (gpointer) name)
         && lk_add_pointer (self, (gpointer **) (void *) &expr->keywords, &expr->n_keywords, value);
}

static LkExpr *
lk_new_node (LkParser *self, LkExprKind kind, const char *name, LkExpr *a, LkExpr *b)
{
  LkExpr *expr = lk_new_expr (self, kind);

  if (!expr || !a || !lk_add_item (self, expr, a) || (b && !lk_add_item (self, expr, b)))
    return NULL;
  expr->name = name;
  return expr;
}

static LkExpr *
lk_new_literal (LkParser *self, LkValueKind kind)
{
  LkExpr *expr = lk_new_expr (self, LK_EXPR_LITERAL);

  if (expr)
    expr->literal = lk_parser_alloc (self, sizeof (LkValue));
  if (!expr || !expr->literal)
    return NULL;
  expr->literal->kind = kind;
  return expr;
}

/* “,” separated up to @close, which is taken. */
static gboolean
lk_parse_items (LkParser *self, LkExpr *into, const char *close)
{
  while (!self->failed && !lk_take_operator (self, close))
    {
      LkExpr *item = lk_parse_expr (self);

      if (!item || !lk_add_item (self, into, item))
        return FALSE;
      if (!lk_at_operator (self, close) && !lk_expect_operator (self, ","))
        return FALSE;
    }
  return !self->failed;
}

static LkExpr *
lk_parse_parentheses (LkParser *self)
{
  LkExpr *first, *tuple;

  self->at++;
  if (lk_take_operator (self, ")"))
    return lk_new_expr (self, LK_EXPR_TUPLE);
  first = lk_parse_expr (self);
  if (!first || lk_take_operator (self, ")"))
    return first;
  if (!lk_expect_operator (self, ","))
    return NULL;
  tuple = lk_new_node (self, LK_EXPR_TUPLE, NULL, first, NULL);
  return tuple && lk_parse_items (self, tuple, ")") ? tuple : NULL;
}

static LkExpr *
lk_parse_dict (LkParser *self)
{
  LkExpr *dict = lk_new_expr (self, LK_EXPR_DICT);

  self->at++;
  while (dict && !self->failed && !lk_take_operator (self, "}"))
    {
      LkExpr *key = lk_parse_expr (self);
      LkExpr *value = key && lk_expect_operator (self, ":") ? lk_parse_expr (self) : NULL;

      if (!value || !lk_add_item (self, dict, key) || !lk_add_item (self, dict, value))
        return NULL;
      if (!lk_at_operator (self, "}") && !lk_expect_operator (self, ","))
        return NULL;
    }
  return self->failed ? NULL : dict;
}

static LkExpr *
lk_parse_string (LkParser *self)
{
  LkExpr *expr = lk_new_literal (self, LK_VALUE_STRING);
  const LkToken *token = &self->tokens[self->at++];

  if (!expr)
    return NULL;
  expr->literal->as.string.bytes = token->text;
  expr->literal->as.string.n = token->n;
  while (self->tokens[self->at].type == LK_TOKEN_STRING) /* 'a' 'b' is one */
    {
      const LkToken *more = &self->tokens[self->at++];
      gsize n = expr->literal->as.string.n;
      char *joined = lk_parser_alloc (self, n + more->n + 1);

      if (!joined)
        return NULL;
      memcpy (joined, expr->literal->as.string.bytes, n);
      memcpy (joined + n, more->text, more->n);
      expr->literal->as.string.bytes = joined;
      expr->literal->as.string.n = n + more->n;
    }
  return expr;
}

static LkExpr *
lk_parse_name (LkParser *self)
{
  static const struct
  {
    const char *name;
    LkValueKind kind;
    gboolean value;
  } constants[] = { { "true", LK_VALUE_BOOL, TRUE }, { "True", LK_VALUE_BOOL, TRUE }, { "false", LK_VALUE_BOOL, FALSE },
                    { "False", LK_VALUE_BOOL, FALSE }, { "none", LK_VALUE_NONE, FALSE }, { "None", LK_VALUE_NONE, FALSE } };
  LkExpr *expr;

  for (guint i = 0; i < G_N_ELEMENTS (constants); i++)
    if (lk_take_name (self, constants[i].name))
      {
        expr = lk_new_literal (self, constants[i].kind);
        if (expr && constants[i].kind == LK_VALUE_BOOL)
          expr->literal->as.boolean = constants[i].value;
        return expr;
      }
  expr = lk_new_expr (self, LK_EXPR_NAME);
  if (expr)
    expr->name = self->tokens[self->at].text;
  self->at++;
  return expr;
}

static LkExpr *
lk_parse_number (LkParser *self)
{
  const LkToken *token = &self->tokens[self->at];
  gboolean whole = token->type == LK_TOKEN_INT;
  LkExpr *expr = lk_new_literal (self, whole ? LK_VALUE_INT : LK_VALUE_FLOAT);
  guint base = 10;
  const char *digits = token->text;
  guint64 value;

  if (!expr)
    return NULL;
  if (whole && *digits == '0' && digits[1] && strchr ("bBoOxX", digits[1]))
    {
      base = strchr ("bB", digits[1]) ? 2 : strchr ("oO", digits[1]) ? 8 : 16;
      digits += 2;
    }
  if (!whole)
    expr->literal->as.real = g_ascii_strtod (token->text, NULL);
  else if (!g_ascii_string_to_unsigned (digits, base, 0, G_MAXINT64, &value, NULL))
    return lk_parser_fail (self, "a number that cannot be");
  else
    expr->literal->as.integer = (gint64) value;
  self->at++;
  return expr;
}

static LkExpr *
lk_parse_primary (LkParser *self)
{
  LkTokenType type = self->tokens[self->at].type;
  LkExpr *expr;

  if (type == LK_TOKEN_NAME)
    return lk_parse_name (self);
  if (type == LK_TOKEN_STRING)
    return lk_parse_string (self);
  if (type == LK_TOKEN_INT || type == LK_TOKEN_FLOAT)
    return lk_parse_number (self);
  if (lk_at_operator (self, "("))
    return lk_parse_parentheses (self);
  if (lk_at_operator (self, "{"))
    return lk_parse_dict (self);
  if (lk_take_operator (self, "["))
    {
      expr = lk_new_expr (self, LK_EXPR_LIST);
      return expr && lk_parse_items (self, expr, "]") ? expr : NULL;
    }
  return lk_parser_fail (self, "a value is missing");
}

/* Arguments after “(”, which is taken. */
static gboolean
lk_parse_arguments (LkParser *self, LkExpr *call)
{
  while (!self->failed && !lk_take_operator (self, ")"))
    {
      gboolean keyword = self->tokens[self->at].type == LK_TOKEN_NAME && self->tokens[self->at + 1].type == LK_TOKEN_OPERATOR
                         && g_str_equal (self->tokens[self->at + 1].text, "=");
      const char *name = keyword ? self->tokens[self->at].text : NULL;
      LkExpr *value;

      self->at += keyword ? 2 : 0;
      value = lk_parse_expr (self);
      if (!value || !(keyword ? lk_add_keyword (self, call, name, value) : lk_add_item (self, call, value)))
        return FALSE;
      if (!lk_at_operator (self, ")") && !lk_expect_operator (self, ","))
        return FALSE;
    }
  return !self->failed;
}

static LkExpr *
lk_parse_subscript (LkParser *self, LkExpr *of)
{
  LkExpr *parts[3] = { NULL, NULL, NULL };
  gboolean slice = FALSE;
  LkExpr *expr;

  for (guint i = 0; i < 3; i++)
    {
      if (!lk_at_operator (self, ":") && !lk_at_operator (self, "]"))
        {
          parts[i] = lk_parse_expr (self);
          if (!parts[i])
            return NULL;
        }
      if (!lk_take_operator (self, ":"))
        break;
      slice = TRUE;
    }
  if (!lk_expect_operator (self, "]"))
    return NULL;
  if (!slice)
    return parts[0] ? lk_new_node (self, LK_EXPR_ITEM, NULL, of, parts[0]) : lk_parser_fail (self, "an index is missing");
  expr = lk_new_expr (self, LK_EXPR_SLICE);
  if (!expr || !lk_add_item (self, expr, of))
    return NULL;
  for (guint i = 0; i < 3; i++)
    if (!lk_add_item (self, expr, parts[i]))
      return NULL;
  return expr;
}

static LkExpr *
lk_parse_call (LkParser *self, LkExpr *of)
{
  LkExpr *expr = lk_new_node (self, LK_EXPR_CALL, NULL, of, NULL);

  return expr && lk_parse_arguments (self, expr) ? expr : NULL;
}

/* name(args). An unknown filter fails when it is used: in a branch that is not taken it does no harm. */
static LkExpr *
lk_parse_filter (LkParser *self, LkExpr *of)
{
  const char *name = lk_take_any_name (self);
  LkExpr *expr = name ? lk_new_node (self, LK_EXPR_FILTER, name, of, NULL) : NULL;

  if (expr)
    expr->function = lk_jinja_filter (name);
  if (expr && lk_take_operator (self, "(") && !lk_parse_arguments (self, expr))
    return NULL;
  return expr;
}

LkExpr *
lk_parse_filters (LkParser *self, LkExpr *of)
{
  do
    of = of ? lk_parse_filter (self, of) : NULL;
  while (of && lk_take_operator (self, "|"));
  return of;
}

/* What may stand behind a test without parentheses: its one argument. */
static gboolean
lk_at_test_argument (LkParser *self)
{
  static const char *const words[] = { "and", "or", "else", "if", "is", "not", "in", "recursive" };
  LkTokenType type = self->tokens[self->at].type;

  for (guint i = 0; type == LK_TOKEN_NAME && i < G_N_ELEMENTS (words); i++)
    if (lk_at_name (self, words[i]))
      return FALSE;
  return type == LK_TOKEN_NAME || type == LK_TOKEN_STRING || type == LK_TOKEN_INT || type == LK_TOKEN_FLOAT || lk_at_operator (self, "[")
         || lk_at_operator (self, "{");
}

static LkExpr *
lk_parse_postfix (LkParser *self, LkExpr *expr)
{
  while (expr && !self->failed)
    {
      if (lk_take_operator (self, "."))
        {
          const LkToken *token = &self->tokens[self->at];

          if (token->type == LK_TOKEN_INT)
            {
              LkExpr *index = lk_parse_primary (self);
              expr = index ? lk_new_node (self, LK_EXPR_ITEM, NULL, expr, index) : NULL;
            }
          else
            {
              const char *name = lk_take_any_name (self);
              expr = name ? lk_new_node (self, LK_EXPR_ATTRIBUTE, name, expr, NULL) : NULL;
            }
        }
      else if (lk_take_operator (self, "["))
        expr = lk_parse_subscript (self, expr);
      else if (lk_take_operator (self, "("))
        expr = lk_parse_call (self, expr);
      else
        break;
    }
  return expr;
}

/* is [not] name [args] */
static LkExpr *
lk_parse_test (LkParser *self, LkExpr *left)
{
  gboolean negated = lk_take_name (self, "not");
  const char *name = lk_take_any_name (self);
  LkExpr *expr = name ? lk_new_node (self, LK_EXPR_TEST, name, left, NULL) : NULL;

  if (!expr)
    return NULL;
  expr->function = lk_jinja_test (name);
  if (lk_take_operator (self, "("))
    {
      if (!lk_parse_arguments (self, expr))
        return NULL;
    }
  else if (lk_at_test_argument (self))
    {
      LkExpr *argument = lk_parse_postfix (self, lk_parse_primary (self));
      if (!argument || !lk_add_item (self, expr, argument))
        return NULL;
    }
  return negated ? lk_new_node (self, LK_EXPR_NOT, NULL, expr, NULL) : expr;
}

/* | filter, is test, and calls of what they give: these bind closer than any operator between two values. */
static LkExpr *
lk_parse_suffixes (LkParser *self, LkExpr *expr)
{
  while (expr)
    {
      if (lk_take_operator (self, "|"))
        expr = lk_parse_filter (self, expr);
      else if (lk_take_name (self, "is"))
        expr = lk_parse_test (self, expr);
      else if (lk_take_operator (self, "("))
        expr = lk_parse_call (self, expr);
      else
        break;
    }
  return expr;
}

static LkExpr *
lk_parse_signed (LkParser *self)
{
  gboolean minus = lk_at_operator (self, "-");
  LkExpr *operand;

  if (!minus && !lk_at_operator (self, "+"))
    return lk_parse_postfix (self, lk_parse_primary (self));
  if (!lk_parser_enter (self))
    return NULL;
  self->at++;
  operand = lk_parse_signed (self);
  self->depth--;
  return operand ? lk_new_node (self, minus ? LK_EXPR_NEGATE : LK_EXPR_POSITIVE, NULL, operand, NULL) : NULL;
}

static LkExpr *
lk_parse_unary (LkParser *self)
{
  return lk_parse_suffixes (self, lk_parse_signed (self));
}

/* One level of left-associative operators. */
static LkExpr *
lk_parse_binary (LkParser *self, const char *const *operators, LkExpr *(*next) (LkParser *self))
{
  LkExpr *left = next (self);

  for (guint i = 0; left && operators[i];)
    {
      if (lk_take_operator (self, operators[i]))
        {
          LkExpr *right = next (self);
          left = right ? lk_new_node (self, LK_EXPR_BINARY, operators[i], left, right) : NULL;
          i = 0;
        }
      else
        i++;
    }
  return left;
}

/* Left-associative, unlike Python's, and looser than a sign: -2 ** 2 is 4. */
static LkExpr *
lk_parse_power (LkParser *self)
{
  static const char *const operators[] = { "**", NULL };

  return lk_parse_binary (self, operators, lk_parse_unary);
}

static LkExpr *
lk_parse_product (LkParser *self)
{
  static const char *const operators[] = { "*", "//", "/", "%", NULL };

  return lk_parse_binary (self, operators, lk_parse_power);
}

static LkExpr *
lk_parse_concat (LkParser *self)
{
  static const char *const operators[] = { "~", NULL };

  return lk_parse_binary (self, operators, lk_parse_product);
}

static LkExpr *
lk_parse_sum (LkParser *self)
{
  static const char *const operators[] = { "+", "-", NULL };

  return lk_parse_binary (self, operators, lk_parse_concat);
}

static const char *
lk_take_comparison (LkParser *self)
{
  static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };

  for (guint i = 0; i < G_N_ELEMENTS (operators); i++)
    if (lk_take_operator (self, operators[i]))
      return operators[i];
  if (lk_take_name (self, "in"))
    return "in";
  if (lk_at_name (self, "not") && self->tokens[self->at + 1].type == LK_TOKEN_NAME && g_str_equal (self->tokens[self->at + 1].text, "in"))
    {
      self->at += 2;
      return "not in";
    }
  return NULL;
}

static LkExpr *
lk_parse_comparison (LkParser *self)
{
  LkExpr *left = lk_parse_sum (self), *chain = NULL;
  const char *operator;

  while (left && (operator = lk_take_comparison (self)))
    {
      LkExpr *right = lk_parse_sum (self);
      guint n;

      if (!right || (!chain && !(chain = lk_new_node (self, LK_EXPR_COMPARE, NULL, left, NULL))))
        return NULL;
      n = chain->n_items - 1;
      if (!lk_add_pointer (self, (gpointer **) (void *) &chain->names, &n, (gpointer) operator) || !lk_add_item (self, chain, right))
        return NULL;
    }
  return chain && left ? chain : left;
}

static LkExpr *
lk_parse_not (LkParser *self)
{
  LkExpr *operand;

  if (!lk_take_name (self, "not"))
    return lk_parse_comparison (self);
  if (!lk_parser_enter (self))
    return NULL;
  operand = lk_parse_not (self);
  self->depth--;
  return operand ? lk_new_node (self, LK_EXPR_NOT, NULL, operand, NULL) : NULL;
}

static LkExpr *
lk_parse_and (LkParser *self)
{
  LkExpr *left = lk_parse_not (self);

  while (left && lk_take_name (self, "and"))
    {
      LkExpr *right = lk_parse_not (self);
      left = right ? lk_new_node (self, LK_EXPR_AND, NULL, left, right) : NULL;
    }
  return left;
}

LkExpr *
lk_parse_or (LkParser *self)
{
  LkExpr *left = lk_parse_and (self);

  while (left && lk_take_name (self, "or"))
    {
      LkExpr *right = lk_parse_and (self);
      left = right ? lk_new_node (self, LK_EXPR_OR, NULL, left, right) : NULL;
    }
  return left;
}

LkExpr *
lk_parse_expr (LkParser *self)
{
  LkExpr *value, *test, *other = NULL, *expr;

  if (!lk_parser_enter (self))
    return NULL;
  value = lk_parse_or (self);
  while (value && lk_take_name (self, "if"))
    {
      test = lk_parse_or (self);
      other = test && lk_take_name (self, "else") ? lk_parse_expr (self) : NULL;
      expr = test ? lk_new_node (self, LK_EXPR_IF, NULL, test, value) : NULL;
      if (!expr || self->failed || (other && !lk_add_item (self, expr, other)))
        return NULL;
      value = expr;
    }
  self->depth--;
  return value;
}

LkExpr *
lk_parse_tuple (LkParser *self, LkExpr *(*item) (LkParser *self))
{
  LkExpr *first = item (self), *tuple;

  if (!first || !lk_at_operator (self, ","))
    return first;
  tuple = lk_new_node (self, LK_EXPR_TUPLE, NULL, first, NULL);
  while (tuple && lk_take_operator (self, ","))
    {
      LkTokenType type = self->tokens[self->at].type;
      LkExpr *next = type == LK_TOKEN_BLOCK_END || type == LK_TOKEN_PRINT_END ? NULL : item (self);
      if (!next)
        break;
      if (!lk_add_item (self, tuple, next))
        return NULL;
    }
  return self->failed ? NULL : tuple;
}

static LkExpr *
lk_parse_one_target (LkParser *self)
{
  LkExpr *expr;

  if (!lk_take_operator (self, "("))
    {
      if (self->tokens[self->at].type != LK_TOKEN_NAME)
        return lk_parser_fail (self, "a name is missing");
      return lk_parse_postfix (self, lk_parse_primary (self));
    }
  if (!lk_parser_enter (self))
    return NULL;
  expr = lk_parse_target (self);
  self->depth--;
  return expr && lk_expect_operator (self, ")") ? expr : NULL;
}

LkExpr *
lk_parse_target (LkParser *self)
{
  return lk_parse_tuple (self, lk_parse_one_target);
}
