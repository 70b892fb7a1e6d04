/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tokens that are found in a text before anything else is done with it: control tokens and what somebody added to a vocabulary.
 * The leftmost one counts, of those the longest; the time for a place of the text depends on the longest token only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ADDED_LSTRIP = 1 << 0,      /* takes the white space before it */
  LK_ADDED_RSTRIP = 1 << 1,      /* and behind it */
  LK_ADDED_SINGLE_WORD = 1 << 2, /* only where no word goes on before or behind it */
  LK_ADDED_CONTROL = 1 << 3,     /* only where it is asked for */
} LkAddedFlags;

typedef struct _LkAddedTokens LkAddedTokens;

LkAddedTokens *lk_added_tokens_new (void);
void lk_added_tokens_free (LkAddedTokens *self);
void lk_added_tokens_add (LkAddedTokens *self, const char *text, gint32 id, LkAddedFlags flags);

typedef struct
{
  const char *begin, *end; /* what is taken, white space included */
  gint32 id;
} LkAddedMatch;

/* The next token in [p, end), which is a part of a text that begins at @text. Control tokens only with @special, and none where
 * @mask (of the text; may be NULL) is not 0. */
gboolean lk_added_tokens_find (const LkAddedTokens *self, const char *text, const char *p, const char *end, gboolean special, const guint8 *mask,
                               LkAddedMatch *match);

G_END_DECLS
