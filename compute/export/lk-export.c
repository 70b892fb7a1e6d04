/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-export.h"

#include <glib/gstdio.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-file.h"
#include "lk-json.h"

static const LkExportTarget *const targets[] = { &lk_export_adapter, &lk_export_lora, &lk_export_hf, &lk_export_gguf };

const LkExportTarget *const *
lk_export_targets (guint *n)
{
  *n = G_N_ELEMENTS (targets);
  return targets;
}

const LkExportTarget *
lk_export_find_target (const char *name, GError **error)
{
  GString *known = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      if (g_str_equal (targets[i]->name, name))
        {
          g_string_free (known, TRUE);
          return targets[i];
        }
      g_string_append_printf (known, "%s%s", i ? ", " : "", targets[i]->name);
    }
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There is no format “%s”; these are: %s", name,
               known->str);
  g_string_free (known, TRUE);
  return NULL;
}

guint64
lk_export_text_bytes (LkModel *model, guint each)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);

  return (1 << 19) + (tokenizer ? (guint64) lk_tokenizer_get_n_tokens (tokenizer) * each : 0);
}

gboolean
lk_export_go_on (const LkExport *self, double fraction, const char *message, GError **error)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted; nothing was written");
      return FALSE;
    }
  if (self->progress)
    self->progress (CLAMP (fraction, 0, 1), message, self->data);
  return TRUE;
}

gint
lk_export_find_type (const LkExport *self, const char *const *names, GError **error)
{
  g_autofree char *known = NULL;

  if (!self->type)
    return 0;
  for (gint i = 0; names[i]; i++)
    if (g_ascii_strcasecmp (names[i], self->type) == 0)
      return i;
  known = g_strjoinv (", ", (char **) names);
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "There is no type “%s” for this format; these are: %s", self->type, known);
  return -1;
}

gboolean
lk_export_write_json (const char *folder, const char *name, JsonObject *object, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = lk_json_to_string (node, TRUE);
  g_autofree char *lines = g_strconcat (text, "\n", NULL);

  return lk_file_write (path, lines, -1, error);
}

static gboolean
check_room (const LkExport *self, const LkExportTarget *target, GError **error)
{
  guint64 needed = target->size (self), there;

  if (!lk_free_space (self->path, &there, error))
    return FALSE;
  if (needed > there)
    {
      g_autofree char *a = g_format_size (needed);
      g_autofree char *b = g_format_size (there);

      g_set_error (error, LK_ERROR, LK_ERROR_NO_SPACE, "“%s” needs %s, but only %s are free there",
                   self->path, a, b);
      return FALSE;
    }
  return TRUE;
}

static gboolean
same_file (const char *path, const GStatBuf *other)
{
  GStatBuf st;

  return g_stat (path, &st) == 0 && st.st_dev == other->st_dev && st.st_ino == other->st_ino;
}

/* The kinds of files that exports into folders are made of, and the one folder, of templates alone. */
static gboolean
is_export_file (const char *folder, const char *name)
{
  static const char *const ends[] = { ".safetensors", ".json", ".jinja", "tokenizer.model", "merges.txt" };
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GDir) templates = NULL;
  const char *leaf;
  GStatBuf st;

  if (g_lstat (path, &st) != 0)
    return FALSE;
  for (guint i = 0; S_ISREG (st.st_mode) && i < G_N_ELEMENTS (ends); i++)
    if (g_str_has_suffix (name, ends[i]))
      return TRUE;
  if (!S_ISDIR (st.st_mode) || !g_str_equal (name, "additional_chat_templates") || !(templates = g_dir_open (path, 0, NULL)))
    return FALSE;
  while ((leaf = g_dir_read_name (templates)))
    if (!g_str_has_suffix (leaf, ".jinja"))
      return FALSE;
  return TRUE;
}

/* What is replaced is gone for good: only what such an export may have made itself is. */
static gboolean
check_replaced (const LkExport *self, const LkExportTarget *target, GError **error)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  if (!g_file_test (self->path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (g_file_test (self->path, G_FILE_TEST_IS_DIR) != target->folder)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   target->folder ? "“%s” is a file, and the format “%s” makes a folder; choose another name"
                                  : "“%s” is a folder, and the format “%s” makes a file; choose another name",
                   self->path, target->name);
      return FALSE;
    }
  if (!target->folder)
    return TRUE;
  folder = g_dir_open (self->path, 0, error);
  if (!folder)
    return FALSE;
  while ((name = g_dir_read_name (folder)))
    if (!is_export_file (self->path, name))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                     "“%s” holds “%s”, which no export made, so it is not replaced; choose another name", self->path, name);
        return FALSE;
      }
  return TRUE;
}

/* Exporting over what is being read would take it away: over the model, or one of its files by whatever name. */
static gboolean
check_path (const LkExport *self, GError **error)
{
  GStatBuf st;
  gboolean exists = g_stat (self->path, &st) == 0;
  g_autoptr (GPtrArray) files = lk_model_list_files (self->model, error);
  gboolean own = exists && same_file (lk_model_get_path (self->model), &st);

  if (!files)
    return FALSE;
  for (guint i = 0; exists && i < files->len; i++)
    own |= same_file (g_ptr_array_index (files, i), &st);
  if (own)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "“%s” is the model itself; choose another name", self->path);
      return FALSE;
    }
  if (!self->replace && g_file_test (self->path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” is there already", self->path);
      return FALSE;
    }
  return TRUE;
}

gboolean
lk_export_run (const LkExport *self, const LkExportTarget *target, GError **error)
{
  if (target->types && lk_export_find_type (self, target->types (), error) < 0)
    return FALSE;
  if (!target->types && self->type)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The format “%s” has no types to choose from",
                   target->name);
      return FALSE;
    }
  return check_path (self, error) && (!self->replace || check_replaced (self, target, error))
         && (!target->check || target->check (self, error)) && check_room (self, target, error) && target->write (self, error);
}
