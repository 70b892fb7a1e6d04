/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several runs beside each other: their curves in one chart, and a table of what they were made with where that differs and
 * of what came of them.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-run-list.h"

G_BEGIN_DECLS

#define LK_TYPE_COMPARE_PAGE (lk_compare_page_get_type ())
G_DECLARE_FINAL_TYPE (LkComparePage, lk_compare_page, LK, COMPARE_PAGE, GtkWidget)

/* @runs: two or more LkRun. */
void lk_compare_page_set_runs (LkComparePage *self, GPtrArray *runs);
/* Drops the runs that @list has no more. How many are left; *first is the first of them, NULL without any. */
guint lk_compare_page_keep_listed (LkComparePage *self, LkRunList *list, LkRun **first);

G_END_DECLS
