/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks an OpenAI chat server on a Unix socket and hands on the answer as it is written.
 * Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A piece of the answer; called from the main loop. */
typedef void (*LkChatPieceFunc) (const char *text, gpointer user_data);

/* What the whole answer took, before the callback; @tokens_used: of the context, prompt and answer. */
typedef void (*LkChatUsageFunc) (double tokens_per_second, guint tokens_used, guint context, gpointer user_data);

/* @request is the body ("model", "messages", …); "stream" is set here. @on_piece is called until the callback
 * or the cancelling, whichever is first. */
void lk_chat_client_ask_async (const char *socket_path, JsonObject *request, LkChatPieceFunc on_piece,
                               LkChatUsageFunc on_usage, gpointer piece_data, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
/* @cut: whether the answer ends because of "max_tokens" or the end of the context. */
gboolean lk_chat_client_ask_finish (GAsyncResult *result, gboolean *cut, GError **error);

G_END_DECLS
