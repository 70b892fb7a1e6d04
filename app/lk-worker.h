/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The process that trains a run. It gets its own session and its output goes to the run's log.txt, so it
 * lives on when the window goes. Dropping the last reference does not end it. Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_WORKER (lk_worker_get_type ())
G_DECLARE_FINAL_TYPE (LkWorker, lk_worker, LK, WORKER, GObject)

/* Starts "lorikeet-cli train RUN ARGUMENTS…"; @arguments (NULL-terminated) may be NULL. NULL and @error when it cannot be started. (transfer full)
 *
 * Signal ::exited (int wait_status), once. */
LkWorker *lk_worker_start (const char *run_folder, const char *const *arguments, GError **error);

/* FALSE once it has ended. */
gboolean lk_worker_is_running (LkWorker *self);
/* The wait status; only after it ended. */
int lk_worker_get_wait_status (LkWorker *self);

G_END_DECLS
