/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Everything that comes of one run: Progress, Chat, Export, Details, with Pause and Stop in the header.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-run.h"

G_BEGIN_DECLS

#define LK_TYPE_RUN_PAGE (lk_run_page_get_type ())
G_DECLARE_FINAL_TYPE (LkRunPage, lk_run_page, LK, RUN_PAGE, GtkWidget)

void lk_run_page_set_run (LkRunPage *self, LkRun *run);
/* (transfer none) */
LkRun *lk_run_page_get_run (LkRunPage *self);
/* 0 Progress, 1 Chat, 2 Export, 3 Details. */
void lk_run_page_show_page (LkRunPage *self, guint page);
/* Shows Details with the name ready to be typed over. */
void lk_run_page_rename (LkRunPage *self);

G_END_DECLS
