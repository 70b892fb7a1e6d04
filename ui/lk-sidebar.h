/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New Fine-Tune and the other places, then the runs: those at work first, the earlier ones below, newest first.
 * Signals: ::place-chosen (const char *: the name of the window's page), ::run-chosen (LkRun): the user chose it.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-run-list.h"

G_BEGIN_DECLS

#define LK_TYPE_SIDEBAR (lk_sidebar_get_type ())
G_DECLARE_FINAL_TYPE (LkSidebar, lk_sidebar, LK, SIDEBAR, GtkWidget)

void lk_sidebar_set_runs (LkSidebar *self, LkRunList *runs);
/* Marks what the content shows without saying that the user chose it. */
void lk_sidebar_mark_run (LkSidebar *self, LkRun *run);
void lk_sidebar_mark_place (LkSidebar *self, const char *name);
void lk_sidebar_mark_nothing (LkSidebar *self);

/* Adds a run to those that are compared, or takes it out again. */
void lk_sidebar_toggle_run (LkSidebar *self, LkRun *run);

G_END_DECLS
