/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Recursive descent with a depth limit; precedence as Jinja's: if-else, or, and, not, comparisons, + −, ~, * / // %, unary,
 * **, postfix.
 */
#include "lk-jinja-lexer.h"

typedef struct
{
  LkJinja *jinja;
  LkArena *arena;
  const LkToken *tokens;
  guint at;
  guint depth, loops;
  GError **error;
  gboolean failed;
} LkParser;

static LkExpr *lk_parse_expr (LkParser *self);
static LkStmt *lk_parse_body (LkParser *self, const char *const *ends, const char **end);

static gpointer
lk_parser_fail (LkParser *self, const char *what)
{
  const LkToken *token = &self->tokens[self->at];

  if (!self->failed)
    g_set_error (self->error, LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %u: %s%s%.40s%s", self->jinja->name, token->line, what,
                 token->n ? " at “" : "", token->text, token->n ? "”" : "");
  self->failed = TRUE;
  return NULL;
}

static gpointer
lk_parser_alloc (LkParser *self, gsize size)
{
  gpointer memory = self->failed ? NULL : lk_arena_alloc (self->arena, size);

  return memory ? memory : lk_parser_fail (self, "the template needs too much memory");
}

static gboolean
lk_at_operator (LkParser *self, const char *text)
{
  const LkToken *token = &self->tokens[self->at];

  return token->type == LK_TOKEN_OPERATOR && g_str_equal (token->text, text);
}

static gboolean
lk_at_name (LkParser *self, const char *text)
{
  const LkToken *token = &self->tokens[self->at];

  return token->type == LK_TOKEN_NAME && g_str_equal (token->text, text);
}

static gboolean
lk_take_operator (LkParser *self, const char *text)
{
  if (!lk_at_operator (self, text))
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
lk_take_name (LkParser *self, const char *text)
{
  if (!lk_at_name (self, text))
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
lk_expect_operator (LkParser *self, const char *text)
{
  g_autofree char *what = NULL;

  if (lk_take_operator (self, text))
    return TRUE;
  what = g_strdup_printf ("“%s” is missing", text);
  lk_parser_fail (self, what);
  return FALSE;
}

static const char *
lk_take_any_name (LkParser *self)
{
  if (self->tokens[self->at].type != LK_TOKEN_NAME)
    return lk_parser_fail (self, "a name is missing");
  return self->tokens[self->at++].text;
}

static LkExpr *
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

static gboolean
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
lk_parse_primary (LkParser *self)
{
  const LkToken *token = &self->tokens[self->at];
  LkExpr *expr;

  switch ((int) token->type)
    {
    case LK_TOKEN_NAME:
      return lk_parse_name (self);
    case LK_TOKEN_STRING:
      return lk_parse_string (self);
    case LK_TOKEN_INT:
      expr = lk_new_literal (self, LK_VALUE_INT);
      if (expr)
        expr->literal->as.integer = g_ascii_strtoll (token->text, NULL, 10);
      self->at++;
      return expr;
    case LK_TOKEN_FLOAT:
      expr = lk_new_literal (self, LK_VALUE_FLOAT);
      if (expr)
        expr->literal->as.real = g_ascii_strtod (token->text, NULL);
      self->at++;
      return expr;
    default:
      break;
    }
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

/* | name(args) */
static LkExpr *
lk_parse_filter (LkParser *self, LkExpr *of)
{
  const char *name = lk_take_any_name (self);
  LkExpr *expr = name ? lk_new_node (self, LK_EXPR_FILTER, name, of, NULL) : NULL;

  if (expr && !lk_jinja_filter (name))
    {
      self->at--;
      return lk_parser_fail (self, "an unknown filter");
    }
  if (expr && lk_take_operator (self, "(") && !lk_parse_arguments (self, expr))
    return NULL;
  return expr;
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
        {
          expr = lk_new_node (self, LK_EXPR_CALL, NULL, expr, NULL);
          if (expr && !lk_parse_arguments (self, expr))
            return NULL;
        }
      else
        break;
    }
  return expr;
}

static LkExpr *
lk_parse_filters (LkParser *self, LkExpr *expr)
{
  for (;;)
    {
      if (expr && lk_take_operator (self, "|"))
        expr = lk_parse_postfix (self, lk_parse_filter (self, expr));
      else
        return expr;
    }
}

static LkExpr *lk_parse_unary (LkParser *self);

static LkExpr *
lk_parse_power (LkParser *self)
{
  LkExpr *left = lk_parse_postfix (self, lk_parse_primary (self));

  while (left && lk_take_operator (self, "**"))
    {
      LkExpr *right = lk_parse_unary (self);
      left = right ? lk_new_node (self, LK_EXPR_BINARY, "**", left, right) : NULL;
    }
  return left;
}

static LkExpr *
lk_parse_unary (LkParser *self)
{
  LkExpr *operand, *expr;

  if (++self->depth > LK_JINJA_MAX_DEPTH)
    return lk_parser_fail (self, "nested too deeply");
  if (lk_take_operator (self, "-"))
    {
      operand = lk_parse_unary (self);
      expr = operand ? lk_new_node (self, LK_EXPR_NEGATE, NULL, operand, NULL) : NULL;
    }
  else if (lk_take_operator (self, "+"))
    {
      operand = lk_parse_unary (self);
      expr = operand ? lk_new_node (self, LK_EXPR_POSITIVE, NULL, operand, NULL) : NULL;
    }
  else
    expr = lk_parse_power (self);
  self->depth--;
  return lk_parse_filters (self, expr);
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

static LkExpr *
lk_parse_product (LkParser *self)
{
  static const char *const operators[] = { "*", "//", "/", "%", NULL };

  return lk_parse_binary (self, operators, lk_parse_unary);
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

/* is [not] name [args] */
static LkExpr *
lk_parse_test (LkParser *self, LkExpr *left)
{
  gboolean negated = lk_take_name (self, "not");
  const char *name = lk_take_any_name (self);
  LkExpr *expr = name ? lk_new_node (self, LK_EXPR_TEST, name, left, NULL) : NULL;
  const LkToken *token = &self->tokens[self->at];

  if (!expr)
    return NULL;
  if (!lk_jinja_test (name))
    {
      self->at--;
      return lk_parser_fail (self, "an unknown test");
    }
  if (lk_take_operator (self, "("))
    {
      if (!lk_parse_arguments (self, expr))
        return NULL;
    }
  else if (token->type == LK_TOKEN_STRING || token->type == LK_TOKEN_INT || token->type == LK_TOKEN_FLOAT
           || (token->type == LK_TOKEN_NAME && !lk_at_name (self, "and") && !lk_at_name (self, "or") && !lk_at_name (self, "else")
               && !lk_at_name (self, "if") && !lk_at_name (self, "is") && !lk_at_name (self, "not") && !lk_at_name (self, "in")))
    {
      LkExpr *argument = lk_parse_postfix (self, lk_parse_primary (self));
      if (!argument || !lk_add_item (self, expr, argument))
        return NULL;
    }
  return negated ? lk_new_node (self, LK_EXPR_NOT, NULL, expr, NULL) : expr;
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

  while (left && !self->failed)
    {
      if ((operator = lk_take_comparison (self)))
        {
          LkExpr *right = lk_parse_sum (self);
          guint n;

          if (!right)
            return NULL;
          if (!chain && !(chain = lk_new_node (self, LK_EXPR_COMPARE, NULL, left, NULL)))
            return NULL;
          n = chain->n_items - 1;
          if (!lk_add_pointer (self, (gpointer **) (void *) &chain->names, &n, (gpointer) operator) || !lk_add_item (self, chain, right))
            return NULL;
          left = chain;
        }
      else if (lk_take_name (self, "is"))
        {
          left = lk_parse_test (self, left);
          chain = NULL;
        }
      else
        break;
    }
  return left;
}

static LkExpr *
lk_parse_not (LkParser *self)
{
  LkExpr *operand;

  if (!lk_take_name (self, "not"))
    return lk_parse_comparison (self);
  if (++self->depth > LK_JINJA_MAX_DEPTH)
    return lk_parser_fail (self, "nested too deeply");
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

static LkExpr *
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

static LkExpr *
lk_parse_expr (LkParser *self)
{
  LkExpr *value, *test, *other = NULL, *expr;

  if (++self->depth > LK_JINJA_MAX_DEPTH)
    return lk_parser_fail (self, "nested too deeply");
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

/* a, b: a tuple without parentheses, as in {% set a, b = 1, 2 %}. */
static LkExpr *
lk_parse_tuple (LkParser *self)
{
  LkExpr *first = lk_parse_expr (self), *tuple;

  if (!first || !lk_at_operator (self, ","))
    return first;
  tuple = lk_new_node (self, LK_EXPR_TUPLE, NULL, first, NULL);
  while (tuple && lk_take_operator (self, ","))
    {
      LkExpr *item = self->tokens[self->at].type == LK_TOKEN_BLOCK_END ? NULL : lk_parse_expr (self);
      if (!item)
        break;
      if (!lk_add_item (self, tuple, item))
        return NULL;
    }
  return self->failed ? NULL : tuple;
}

static gboolean
lk_expect_block_end (LkParser *self)
{
  if (self->tokens[self->at].type != LK_TOKEN_BLOCK_END)
    return lk_parser_fail (self, "“%}” is missing") != NULL;
  self->at++;
  return TRUE;
}

static LkStmt *
lk_new_stmt (LkParser *self, LkStmtKind kind)
{
  LkStmt *stmt = lk_parser_alloc (self, sizeof (LkStmt));

  if (stmt)
    {
      stmt->kind = kind;
      stmt->line = self->tokens[self->at].line;
    }
  return stmt;
}

/* The body up to {% @close %}, which is taken. */
static gboolean
lk_parse_until (LkParser *self, const char *close, LkStmt **body)
{
  const char *const ends[] = { close, NULL };
  const char *end = NULL;

  *body = lk_parse_body (self, ends, &end);
  if (!self->failed && !end)
    {
      g_autofree char *what = g_strdup_printf ("“%s” is missing", close);
      lk_parser_fail (self, what);
    }
  return !self->failed && lk_expect_block_end (self);
}

static LkStmt *
lk_parse_if (LkParser *self)
{
  static const char *const ends[] = { "elif", "else", "endif", NULL };
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_IF);
  const char *end = NULL;

  if (!stmt || !(stmt->test = lk_parse_expr (self)) || !lk_expect_block_end (self))
    return NULL;
  stmt->body = lk_parse_body (self, ends, &end);
  if (self->failed)
    return NULL;
  if (!end)
    return lk_parser_fail (self, "“endif” is missing");
  if (g_str_equal (end, "elif"))
    {
      if (++self->depth > LK_JINJA_MAX_DEPTH * 4)
        return lk_parser_fail (self, "nested too deeply");
      stmt->otherwise = lk_parse_if (self);
      self->depth--;
      return stmt->otherwise ? stmt : NULL;
    }
  if (!lk_expect_block_end (self))
    return NULL;
  if (g_str_equal (end, "else") && !lk_parse_until (self, "endif", &stmt->otherwise))
    return NULL;
  return stmt;
}

/* a or a, b */
static LkExpr *
lk_parse_target (LkParser *self)
{
  gboolean parentheses = lk_take_operator (self, "(");
  LkExpr *first = lk_parse_postfix (self, lk_parse_primary (self)), *tuple = NULL;

  while (first && lk_take_operator (self, ","))
    {
      LkExpr *next = lk_parse_primary (self);

      if (!next || (!tuple && !(tuple = lk_new_node (self, LK_EXPR_TUPLE, NULL, first, NULL))) || !lk_add_item (self, tuple, next))
        return NULL;
    }
  if (parentheses && !lk_expect_operator (self, ")"))
    return NULL;
  return tuple ? tuple : first;
}

static LkStmt *
lk_parse_for (LkParser *self)
{
  static const char *const ends[] = { "else", "endfor", NULL };
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_FOR);
  const char *end = NULL;

  if (!stmt || !(stmt->target = lk_parse_target (self)))
    return NULL;
  if (!lk_take_name (self, "in"))
    return lk_parser_fail (self, "“in” is missing");
  stmt->expr = lk_parse_or (self); /* “if” after it filters */
  if (stmt->expr && lk_take_name (self, "if"))
    stmt->test = lk_parse_expr (self);
  if (self->failed || !stmt->expr || !lk_expect_block_end (self))
    return NULL;
  self->loops++;
  stmt->body = lk_parse_body (self, ends, &end);
  self->loops--;
  if (self->failed)
    return NULL;
  if (!end)
    return lk_parser_fail (self, "“endfor” is missing");
  if (!lk_expect_block_end (self) || (g_str_equal (end, "else") && !lk_parse_until (self, "endfor", &stmt->otherwise)))
    return NULL;
  return stmt;
}

static LkStmt *
lk_parse_set (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_SET);

  if (!stmt || !(stmt->target = lk_parse_target (self)))
    return NULL;
  if (lk_take_operator (self, "="))
    {
      stmt->expr = lk_parse_tuple (self);
      return stmt->expr && lk_expect_block_end (self) ? stmt : NULL;
    }
  stmt->kind = LK_STMT_SET_BLOCK;
  while (lk_take_operator (self, "|")) /* the block's text goes through these */
    {
      LkExpr *text = lk_new_literal (self, LK_VALUE_NONE);
      stmt->expr = text ? lk_parse_filter (self, stmt->expr ? stmt->expr : text) : NULL;
      if (!stmt->expr)
        return NULL;
    }
  return lk_expect_block_end (self) && lk_parse_until (self, "endset", &stmt->body) ? stmt : NULL;
}

static gboolean
lk_parse_parameters (LkParser *self, LkStmt *stmt)
{
  while (!self->failed && !lk_take_operator (self, ")"))
    {
      const char *name = lk_take_any_name (self);
      LkExpr *value = name && lk_take_operator (self, "=") ? lk_parse_expr (self) : NULL;
      guint n = stmt->n_parameters;

      if (self->failed || !lk_add_pointer (self, (gpointer **) (void *) &stmt->parameters, &n, (gpointer) name)
          || !lk_add_pointer (self, (gpointer **) (void *) &stmt->defaults, &stmt->n_parameters, value))
        return FALSE;
      if (!lk_at_operator (self, ")") && !lk_expect_operator (self, ","))
        return FALSE;
    }
  return !self->failed;
}

static LkStmt *
lk_parse_macro (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_MACRO);
  guint loops = self->loops;
  gboolean ok;

  if (!stmt || !(stmt->name = lk_take_any_name (self)) || !lk_expect_operator (self, "(") || !lk_parse_parameters (self, stmt)
      || !lk_expect_block_end (self))
    return NULL;
  self->loops = 0;
  ok = lk_parse_until (self, "endmacro", &stmt->body);
  self->loops = loops;
  return ok ? stmt : NULL;
}

static LkStmt *
lk_parse_call (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_CALL);

  if (!stmt || (lk_take_operator (self, "(") && !lk_parse_parameters (self, stmt)) || !(stmt->expr = lk_parse_expr (self)))
    return NULL;
  if (stmt->expr->kind != LK_EXPR_CALL)
    return lk_parser_fail (self, "a call is missing");
  return lk_expect_block_end (self) && lk_parse_until (self, "endcall", &stmt->body) ? stmt : NULL;
}

static LkStmt *
lk_parse_filter_block (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_FILTER);
  LkExpr *text = lk_new_literal (self, LK_VALUE_NONE);

  if (!stmt || !text || !(stmt->expr = lk_parse_filter (self, text)))
    return NULL;
  return lk_expect_block_end (self) && lk_parse_until (self, "endfilter", &stmt->body) ? stmt : NULL;
}

static LkStmt *
lk_parse_generation (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_GENERATION);

  return stmt && lk_expect_block_end (self) && lk_parse_until (self, "endgeneration", &stmt->body) ? stmt : NULL;
}

static LkStmt *
lk_parse_control (LkParser *self, LkStmtKind kind)
{
  LkStmt *stmt = lk_new_stmt (self, kind);

  if (self->loops == 0)
    return lk_parser_fail (self, "break or continue outside a loop");
  return stmt && lk_expect_block_end (self) ? stmt : NULL;
}

static LkStmt *
lk_parse_break (LkParser *self)
{
  return lk_parse_control (self, LK_STMT_BREAK);
}

static LkStmt *
lk_parse_continue (LkParser *self)
{
  return lk_parse_control (self, LK_STMT_CONTINUE);
}

static LkStmt *
lk_parse_do (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_DO);

  return stmt && (stmt->expr = lk_parse_expr (self)) && lk_expect_block_end (self) ? stmt : NULL;
}

static const struct
{
  const char *name;
  LkStmt *(*parse) (LkParser *self);
} statements[] = {
  { "if", lk_parse_if },       { "for", lk_parse_for },     { "set", lk_parse_set },
  { "macro", lk_parse_macro }, { "call", lk_parse_call },   { "filter", lk_parse_filter_block },
  { "generation", lk_parse_generation }, { "break", lk_parse_break }, { "continue", lk_parse_continue }, { "do", lk_parse_do },
};

static LkStmt *
lk_parse_statement (LkParser *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (statements); i++)
    if (lk_take_name (self, statements[i].name))
      return statements[i].parse (self);
  return lk_parser_fail (self, "a statement that is not supported");
}

static LkStmt *
lk_parse_print (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_PRINT);

  if (!stmt || !(stmt->expr = lk_parse_expr (self)))
    return NULL;
  if (self->tokens[self->at].type != LK_TOKEN_PRINT_END)
    return lk_parser_fail (self, "“}}” is missing");
  self->at++;
  return stmt;
}

static LkStmt *
lk_parse_text (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_TEXT);
  const LkToken *token = &self->tokens[self->at++];

  if (!stmt || !(stmt->text = lk_parser_alloc (self, sizeof (LkValue))))
    return NULL;
  stmt->text->kind = LK_VALUE_STRING;
  stmt->text->as.string.bytes = token->text;
  stmt->text->as.string.n = token->n;
  return stmt;
}

/* Statements until a block whose name is in @ends; its name is taken, not its “%}”. */
static LkStmt *
lk_parse_body (LkParser *self, const char *const *ends, const char **end)
{
  LkStmt *first = NULL, **tail = &first;

  if (++self->depth > LK_JINJA_MAX_DEPTH)
    return lk_parser_fail (self, "nested too deeply");
  while (!self->failed && self->tokens[self->at].type != LK_TOKEN_END)
    {
      LkStmt *stmt;
      LkTokenType type = self->tokens[self->at].type;

      if (type == LK_TOKEN_TEXT)
        stmt = lk_parse_text (self);
      else
        {
          self->at++;
          for (guint i = 0; type == LK_TOKEN_BLOCK_BEGIN && ends && ends[i]; i++)
            if (lk_take_name (self, ends[i]))
              {
                *end = ends[i];
                self->depth--;
                return first;
              }
          stmt = type == LK_TOKEN_BLOCK_BEGIN ? lk_parse_statement (self) : lk_parse_print (self);
        }
      if (!stmt)
        return NULL;
      *tail = stmt;
      tail = &stmt->next;
    }
  self->depth--;
  return first;
}

LkStmt *
lk_jinja_parse (LkJinja *jinja, const char *source, GError **error)
{
  g_autoptr (GArray) tokens = lk_jinja_lex (jinja->arena, source, jinja->name, error);
  LkParser self = { .jinja = jinja, .arena = jinja->arena, .error = error };

  if (!tokens)
    return NULL;
  self.tokens = (const LkToken *) (void *) tokens->data;
  return lk_parse_body (&self, NULL, NULL);
}
