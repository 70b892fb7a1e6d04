/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "lk-cli-store.h"

static gboolean as_json;
static char *output, *name;
static char **columns, **weights;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write; default: a file in the folder of datasets", "PATH" },
  { "name", 0, 0, G_OPTION_ARG_STRING, &name, "What to call it; default: the first file's name", "NAME" },
  { "column", 0, 0, G_OPTION_ARG_STRING_ARRAY, &columns,
    "Which column holds what: prompt, answer, context, system or text; said once for each", "PART=COLUMN" },
  { "weight", 0, 0, G_OPTION_ARG_STRING_ARRAY, &weights,
    "How often each file's rows are seen in an epoch, in the order of the files; default 1", "W" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Lines of JSON: progress, done or error", NULL },
  { NULL },
};

static gboolean
on_progress (double fraction, gint64 rows, gpointer data)
{
  lk_cli_tell_progress (as_json, fraction, "%" G_GINT64_FORMAT " rows", rows);
  return !g_cancellable_is_cancelled (lk_cli_cancellable ());
}

/* The path to write: the one given, or a new one after the dataset's name. (transfer full) */
static char *
choose_path (GError **error)
{
  g_autofree char *home = lk_cli_datasets_home ();
  g_autofree char *leaf = g_strdelimit (g_strdup (name), "/", '-');

  if (output)
    return g_canonicalize_filename (output, NULL);
  if (g_mkdir_with_parents (home, 0755) != 0)
    {
      lk_error_set_errno (error, errno, "Could not create the folder “%s”", home);
      return NULL;
    }
  for (guint i = 1; i < 10000; i++)
    {
      g_autofree char *numbered = i == 1 ? g_strconcat (leaf, ".lkdata", NULL) : g_strdup_printf ("%s %u.lkdata", leaf, i);
      g_autofree char *path = g_build_filename (home, numbered, NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "There are too many datasets called “%s”", name);
  return NULL;
}

static gboolean
fill_files (LkImportFile *files, char **paths, guint n, const LkMapping *mapping, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      const char *weight = weights && i < g_strv_length (weights) ? weights[i] : "1";
      char *end;

      files[i] = (LkImportFile){ g_canonicalize_filename (paths[i], NULL), mapping, g_ascii_strtod (weight, &end) };
      if (end == weight || *end || !(files[i].weight >= 0 && files[i].weight <= 100))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--weight must be a number from 0 to 100, not “%s”", weight);
          return FALSE;
        }
    }
  if (!weights || g_strv_length (weights) <= n)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There are more weights than files");
  return FALSE;
}

static LkMapping *
make_mapping (GError **error)
{
  g_autoptr (LkMapping) mapping = lk_mapping_new ();

  for (guint i = 0; columns && columns[i]; i++)
    if (!lk_mapping_set (mapping, columns[i], error))
      return NULL;
  return lk_mapping_check (mapping, error) ? g_steal_pointer (&mapping) : NULL;
}

static gboolean
report (const char *path, GError **error)
{
  const LkRowFilter filter = { .limit = G_MAXINT64 };
  g_autoptr (LkRowStore) store = lk_row_store_open (path, FALSE, error);
  LkRowStats stats;
  JsonObject *object;

  if (!store || !lk_row_store_measure (store, &filter, &stats, error))
    return FALSE;
  if (!as_json)
    {
      lk_cli_print ("%s: %" G_GINT64_FORMAT " rows, %" G_GINT64_FORMAT " of them can be used", path, stats.rows, stats.used);
      return TRUE;
    }
  object = json_object_new ();
  json_object_set_string_member (object, "event", "done");
  json_object_set_string_member (object, "path", path);
  json_object_set_int_member (object, "rows", stats.rows);
  json_object_set_int_member (object, "used", stats.used);
  lk_cli_take_json (object);
  return TRUE;
}

static gboolean
import (char **paths, guint n, GError **error)
{
  g_autoptr (LkMapping) mapping = columns ? make_mapping (error) : NULL;
  g_autofree LkImportFile *files = g_new0 (LkImportFile, n);
  g_autofree char *path = NULL;
  gboolean ok;

  if (columns && !mapping)
    return FALSE;
  if (!name)
    {
      name = g_path_get_basename (paths[0]);
      if (strrchr (name, '.') > name)
        *strrchr (name, '.') = 0;
    }
  ok = fill_files (files, paths, n, mapping, error) && (path = choose_path (error))
       && lk_row_store_import (path, name, files, n, on_progress, NULL, error);
  for (guint i = 0; i < n; i++)
    g_free ((char *) files[i].path);
  if (ok)
    lk_cli_tell_progress (FALSE, 1, "%s", path);
  return ok && report (path, error);
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "FILE…",
    .description = "Reads JSON, JSON lines, CSV and text files into one dataset, row by row, however large they are. Its rows can then be\n"
                   "looked at, excluded and edited; the files stay as they are. Importing to a path that is there reads the files anew and\n"
                   "keeps what was excluded and edited in those that did not change.",
    .entries = entries,
    .min = 1,
    .max = G_MAXUINT,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_import, &usage, &argc, &argv, &status))
    return status;
  lk_cli_cancellable (); /* from here on signals end the import and not the process, which would leave half of it behind */
  return import (argv + 1, (guint) argc - 1, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

const LkCommand lk_data_import = { "data import", "Make a dataset of files", run };
