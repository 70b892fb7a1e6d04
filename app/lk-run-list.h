/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All runs of some folders, newest first: a GListModel of LkRun. It follows the folders, and polls its runs: those
 * at work four times a second, the others every two seconds. Thread-safety: main thread.
 */
#pragma once

#include "lk-run.h"

G_BEGIN_DECLS

#define LK_TYPE_RUN_LIST (lk_run_list_get_type ())
G_DECLARE_FINAL_TYPE (LkRunList, lk_run_list, LK, RUN_LIST, GObject)

/* Signals: ::ended (LkRun), ::complaint (LkRun, sentence): those of the runs, passed on. */
LkRunList *lk_run_list_new (const char *folder);

/* Lists the runs of another folder as well, for good. */
void lk_run_list_watch (LkRunList *self, const char *folder);
/* Looks at the folders now instead of a moment later. */
void lk_run_list_scan (LkRunList *self);
/* The run in @folder, after a scan when it is not known yet. NULL when there is none. (transfer none) */
LkRun *lk_run_list_find (LkRunList *self, const char *folder);
/* The run that people come back for: the one that was at work last. NULL when there is none. (transfer none) */
LkRun *lk_run_list_get_latest (LkRunList *self);
gboolean lk_run_list_contains (LkRunList *self, LkRun *run);
/* How many workers are at work. */
guint lk_run_list_count_active (LkRunList *self);
/* Takes a run out of the list, as if it were deleted; nothing happens to its folder yet. Refuses one at work. */
gboolean lk_run_list_hide (LkRunList *self, LkRun *run, GError **error);
/* Takes that back. FALSE when it is not hidden. */
gboolean lk_run_list_unhide (LkRunList *self, const char *folder);
/* Moves the folder of a hidden run to the trash; one that is not hidden any more is left alone. Where that fails the run is listed
 * again. */
gboolean lk_run_list_trash (LkRunList *self, const char *folder, GError **error);
/* The same for all that are hidden: before the program ends. */
void lk_run_list_trash_hidden (LkRunList *self);

G_END_DECLS
