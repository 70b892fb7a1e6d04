/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fine-tunes that wait for their turn: a GListModel of LkQueuedRun, the next one first. Each is a folder with a recipe.json beside the
 * folder of runs; it moves there and starts when no run is at work, so that the queue survives a restart of the program (which has to be
 * running for the next one to start). Property: n-items. Signal: ::complaint (sentence): why one could not start. It is not in the list
 * any more, its run, if there is one, says more, and the next one gets its turn; a folder that could not be moved stays where it is and
 * waits again when the program is started the next time. Thread-safety: main thread.
 */
#pragma once

#include "lk-draft.h"
#include "lk-run-list.h"

G_BEGIN_DECLS

#define LK_TYPE_QUEUED_RUN (lk_queued_run_get_type ())
G_DECLARE_FINAL_TYPE (LkQueuedRun, lk_queued_run, LK, QUEUED_RUN, GObject)

const char *lk_queued_run_get_name (LkQueuedRun *self);

#define LK_TYPE_QUEUE (lk_queue_get_type ())
G_DECLARE_FINAL_TYPE (LkQueue, lk_queue, LK, QUEUE, GObject)

/* @folder: where the waiting ones are; @runs_dir: the folder of @runs. */
LkQueue *lk_queue_new (LkRunList *runs, const char *folder, const char *runs_dir);
/* Where those that start from now on go; another drive will do. */
void lk_queue_set_runs_dir (LkQueue *self, const char *runs_dir);
/* Puts the draft, as it is now, at the end. */
gboolean lk_queue_add (LkQueue *self, LkDraft *draft, GError **error);
void lk_queue_remove (LkQueue *self, LkQueuedRun *run);

G_END_DECLS
