/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The texts of a row, one field each, to read or to edit. Property: editable (boolean, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_ROW_EDITOR (lk_row_editor_get_type ())
G_DECLARE_FINAL_TYPE (LkRowEditor, lk_row_editor, LK, ROW_EDITOR, GtkWidget)

/* The row as JSON in any form; what is no JSON is one field. NULL: nothing. */
void lk_row_editor_set_content (LkRowEditor *self, const char *content);
/* The row with the texts as they are now; NULL and @error when it is no JSON. (transfer full) */
char *lk_row_editor_get_content (LkRowEditor *self, GError **error);
void lk_row_editor_set_editable (LkRowEditor *self, gboolean editable);
gboolean lk_row_editor_get_editable (LkRowEditor *self);

G_END_DECLS
