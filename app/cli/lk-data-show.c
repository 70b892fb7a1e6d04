/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * data show: rows as a model will see them. data count: how many tokens that makes of all.
 */
#include <string.h>

#include "lk-cli-store.h"
#include "lk-json.h"
#include "lk-row-view.h"
#include "lk-train-data.h"

#define BATCH 500 /* rows counted between two writes */

static gboolean as_json;
static char *model_path;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path, "The model whose template and tokenizer to use", "MODEL" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Lines of JSON", NULL },
  { NULL },
};

/* {"row", "text", "spans", "tokens"} or {"row", "error"}. (transfer full) */
static JsonObject *
show_row (LkRowStore *store, gint32 id, LkModel *model, GError **error)
{
  g_autoptr (GArray) found = lk_row_store_get_rows (store, &id, 1, error);
  const LkStoredRow *stored = found && found->len ? &g_array_index (found, LkStoredRow, 0) : NULL;
  g_autoptr (GError) refusal = NULL;
  JsonObject *object = NULL;
  LkRowView view;
  LkRow row;

  if (!found)
    return NULL;
  if (!stored)
    g_set_error (&refusal, LK_ERROR, LK_ERROR_NOT_FOUND, "There is no row %d", id);
  else if (stored->problems & LK_ROW_UNUSABLE)
    g_set_error_literal (&refusal, LK_ERROR, LK_ERROR_BAD_DATA, stored->reason ? stored->reason : "The row cannot be used");
  else if (lk_stored_row_parse (stored, &row, &refusal))
    {
      row.line = (guint64) stored->line;
      if (lk_row_view_init (&view, &row, model, &refusal))
        object = lk_row_view_to_json (&view, &row, model && lk_model_get_tokenizer (model));
      lk_row_view_clear (&view);
      lk_stored_row_parse_clear (&row);
    }
  if (!object)
    {
      object = json_object_new ();
      json_object_set_string_member (object, "error", refusal ? refusal->message : "The row cannot be shown");
    }
  json_object_set_int_member (object, "row", id);
  return object;
}

static void
print_row (JsonObject *object)
{
  const char *text = lk_json_peek_string (object, "text", NULL);
  g_autofree char *tame = lk_cli_tame (text ? text : lk_json_peek_string (object, "error", ""));

  lk_cli_print ("--- row %" G_GINT64_FORMAT "\n%s", json_object_get_int_member (object, "row"), tame);
}

static gboolean
show_one (LkRowStore *store, gint32 id, LkModel *model, GError **error)
{
  JsonObject *object = show_row (store, id, model, error);

  if (!object)
    return FALSE;
  if (as_json)
    lk_cli_take_json (object);
  else
    {
      print_row (object);
      json_object_unref (object);
    }
  return TRUE;
}

/* Rows asked for one by one on standard input, {"row": 5} a line, until it ends. */
static gboolean
answer_lines (LkRowStore *store, LkModel *model, GError **error)
{
  g_autoptr (LkCliLines) lines = lk_cli_lines_new ();
  JsonObject *line;
  g_autoptr (GError) read_error = NULL;

  while ((line = lk_cli_lines_next (lines, &read_error)))
    {
      gint64 id = lk_json_peek_int (line, "row", 0);
      gboolean ok = show_one (store, (gint32) CLAMP (id, 0, G_MAXINT32), model, error);

      json_object_unref (line);
      if (!ok)
        return FALSE;
    }
  if (!read_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&read_error));
  return FALSE;
}

static gboolean
show (int argc, char **argv, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (argv[1], FALSE, error);
  g_autoptr (LkModel) model = store && model_path ? lk_model_open_text (model_path, error) : NULL;
  g_autoptr (GArray) ids = store ? lk_cli_parse_rows (argv + 2, argc - 2, error) : NULL;

  if (!ids || (model_path && !model))
    return FALSE;
  if (argc == 2)
    return answer_lines (store, model, error);
  for (guint i = 0; i < ids->len; i++)
    if (!show_one (store, g_array_index (ids, gint32, i), model, error))
      return FALSE;
  return TRUE;
}

static int
run_show (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "DATASET [ROW…]",
    .description = "Shows rows as the model will see them. Without a ROW, reads lines {\"row\": N} from standard input and answers each:\n"
                   "{\"row\", \"text\", \"spans\": [[begin, end], …] of what is learned in characters, \"tokens\"} or {\"row\", \"error\"}.",
    .entries = entries,
    .min = 1,
    .max = G_MAXUINT,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_show, &usage, &argc, &argv, &status))
    return status;
  return show (argc, argv, &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

/* *refusal (may be set) outlives @count. FALSE: no row can be counted with this model. */
static gboolean
count_row (const LkStoredRow *stored, LkModel *model, LkRowCount *count, GError **refusal, GError **error)
{
  g_autoptr (LkExample) example = NULL;
  LkRow row;

  *count = (LkRowCount){ .id = (gint32) stored->id };
  if (!lk_stored_row_parse (stored, &row, refusal))
    {
      count->reason = (*refusal)->message;
      return TRUE;
    }
  example = lk_example_from_row (model, &row, 0, refusal);
  lk_stored_row_parse_clear (&row);
  if (!example && g_error_matches (*refusal, LK_ERROR, LK_ERROR_UNSUPPORTED))
    {
      g_propagate_error (error, g_steal_pointer (refusal));
      return FALSE;
    }
  count->reason = example ? NULL : (*refusal)->message;
  count->first = example ? example->n : 0;
  for (guint i = example ? example->n : 0; i > 1; i--)
    if (example->targets[i - 1])
      {
        count->targets++;
        count->first = i - 1;
      }
  count->tokens = example ? example->n : 0;
  return TRUE;
}

static gboolean
count_batch (LkRowStore *store, LkModel *model, const gint32 *ids, guint n, GError **error)
{
  g_autoptr (GArray) found = lk_row_store_get_rows (store, ids, n, error);
  g_autofree LkRowCount *counts = g_new0 (LkRowCount, n);
  g_autofree GError **refusals = g_new0 (GError *, n);
  gboolean ok = found != NULL;

  for (guint i = 0; ok && i < found->len; i++)
    ok = count_row (&g_array_index (found, LkStoredRow, i), model, &counts[i], &refusals[i], error);
  ok = ok && lk_row_store_set_counts (store, counts, found->len, error);
  for (guint i = 0; i < n; i++)
    g_clear_error (&refusals[i]);
  return ok;
}

static gboolean
count (const char *name, GError **error)
{
  g_autoptr (LkRowStore) store = lk_cli_open_dataset (name, TRUE, error);
  g_autofree char *path = model_path ? g_canonicalize_filename (model_path, NULL) : NULL;
  g_autofree char *before = store ? lk_row_store_get_meta (store, "model") : NULL;
  g_autoptr (LkModel) model = NULL;
  g_autoptr (GArray) ids = NULL;

  if (store && !path && !before)
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--model is needed: the rows of “%s” were not counted before", name);
  else if (store)
    model = lk_model_open_text (path ? path : before, error);
  if (!model)
    return FALSE;
  if (path && g_strcmp0 (path, before) != 0
      && (!lk_row_store_clear_counts (store, error) || !lk_row_store_set_meta (store, "model", path, error)))
    return FALSE;
  ids = lk_row_store_find_uncounted (store, error);
  for (guint i = 0; ids && i < ids->len; i += BATCH)
    {
      guint n = MIN (BATCH, ids->len - i);

      if (g_cancellable_is_cancelled (lk_cli_cancellable ()))
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "The count was ended; what is counted stays");
          return FALSE;
        }
      if (!count_batch (store, model, (const gint32 *) (void *) ids->data + i, n, error))
        return FALSE;
      lk_cli_tell_progress (as_json, (double) (i + n) / ids->len, "%u of %u rows", i + n, ids->len);
    }
  if (ids && as_json)
    {
      JsonObject *object = json_object_new ();
      json_object_set_string_member (object, "event", "done");
      json_object_set_int_member (object, "rows", ids->len);
      lk_cli_take_json (object);
    }
  return ids != NULL;
}

static int
run_count (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "DATASET",
    .description = "Counts the tokens of all rows that are not counted yet, with the template and the tokenizer of MODEL (default: the one\n"
                   "they were counted with before). Another model's counts are forgotten.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_data_count, &usage, &argc, &argv, &status))
    return status;
  lk_cli_cancellable ();
  return count (argv[1], &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

const LkCommand lk_data_show = { "data show", "Show rows as a model will see them", run_show };
const LkCommand lk_data_count = { "data count", "Count tokens with a model", run_count };
