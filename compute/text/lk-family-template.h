/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chat templates of model families, for files that come without one. They are of our own writing and render what the
 * family's standard format renders; a conversation that has no place in the format raises.
 */
#pragma once

#include "lk-tokenizer.h"

G_BEGIN_DECLS

/* A row of the table: the first one whose family, token and tokenizer fit counts. */
typedef struct
{
  const char *family; /* as LkFamily calls it */
  const char *token;  /* a control token the vocabulary must have; NULL: none is asked for */
  const char *pre;    /* the pre-tokenizer it must have; "": it must be SentencePiece's; NULL: any */
  const char *name;   /* for people: “Llama 3” */
  const char *source;
} LkFamilyTemplate;

/* NULL when the table has none for @family with such a tokenizer. */
const LkFamilyTemplate *lk_family_template_find (const char *family, LkTokenizer *tokenizer);
/* All rows, for tests. */
const LkFamilyTemplate *lk_family_template_list (guint *n);

G_END_DECLS
