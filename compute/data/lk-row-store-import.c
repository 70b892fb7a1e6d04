/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files into a new store: rows go to the database as they are read, so that memory does not grow with them.
 */
#include "lk-row-store-private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-form.h"
#include "lk-json.h"

#define LK_PROGRESS_EVERY 1000 /* rows */
#define LK_PAGES_HELD (16 << 20) /* bytes of a mapped file that are read before they are let go */
#define LK_SOURCE_KEPT (64 << 10) /* bytes of a row that cannot be used */
#define LK_COLUMN_ROWS 100 /* rows whose members are looked at */
#define LK_COLUMNS_KEPT 200
#define LK_SAMPLE 120 /* characters of a column's sample */
#define LK_MAX_IMPORTED 2000000000 /* ids are 32 bits where they are kept in lists */

static const char schema[]
    = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
      "CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER, sha256 TEXT, form TEXT, weight REAL NOT NULL, "
      "columns TEXT, mapping TEXT, trouble TEXT, rows INTEGER);"
      "CREATE TABLE rows (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER NOT NULL, number INTEGER NOT NULL, "
      "excluded INTEGER NOT NULL, characters INTEGER NOT NULL, tokens INTEGER, targets INTEGER, first INTEGER, "
      "problems INTEGER NOT NULL, hash INTEGER NOT NULL, question INTEGER NOT NULL, edited TEXT, refusal TEXT, reason TEXT, content TEXT NOT NULL);";

typedef struct
{
  LkRowStore *store;
  LkStatement *insert;
  guint file;
  guint64 begin_bytes, total_bytes; /* of the files before this one; of all */
  gint64 rows, rows_of_file, told;
  GBytes *bytes;  /* of the file */
  guint64 let_go; /* how many of them the system was told to forget */
  gint64 objects;
  GHashTable *seen; /* names of columns */
  JsonArray *columns;
  LkImportFunc progress;
  gpointer data;
  GError *error; /* of the database, while the reader runs */
  gboolean cancelled;
} LkImport;

static gint64
lk_hash64 (const char *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize n = sizeof digest;
  gint64 value;

  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_get_digest (checksum, digest, &n);
  memcpy (&value, digest, sizeof value);
  return value;
}

/* A row's members in the form the reader knows them again by. (transfer full) */
char *
_lk_row_to_json (const LkRow *row)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  if (row->kind == LK_ROW_MESSAGES)
    json_object_set_array_member (object, "messages", json_array_ref (row->messages));
  else if (row->kind == LK_ROW_COMPLETION)
    {
      json_object_set_string_member (object, "prompt", row->prompt);
      json_object_set_string_member (object, "completion", row->text);
    }
  else
    json_object_set_string_member (object, "text", row->text);
  if (row->tools)
    json_object_set_member (object, "tools", json_node_copy (row->tools));
  json_node_take_object (node, object);
  return lk_json_to_string (node, FALSE);
}

static const char *
lk_content_of (JsonArray *messages, guint i)
{
  return lk_json_peek_string (json_array_get_object_element (messages, i), "content", "");
}

/* All but the last message, which is what is asked. (transfer full) */
static char *
lk_row_question (const LkRow *row)
{
  GString *text;
  guint n;

  if (row->kind == LK_ROW_TEXT)
    return NULL;
  if (row->kind == LK_ROW_COMPLETION)
    return g_strdup (row->prompt);
  text = g_string_new (NULL);
  n = json_array_get_length (row->messages);
  for (guint i = 0; i + 1 < n; i++)
    g_string_append_printf (text, "%s\n%s\n", lk_json_peek_string (json_array_get_object_element (row->messages, i), "role", ""),
                            lk_content_of (row->messages, i));
  return g_string_free (text, FALSE);
}

void
_lk_row_facts_init (LkRowFacts *self, const LkRow *row)
{
  g_autofree char *canonical = _lk_row_canonical (row);
  g_autofree char *question = lk_row_question (row);

  *self = (LkRowFacts){ .content = _lk_row_to_json (row), .hash = lk_hash64 (canonical) };
  /* a text asks nothing: its own number conflicts with none */
  self->question = question ? lk_hash64 (question) : self->hash;
  if (row->kind == LK_ROW_MESSAGES)
    for (guint i = 0; i < json_array_get_length (row->messages); i++)
      {
        self->characters += g_utf8_strlen (lk_content_of (row->messages, i), -1);
        self->problems |= lk_row_flags_of_text (lk_content_of (row->messages, i));
      }
  else
    {
      self->characters = g_utf8_strlen (row->text, -1) + (row->prompt ? g_utf8_strlen (row->prompt, -1) : 0);
      self->problems = lk_row_flags_of_text (row->text) | (row->prompt ? lk_row_flags_of_text (row->prompt) : 0);
    }
}

void
_lk_row_facts_clear (LkRowFacts *self)
{
  g_clear_pointer (&self->content, g_free);
}

/* Columns: file line number characters problems hash question reason content. */
static void
lk_import_insert (LkImport *self, guint64 line, guint64 index, const LkRowFacts *facts, const char *reason)
{
  const gint64 values[] = { self->file, (gint64) line, (gint64) index + 1, facts->characters, facts->problems, facts->hash, facts->question };

  if (self->error)
    return;
  if (self->rows >= LK_MAX_IMPORTED)
    {
      g_set_error (&self->error, LK_ERROR, LK_ERROR_UNSUPPORTED, "A dataset holds at most %d rows", LK_MAX_IMPORTED);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    sqlite3_bind_int64 (self->insert, (int) i + 1, values[i]);
  sqlite3_bind_text (self->insert, 8, reason, -1, SQLITE_STATIC);
  sqlite3_bind_text (self->insert, 9, facts->content, -1, SQLITE_STATIC);
  if (_lk_store_run (self->store, self->insert, &self->error))
    {
      self->rows++;
      self->rows_of_file++;
    }
}

static void
lk_import_row (LkRow *row, gpointer data)
{
  LkRowFacts facts;

  _lk_row_facts_init (&facts, row);
  lk_import_insert (data, row->line, row->index, &facts, NULL);
  _lk_row_facts_clear (&facts);
  _lk_row_clear (row);
}

static void
lk_import_problem (guint64 line, guint64 index, char *reason, const char *text, gsize n, gpointer data)
{
  g_autofree char *kept = text ? g_strndup (text, MIN (n, LK_SOURCE_KEPT)) : g_strdup ("");
  g_autofree char *valid = g_utf8_make_valid (kept, -1);
  LkRowFacts facts = { .content = valid, .characters = g_utf8_strlen (valid, -1), .problems = LK_ROW_UNUSABLE };

  lk_import_insert (data, line, index, &facts, reason);
  g_free (reason);
}

/* The names of the first rows' members, with what the first row says. */
static void
lk_import_object (JsonObject *object, gpointer data)
{
  LkImport *self = data;
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (self->objects++ >= LK_COLUMN_ROWS)
    return;
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      JsonObject *column;
      g_autofree char *text = NULL, *sample = NULL;

      if (json_array_get_length (self->columns) >= LK_COLUMNS_KEPT || !g_hash_table_add (self->seen, g_strdup (name)))
        continue;
      text = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_dup_string (node)
                                                                                           : lk_json_to_string (node, FALSE);
      sample = g_utf8_substring (text, 0, MIN (LK_SAMPLE, g_utf8_strlen (text, -1)));
      column = json_object_new ();
      json_object_set_string_member (column, "name", name);
      json_object_set_string_member (column, "sample", sample);
      json_array_add_object_element (self->columns, column);
    }
}

/* Pages of the mapped file that were read would stay in memory, and a file may be larger than it. */
static void
lk_import_let_go (LkImport *self, guint64 done)
{
  if (done < self->let_go + LK_PAGES_HELD)
    return;
  self->let_go = done;
  lk_file_release (g_bytes_get_data (self->bytes, NULL), done);
}

/* Read piece by piece, for the same reason. (transfer full) */
static char *
lk_import_sha256 (GBytes *bytes)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size, at = 0;
  const guchar *data = g_bytes_get_data (bytes, &size);

  while (at < size)
    {
      gsize n = MIN (size - at, LK_PAGES_HELD);

      g_checksum_update (checksum, data + at, (gssize) n);
      lk_file_release (data + at, n);
      at += n;
    }
  return g_strdup (g_checksum_get_string (checksum));
}

static gboolean
lk_import_progress (guint64 done, guint64 size, gpointer data)
{
  LkImport *self = data;

  if (self->error)
    return FALSE;
  if (self->rows < self->told + LK_PROGRESS_EVERY)
    return TRUE;
  self->told = self->rows;
  lk_import_let_go (self, done);
  if (self->progress
      && !self->progress ((double) (self->begin_bytes + done) / (double) MAX (1, self->total_bytes), self->rows, self->data))
    self->cancelled = TRUE;
  return !self->cancelled;
}

static gboolean
lk_import_add_file (LkImport *self, const LkImportFile *file, GBytes *bytes, const char *form, const char *trouble, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self->store, "INSERT INTO files (path, size, sha256, form, weight, columns, mapping, trouble, rows, id) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", error);
  g_autofree char *sha256 = lk_import_sha256 (bytes);
  g_autoptr (JsonNode) columns = json_node_init_array (json_node_alloc (), self->columns), mapping = NULL;
  g_autofree char *columns_text = lk_json_to_string (columns, FALSE), *mapping_text = NULL;

  if (!statement)
    return FALSE;
  if (file->mapping)
    {
      mapping = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (mapping, lk_mapping_to_json (file->mapping));
      mapping_text = lk_json_to_string (mapping, FALSE);
    }
  sqlite3_bind_text (statement, 1, file->path, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64 (statement, 2, (gint64) g_bytes_get_size (bytes));
  sqlite3_bind_text (statement, 3, sha256, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 4, form, -1, SQLITE_TRANSIENT);
  sqlite3_bind_double (statement, 5, file->weight);
  sqlite3_bind_text (statement, 6, columns_text, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 7, mapping_text, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 8, trouble, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64 (statement, 9, self->rows_of_file);
  sqlite3_bind_int64 (statement, 10, self->file);
  return _lk_store_run (self->store, statement, error);
}

/* A file that ends badly keeps the rows before, and one without a usable row is taken when choosing its columns can mend it. */
static gboolean
lk_import_forgives (LkImport *self, guint64 rows, const GError *error)
{
  if (!g_error_matches (error, LK_ERROR, LK_ERROR_BAD_DATA))
    return FALSE;
  return rows > 0 || (self->objects > 0 && json_array_get_length (self->columns) > 0);
}

static gboolean
lk_import_file (LkImport *self, const LkImportFile *file, GError **error)
{
  const LkDataSink sink = { lk_import_row, lk_import_problem, lk_import_object, lk_import_progress, self };
  g_autoptr (GBytes) bytes = lk_file_map (file->path, error);
  g_autoptr (GError) local_error = NULL;
  const char *form = NULL;
  guint64 rows = 0;
  gboolean ok = FALSE;

  if (!bytes)
    return FALSE;
  self->objects = self->rows_of_file = 0;
  self->bytes = bytes;
  self->let_go = 0;
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->columns = json_array_new ();
  if (!_lk_data_read (file->path, self->file, bytes, file->mapping, &sink, &form, &rows, &local_error)
      && (self->error || self->cancelled || !lk_import_forgives (self, rows, local_error)))
    g_propagate_error (error, self->error ? g_steal_pointer (&self->error) : g_steal_pointer (&local_error));
  else
    ok = lk_import_add_file (self, file, bytes, form, local_error ? local_error->message : NULL, error);
  self->begin_bytes += g_bytes_get_size (bytes);
  g_hash_table_unref (self->seen);
  json_array_unref (self->columns);
  return ok;
}

/* What a person did in the store that is replaced, for rows of files with the same content. */
static gboolean
lk_import_keep_edits (LkRowStore *self, const char *old, GError **error)
{
  g_autoptr (LkRowStore) before = g_file_test (old, G_FILE_TEST_IS_REGULAR) ? lk_row_store_open (old, FALSE, NULL) : NULL;
  g_autoptr (LkStatement) statement = NULL;

  if (!before)
    return TRUE;
  statement = _lk_store_prepare (self, "ATTACH ? AS old", error);
  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, old, -1, SQLITE_TRANSIENT);
  if (!_lk_store_run (self, statement, error))
    return FALSE;
  return _lk_store_exec (self,
                         "CREATE TEMP TABLE kept AS SELECT new.id AS id, was.excluded AS excluded, was.edited AS edited, was.hash AS hash, "
                         "was.question AS question, was.characters AS characters, was.problems AS problems FROM old.rows AS was "
                         "JOIN old.files AS f ON f.id = was.file JOIN main.files AS g ON g.path = f.path AND g.sha256 = f.sha256 "
                         "JOIN main.rows AS new ON new.file = g.id AND new.number = was.number AND new.line = was.line "
                         "WHERE was.excluded != 0 OR was.edited IS NOT NULL;"
                         "UPDATE rows SET excluded = (SELECT excluded FROM kept WHERE kept.id = rows.id) "
                         "WHERE id IN (SELECT id FROM kept);"
                         "UPDATE rows SET (edited, hash, question, characters, problems) = (SELECT edited, hash, question, characters, "
                         "problems & ~2 FROM kept WHERE kept.id = rows.id) WHERE id IN (SELECT id FROM kept WHERE edited IS NOT NULL);"
                         "INSERT OR IGNORE INTO meta SELECT key, value FROM old.meta WHERE key = 'model';"
                         "DROP TABLE kept;",
                         error);
}

static gboolean
lk_import_all (LkImport *self, const char *name, const LkImportFile *files, guint n_files, const char *old, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *created = g_date_time_format_iso8601 (now);
  g_autofree char *version = g_strdup_printf ("%d", LK_STORE_VERSION);
  LkRowStore *store = self->store;

  if (!_lk_store_exec (store, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16000;",
                       error)
      || !_lk_store_exec (store, schema, error))
    return FALSE;
  self->insert = _lk_store_prepare (store, "INSERT INTO rows (file, line, number, characters, problems, hash, question, reason, content, excluded) "
                                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", error);
  if (!self->insert || !_lk_store_exec (store, "BEGIN", error) || !lk_row_store_set_meta (store, "version", version, error)
      || !lk_row_store_set_meta (store, "name", name, error) || !lk_row_store_set_meta (store, "created", created, error))
    return FALSE;
  for (guint i = 0; i < n_files; i++)
    {
      self->file = i;
      if (!lk_import_file (self, &files[i], error))
        return FALSE;
    }
  return _lk_store_exec (store, "COMMIT; CREATE INDEX rows_hash ON rows (hash); CREATE INDEX rows_question ON rows (question);", error)
         && lk_import_keep_edits (store, old, error) && _lk_store_mark_all (store, error);
}

static gboolean
lk_import_sum (LkImport *self, const LkImportFile *files, guint n_files, GError **error)
{
  for (guint i = 0; i < n_files; i++)
    {
      g_autoptr (GBytes) bytes = lk_file_map (files[i].path, error);

      if (!bytes || (files[i].mapping && !lk_mapping_check (files[i].mapping, error)))
        return FALSE;
      self->total_bytes += g_bytes_get_size (bytes);
    }
  return TRUE;
}

gboolean
lk_row_store_import (const char *path, const char *name, const LkImportFile *files, guint n_files, LkImportFunc progress, gpointer data,
                     GError **error)
{
  LkRowStore store = { 0 };
  LkImport self = { .store = &store, .progress = progress, .data = data };
  gboolean ok = FALSE;

  if (!lk_import_sum (&self, files, n_files, error))
    return FALSE;
  store.path = lk_file_reserve (path, error);
  if (!store.path)
    return FALSE;
  if (sqlite3_open_v2 (store.path, &store.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
    _lk_store_fail (&store, "the dataset could not be made", error);
  else
    ok = lk_import_all (&self, name, files, n_files, path, error);
  sqlite3_finalize (self.insert);
  g_clear_error (&self.error);
  if (sqlite3_close (store.db) != SQLITE_OK && ok)
    ok = _lk_store_fail (&store, "the dataset could not be closed", error);
  ok = ok && lk_file_publish (store.path, path, error);
  if (!ok)
    g_unlink (store.path);
  g_free (store.path);
  return ok;
}
