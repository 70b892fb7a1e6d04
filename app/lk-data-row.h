/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row in a list of rows. It is there at once and filled when its page has been read: then ::changed is emitted, as whenever it is
 * read again. Thread-safety: main thread.
 */
#pragma once

#include <glib-object.h>

#include "lk-row-store.h"

G_BEGIN_DECLS

#define LK_TYPE_DATA_ROW (lk_data_row_get_type ())
G_DECLARE_FINAL_TYPE (LkDataRow, lk_data_row, LK, DATA_ROW, GObject)

LkDataRow *lk_data_row_new (gint32 id);
/* Takes what @stored holds, which is empty afterwards, and the name of its file. */
void lk_data_row_fill (LkDataRow *self, LkStoredRow *stored, const char *file);

gint32 lk_data_row_get_id (LkDataRow *self);
/* NULL while it has not been read. (transfer none) */
const LkStoredRow *lk_data_row_peek (LkDataRow *self);
/* One line each; "" while it has not been read. */
const char *lk_data_row_get_question (LkDataRow *self);
const char *lk_data_row_get_answer (LkDataRow *self);
/* "Row 12 · 85 tokens", with what is wrong with it and what was done to it. (transfer full) */
char *lk_data_row_describe (LkDataRow *self);
/* "train.jsonl, line 12". (transfer full) */
char *lk_data_row_get_place (LkDataRow *self);
/* A line for each problem; NULL when there is none. (transfer full) */
char *lk_data_row_get_problems (LkDataRow *self);

G_END_DECLS
