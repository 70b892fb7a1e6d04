/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Statements: one function and one row of a table each.
 */
#include "lk-jinja-parser.h"

static LkStmt *lk_parse_body (LkParser *self, const char *const *ends, const char **end);

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

/* One “if” or “elif” up to its end, whose name is *end; “%}” behind that is not taken. */
static LkStmt *
lk_parse_branch (LkParser *self, const char **end)
{
  static const char *const ends[] = { "elif", "else", "endif", NULL };
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_IF);

  if (!stmt || !(stmt->test = lk_parse_tuple (self, lk_parse_expr)) || !lk_expect_block_end (self))
    return NULL;
  *end = NULL;
  stmt->body = lk_parse_body (self, ends, end);
  if (!self->failed && !*end)
    lk_parser_fail (self, "“endif” is missing");
  return self->failed ? NULL : stmt;
}

static LkStmt *
lk_parse_if (LkParser *self)
{
  const char *end = NULL;
  LkStmt *first = lk_parse_branch (self, &end), *last = first;

  while (last && g_str_equal (end, "elif"))
    {
      last->otherwise = lk_parse_branch (self, &end);
      if (last->otherwise)
        last->otherwise->is_elif = TRUE;
      last = last->otherwise;
    }
  if (!last || !lk_expect_block_end (self))
    return NULL;
  if (g_str_equal (end, "else") && !lk_parse_until (self, "endif", &last->otherwise))
    return NULL;
  return first;
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
  stmt->expr = lk_parse_tuple (self, lk_parse_or); /* “if” after it filters */
  if (stmt->expr && lk_take_name (self, "if"))
    stmt->test = lk_parse_expr (self);
  stmt->recursive = lk_take_name (self, "recursive");
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
      stmt->expr = lk_parse_tuple (self, lk_parse_expr);
      return stmt->expr && lk_expect_block_end (self) ? stmt : NULL;
    }
  stmt->kind = LK_STMT_SET_BLOCK;
  if (lk_take_operator (self, "|") && !(stmt->expr = lk_parse_filters (self, lk_new_expr (self, LK_EXPR_CAPTURED))))
    return NULL;
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

  if (!stmt || !(stmt->expr = lk_parse_filters (self, lk_new_expr (self, LK_EXPR_CAPTURED))))
    return NULL;
  return lk_expect_block_end (self) && lk_parse_until (self, "endfilter", &stmt->body) ? stmt : NULL;
}

/* {% with a = 1, b = 2 %}: names that end with the block. */
static LkStmt *
lk_parse_with (LkParser *self)
{
  LkStmt *stmt = lk_new_stmt (self, LK_STMT_WITH);

  while (stmt && self->tokens[self->at].type != LK_TOKEN_BLOCK_END)
    {
      const char *name = lk_take_any_name (self);
      LkExpr *value = name && lk_expect_operator (self, "=") ? lk_parse_expr (self) : NULL;
      guint n = stmt->n_parameters;

      if (!value || !lk_add_pointer (self, (gpointer **) (void *) &stmt->parameters, &n, (gpointer) name)
          || !lk_add_pointer (self, (gpointer **) (void *) &stmt->defaults, &stmt->n_parameters, value))
        return NULL;
      if (self->tokens[self->at].type != LK_TOKEN_BLOCK_END && !lk_expect_operator (self, ","))
        return NULL;
    }
  return stmt && lk_expect_block_end (self) && lk_parse_until (self, "endwith", &stmt->body) ? stmt : NULL;
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
  { "with", lk_parse_with },
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

  if (!stmt || !(stmt->expr = lk_parse_tuple (self, lk_parse_expr)))
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

  if (!lk_parser_enter (self))
    return NULL;
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
