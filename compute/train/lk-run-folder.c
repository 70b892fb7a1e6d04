/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-run-data.h"

char *
lk_run_folder_home (void)
{
  return g_build_filename (g_get_user_data_dir (), "lorikeet", "runs", NULL);
}

static LkRunFolder *
lk_run_folder_new (const char *path)
{
  LkRunFolder *self = g_new0 (LkRunFolder, 1);

  self->path = g_canonicalize_filename (path, NULL);
  self->recipe = g_build_filename (self->path, "recipe.json", NULL);
  self->events = g_build_filename (self->path, "events.jsonl", NULL);
  self->checkpoints = g_build_filename (self->path, "checkpoints", NULL);
  self->adapters = g_build_filename (self->path, "adapter", NULL);
  self->log = g_build_filename (self->path, "log.txt", NULL);
  self->socket = g_build_filename (self->path, "control.sock", NULL);
  self->lock = -1;
  return self;
}

void
lk_run_folder_free (LkRunFolder *self)
{
  if (!self)
    return;
  if (self->lock >= 0)
    close (self->lock);
  g_free (self->path);
  g_free (self->recipe);
  g_free (self->events);
  g_free (self->checkpoints);
  g_free (self->adapters);
  g_free (self->log);
  g_free (self->socket);
  g_free (self);
}

static gboolean
lk_run_folder_make (const char *path, GError **error)
{
  return g_mkdir_with_parents (path, 0755) == 0
         || lk_error_set_errno (error, errno, "Could not create the folder “%s”", path);
}

/* A name as part of a file's name: what could mean something to a shell or a file system becomes “-”.
 * (transfer full) */
static char *
lk_run_folder_slug (const char *name)
{
  GString *slug = g_string_new (NULL);

  for (const char *p = name ? name : ""; *p && slug->len < 60; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isalnum (c))
        g_string_append_unichar (slug, g_unichar_tolower (c));
      else if (slug->len > 0 && slug->str[slug->len - 1] != '-')
        g_string_append_c (slug, '-');
    }
  while (slug->len > 0 && slug->str[slug->len - 1] == '-')
    g_string_truncate (slug, slug->len - 1);
  if (slug->len == 0)
    g_string_append (slug, "run");
  return g_string_free (slug, FALSE);
}

/* A folder that did not exist. (transfer full) */
static char *
lk_run_folder_choose (const char *name, GError **error)
{
  g_autofree char *home = lk_run_folder_home ();
  g_autofree char *slug = lk_run_folder_slug (name);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d");

  if (!lk_run_folder_make (home, error))
    return NULL;
  for (guint i = 1; i < 10000; i++)
    {
      g_autofree char *number = i > 1 ? g_strdup_printf ("-%u", i) : g_strdup ("");
      g_autofree char *leaf = g_strconcat (date, "-", slug, number, NULL);
      char *path = g_build_filename (home, leaf, NULL);

      if (g_mkdir (path, 0755) == 0)
        return path;
      if (errno != EEXIST)
        {
          lk_error_set_errno (error, errno, "Could not create the folder “%s”", path);
          g_free (path);
          return NULL;
        }
      g_free (path);
    }
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "There are too many runs called “%s” today", name);
  return NULL;
}

/* Nothing in it has a name a run gives: files of others are neither written to nor taken for ours. */
static gboolean
lk_run_folder_is_free (LkRunFolder *self, GError **error)
{
  g_autofree char *lock = g_build_filename (self->path, "lock", NULL), *data = g_build_filename (self->path, "data.jsonl", NULL);
  const char *const ours[] = { self->recipe, self->events, self->checkpoints, self->adapters, self->log, self->socket, lock, data };

  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    if (g_file_test (ours[i], G_FILE_TEST_EXISTS))
      {
        g_autofree char *name = g_path_get_basename (ours[i]);

        if (i == 0)
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” already holds a run", self->path);
        else
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                       "“%s” holds a “%s” of something else; a run needs a folder of its own", self->path, name);
        return FALSE;
      }
  return TRUE;
}

LkRunFolder *
lk_run_folder_create (const char *path, const LkRecipe *recipe, GError **error)
{
  g_autofree char *chosen
      = path ? g_strdup (path) : lk_run_folder_choose (lk_recipe_get_name (recipe), error);
  g_autoptr (LkRunFolder) self = chosen ? lk_run_folder_new (chosen) : NULL;

  if (!self || !lk_run_folder_make (self->path, error) || !lk_run_folder_is_free (self, error))
    return NULL;
  if (!lk_recipe_save (recipe, self->recipe, error))
    {
      g_rmdir (self->path); /* which a folder that holds something survives */
      return NULL;
    }
  return g_steal_pointer (&self);
}

LkRunFolder *
lk_run_folder_open (const char *path, GError **error)
{
  g_autoptr (LkRunFolder) self = lk_run_folder_new (path);

  if (!g_file_test (self->recipe, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "“%s” is no run: there is no recipe.json in it",
                   path);
      return NULL;
    }
  return g_steal_pointer (&self);
}

gboolean
lk_run_folder_lock (LkRunFolder *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, "lock", NULL);
  g_autofree char *pid = g_strdup_printf ("%d\n", (int) getpid ());
  int fd;

  if (self->lock >= 0)
    return TRUE;
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    return lk_error_set_errno (error, errno, "Could not open “%s”", path);
  if (flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      int saved = errno;

      close (fd);
      if (saved != EWOULDBLOCK)
        return lk_error_set_errno (error, saved, "Could not lock “%s”", path);
      g_set_error (error, LK_ERROR, LK_ERROR_BUSY, "Another process is already working on “%s”", self->path);
      return FALSE;
    }
  self->lock = fd;
  if (ftruncate (fd, 0) != 0 || pwrite (fd, pid, strlen (pid), 0) < 0)
    return lk_error_set_errno (error, errno, "Could not write “%s”", path);
  return lk_run_folder_make (self->checkpoints, error) && lk_run_folder_make (self->adapters, error);
}

static void
lk_run_folder_tidy_one (const char *folder, GPtrArray *notes)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) leftovers = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (name[0] == '.' && strstr (name, ".tmp-"))
      g_ptr_array_add (leftovers, g_build_filename (folder, name, NULL));
  for (guint i = 0; i < leftovers->len; i++)
    {
      const char *path = g_ptr_array_index (leftovers, i);
      g_autofree char *base = g_path_get_basename (path);

      if (lk_remove_recursively (path, NULL))
        g_ptr_array_add (
            notes, g_strdup_printf ("“%s” was left half-written by a worker that was killed, and was removed",
                                    base));
    }
}

void
lk_run_folder_tidy (LkRunFolder *self, GPtrArray *notes)
{
  const char *const folders[] = { self->path, self->checkpoints, self->adapters };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    lk_run_folder_tidy_one (folders[i], notes);
}

void
lk_run_folder_discard (LkRunFolder *self)
{
  g_autofree char *lock = g_build_filename (self->path, "lock", NULL);
  const char *const files[] = { self->events, self->log, self->socket, lock, self->recipe };
  const char *const folders[] = { self->checkpoints, self->adapters, self->path };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_unlink (files[i]);
  lk_run_data_discard (self);
  /* a folder that holds something is not removed */
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    g_rmdir (folders[i]);
}
