/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rows of a dataset: a list of all or of some of them, and the one that is chosen.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_ROWS_PAGE (lk_rows_page_get_type ())
G_DECLARE_FINAL_TYPE (LkRowsPage, lk_rows_page, LK, ROWS_PAGE, GtkWidget)

void lk_rows_page_set_dataset (LkRowsPage *self, LkStoredDataset *dataset, const char *model);
/* Shows only some rows: "all", "used", "excluded", "edited", "cut", "lost", "held-out" or the name of a problem. */
void lk_rows_page_show_only (LkRowsPage *self, const char *set);

G_END_DECLS
