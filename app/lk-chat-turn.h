/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question and the answers of both models. LkChatAnswer has the properties text, busy and error (why it
 * is not complete; NULL when well).
 * Thread-safety: main thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define LK_TYPE_CHAT_ANSWER (lk_chat_answer_get_type ())
G_DECLARE_FINAL_TYPE (LkChatAnswer, lk_chat_answer, LK, CHAT_ANSWER, GObject)

void lk_chat_answer_append (LkChatAnswer *self, const char *piece);
/* Ends the answer; @error NULL when it is complete. */
void lk_chat_answer_finish (LkChatAnswer *self, const char *error);
const char *lk_chat_answer_get_text (LkChatAnswer *self);
gboolean lk_chat_answer_is_busy (LkChatAnswer *self);
const char *lk_chat_answer_get_error (LkChatAnswer *self);

#define LK_TYPE_CHAT_TURN (lk_chat_turn_get_type ())
G_DECLARE_FINAL_TYPE (LkChatTurn, lk_chat_turn, LK, CHAT_TURN, GObject)

LkChatTurn *lk_chat_turn_new (const char *question);
const char *lk_chat_turn_get_question (LkChatTurn *self);
LkChatAnswer *lk_chat_turn_get_base (LkChatTurn *self);
LkChatAnswer *lk_chat_turn_get_tuned (LkChatTurn *self);

G_END_DECLS
