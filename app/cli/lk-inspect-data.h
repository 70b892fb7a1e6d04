/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dataset as `inspect` shows it.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* {"kind": "dataset", "format", "rows", "problem_count", "problems": [{file, line, reason}] (at most 100, or
 * @all_problems),
 * "lengths":
 * {"unit": "tokens" or "characters", "counted", "shortest", "median", "mean", "p95", "longest", "total"},
 * "preview":
 * [{"text", "spans" (characters), "tokens", "line"}]}. @model_path NULL: rows as plain text, lengths in
 * characters. Of more than 5000 rows, 5000 are measured, spread evenly, unless @all_problems are wanted; "counted" says how many. (transfer
 * full) */
JsonObject *lk_inspect_data (const char *const *paths, guint n_paths, const char *model_path, guint n_preview,
                             gboolean all_problems, GError **error);
void lk_inspect_data_print (JsonObject *object);

G_END_DECLS
