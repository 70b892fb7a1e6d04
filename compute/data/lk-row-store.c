/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening a store, and what it says of itself and its files.
 */
#include "lk-row-store-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_STORE_PATIENCE_MS 10000

gboolean
lk_row_store_is (GBytes *bytes)
{
  gsize n;
  const char *data = g_bytes_get_data (bytes, &n);

  return n >= 16 && memcmp (data, "SQLite format 3", 16) == 0;
}

/* A damaged file may hold any bytes. */
char *
_lk_store_text (LkStatement *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return text ? g_utf8_make_valid (text, -1) : NULL;
}

gboolean
_lk_store_fail (LkRowStore *self, const char *what, GError **error)
{
  int code = sqlite3_errcode (self->db);
  g_autofree char *words = g_utf8_make_valid (sqlite3_errmsg (self->db), -1);

  g_set_error (error, LK_ERROR,
               code == SQLITE_FULL                                  ? LK_ERROR_NO_SPACE
               : code == SQLITE_BUSY || code == SQLITE_LOCKED       ? LK_ERROR_BUSY
               : code == SQLITE_NOTADB || code == SQLITE_CORRUPT    ? LK_ERROR_BAD_FILE
               : code == SQLITE_INTERRUPT                           ? LK_ERROR_CANCELLED
                                                                    : LK_ERROR_FAILED,
               "%s: %s: %s", self->path, what, words);
  return FALSE;
}

gboolean
_lk_store_exec (LkRowStore *self, const char *sql, GError **error)
{
  return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK
         || _lk_store_fail (self, "the dataset could not be changed", error);
}

LkStatement *
_lk_store_prepare (LkRowStore *self, const char *sql, GError **error)
{
  LkStatement *statement = NULL;

  if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) != SQLITE_OK)
    _lk_store_fail (self, "the dataset could not be read", error);
  return statement;
}

gboolean
_lk_store_step (LkRowStore *self, LkStatement *statement, gboolean *row, GError **error)
{
  int code = sqlite3_step (statement);

  *row = code == SQLITE_ROW;
  return code == SQLITE_ROW || code == SQLITE_DONE || _lk_store_fail (self, "the dataset could not be read", error);
}

gboolean
_lk_store_run (LkRowStore *self, LkStatement *statement, GError **error)
{
  gboolean ok = sqlite3_step (statement) == SQLITE_DONE || _lk_store_fail (self, "the dataset could not be changed", error);

  sqlite3_reset (statement);
  return ok;
}

gboolean
_lk_store_begin (LkRowStore *self, GError **error)
{
  return _lk_store_exec (self, "BEGIN IMMEDIATE", error);
}

gboolean
_lk_store_end (LkRowStore *self, gboolean ok, GError **error)
{
  if (ok && _lk_store_exec (self, "COMMIT", error))
    return TRUE;
  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

/* @needle is folded; so is the text, unless it is ASCII. */
static gboolean
lk_piece_holds (const char *begin, const char *end, const char *needle, gsize wanted)
{
  for (; (gsize) (end - begin) >= wanted; begin++)
    if (g_ascii_tolower (*begin) == needle[0] && g_ascii_strncasecmp (begin, needle, wanted) == 0)
      return TRUE;
  return FALSE;
}

/* Looks into the texts of a row's JSON, which are its strings but for the names of members and for roles. */
static gboolean
lk_json_holds (const char *p, const char *end, const char *needle, gsize wanted)
{
  gboolean role = FALSE;

  while ((p = memchr (p, '"', (gsize) (end - p))))
    {
      const char *begin = ++p, *after;

      while (p < end && *p != '"')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
      after = MIN (p + 1, end);
      if (after < end && *after == ':')
        role = p - begin == 4 && strncmp (begin, "role", 4) == 0;
      else if (role)
        role = FALSE;
      else if (lk_piece_holds (begin, MIN (p, end), needle, wanted))
        return TRUE;
      p = after;
    }
  return FALSE;
}

/* lk_holds(content, needle): a search that knows letters of any script. Only contents with letters beyond ASCII are folded themselves,
 * for which the whole would be too slow. */
static void
lk_sql_holds (sqlite3_context *context, int n, sqlite3_value **values)
{
  const char *text = (const char *) sqlite3_value_text (values[0]);
  const char *needle = (const char *) sqlite3_value_text (values[1]);
  gsize length = (gsize) sqlite3_value_bytes (values[0]), wanted = (gsize) sqlite3_value_bytes (values[1]);
  g_autofree char *folded = NULL;
  gboolean ascii = TRUE;

  if (!text || !needle || wanted == 0)
    return;
  for (gsize i = 0; i < length && ascii; i++)
    ascii = (guchar) text[i] < 0x80;
  if (!ascii)
    {
      text = folded = g_utf8_casefold (text, (gssize) length);
      length = strlen (folded);
    }
  sqlite3_result_int (context, text[0] == '{' ? lk_json_holds (text, text + length, needle, wanted)
                                              : lk_piece_holds (text, text + length, needle, wanted));
}

static gboolean
lk_store_check (LkRowStore *self, GError **error)
{
  g_autofree char *version = lk_row_store_get_meta (self, "version");

  if (!version)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: this is no dataset that Lorikeet imported", self->path);
      return FALSE;
    }
  if (g_ascii_strtoll (version, NULL, 10) == LK_STORE_VERSION)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “version” is %s; this program reads version %d", self->path, version,
               LK_STORE_VERSION);
  return FALSE;
}

LkRowStore *
lk_row_store_open (const char *path, gboolean writable, GError **error)
{
  g_autoptr (LkRowStore) self = g_new0 (LkRowStore, 1);
  int flags = (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_FULLMUTEX;

  self->path = g_strdup (path);
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "There is no dataset “%s”", path);
      return NULL;
    }
  if (sqlite3_open_v2 (path, &self->db, flags, NULL) != SQLITE_OK)
    {
      _lk_store_fail (self, "the dataset could not be opened", error);
      return NULL;
    }
  sqlite3_extended_result_codes (self->db, 0);
  sqlite3_busy_timeout (self->db, LK_STORE_PATIENCE_MS);
  /* what others wrote is not trusted: no functions out of its schema */
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_create_function_v2 (self->db, "lk_holds", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, lk_sql_holds, NULL,
                              NULL, NULL);
  return lk_store_check (self, error) ? g_steal_pointer (&self) : NULL;
}

void
lk_row_store_free (LkRowStore *self)
{
  if (!self)
    return;
  sqlite3_close_v2 (self->db);
  g_free (self->path);
  g_free (self);
}

char *
lk_row_store_get_meta (LkRowStore *self, const char *key)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, "SELECT value FROM meta WHERE key = ?", NULL);

  if (!statement)
    return NULL;
  sqlite3_bind_text (statement, 1, key, -1, SQLITE_TRANSIENT);
  return sqlite3_step (statement) == SQLITE_ROW ? _lk_store_text (statement, 0) : NULL;
}

gboolean
lk_row_store_set_meta (LkRowStore *self, const char *key, const char *value, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, "REPLACE INTO meta VALUES (?, ?)", error);

  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, key, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 2, value, -1, SQLITE_TRANSIENT);
  return _lk_store_run (self, statement, error);
}

static void
lk_stored_file_clear (gpointer data)
{
  LkStoredFile *self = data;

  g_free (self->path);
  g_free (self->form);
  g_free (self->sha256);
  g_free (self->trouble);
  g_free (self->columns);
  lk_mapping_free (self->mapping);
}

static LkMapping *
lk_column_mapping (LkStatement *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);
  g_autoptr (JsonNode) node = text ? lk_json_parse (text, strlen (text), "mapping", NULL) : NULL;

  return node && JSON_NODE_HOLDS_OBJECT (node) ? lk_mapping_from_json (json_node_get_object (node), NULL) : NULL;
}

GArray *
lk_row_store_get_files (LkRowStore *self, GError **error)
{
  g_autoptr (GArray) files = g_array_new (FALSE, TRUE, sizeof (LkStoredFile));
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self,
      "SELECT path, form, sha256, trouble, columns, mapping, size, weight, rows FROM files ORDER BY id", error);
  gboolean row = TRUE;

  g_array_set_clear_func (files, lk_stored_file_clear);
  while (statement && row)
    {
      if (!_lk_store_step (self, statement, &row, error))
        return NULL;
      if (row)
        {
          LkStoredFile file = { .path = _lk_store_text (statement, 0),
                                .form = _lk_store_text (statement, 1),
                                .sha256 = _lk_store_text (statement, 2),
                                .trouble = _lk_store_text (statement, 3),
                                .columns = _lk_store_text (statement, 4),
                                .mapping = lk_column_mapping (statement, 5),
                                .size = sqlite3_column_int64 (statement, 6),
                                .weight = sqlite3_column_double (statement, 7),
                                .rows = sqlite3_column_int64 (statement, 8) };

          file.path = file.path ? file.path : g_strdup ("");
          file.columns = file.columns ? file.columns : g_strdup ("[]");
          g_array_append_val (files, file);
          if (!(file.weight >= 0 && file.weight <= 100))
            {
              g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the weight of file %u is no number from 0 to 100", self->path, files->len);
              return NULL;
            }
        }
    }
  return statement ? g_steal_pointer (&files) : NULL;
}

gboolean
lk_row_store_set_weight (LkRowStore *self, guint file, double weight, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, "UPDATE files SET weight = ? WHERE id = ?", error);

  if (!(weight >= 0 && weight <= 100))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "A weight must be a number from 0 to 100, not %g", weight);
      return FALSE;
    }
  if (!statement)
    return FALSE;
  sqlite3_bind_double (statement, 1, weight);
  sqlite3_bind_int64 (statement, 2, file);
  return _lk_store_run (self, statement, error);
}
