/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Bytes of tokens into text that can be shown at once: a character may span tokens, and so may a stop string,
 * so the last bytes are held back until it is known what they are. Bytes that are no UTF-8 become U+FFFD.
 * Thread-safety: one thread a value.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LkAnswerText LkAnswerText;

/* @stops: NULL or NULL-terminated; empty strings are ignored. */
LkAnswerText *lk_answer_text_new (const char *const *stops);
void lk_answer_text_free (LkAnswerText *self);

/* Adds bytes. TRUE when a stop string is complete: the text ends before it, and nothing more may be added. */
gboolean lk_answer_text_add (LkAnswerText *self, const guint8 *bytes, gsize n);
/* No more will come: what was held back is text. */
void lk_answer_text_end (LkAnswerText *self);
/* Valid UTF-8 that has become certain since the last call; NULL when there is none. (transfer full) */
char *lk_answer_text_take (LkAnswerText *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkAnswerText, lk_answer_text_free)

G_END_DECLS
