/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One conversation with a base model and its tuned self: each question goes to both, each sees its own
 * answers. The engine's server is started with the first question and ends with lk_chat_close. Properties:
 * turns (GListModel of LkChatTurn), busy (boolean), status ("Loading the model…", NULL when there is nothing
 * to say), error (why the server ended; NULL when well), temperature (double). Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_CHAT (lk_chat_get_type ())
G_DECLARE_FINAL_TYPE (LkChat, lk_chat, LK, CHAT, GObject)

LkChat *lk_chat_new (void);

/* Whom to talk to. Another model or adapter ends the conversation. */
void lk_chat_set_models (LkChat *self, const char *model, const char *adapter);
/* Does nothing while busy or for an empty question. */
void lk_chat_ask (LkChat *self, const char *question);
/* Stops the answers being written; what there is stays. */
void lk_chat_stop (LkChat *self);
/* Forgets the conversation. */
void lk_chat_clear (LkChat *self);
/* Ends the server and frees its memory; the next question starts it again. */
void lk_chat_close (LkChat *self);
GListModel *lk_chat_get_turns (LkChat *self);

G_END_DECLS
