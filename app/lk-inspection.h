/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the engine finds in a model or a dataset (`lorikeet-cli inspect`). Two kinds of the same asking:
 *
 * LkModelInspection of a path: title ("Lorikeet tiny"), subtitle ("Llama · 3.2 million parameters · 6.1 MB" and,
 * a line below, what it fits for: lk-fit.h).
 * LkDataInspection of a path and a model: subtitle ("Alpaca · 1,100 examples"), problems-title,
 * problems-text, rows (GListModel of LkPreviewRow), n-rows.
 *
 * Both are this one object; properties that do not apply are NULL. busy while the engine works; error is a
 * sentence. Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_TYPE_INSPECTION (lk_inspection_get_type ())
G_DECLARE_FINAL_TYPE (LkInspection, lk_inspection, LK, INSPECTION, GObject)

LkInspection *lk_inspection_new (void);

/* Asks again; what was known is forgotten at once. NULL @path clears. */
void lk_inspection_look_at_model (LkInspection *self, const char *path);
/* @model may be NULL: the rows are then shown as they stand in the file. */
void lk_inspection_look_at_data (LkInspection *self, const char *path, const char *model);
/* The engine has looked, and the file cannot be used. */
gboolean lk_inspection_has_error (LkInspection *self);
GListModel *lk_inspection_get_rows (LkInspection *self);
/* Takes the engine's answer. */
void lk_inspection_take_answer (LkInspection *self, JsonObject *answer);

G_END_DECLS
