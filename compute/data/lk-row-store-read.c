/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The used rows, as a training run takes them.
 */
#include "lk-row-store-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-form.h"
#include "lk-json.h"

/* How often the row at @place among its file's used ones is seen in an epoch: fractions are spread evenly. */
static gint64
lk_times (double weight, gint64 place)
{
  return (gint64) (floor ((double) (place + 1) * weight + 1e-9) - floor ((double) place * weight + 1e-9));
}

gboolean
_lk_store_each_used (LkRowStore *self, gboolean contents, LkUsedFunc func, gpointer data, GError **error)
{
  g_autoptr (GArray) files = lk_row_store_get_files (self, error);
  g_autoptr (LkStatement) statement = NULL;
  g_autofree gint64 *places = files ? g_new0 (gint64, files->len + 1) : NULL;
  gboolean row = TRUE;

  if (!files)
    return FALSE;
  statement = _lk_store_prepare (self,
                                 contents ? "SELECT file, line, id, hash, coalesce (edited, content) FROM rows WHERE " LK_SQL_USED " ORDER BY id"
                                          : "SELECT file, line, id, hash, NULL FROM rows WHERE " LK_SQL_USED " ORDER BY id",
                                 error);
  while (statement && row)
    {
      g_autofree char *content = NULL;
      guint file;

      if (!_lk_store_step (self, statement, &row, error))
        return FALSE;
      if (!row)
        break;
      file = (guint) sqlite3_column_int (statement, 0);
      if (file >= files->len)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: a row is of file %u, and there are %u", self->path, file, files->len);
          return FALSE;
        }
      content = contents ? _lk_store_text (statement, 4) : NULL;
      if (contents && !content)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: a row has no content", self->path);
          return FALSE;
        }
      for (gint64 i = lk_times (g_array_index (files, LkStoredFile, file).weight, places[file]++); i > 0; i--)
        if (!func (content, file, sqlite3_column_int64 (statement, 1),
                   sqlite3_column_int64 (statement, 2), sqlite3_column_int64 (statement, 3), data, error))
          return FALSE;
    }
  return statement != NULL;
}

static gboolean
lk_export_row (const char *content, guint file, gint64 line, gint64 id, gint64 hash, gpointer data, GError **error)
{
  return lk_file_writer_write (data, content, strlen (content), error) && lk_file_writer_write (data, "\n", 1, error);
}

gboolean
lk_row_store_export (LkRowStore *self, const char *path, GError **error)
{
  g_autoptr (LkFileWriter) writer = lk_file_writer_new (path, error);

  if (!writer || !_lk_store_each_used (self, TRUE, lk_export_row, writer, error))
    return FALSE;
  if (lk_file_writer_get_position (writer) == 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: no row is left that can be used", self->path);
      return FALSE;
    }
  return lk_file_writer_finish (writer, error);
}

typedef struct
{
  const char *path;
  guint file;
  const LkDataSink *sink;
  GChecksum *checksum;
  const char **form;
  guint64 rows;
} LkUsedReader;

static gboolean
lk_read_row (const char *content, guint file, gint64 line, gint64 id, gint64 hash, gpointer data, GError **error)
{
  LkUsedReader *self = data;
  LkStoredRow stored = { .content = (char *) content };
  LkRow row;

  if (!lk_stored_row_parse (&stored, &row, error))
    {
      g_prefix_error (error, "%s, row %" G_GINT64_FORMAT ": ", self->path, id);
      return FALSE;
    }
  row.file = self->file;
  row.line = (guint64) line;
  row.index = (guint64) id - 1;
  *self->form = row.kind == LK_ROW_MESSAGES     ? lk_form_messages.name
                : row.kind == LK_ROW_COMPLETION ? lk_form_completion.name
                                                : lk_form_text.name;
  g_checksum_update (self->checksum, (const guchar *) content, -1);
  g_checksum_update (self->checksum, (const guchar *) "\n", 1);
  self->sink->row (&row, self->sink->data);
  self->rows++;
  return TRUE;
}

gboolean
_lk_row_store_read (const char *path, guint file, const LkDataSink *sink, GChecksum *checksum, const char **form, GError **error)
{
  g_autoptr (LkRowStore) store = lk_row_store_open (path, FALSE, error);
  LkUsedReader reader = { path, file, sink, checksum, form, 0 };

  if (!store || !_lk_store_each_used (store, TRUE, lk_read_row, &reader, error))
    return FALSE;
  if (reader.rows > 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: no row is left that can be used", path);
  return FALSE;
}
