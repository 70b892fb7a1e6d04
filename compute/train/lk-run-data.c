/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A run that learns from an imported dataset takes a copy of what remains of it, so that the dataset may be tidied up further while the
 * run goes on, and the run goes on as it began.
 */
#include "lk-run-data.h"

#include <glib/gstdio.h>

#include "lk-file.h"
#include "lk-row-store.h"

/* "data.jsonl", "data-2.jsonl", … (transfer full) */
static char *
lk_run_data_path (const LkRunFolder *folder, guint i)
{
  g_autofree char *name = i == 0 ? g_strdup ("data.jsonl") : g_strdup_printf ("data-%u.jsonl", i + 1);

  return g_build_filename (folder->path, name, NULL);
}

gboolean
lk_run_data_freeze (const LkRunFolder *folder, LkRecipe *recipe, GError **error)
{
  const char *const *paths = lk_recipe_get_data (recipe);

  for (guint i = 0; paths[i]; i++)
    {
      g_autoptr (GBytes) bytes = lk_file_map (paths[i], error);
      g_autofree char *copy = lk_run_data_path (folder, i);
      g_autoptr (LkRowStore) store = NULL;

      if (!bytes)
        return FALSE;
      if (!lk_row_store_is (bytes))
        continue;
      store = lk_row_store_open (paths[i], FALSE, error);
      if (!store || !lk_row_store_export (store, copy, error))
        return FALSE;
      lk_recipe_freeze_data (recipe, i, copy);
    }
  return TRUE;
}

void
lk_run_data_discard (const LkRunFolder *folder)
{
  int status = 0;

  for (guint i = 0; status == 0; i++)
    {
      g_autofree char *path = lk_run_data_path (folder, i);

      status = g_unlink (path);
    }
}
