/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a person changes in the folder of a run: its name and their notes.
 */
#include "lk-run-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"

#define RECIPE_LIMIT (16 * 1024 * 1024)
#define NOTES_LIMIT (1024 * 1024)

gboolean
lk_run_rename (LkRun *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "recipe.json", NULL);
  g_autofree char *stripped = g_strstrip (g_strdup (name));
  g_autoptr (JsonObject) recipe = NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  g_return_val_if_fail (LK_IS_RUN (self), FALSE);

  if (stripped[0] == 0)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, _ ("A fine-tune needs a name."));
      return FALSE;
    }
  if (g_str_equal (stripped, self->name))
    return TRUE;
  recipe = lk_json_load_object (path, RECIPE_LIMIT, error);
  if (recipe == NULL)
    return FALSE;
  json_object_set_string_member (recipe, "name", stripped);
  json_node_set_object (node, recipe);
  text = lk_json_to_string (node, TRUE);
  if (!lk_file_write (path, text, -1, error))
    return FALSE;
  g_free (self->name);
  self->name = g_steal_pointer (&stripped);
  _lk_run_notify_all (self);
  return TRUE;
}

char *
lk_run_read_notes (LkRun *self)
{
  g_autofree char *path = g_build_filename (self->folder, "notes.txt", NULL);
  g_autoptr (GBytes) bytes = lk_file_read (path, NOTES_LIMIT, NULL);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;

  return size > 0 ? g_utf8_make_valid (data, (gssize) size) : g_strdup ("");
}

gboolean
lk_run_write_notes (LkRun *self, const char *notes, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "notes.txt", NULL);

  if (strlen (notes) > NOTES_LIMIT)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, _ ("Notes can be at most one megabyte long."));
      return FALSE;
    }
  if (notes[0] != 0)
    return lk_file_write (path, notes, -1, error);
  if (g_unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  lk_error_set_errno (error, errno, _ ("Could not delete “%s”"), path);
  return FALSE;
}
