/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-paths.h"

#include <glib/gi18n-lib.h>

#include "lk-config.h"
#include "lk-error.h"

#include <errno.h>
#include <gio/gio.h>
#include <unistd.h>

static char *
data_home (void)
{
  const char *own = g_getenv ("LORIKEET_DATA_HOME");

  if (own != NULL && own[0] != 0)
    return g_strdup (own);
  return g_build_filename (g_get_user_data_dir (), "lorikeet", NULL);
}

/* Libraries are scanned by a thread. */
static GMutex chosen_mutex;
static char *chosen_runs, *chosen_models;
static GPtrArray *known_runs;

static void
choose (char **slot, const char *path)
{
  g_mutex_lock (&chosen_mutex);
  g_free (*slot);
  *slot = path != NULL && path[0] != 0 ? g_strdup (path) : NULL;
  g_mutex_unlock (&chosen_mutex);
}

static char *
get_chosen (char **slot)
{
  char *path;

  g_mutex_lock (&chosen_mutex);
  path = g_strdup (*slot);
  g_mutex_unlock (&chosen_mutex);
  return path;
}

void
lk_paths_know_runs_dir (const char *path)
{
  g_mutex_lock (&chosen_mutex);
  if (known_runs == NULL)
    known_runs = g_ptr_array_new ();
  if (!g_ptr_array_find_with_equal_func (known_runs, path, g_str_equal, NULL))
    g_ptr_array_add (known_runs, g_strdup (path));
  g_mutex_unlock (&chosen_mutex);
}

char **
lk_paths_list_runs_dirs (void)
{
  GPtrArray *list = g_ptr_array_new ();

  g_ptr_array_add (list, lk_paths_get_usual_runs_dir ());
  g_mutex_lock (&chosen_mutex);
  for (guint i = 0; known_runs != NULL && i < known_runs->len; i++)
    if (!g_str_equal (known_runs->pdata[i], list->pdata[0]))
      g_ptr_array_add (list, g_strdup (known_runs->pdata[i]));
  g_mutex_unlock (&chosen_mutex);
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

void
lk_paths_set_runs_dir (const char *path)
{
  choose (&chosen_runs, path);
  if (path != NULL && path[0] != 0)
    lk_paths_know_runs_dir (path);
}

void
lk_paths_set_models_dir (const char *path)
{
  choose (&chosen_models, path);
}

char *
lk_paths_get_usual_runs_dir (void)
{
  g_autofree char *home = data_home ();

  return g_build_filename (home, "runs", NULL);
}

char *
lk_paths_get_runs_dir (void)
{
  char *runs = get_chosen (&chosen_runs);

  return runs != NULL ? runs : lk_paths_get_usual_runs_dir ();
}

gboolean
lk_paths_prepare_runs_dir (const char *path, GError **error)
{
  g_autofree char *usual = lk_paths_get_usual_runs_dir ();

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (!g_str_equal (path, usual))
    g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND,
                 _ ("The folder for fine-tunes, “%s”, is not there now. Connect its drive, or choose another folder in Preferences."), path);
  else if (g_mkdir_with_parents (path, 0755) != 0)
    lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), path);
  else
    return TRUE;
  return FALSE;
}

char *
lk_paths_get_models_dir (void)
{
  char *models = get_chosen (&chosen_models);

  return models != NULL ? models : lk_paths_get_usual_models_dir ();
}

char *
lk_paths_get_usual_models_dir (void)
{
  g_autofree char *home = data_home ();

  return g_build_filename (home, "models", NULL);
}

char *
lk_paths_get_datasets_dir (void)
{
  g_autofree char *home = data_home ();

  return g_build_filename (home, "datasets", NULL);
}

char *
lk_paths_get_conversations_dir (void)
{
  g_autofree char *home = data_home ();

  return g_build_filename (home, "conversations", NULL);
}

char *
lk_paths_get_queue_dir (void)
{
  g_autofree char *home = data_home ();

  return g_build_filename (home, "queue", NULL);
}

static char *
own_folder (void)
{
  g_autofree char *exe = g_file_read_link ("/proc/self/exe", NULL);

  return exe != NULL ? g_path_get_dirname (exe) : NULL;
}

char *
lk_paths_find_cli (GError **error)
{
  static const char *const beside[]
      = { "lorikeet-cli", "../app/cli/lorikeet-cli", "../../app/cli/lorikeet-cli" };
  const char *own = g_getenv ("LORIKEET_CLI");
  g_autofree char *folder = own_folder ();
  char *found;

  if (own != NULL && own[0] != 0)
    return g_strdup (own);
  for (guint i = 0; folder != NULL && i < G_N_ELEMENTS (beside); i++)
    {
      g_autofree char *path = g_build_filename (folder, beside[i], NULL);

      if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test (path, G_FILE_TEST_IS_DIR))
        return g_canonicalize_filename (path, NULL);
    }
  found = g_find_program_in_path ("lorikeet-cli");
  if (found == NULL)
    g_set_error_literal (
        error, LK_ERROR, LK_ERROR_NOT_FOUND,
        _ ("The engine, “lorikeet-cli”, is missing. Installing Lorikeet again should bring it back."));
  return found;
}

char *
lk_paths_find_data (const char *name)
{
  const char *folders[] = { g_getenv ("LK_DATA_DIR"), LK_PKGDATADIR, LK_SOURCE_DATADIR };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = NULL;

      if (folders[i] == NULL || folders[i][0] == 0)
        continue;
      path = g_build_filename (folders[i], name, NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }
  return NULL;
}

char *
lk_paths_find_tiny_model (void)
{
  return lk_paths_find_data ("model/lorikeet-tiny.gguf");
}

char *
lk_paths_find_sample (void)
{
  return lk_paths_find_data ("samples/polite-parrot.jsonl");
}

char *
lk_paths_find_sample_preset (void)
{
  return lk_paths_find_data ("samples/polite-parrot.settings.json");
}

char *
lk_paths_get_export_dir (void)
{
  const char *downloads = g_get_user_special_dir (G_USER_DIRECTORY_DOWNLOAD);

  if (downloads != NULL && g_file_test (downloads, G_FILE_TEST_IS_DIR))
    return g_strdup (downloads);
  return g_strdup (g_get_home_dir ());
}
