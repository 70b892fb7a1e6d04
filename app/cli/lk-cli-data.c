/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-data.h"

#include "lk-error.h"

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

static gboolean
lk_cli_data_add (LkCliData *self, LkModel *model, const LkRow *row)
{
  LkExample *example = lk_example_from_row (model, row, NULL);

  if (!example)
    {
      self->unusable++;
      return FALSE;
    }
  g_ptr_array_add (self->rows, (gpointer) row);
  g_ptr_array_add (self->examples, example);
  return TRUE;
}

/* Who measures wants the rows that can be used; training has told of the others. */
static void
ignore_problem (const char *file, guint64 line, const char *reason, gpointer data)
{
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
  self->train = self->dataset
                    ? lk_train_data_new (model, self->dataset, self->recipe, ignore_problem, NULL, error)
                    : NULL;
  if (!self->train)
    return FALSE;
  for (guint i = 0; i < lk_train_data_get_n_held_out (self->train) && (limit == 0 || self->rows->len < limit);
       i++)
    lk_cli_data_add (self, model, lk_train_data_get_held_out_row (self->train, i));
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
  for (guint i = 0; i < lk_dataset_get_n_rows (self->dataset) && (limit == 0 || self->rows->len < limit); i++)
    lk_cli_data_add (self, model, lk_dataset_get_row (self->dataset, i));
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
