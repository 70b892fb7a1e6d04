/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the parsers of expressions and of statements share. Each returns NULL after lk_parser_fail.
 */
#pragma once

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

/* Sets the error, with the line and the token at hand. Always NULL. */
gpointer lk_parser_fail (LkParser *self, const char *what);
gpointer lk_parser_alloc (LkParser *self, gsize size);
/* FALSE after failing when templates nest too deeply; each TRUE is undone with self->depth--. */
gboolean lk_parser_enter (LkParser *self);
gboolean lk_at_operator (LkParser *self, const char *text);
gboolean lk_at_name (LkParser *self, const char *text);
gboolean lk_take_operator (LkParser *self, const char *text);
gboolean lk_take_name (LkParser *self, const char *text);
gboolean lk_expect_operator (LkParser *self, const char *text);
const char *lk_take_any_name (LkParser *self);
/* Appends to an array in the arena whose length is *n. */
gboolean lk_add_pointer (LkParser *self, gpointer **items, guint *n, gpointer item);

LkExpr *lk_new_expr (LkParser *self, LkExprKind kind);
LkExpr *lk_parse_expr (LkParser *self);
/* Without “if … else”: what stands before a loop's own “if”. */
LkExpr *lk_parse_or (LkParser *self);
/* a, b: a tuple without parentheses. */
LkExpr *lk_parse_tuple (LkParser *self, LkExpr *(*item) (LkParser *self));
/* a, (b, c), d.e: what can be assigned to. */
LkExpr *lk_parse_target (LkParser *self);
/* name(args) | name …; @of is piped in, behind the first “|”. */
LkExpr *lk_parse_filters (LkParser *self, LkExpr *of);
