/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row in the list of rows: its number, what is asked, what is answered; all lines are of the same height.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-data-row.h"

G_BEGIN_DECLS

#define LK_TYPE_ROW_LINE (lk_row_line_get_type ())
G_DECLARE_FINAL_TYPE (LkRowLine, lk_row_line, LK, ROW_LINE, GtkWidget)

GtkWidget *lk_row_line_new (void);
/* @row may be NULL. */
void lk_row_line_set_row (LkRowLine *self, LkDataRow *row);

G_END_DECLS
