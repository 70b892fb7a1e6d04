/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands on imported datasets share: `lorikeet-cli data …`.
 */
#pragma once

#include "lk-command.h"
#include "lk-row-store.h"

G_BEGIN_DECLS

extern const LkCommand lk_data_import, lk_data_count, lk_data_list, lk_data_stats, lk_data_rows, lk_data_show, lk_data_exclude,
    lk_data_restore, lk_data_edit, lk_data_weight, lk_data_export;

/* Where datasets lie unless somebody says otherwise. (transfer full) */
char *lk_cli_datasets_home (void);
/* @name is a path, or the name of a dataset there, with or without “.lkdata”. (transfer full) */
char *lk_cli_find_dataset (const char *name);
LkRowStore *lk_cli_open_dataset (const char *name, gboolean writable, GError **error);

/* "--only" and its kin, for rows and export of them: options to append to others. */
extern const GOptionEntry lk_cli_filter_entries[];
/* What they said. FALSE and @error when it is none. */
gboolean lk_cli_filter_fill (LkRowFilter *filter, GError **error);

/* Numbers of rows from @argv, “5” or “5-9”, as a GArray of gint32. (transfer full) */
GArray *lk_cli_parse_rows (char **argv, int argc, GError **error);

/* {"event": "progress", "fraction", "message"} where @as_json, else a line on a terminal. */
void lk_cli_tell_progress (gboolean as_json, double fraction, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
