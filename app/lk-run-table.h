/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The values behind a run's curves as a table: a GListModel of LkRunTableRow, one a step, made as they are looked at.
 * The newest step comes first, so that what is new is in view. Thread-safety: main thread.
 */
#pragma once

#include "lk-run.h"

G_BEGIN_DECLS

/* Properties, all strings, "–" or empty for what was not measured: step, loss, held-out, learning-rate, gradient-norm,
 * speed. */
#define LK_TYPE_RUN_TABLE_ROW (lk_run_table_row_get_type ())
G_DECLARE_FINAL_TYPE (LkRunTableRow, lk_run_table_row, LK, RUN_TABLE_ROW, GObject)

#define LK_TYPE_RUN_TABLE (lk_run_table_get_type ())
G_DECLARE_FINAL_TYPE (LkRunTable, lk_run_table, LK, RUN_TABLE, GObject)

LkRunTable *lk_run_table_new (LkRun *run);

G_END_DECLS
