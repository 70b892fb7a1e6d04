/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The window: the sidebar of runs, and beside it the first-start page, New Fine-Tune or a run's page. Closing
 * it stops nothing: workers are processes of their own.
 */
#pragma once

#include "lk-application.h"

G_BEGIN_DECLS

#define LK_TYPE_WINDOW (lk_window_get_type ())
G_DECLARE_FINAL_TYPE (LkWindow, lk_window, LK, WINDOW, AdwApplicationWindow)

LkWindow *lk_window_new (LkApplication *application);
void lk_window_show_run (LkWindow *self, LkRun *run);
void lk_window_show_new (LkWindow *self);
/* A model or dataset given on the command line or by the file manager. */
void lk_window_take_file (LkWindow *self, GFile *file);

G_END_DECLS
