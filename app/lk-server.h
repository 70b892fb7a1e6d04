/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The process that answers chats: `lorikeet-cli serve` on a Unix socket of our own. It ends with the last
 * reference, and with the window whatever happens to it. Properties: ready (boolean: the socket answers),
 * error (a sentence; NULL when well). Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_SERVER (lk_server_get_type ())
G_DECLARE_FINAL_TYPE (LkServer, lk_server, LK, SERVER, GObject)

/* @adapter (may be NULL) is offered under the name "tuned". Failures show as `error`. (transfer full) */
LkServer *lk_server_new (const char *model, const char *adapter);

const char *lk_server_get_socket_path (LkServer *self);
gboolean lk_server_is_ready (LkServer *self);
const char *lk_server_get_error (LkServer *self);

G_END_DECLS
