/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of an imported dataset, as many as there are: a GListModel of LkDataRow that reads pages of them when they are asked for, in
 * threads, and forgets those that were not looked at for long. Properties (read-only): busy (a search is going on), error.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

#include "lk-data-row.h"

G_BEGIN_DECLS

#define LK_TYPE_ROW_LIST (lk_row_list_get_type ())
G_DECLARE_FINAL_TYPE (LkRowList, lk_row_list, LK, ROW_LIST, GObject)

LkRowList *lk_row_list_new (const char *path);
/* Which rows; the list is as it was until they are found. @filter->search is copied. */
void lk_row_list_set_filter (LkRowList *self, const LkRowFilter *filter);
/* Reads what is known again: something in the dataset changed. With @find, which rows are in the list is looked up again as well. */
void lk_row_list_refresh (LkRowList *self, gboolean find);
/* The row at @position, which a person looks at, is read again with the others however long ago it was asked for. */
void lk_row_list_keep (LkRowList *self, guint position);
/* The position of the row @id, or of the first one behind it; G_MAXUINT when there is none. */
guint lk_row_list_find (LkRowList *self, gint32 id);
/* The ids of all rows in the list, for what is done to all of them: a GArray of gint32. (transfer full) */
GArray *lk_row_list_get_ids (LkRowList *self);
gboolean lk_row_list_is_busy (LkRowList *self);
const char *lk_row_list_get_error (LkRowList *self);

G_END_DECLS
