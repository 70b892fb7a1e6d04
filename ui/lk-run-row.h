/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A run in the sidebar: its state as a mark, its name, how far it is, its losses as a line an inch long.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-run.h"

G_BEGIN_DECLS

#define LK_TYPE_RUN_ROW (lk_run_row_get_type ())
G_DECLARE_FINAL_TYPE (LkRunRow, lk_run_row, LK, RUN_ROW, GtkListBoxRow)

GtkWidget *lk_run_row_new (LkRun *run);
LkRun *lk_run_row_get_run (LkRunRow *self);

G_END_DECLS
