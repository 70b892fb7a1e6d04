/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Talks to the worker of a run over its control.sock: one command, one answer.
 * And looks whether a worker is alive at all, by the lock on the folder.
 * Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @command: "stop", "pause", "resume", "save", "sample" or "evaluate". */
void lk_worker_control_send_async (const char *run_folder, const char *command, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
/* FALSE with the worker's sentence, or with why it could not be reached. */
gboolean lk_worker_control_send_finish (GAsyncResult *result, GError **error);

/* TRUE while somebody holds the lock of the run folder. Takes the lock for an instant when nobody does. */
gboolean lk_worker_control_is_locked (const char *run_folder);

G_END_DECLS
