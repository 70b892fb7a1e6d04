/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chat completions over HTTP/1.1 on a Unix socket, in OpenAI's form: POST /v1/chat/completions, whole or as
 * server-sent events, and GET /v1/models. One base and any number of adapters by name share the weights.
 * Requests are answered one after the other, in the order they came; a client that goes away ends its answer.
 * Thread-safety: set up and run from one thread.
 */
#pragma once

#include "lk-generator.h"

G_BEGIN_DECLS

typedef struct _LkChatServer LkChatServer;

/* @context as in LkGeneratorOptions. The base answers to "base", and where a request names no model and there
 * is no adapter. */
LkChatServer *lk_chat_server_new (LkModel *model, LkBackend *backend, guint context);
void lk_chat_server_free (LkChatServer *self);
/* The first adapter added is what a request without a model gets. A name twice, or "base", is refused. */
gboolean lk_chat_server_add_adapter (LkChatServer *self, const char *name, LkAdapter *adapter,
                                     GError **error);
/* Listens at @path, for this user only, until @cancellable is cancelled, then removes it again. A socket left
 * by a process that is gone is replaced; one that answers is LK_ERROR_BUSY. */
gboolean lk_chat_server_run (LkChatServer *self, const char *path, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkChatServer, lk_chat_server_free)

G_END_DECLS
