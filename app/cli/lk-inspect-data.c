/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-inspect-data.h"

#include "lk-command.h"
#include "lk-row-store.h"
#include "lk-row-view.h"

#define MEASURED 5000
#define SHOWN_PROBLEMS 100

static int
compare_lengths (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static JsonObject *
lengths_to_json (GArray *lengths, const char *unit)
{
  JsonObject *object = json_object_new ();
  const gint64 *v = (const gint64 *) (void *) lengths->data;
  gint64 total = 0;

  json_object_set_string_member (object, "unit", unit);
  json_object_set_int_member (object, "counted", lengths->len);
  if (lengths->len == 0)
    return object;
  g_array_sort (lengths, compare_lengths);
  for (guint i = 0; i < lengths->len; i++)
    total += v[i];
  json_object_set_int_member (object, "shortest", v[0]);
  json_object_set_int_member (object, "median", lk_length_of_percent (v, lengths->len, 50));
  json_object_set_double_member (object, "mean", (double) total / lengths->len);
  json_object_set_int_member (object, "p95", lk_length_of_percent (v, lengths->len, 95));
  json_object_set_int_member (object, "longest", v[lengths->len - 1]);
  json_object_set_int_member (object, "total", total);
  return object;
}

static void
add_problem (JsonArray *problems, gboolean all, const char *file, guint64 line, const char *reason)
{
  JsonObject *problem;

  if (!all && json_array_get_length (problems) >= SHOWN_PROBLEMS)
    return;
  problem = json_object_new ();
  json_object_set_string_member (problem, "file", file);
  json_object_set_int_member (problem, "line", (gint64) line);
  json_object_set_string_member (problem, "reason", reason);
  json_array_add_object_element (problems, problem);
}

/* Walks the rows: the first ones are shown, up to MEASURED of them measured, or with @all_problems each; a row the template refuses is a
 * problem. */
static guint
walk_rows (LkDataset *data, LkModel *model, guint n_preview, gboolean all_problems, JsonArray *preview, GArray *lengths,
           JsonArray *problems)
{
  guint n = lk_dataset_get_n_rows (data);
  guint step = all_problems ? 1 : MAX (1, (n + MEASURED - 1) / MEASURED);
  guint refused = 0;

  for (guint i = 0; i < n; i++)
    {
      const LkRow *row = lk_dataset_get_row (data, i);
      g_autoptr (GError) error = NULL;
      LkRowView view;

      if (i % step != 0 && json_array_get_length (preview) >= n_preview)
        continue;
      if (!lk_row_view_init (&view, row, model, &error))
        {
          refused++;
          add_problem (problems, all_problems, lk_dataset_get_path (data, row->file), row->line, error->message);
        }
      else
        {
          if (json_array_get_length (preview) < n_preview)
            json_array_add_object_element (
                preview, lk_row_view_to_json (&view, row, model && lk_model_get_tokenizer (model)));
          if (i % step == 0 && view.length >= 0)
            g_array_append_val (lengths, view.length);
        }
      lk_row_view_clear (&view);
    }
  return refused;
}

static char *
forms_of (LkDataset *data, guint n_files)
{
  g_autoptr (GPtrArray) forms = g_ptr_array_new ();

  for (guint i = 0; i < n_files; i++)
    {
      const char *form = lk_dataset_get_form (data, i);

      if (form && !g_ptr_array_find_with_equal_func (forms, form, g_str_equal, NULL))
        g_ptr_array_add (forms, (gpointer) form);
    }
  g_ptr_array_add (forms, NULL);
  return g_strjoinv (", ", (char **) forms->pdata);
}

JsonObject *
lk_inspect_data (const char *const *paths, guint n_paths, const char *model_path, guint n_preview,
                 gboolean all_problems, GError **error)
{
  g_autoptr (LkModel) model = model_path ? lk_model_open_text (model_path, error) : NULL;
  g_autoptr (LkDataset) data = model || !model_path ? lk_dataset_load (paths, n_paths, error) : NULL;
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *forms = NULL;
  JsonArray *problems, *preview;
  JsonObject *out;
  guint refused;

  if (!data)
    return NULL;
  problems = json_array_new ();
  preview = json_array_new ();
  for (guint i = 0; i < lk_dataset_get_n_problems (data); i++)
    {
      const LkRowProblem *problem = lk_dataset_get_problem (data, i);

      add_problem (problems, all_problems, lk_dataset_get_path (data, problem->file), problem->line, problem->reason);
    }
  refused = walk_rows (data, model, n_preview, all_problems, preview, lengths, problems);
  forms = forms_of (data, n_paths);
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "dataset");
  json_object_set_string_member (out, "format", forms);
  json_object_set_int_member (out, "rows", lk_dataset_get_n_rows (data));
  json_object_set_int_member (out, "problem_count", (gint64) lk_dataset_get_n_problems (data) + refused);
  json_object_set_array_member (out, "problems", problems);
  json_object_set_object_member (
      out, "lengths",
      lengths_to_json (lengths, model && lk_model_get_tokenizer (model) ? "tokens" : "characters"));
  json_object_set_array_member (out, "preview", preview);
  if (model && lk_model_get_template_note (model))
    json_object_set_string_member (out, "template_note", lk_model_get_template_note (model));
  return out;
}

static void
print_preview (JsonObject *row)
{
  const char *text = json_object_get_string_member (row, "text");
  JsonArray *spans = json_object_get_array_member (row, "spans");
  GString *marked = g_string_new (NULL);
  const char *at = text;

  for (guint i = 0; i < json_array_get_length (spans); i++)
    {
      JsonArray *pair = json_array_get_array_element (spans, i);
      const char *begin = g_utf8_offset_to_pointer (text, json_array_get_int_element (pair, 0));
      const char *end = g_utf8_offset_to_pointer (text, json_array_get_int_element (pair, 1));

      g_string_append_len (marked, at, begin - at);
      g_string_append (marked, "⟦");
      g_string_append_len (marked, begin, end - begin);
      g_string_append (marked, "⟧");
      at = end;
    }
  g_string_append (marked, at);
  lk_cli_print ("\n--- line %" G_GINT64_FORMAT "%s", json_object_get_int_member (row, "line"), "");
  lk_cli_print ("%s", marked->str);
  g_string_free (marked, TRUE);
}

void
lk_inspect_data_print (JsonObject *object)
{
  JsonArray *problems = json_object_get_array_member (object, "problems");
  JsonArray *preview = json_object_get_array_member (object, "preview");
  JsonObject *lengths = json_object_get_object_member (object, "lengths");
  gint64 count = json_object_get_int_member (object, "problem_count");

  lk_cli_print ("form: %s\nrows: %" G_GINT64_FORMAT, json_object_get_string_member (object, "format"),
                json_object_get_int_member (object, "rows"));
  if (json_object_has_member (lengths, "longest"))
    lk_cli_print (
        "length in %s: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", half of them at most %" G_GINT64_FORMAT
        ", 95 %% at most %" G_GINT64_FORMAT,
        json_object_get_string_member (lengths, "unit"), json_object_get_int_member (lengths, "shortest"),
        json_object_get_int_member (lengths, "longest"), json_object_get_int_member (lengths, "median"),
        json_object_get_int_member (lengths, "p95"));
  if (count > 0)
    lk_cli_print ("rows that cannot be used: %" G_GINT64_FORMAT, count);
  for (guint i = 0; i < json_array_get_length (problems); i++)
    {
      JsonObject *problem = json_array_get_object_element (problems, i);

      lk_cli_print ("  %s, line %" G_GINT64_FORMAT ": %s", json_object_get_string_member (problem, "file"),
                    json_object_get_int_member (problem, "line"),
                    json_object_get_string_member (problem, "reason"));
    }
  if (count > json_array_get_length (problems))
    lk_cli_print ("  … and %" G_GINT64_FORMAT " more; --problems names them all", count - json_array_get_length (problems));
  for (guint i = 0; i < json_array_get_length (preview); i++)
    print_preview (json_array_get_object_element (preview, i));
}
