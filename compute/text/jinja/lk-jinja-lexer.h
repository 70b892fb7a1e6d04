/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "lk-jinja-private.h"

typedef enum
{
  LK_TOKEN_TEXT,
  LK_TOKEN_PRINT_BEGIN, /* {{ */
  LK_TOKEN_PRINT_END,
  LK_TOKEN_BLOCK_BEGIN, /* {% */
  LK_TOKEN_BLOCK_END,
  LK_TOKEN_NAME,
  LK_TOKEN_STRING,
  LK_TOKEN_INT,
  LK_TOKEN_FLOAT,
  LK_TOKEN_OPERATOR,
  LK_TOKEN_END,
} LkTokenType;

typedef struct
{
  LkTokenType type;
  const char *text; /* in the arena; unescaped for strings */
  gsize n;
  guint line;
} LkToken;

/* All tokens, LK_TOKEN_END last. (transfer full) (element-type LkToken) */
GArray *lk_jinja_lex (LkArena *arena, const char *source, const char *name, GError **error);
