/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-export-name.h"

#include <string.h>

char *
lk_export_name_modelfile (const char *path)
{
  gsize length = strlen (path) - (g_str_has_suffix (path, ".gguf") ? strlen (".gguf") : 0);

  return g_strdup_printf ("%.*s.Modelfile", (int) length, path);
}

/* A link that leads nowhere takes its name as well. */
static gboolean
is_taken (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS) || g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

char *
lk_export_name_choose (const char *folder, const char *name, const char *suffix, gboolean with_modelfile)
{
  g_autofree char *clean = g_strdelimit (g_strdup (name), "/\\", '-');

  if (clean[0] == '.' || clean[0] == '-')
    clean[0] = '_';
  for (guint i = 1;; i++)
    {
      g_autofree char *leaf = i == 1 ? g_strconcat (clean, suffix, NULL) : g_strdup_printf ("%s %u%s", clean, i, suffix);
      g_autofree char *path = g_build_filename (folder, leaf, NULL);
      g_autofree char *modelfile = lk_export_name_modelfile (path);

      if (!is_taken (path) && (!with_modelfile || !is_taken (modelfile)))
        return g_steal_pointer (&path);
    }
}
