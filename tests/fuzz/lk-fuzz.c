/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *folder;
static GHashTable *paths;

static void
remove_folder (void)
{
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, paths);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    g_unlink (path);
  g_rmdir (folder);
  g_hash_table_unref (paths);
  g_free (folder);
}

const char *
lk_fuzz_folder (void)
{
  if (folder)
    return folder;
  folder = g_strdup (g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm/lk-fuzz-XXXXXX" : "/tmp/lk-fuzz-XXXXXX");
  if (!g_mkdtemp (folder))
    g_error ("Could not make a folder: %s", g_strerror (errno));
  paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  atexit (remove_folder);
  return folder;
}

const char *
lk_fuzz_file (const char *name, const guint8 *data, gsize size)
{
  const char *in = lk_fuzz_folder ();
  char *path = g_hash_table_lookup (paths, name);
  int fd;

  if (!path)
    {
      path = g_build_filename (in, name, NULL);
      g_hash_table_insert (paths, g_strdup (name), path);
    }
  fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write (fd, data, size) != (gssize) size)
    g_error ("Could not write %s", path);
  close (fd);
  return path;
}

void
lk_fuzz_accepted (const guint8 *data, gsize size)
{
  static int planted = -1;
  guint sum = 0;

  if (planted < 0)
    planted = g_getenv ("LK_FUZZ_PLANTED") != NULL;
  if (!planted)
    return;
  for (gsize i = 0; i < size; i++)
    sum = sum * 31 + data[i];
  if ((sum & 0xff) == 0xa5)
    sum += *(const volatile guint8 *) (data + size);
}

void
lk_fuzz_refused (GError *error)
{
  if (!error || !error->message || !error->message[0])
    g_error ("refused without a word");
  if (!g_utf8_validate (error->message, -1, NULL))
    g_error ("a message that is not UTF-8: %s", error->message);
  g_error_free (error);
}

/* libFuzzer calls this once; the replay does too. */
int LLVMFuzzerInitialize (int *argc, char ***argv);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return 0;
}
