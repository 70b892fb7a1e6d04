/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can be done with a run from its row, its page or a toast, as actions "runs.…" of a window; each takes the run's folder:
 * rename, clone (a new draft like it), continue (a draft that begins with what it learned), extend (the same run, longer),
 * compare, open-folder, delete and undo-delete.
 *
 * Signals: ::show-run (LkRun), ::rename-run (LkRun), ::show-draft, ::compare-run (LkRun): what the window is to show.
 */
#pragma once

#include <adwaita.h>

#include "lk-draft.h"
#include "lk-run-list.h"

G_BEGIN_DECLS

#define LK_TYPE_RUN_ACTIONS (lk_run_actions_get_type ())
G_DECLARE_FINAL_TYPE (LkRunActions, lk_run_actions, LK, RUN_ACTIONS, GObject)

/* Belongs to @window, which outlives it. @draft is filled by clone and continue. */
LkRunActions *lk_run_actions_new (GtkWindow *window, AdwToastOverlay *toasts, LkRunList *runs, LkDraft *draft);

/* The menu of a run, for a popover; only what can be done with it now. (transfer full) */
GMenuModel *lk_run_actions_make_menu (LkRun *run);
/* Whether the run can go on for longer than it was made for. */
gboolean lk_run_actions_can_extend (LkRun *run);

G_END_DECLS
