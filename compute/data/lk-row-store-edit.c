/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a person does to rows, and what follows of it for their neighbours.
 */
#include "lk-row-store-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-form.h"
#include "lk-json.h"

/* Repeated: all but the first of those that teach the same. In conflict: the same question, more than one hash. Rows that are excluded or
 * cannot be used are neither, and count for neither. @where narrows it to some hashes and questions. */
static gboolean
lk_store_mark (LkRowStore *self, const char *of_hash, const char *of_question, GError **error)
{
  g_autofree char *sql = g_strdup_printf (
      "UPDATE rows SET problems = problems & ~12 WHERE problems & 12 AND (%s OR %s);"
      "UPDATE rows SET problems = problems | 4 WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY hash ORDER BY id) "
      "AS place FROM rows WHERE " LK_SQL_USED " AND %s) WHERE place > 1);"
      "UPDATE rows SET problems = problems | 8 WHERE " LK_SQL_USED " AND question IN (SELECT question FROM rows WHERE " LK_SQL_USED
      " AND %s GROUP BY question HAVING min(hash) != max(hash));",
      of_hash, of_question, of_hash, of_question);

  return _lk_store_exec (self, sql, error);
}

gboolean
_lk_store_mark_all (LkRowStore *self, GError **error)
{
  return lk_store_mark (self, "1", "1", error);
}

gboolean
_lk_store_mark_touched (LkRowStore *self, GError **error)
{
  return lk_store_mark (self, "hash IN (SELECT hash FROM temp.touched)", "question IN (SELECT question FROM temp.touched)", error);
}

static gboolean
lk_store_make_touched (LkRowStore *self, GError **error)
{
  return _lk_store_exec (self, "CREATE TEMP TABLE IF NOT EXISTS touched (hash INTEGER, question INTEGER); DELETE FROM temp.touched;", error);
}

static gboolean
lk_store_touch (LkRowStore *self, gint32 id, GError **error)
{
  g_autoptr (LkStatement) statement
      = _lk_store_prepare (self, "INSERT INTO temp.touched SELECT hash, question FROM rows WHERE id = ?", error);

  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  return _lk_store_run (self, statement, error);
}

#define LK_TOUCHED_MOST 1000 /* beyond that many rows, all are looked at again */

static gboolean
lk_store_exclude_all (LkRowStore *self, const gint32 *ids, guint n, gboolean excluded, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, "UPDATE rows SET excluded = ? WHERE id = ?", error);

  if (!statement || !lk_store_make_touched (self, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      sqlite3_bind_int64 (statement, 1, excluded);
      sqlite3_bind_int64 (statement, 2, ids[i]);
      if ((n <= LK_TOUCHED_MOST && !lk_store_touch (self, ids[i], error)) || !_lk_store_run (self, statement, error))
        return FALSE;
    }
  return n <= LK_TOUCHED_MOST ? _lk_store_mark_touched (self, error) : _lk_store_mark_all (self, error);
}

gboolean
lk_row_store_exclude (LkRowStore *self, const gint32 *ids, guint n, gboolean excluded, GError **error)
{
  return _lk_store_begin (self, error) && _lk_store_end (self, lk_store_exclude_all (self, ids, n, excluded, error), error);
}

static gboolean
lk_store_write_row (LkRowStore *self, gint32 id, const LkRowFacts *facts, const char *edited, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self, "UPDATE rows SET edited = ?, characters = ?, hash = ?, question = ?, problems = ?, tokens = NULL, targets = NULL, first = NULL, "
            "refusal = NULL WHERE id = ?", error);

  if (!statement)
    return FALSE;
  sqlite3_bind_text (statement, 1, edited, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64 (statement, 2, facts->characters);
  sqlite3_bind_int64 (statement, 3, facts->hash);
  sqlite3_bind_int64 (statement, 4, facts->question);
  sqlite3_bind_int64 (statement, 5, facts->problems);
  sqlite3_bind_int64 (statement, 6, id);
  return lk_store_touch (self, id, error) && _lk_store_run (self, statement, error) && lk_store_touch (self, id, error)
         && _lk_store_mark_touched (self, error);
}

/* A row's JSON as the readers take it; FALSE with the reason. */
static gboolean
lk_parse_row (const char *content, LkRow *row, GError **error)
{
  g_autoptr (JsonNode) node = lk_json_parse (content, strlen (content), "the row", error);
  JsonObject *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const LkForm *form = object ? lk_form_recognise (object) : NULL;
  g_autofree char *reason = NULL;

  *row = (LkRow){ 0 };
  if (!node)
    return FALSE;
  if (form && form->read (object, row, &reason))
    return TRUE;
  _lk_row_clear (row);
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "The row cannot be used: %s",
               reason ? reason : "it has none of the members a dataset's form is known by");
  return FALSE;
}

gboolean
lk_stored_row_parse (const LkStoredRow *stored, LkRow *row, GError **error)
{
  return lk_parse_row (stored->content, row, error);
}

void
lk_stored_row_parse_clear (LkRow *row)
{
  _lk_row_clear (row);
}

/* The content as it was imported; NULL when there is no such row. (transfer full) */
static char *
lk_store_original (LkRowStore *self, gint32 id, gboolean *usable, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, "SELECT content, reason IS NULL FROM rows WHERE id = ?", error);
  gboolean row = FALSE;

  if (!statement)
    return NULL;
  sqlite3_bind_int64 (statement, 1, id);
  if (!_lk_store_step (self, statement, &row, error))
    return NULL;
  if (!row)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "%s: there is no row %d", self->path, id);
      return NULL;
    }
  *usable = sqlite3_column_int (statement, 1);
  return _lk_store_text (statement, 0);
}

gboolean
lk_row_store_edit (LkRowStore *self, gint32 id, const char *content, GError **error)
{
  gboolean usable = FALSE;
  g_autofree char *original = lk_store_original (self, id, &usable, error);
  LkRow row = { 0 };
  LkRowFacts facts;
  gboolean ok;

  if (!original || ((content || usable) && !lk_parse_row (content ? content : original, &row, error)))
    return FALSE;
  if (content || usable)
    _lk_row_facts_init (&facts, &row);
  else
    facts = (LkRowFacts){ .content = g_strdup (original), .characters = g_utf8_strlen (original, -1), .problems = LK_ROW_UNUSABLE };
  ok = _lk_store_begin (self, error)
       && _lk_store_end (self, lk_store_make_touched (self, error) && lk_store_write_row (self, id, &facts, content ? facts.content : NULL, error),
                         error);
  _lk_row_facts_clear (&facts);
  _lk_row_clear (&row);
  return ok;
}

static gboolean
lk_store_set_counts (LkRowStore *self, const LkRowCount *counts, guint n, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self, "UPDATE rows SET tokens = ?, targets = ?, first = ?, problems = CASE WHEN ?4 IS NULL THEN problems & ~2 ELSE problems | 2 END, "
            "refusal = ?4 WHERE id = ?5 AND problems & 1 = 0", error);

  for (guint i = 0; statement && i < n; i++)
    {
      sqlite3_bind_int64 (statement, 1, counts[i].tokens);
      sqlite3_bind_int64 (statement, 2, counts[i].targets);
      sqlite3_bind_int64 (statement, 3, counts[i].first);
      sqlite3_bind_text (statement, 4, counts[i].reason, -1, SQLITE_TRANSIENT);
      sqlite3_bind_int64 (statement, 5, counts[i].id);
      if (!_lk_store_run (self, statement, error))
        return FALSE;
    }
  return statement != NULL;
}

gboolean
lk_row_store_set_counts (LkRowStore *self, const LkRowCount *counts, guint n, GError **error)
{
  return _lk_store_begin (self, error) && _lk_store_end (self, lk_store_set_counts (self, counts, n, error), error);
}

gboolean
lk_row_store_clear_counts (LkRowStore *self, GError **error)
{
  return _lk_store_exec (self, "UPDATE rows SET tokens = NULL, targets = NULL, first = NULL, problems = problems & ~2, "
                               "refusal = NULL", error);
}
