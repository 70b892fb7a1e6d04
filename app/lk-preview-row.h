/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One example as the model will see it: the text after the chat template, and which parts of it are learned.
 * Immutable. Thread-safety: any thread.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint start; /* characters, not bytes */
  guint end;
} LkPreviewSpan;

#define LK_TYPE_PREVIEW_ROW (lk_preview_row_get_type ())
G_DECLARE_FINAL_TYPE (LkPreviewRow, lk_preview_row, LK, PREVIEW_ROW, GObject)

/* From {"text": …, "spans": [[start, end], …], "line": n, "tokens": n}; spans that leave the text or overlap
 * are cut to fit. NULL when there is no text. (transfer full) */
LkPreviewRow *lk_preview_row_new (JsonObject *object);

const char *lk_preview_row_get_text (LkPreviewRow *self);
/* The learned parts, in order. (transfer none) */
const LkPreviewSpan *lk_preview_row_get_spans (LkPreviewRow *self, guint *n_spans);
/* The line of the file it comes from and its tokens; 0 when unknown. */
gint64 lk_preview_row_get_line (LkPreviewRow *self);
gint64 lk_preview_row_get_tokens (LkPreviewRow *self);

G_END_DECLS
