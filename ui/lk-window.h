/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The window: the sidebar of runs, and beside it the first-start page, New Fine-Tune, another place or a run's page. Closing
 * it stops nothing: workers are processes of their own.
 */
#pragma once

#include "lk-application.h"

G_BEGIN_DECLS

#define LK_TYPE_WINDOW (lk_window_get_type ())
G_DECLARE_FINAL_TYPE (LkWindow, lk_window, LK, WINDOW, AdwApplicationWindow)

LkWindow *lk_window_new (LkApplication *application);
void lk_window_show_run (LkWindow *self, LkRun *run);
/* "welcome", "advisor", "new", "models" or "datasets". */
void lk_window_show_place (LkWindow *self, const char *name);
/* Models and data (a list of GFile) given on the command line or by the file manager. */
void lk_window_take_files (LkWindow *self, GSList *files);

G_END_DECLS
