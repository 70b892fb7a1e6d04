/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shows rows of an imported dataset as a model will see them: one `lorikeet-cli data show` that answers row after row, so that the model's
 * tokenizer is read once. Properties (read-only): busy, row (LkPreviewRow; NULL), error (why there is none; NULL).
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

#include "lk-preview-row.h"

G_BEGIN_DECLS

#define LK_TYPE_ROW_VIEWER (lk_row_viewer_get_type ())
G_DECLARE_FINAL_TYPE (LkRowViewer, lk_row_viewer, LK, ROW_VIEWER, GObject)

LkRowViewer *lk_row_viewer_new (void);
/* @model may be NULL: then rows are shown without a template. What was shown is shown no more. */
void lk_row_viewer_open (LkRowViewer *self, const char *dataset, const char *model);
/* Asks for the row; only the last one asked for is shown. */
void lk_row_viewer_show (LkRowViewer *self, gint32 id);
void lk_row_viewer_close (LkRowViewer *self);
LkPreviewRow *lk_row_viewer_get_row (LkRowViewer *self);
const char *lk_row_viewer_get_error (LkRowViewer *self);
gboolean lk_row_viewer_is_busy (LkRowViewer *self);

G_END_DECLS
