/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks the engine (lorikeet-cli) something that it answers with JSON on its standard output.
 * Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Starts "lorikeet-cli @arguments". Cancelling ends the process. */
void lk_engine_call_async (const char *const *arguments, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
/* The answer, always an object, or NULL and the engine's own sentence in @error. (transfer full) */
JsonNode *lk_engine_call_finish (GAsyncResult *result, GError **error);

/* Has the engine do something that it answers with nothing but success. @input, what it reads on its standard
 * input, may be NULL. */
void lk_engine_do_async (const char *const *arguments, const char *input, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data);
gboolean lk_engine_do_finish (GAsyncResult *result, GError **error);

/* What a failed engine said: the last line of @standard_error without the program's name before it, or a
 * sentence about @wait_status when it said nothing. (transfer full) */
char *lk_engine_explain_failure (const char *standard_error, int wait_status);

/* "was killed, perhaps because memory ran out" and the like for a wait status; never NULL. (transfer full) */
char *lk_engine_describe_exit (int wait_status);

G_END_DECLS
