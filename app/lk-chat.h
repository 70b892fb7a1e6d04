/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One conversation with up to three voices: the base, the base with a system prompt, the base with an adapter. Each question goes to
 * those that are shown, and each voice sees its own answers. A question that is asked anew or otherwise begins a branch; nothing
 * that was answered is lost. The engine's server is started with the first question and ends with lk_chat_close.
 *
 * Properties: turns (GListModel of LkChatTurn: the branch in view), busy, status ("Loading the model…", NULL when there is nothing
 * to say), error (why the server ended; NULL when well), and what the next question is asked with: system-prompt, temperature, top-k,
 * top-p, min-p, repetition-penalty, max-tokens (of an answer; 0: until the context is full), seed (-1: another one each time), strength
 * (of the adapter: 1 as trained), show-base, show-prompted, show-tuned. has-adapter (read-only): whether there is a tuned
 * voice at all. Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

#include "lk-chat-turn.h"

G_BEGIN_DECLS

#define LK_TYPE_CHAT (lk_chat_get_type ())
G_DECLARE_FINAL_TYPE (LkChat, lk_chat, LK, CHAT, GObject)

LkChat *lk_chat_new (void);

/* Whom to talk to; @adapter may be NULL. Another model or adapter ends the conversation. */
void lk_chat_set_models (LkChat *self, const char *model, const char *adapter);
/* Where conversations are kept from now on, with the next answer that ends: @folder is made then. Another folder ends the conversation; TRUE
 * if it is another one. NULL: nowhere, as in the beginning. What cannot be written is said by ::complaint (sentence). */
gboolean lk_chat_set_folder (LkChat *self, const char *folder);
/* Goes on with a conversation that was kept. */
gboolean lk_chat_open (LkChat *self, const char *path, GError **error);
/* Deletes it, also when it is the one in view, which is forgotten then. */
gboolean lk_chat_delete (LkChat *self, const char *path, GError **error);
/* Whether that voice answers now: it is shown, and there is an adapter or a system prompt where it needs one. */
gboolean lk_chat_has_voice (LkChat *self, LkChatVoice voice);
/* FALSE while busy, for an empty question, or where no voice is left: then nothing was asked. */
gboolean lk_chat_ask (LkChat *self, const char *question);
/* Asks @question in the place of @turn and with its system prompt, as a branch of its own. The same question: other answers. */
gboolean lk_chat_ask_instead (LkChat *self, LkChatTurn *turn, const char *question);
/* Shows the branch @step places after that of @turn, as far as it went. */
void lk_chat_switch_branch (LkChat *self, LkChatTurn *turn, int step);
/* Stops the answers being written; what there is stays. */
void lk_chat_stop (LkChat *self);
/* Begins a new conversation. */
void lk_chat_clear (LkChat *self);
/* Ends the server and frees its memory; the next question starts it again. */
void lk_chat_close (LkChat *self);
GListModel *lk_chat_get_turns (LkChat *self);
/* Adds the conversation up to that answer to a JSONL file, one line, as {"messages": …}; the file is made when missing. Fails for one
 * with an answer that was cut off or stopped, which would teach to end in the middle. */
gboolean lk_chat_add_to_dataset (LkChat *self, LkChatTurn *turn, LkChatVoice voice, const char *path, GError **error);

G_END_DECLS
