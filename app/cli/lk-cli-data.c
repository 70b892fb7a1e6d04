/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-data.h"

#include "lk-command.h"

static void
free_example (gpointer data)
{
  lk_example_free (data);
}

static void
lk_cli_data_init (LkCliData *self)
{
  *self
      = (LkCliData){ .rows = g_ptr_array_new (), .examples = g_ptr_array_new_with_free_func (free_example) };
}

#define TOLD 100 /* rows named one by one; all are counted */

static void
lk_cli_data_report (LkCliData *self, guint file, guint64 line, const char *reason)
{
  if (self->unusable++ < TOLD)
    lk_cli_note ("%s, line %" G_GUINT64_FORMAT ": %s", lk_dataset_get_path (self->dataset, file), line, reason);
}

static void
lk_cli_data_add (LkCliData *self, LkModel *model, const LkRow *row, gint64 now)
{
  g_autoptr (GError) error = NULL;
  LkExample *example = lk_example_from_row (model, row, now, &error);

  if (!example)
    {
      lk_cli_data_report (self, row->file, row->line, error->message);
      return;
    }
  g_ptr_array_add (self->rows, (gpointer) row);
  g_ptr_array_add (self->examples, example);
}

/* Who measures wants the rows that can be used; training has told of the others. */
static void
ignore_problem (const char *file, guint64 line, const char *reason, gpointer data)
{
}

/* Of another dataset other rows would be held out, and some of them were learned. */
static gboolean
lk_cli_data_check (LkCliData *self, const char *run, GError **error)
{
  const char *hash = lk_recipe_get_data_hash (self->recipe);
  g_autofree char *files = g_strjoinv ("”, “", (char **) lk_recipe_get_data (self->recipe));

  if (!hash || g_str_equal (hash, lk_dataset_get_hash (self->dataset)))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
               "The dataset “%s” changed since the run “%s” was made: which rows it held out cannot be told any more",
               files, run);
  return FALSE;
}

gboolean
lk_cli_data_from_run (LkCliData *self, LkModel *model, const char *run, guint limit, GError **error)
{
  g_autofree char *path = g_build_filename (run, "recipe.json", NULL);
  const char *const *files;

  lk_cli_data_init (self);
  self->recipe = lk_recipe_load (path, error);
  if (!self->recipe)
    return FALSE;
  files = lk_recipe_get_data (self->recipe);
  self->dataset = lk_dataset_load (files, g_strv_length ((char **) files), error);
  if (!self->dataset || !lk_cli_data_check (self, run, error))
    return FALSE;
  self->train = lk_train_data_new (model, self->dataset, self->recipe, ignore_problem, NULL, error);
  if (!self->train)
    return FALSE;
  for (guint i = 0; i < lk_train_data_get_n_held_out (self->train) && (limit == 0 || self->rows->len < limit);
       i++)
    lk_cli_data_add (self, model, lk_train_data_get_held_out_row (self->train, i),
                     lk_recipe_get_created (self->recipe));
  if (self->rows->len > 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "The run “%s” held no rows out", run);
  return FALSE;
}

gboolean
lk_cli_data_from_files (LkCliData *self, LkModel *model, const char *const *paths, guint n_paths, guint limit,
                        GError **error)
{
  lk_cli_data_init (self);
  self->dataset = lk_dataset_load (paths, n_paths, error);
  if (!self->dataset)
    return FALSE;
  for (guint i = 0; i < lk_dataset_get_n_problems (self->dataset); i++)
    {
      const LkRowProblem *problem = lk_dataset_get_problem (self->dataset, i);

      lk_cli_data_report (self, problem->file, problem->line, problem->reason);
    }
  for (guint i = 0; i < lk_dataset_get_n_rows (self->dataset) && (limit == 0 || self->rows->len < limit); i++)
    lk_cli_data_add (self, model, lk_dataset_get_row (self->dataset, i), 0);
  if (self->unusable > TOLD)
    lk_cli_note ("%u more rows cannot be used; “lorikeet-cli inspect --problems” names them all", self->unusable - TOLD);
  if (self->rows->len > 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "No row of “%s” can be used", paths[0]);
  return FALSE;
}

void
lk_cli_data_clear (LkCliData *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->examples, g_ptr_array_unref);
  g_clear_pointer (&self->train, lk_train_data_free);
  g_clear_pointer (&self->dataset, lk_dataset_unref);
  g_clear_pointer (&self->recipe, lk_recipe_free);
}
