/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One row of a dataset: as the model will see it and as text; what is wrong with it; exclude, restore and edit it.
 * Signal ::jump (int id): show it among all rows.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-data-row.h"
#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_ROW_PANE (lk_row_pane_get_type ())
G_DECLARE_FINAL_TYPE (LkRowPane, lk_row_pane, LK, ROW_PANE, GtkWidget)

/* @model may be NULL: the template and tokenizer that rows are shown with. */
void lk_row_pane_set_dataset (LkRowPane *self, LkStoredDataset *dataset, const char *model);
/* @row may be NULL. */
void lk_row_pane_set_row (LkRowPane *self, LkDataRow *row);
/* The same row again: the dataset changed. */
void lk_row_pane_refresh (LkRowPane *self);

G_END_DECLS
