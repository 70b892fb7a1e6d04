/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files a model's weights lie in: which they are, and what they hash to.
 */
#include "lk-model-private.h"

#include <string.h>

#include "lk-file.h"

static int
lk_model_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
lk_model_list_files (LkModel *self, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = self->gguf ? NULL : g_dir_open (self->path, 0, error);
  const char *name;

  for (guint i = 0; self->gguf && i < lk_gguf_get_n_parts (self->gguf); i++)
    g_ptr_array_add (files, g_strdup (lk_gguf_get_part_path (self->gguf, i)));
  if (self->gguf)
    return g_steal_pointer (&files);
  if (!dir)
    return NULL;
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".safetensors"))
      g_ptr_array_add (files, g_build_filename (self->path, name, NULL));
  g_ptr_array_sort (files, lk_model_compare_names);
  return g_steal_pointer (&files);
}

const char *
lk_model_get_hash (LkModel *self, GError **error)
{
  g_autoptr (GChecksum) all = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GPtrArray) files = self->hash ? NULL : lk_model_list_files (self, error);

  for (guint i = 0; files && i < files->len; i++)
    {
      g_autofree char *hash = lk_file_sha256 (g_ptr_array_index (files, i), error);

      if (!hash)
        return NULL;
      if (self->gguf && files->len == 1)
        self->hash = g_steal_pointer (&hash);
      else
        g_checksum_update (all, (const guchar *) hash, -1);
    }
  if (!self->hash && files)
    self->hash = g_strdup (g_checksum_get_string (all));
  return self->hash;
}
