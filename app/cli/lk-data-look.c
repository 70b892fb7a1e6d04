/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data list, data stats, data rows: what is there.
 */
#include <string.h>

#include "lk-cli-store.h"
#include "lk-json.h"

static gboolean as_json;
static gint64 from, count = 100;

static const GOptionEntry json_entry = { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "One line of JSON", NULL };

/* The filter's options and @n others. (transfer full; kept for the process) */
static const GOptionEntry *
with_filter (const GOptionEntry *others, guint n)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (guint i = 0; lk_cli_filter_entries[i].long_name; i++)
    g_array_append_val (entries, lk_cli_filter_entries[i]);
  g_array_append_vals (entries, others, n);
  g_array_append_val (entries, json_entry);
  return (const GOptionEntry *) (void *) g_array_free (entries, FALSE);
}

static JsonArray *
files_to_json (GArray *files)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < files->len; i++)
    {
      const LkStoredFile *file = &g_array_index (files, LkStoredFile, i);
      g_autoptr (JsonNode) columns = lk_json_parse (file->columns, strlen (file->columns), "columns", NULL);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "path", file->path);
      json_object_set_int_member (one, "rows", file->rows);
      json_object_set_double_member (one, "weight", file->weight);
      if (file->form)
        json_object_set_string_member (one, "form", file->form);
      if (file->trouble)
        json_object_set_string_member (one, "trouble", file->trouble);
      if (columns)
        json_object_set_member (one, "columns", g_steal_pointer (&columns));
      if (file->mapping)
        json_object_set_object_member (one, "mapping", lk_mapping_to_json (file->mapping));
      json_array_add_object_element (list, one);
    }
  return list;
}

static JsonArray *
bins_to_json (const LkRowStats *stats)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < LK_LENGTH_BINS; i++)
    json_array_add_int_element (list, stats->bins[i]);
  return list;
}

static JsonObject *
stats_to_json (LkRowStore *store, const LkRowStats *stats, GArray *files)
{
  const struct
  {
    const char *name;
    gint64 value;
  } numbers[] = { { "rows", stats->rows },         { "used", stats->used },         { "unusable", stats->unusable },
                  { "excluded", stats->excluded }, { "edited", stats->edited },     { "cut", stats->cut },
                  { "lost", stats->lost },         { "held_out", stats->held_out }, { "counted", stats->counted },
                  { "tokens", stats->tokens },     { "targets", stats->targets },   { "shortest", stats->shortest },
                  { "median", stats->median },     { "p95", stats->p95 },           { "longest", stats->longest } };
  g_autofree char *name = lk_row_store_get_meta (store, "name"), *model = lk_row_store_get_meta (store, "model");
  JsonObject *object = json_object_new (), *problems = json_object_new ();

  if (name)
    json_object_set_string_member (object, "name", name);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    json_object_set_int_member (object, numbers[i].name, numbers[i].value);
  json_object_set_string_member (object, "unit", stats->in_tokens ? "tokens" : "characters");
  if (model)
    json_object_set_string_member (object, "model", model);
  for (guint i = 0; i < lk_n_row_flags; i++)
    json_object_set_int_member (problems, lk_row_flags[i].name, stats->of_flag[i]);
  json_object_set_object_member (object, "problems", problems);
  json_object_set_int_member (object, "bin_width", stats->bin_width);
  json_object_set_array_member (object, "bins", bins_to_json (stats));
  json_object_set_array_member (object, "files", files_to_json (files));
  return object;
}

static void
print_stats (const LkRowStats *stats, GArray *files)
{
  lk_cli_print ("rows: %" G_GINT64_FORMAT "\ncannot be used: %" G_GINT64_FORMAT "\nexcluded: %" G_GINT64_FORMAT "\nremain: %" G_GINT64_FORMAT,
                stats->rows, stats->unusable, stats->excluded, stats->used);
  lk_cli_print ("held out of these: %" G_GINT64_FORMAT, stats->held_out);
  if (stats->used > 0)
    lk_cli_print ("length in %s: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", half of them at most %" G_GINT64_FORMAT
                  ", 95 %% at most %" G_GINT64_FORMAT,
                  stats->in_tokens ? "tokens" : "characters", stats->shortest, stats->longest, stats->median, stats->p95);
  if (stats->counted > 0)
    lk_cli_print ("cut by the limit: %" G_GINT64_FORMAT "\nnothing left within the limit: %" G_GINT64_FORMAT, stats->cut, stats->lost);
  for (guint i = 0; i < lk_n_row_flags; i++)
    if (stats->of_flag[i] > 0)
      lk_cli_print ("%s: %" G_GINT64_FORMAT, lk_row_flags[i].title, stats->of_flag[i]);
  for (guint i = 0; i < files->len; i++)
    {
      const LkStoredFile *file = &g_array_index (files, LkStoredFile, i);

      lk_cli_print ("%s: %" G_GINT64_FORMAT " rows, %s%s%s", file->path, file->rows, file->form ? file->form : "no form",
                    file->trouble ? "; " : "", file->trouble ? file->trouble : "");
    }
}

static gboolean
stats (const char *name, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (name, FALSE, error);
  g_autoptr (GArray) files = NULL;
  LkRowFilter filter;
  LkRowStats measured;

  if (!store || !lk_cli_filter_fill (&filter, error) || !lk_row_store_measure (store, &filter, &measured, error)
      || !(files = lk_row_store_get_files (store, error)))
    return FALSE;
  if (as_json)
    lk_cli_take_json (stats_to_json (store, &measured, files));
  else
    print_stats (&measured, files);
  return TRUE;
}

static int
run_stats (int argc, char **argv)
{
  const LkCliUsage usage = { .arguments = "DATASET", .entries = with_filter (NULL, 0), .min = 1, .max = 1 };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_stats, &usage, &argc, &argv, &status))
    return status;
  return stats (argv[1], &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static JsonObject *
row_to_json (const LkStoredRow *row, GArray *files)
{
  JsonObject *object = json_object_new ();
  JsonArray *problems = json_array_new ();
  const struct
  {
    const char *name;
    gint64 value;
  } numbers[] = { { "row", row->id },         { "line", row->line },       { "characters", row->characters },
                  { "tokens", row->tokens }, { "targets", row->targets }, { "first_target", row->first } };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i].value >= 0)
      json_object_set_int_member (object, numbers[i].name, numbers[i].value);
  if (row->file < files->len)
    json_object_set_string_member (object, "file", g_array_index (files, LkStoredFile, row->file).path);
  json_object_set_boolean_member (object, "excluded", row->excluded);
  json_object_set_boolean_member (object, "edited", row->edited);
  for (guint i = 0; i < lk_n_row_flags; i++)
    if (row->problems & lk_row_flags[i].flag)
      json_array_add_string_element (problems, lk_row_flags[i].name);
  json_object_set_array_member (object, "problems", problems);
  if (row->reason)
    json_object_set_string_member (object, "reason", row->reason);
  json_object_set_string_member (object, "content", row->content);
  return object;
}

static void
print_row (const LkStoredRow *row)
{
  g_autofree char *question = NULL, *answer = NULL, *tame = NULL, *line = NULL;

  lk_stored_row_summarise (row, 60, &question, &answer);
  line = g_strdup_printf ("%" G_GINT64_FORMAT "%s%s\t%s → %s%s%s", row->id, row->excluded ? " excluded" : "", row->edited ? " edited" : "",
                          question, answer, row->reason ? "\t" : "", row->reason ? row->reason : "");
  tame = lk_cli_tame (line);
  lk_cli_print ("%s", tame);
}

static gboolean
rows (const char *name, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (name, FALSE, error);
  g_autoptr (GArray) ids = NULL, found = NULL, files = NULL;
  LkRowFilter filter;
  guint begin, n;

  if (!store || !lk_cli_filter_fill (&filter, error) || !lk_cli_check_count ("--from", from, 0, error)
      || !lk_cli_check_count ("--count", count, 0, error) || !(files = lk_row_store_get_files (store, error))
      || !(ids = lk_row_store_find (store, &filter, lk_cli_cancellable (), error)))
    return FALSE;
  begin = (guint) MIN (from, ids->len);
  n = (guint) MIN (count, ids->len - begin);
  found = lk_row_store_get_rows (store, (const gint32 *) (void *) ids->data + begin, n, error);
  for (guint i = 0; found && i < found->len; i++)
    if (as_json)
      lk_cli_take_json (row_to_json (&g_array_index (found, LkStoredRow, i), files));
    else
      print_row (&g_array_index (found, LkStoredRow, i));
  return found != NULL;
}

static int
run_rows (int argc, char **argv)
{
  static const GOptionEntry own[] = {
    { "from", 0, 0, G_OPTION_ARG_INT64, &from, "How many rows to pass over first", "N" },
    { "count", 0, 0, G_OPTION_ARG_INT64, &count, "How many to list; default 100", "N" },
  };
  const LkCliUsage usage = { .arguments = "DATASET", .entries = with_filter (own, G_N_ELEMENTS (own)), .min = 1, .max = 1 };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_rows, &usage, &argc, &argv, &status))
    return status;
  return rows (argv[1], &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

static int
run_list (int argc, char **argv)
{
  const LkCliUsage usage = { .entries = (const GOptionEntry[]){ json_entry, { NULL } } };
  g_autofree char *home = lk_cli_datasets_home ();
  g_autoptr (GDir) folder = NULL;
  const char *leaf;
  int status;

  if (!lk_cli_parse (&lk_data_list, &usage, &argc, &argv, &status))
    return status;
  folder = g_dir_open (home, 0, NULL);
  while (folder && (leaf = g_dir_read_name (folder)))
    {
      const LkRowFilter filter = { .limit = G_MAXINT64 };
      g_autofree char *path = g_build_filename (home, leaf, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkRowStore) store = NULL;
      g_autoptr (GArray) files = NULL;
      LkRowStats measured;

      if (leaf[0] == '.' || !g_str_has_suffix (leaf, ".lkdata"))
        continue;
      store = lk_row_store_open (path, FALSE, &error);
      if (!store || !lk_row_store_measure (store, &filter, &measured, &error) || !(files = lk_row_store_get_files (store, &error)))
        {
          lk_cli_note ("%s", error->message);
          continue;
        }
      if (as_json)
        {
          JsonObject *object = stats_to_json (store, &measured, files);
          json_object_set_string_member (object, "path", path);
          lk_cli_take_json (object);
        }
      else
        lk_cli_print ("%.*s\t%" G_GINT64_FORMAT " rows", (int) (strlen (leaf) - strlen (".lkdata")), leaf, measured.rows);
    }
  return LK_EXIT_OK;
}

const LkCommand lk_data_stats = { "data stats", "How many rows, how long, what is wrong with how many", run_stats };
const LkCommand lk_data_rows = { "data rows", "List rows", run_rows };
const LkCommand lk_data_list = { "data list", "List the datasets that were imported", run_list };
