/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data exclude, restore, edit, weight, export: what a person does to a dataset.
 */
#include <string.h>

#include "lk-cli-store.h"
#include "lk-json.h"

static char *output;

static gboolean
set_excluded (int argc, char **argv, gboolean excluded, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (argv[1], TRUE, error);
  g_autoptr (GArray) ids = store ? lk_cli_parse_rows (argv + 2, argc - 2, error) : NULL;

  if (!ids || !lk_row_store_exclude (store, (const gint32 *) (void *) ids->data, ids->len, excluded, error))
    return FALSE;
  /* restoring a row brings back its text, too */
  for (guint i = 0; !excluded && i < ids->len; i++)
    if (!lk_row_store_edit (store, g_array_index (ids, gint32, i), NULL, error))
      return FALSE;
  return TRUE;
}

static int
run_exclude (int argc, char **argv)
{
  static const LkCliUsage usage = { .arguments = "DATASET ROW…", .description = "A ROW is a number or a range: 5, 10-20.", .min = 2, .max = G_MAXUINT };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_exclude, &usage, &argc, &argv, &status))
    return status;
  return set_excluded (argc, argv, TRUE, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static int
run_restore (int argc, char **argv)
{
  static const LkCliUsage usage = { .arguments = "DATASET ROW…", .description = "A ROW is a number or a range: 5, 10-20.", .min = 2, .max = G_MAXUINT };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_restore, &usage, &argc, &argv, &status))
    return status;
  return set_excluded (argc, argv, FALSE, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static gboolean
edit (char **argv, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (argv[1], TRUE, error);
  g_autoptr (GArray) ids = store ? lk_cli_parse_rows (argv + 2, 1, error) : NULL;
  g_autoptr (LkCliLines) lines = lk_cli_lines_new ();
  g_autoptr (JsonObject) object = NULL, more = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) read_error = NULL;

  if (!ids)
    return FALSE;
  object = lk_cli_lines_next (lines, &read_error);
  if (!object)
    {
      if (read_error)
        g_propagate_error (error, g_steal_pointer (&read_error));
      else
        g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, "There is no row on standard input");
      return FALSE;
    }
  more = lk_cli_lines_next (lines, &read_error);
  if (more || read_error)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, "There is more than one row on standard input");
      return FALSE;
    }
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_set_object (node, object);
  text = lk_json_to_string (node, FALSE);
  return lk_row_store_edit (store, g_array_index (ids, gint32, 0), text, error);
}

static int
run_edit (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "DATASET ROW < NEW-ROW",
    .description = "Reads the row's new content, one line of JSON in any form that files have, from standard input.",
    .min = 2,
    .max = 2,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_edit, &usage, &argc, &argv, &status))
    return status;
  return edit (argv, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static gboolean
set_weight (char **argv, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (argv[1], TRUE, error);
  g_autoptr (GArray) files = store ? lk_row_store_get_files (store, error) : NULL;
  guint64 file = 0;
  char *end;
  double weight = g_ascii_strtod (argv[3], &end);

  if (!files)
    return FALSE;
  if (g_ascii_string_to_unsigned (argv[2], 10, 1, files->len, &file, NULL) && end > argv[3] && !*end)
    return lk_row_store_set_weight (store, (guint) file - 1, weight, error);
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s %s” is no number of a file (1 to %u) and a weight", argv[2], argv[3], files->len);
  return FALSE;
}

static int
run_weight (int argc, char **argv)
{
  static const LkCliUsage usage = { .arguments = "DATASET FILE WEIGHT",
                                    .description = "FILE counts from 1. 2: each of its rows is seen twice in an epoch; 0.5: every other one.",
                                    .min = 3,
                                    .max = 3 };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_weight, &usage, &argc, &argv, &status))
    return status;
  return set_weight (argv, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static int
run_export (int argc, char **argv)
{
  static const GOptionEntry entries[]
      = { { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write", "FILE" }, { NULL } };
  static const LkCliUsage usage = { .arguments = "DATASET",
                                    .description = "Writes the rows that remain as JSON lines, as a run learns from them.",
                                    .entries = entries,
                                    .min = 1,
                                    .max = 1 };
  g_autoptr (LkRowStore) store = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_export, &usage, &argc, &argv, &status))
    return status;
  if (!output)
    return lk_cli_fail_usage ("Say where to write: -o FILE");
  store = lk_cli_open_dataset (argv[1], FALSE, &error);
  return store && lk_row_store_export (store, output, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

const LkCommand lk_data_exclude = { "data exclude", "Leave rows out of training", run_exclude };
const LkCommand lk_data_restore = { "data restore", "Take exclusions and edits of rows back", run_restore };
const LkCommand lk_data_edit = { "data edit", "Change a row", run_edit };
const LkCommand lk_data_weight = { "data weight", "Say how often a file's rows are seen", run_weight };
const LkCommand lk_data_export = { "data export", "Write the rows that remain", run_export };
