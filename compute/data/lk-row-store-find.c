/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which rows, and their content.
 */
#include "lk-row-store-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_HELD_OUT_LEAST 16 /* as lk-train-data.c has it */

typedef struct
{
  GHashTable *groups; /* hash → number + 1 */
  GArray *group_of;   /* guint */
  GArray *ids;        /* gint32, beside group_of */
} LkGroups;

static gboolean
lk_groups_add (const char *content, guint file, gint64 line, gint64 id, gint64 hash, gpointer data, GError **error)
{
  LkGroups *self = data;
  gpointer group = g_hash_table_lookup (self->groups, &hash);
  guint number;
  gint32 row = (gint32) id;

  if (!group)
    {
      group = GUINT_TO_POINTER (g_hash_table_size (self->groups) + 1);
      g_hash_table_insert (self->groups, g_memdup2 (&hash, sizeof hash), group);
    }
  number = GPOINTER_TO_UINT (group) - 1;
  g_array_append_val (self->group_of, number);
  g_array_append_val (self->ids, row);
  return TRUE;
}

/* The held-out rows' ids, each once. */
static GArray *
lk_store_held_out (LkRowStore *self, const LkRowFilter *filter, GError **error)
{
  g_autoptr (GHashTable) groups = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GArray) group_of = g_array_new (FALSE, FALSE, sizeof (guint)), ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) train = NULL, held_out = NULL;
  LkGroups collected = { groups, group_of, ids };
  GArray *found;

  if (!_lk_store_each_used (self, FALSE, lk_groups_add, &collected, error))
    return NULL;
  _lk_split_groups ((const guint *) (void *) group_of->data, group_of->len, g_hash_table_size (groups), filter->fraction, LK_HELD_OUT_LEAST,
                    filter->seed, &train, &held_out);
  found = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint i = 0; i < held_out->len; i++)
    {
      gint32 id = g_array_index (ids, gint32, g_array_index (held_out, guint, i));

      if (found->len == 0 || g_array_index (found, gint32, found->len - 1) != id)
        g_array_append_val (found, id);
    }
  return found;
}

/* The condition of all sets but LK_ROWS_HELD_OUT. (transfer full) */
static char *
lk_filter_condition (const LkRowFilter *filter)
{
  switch (filter->set)
    {
    case LK_ROWS_USED:
      return g_strdup (LK_SQL_USED);
    case LK_ROWS_PROBLEM:
      return g_strdup_printf ("excluded = 0 AND problems & %u", filter->problems);
    case LK_ROWS_EXCLUDED:
      return g_strdup ("excluded != 0");
    case LK_ROWS_EDITED:
      return g_strdup ("edited IS NOT NULL");
    case LK_ROWS_CUT:
      return g_strdup_printf (LK_SQL_USED " AND tokens > %" G_GINT64_FORMAT " AND first < %" G_GINT64_FORMAT, filter->limit, filter->limit);
    case LK_ROWS_LOST:
      return g_strdup_printf (LK_SQL_USED " AND tokens IS NOT NULL AND first >= %" G_GINT64_FORMAT, filter->limit);
    case LK_ROWS_ALL:
    case LK_ROWS_HELD_OUT:
    default:
      return g_strdup ("1");
    }
}

static int
lk_interrupted (gpointer data)
{
  return g_cancellable_is_cancelled (data);
}

static GArray *
lk_store_select (LkRowStore *self, const char *sql, const char *search, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (self, sql, error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gboolean row = TRUE;

  if (!statement)
    return NULL;
  if (search)
    sqlite3_bind_text (statement, 1, search, -1, SQLITE_STATIC);
  while (row)
    {
      gint32 id;

      if (!_lk_store_step (self, statement, &row, error))
        return NULL;
      id = row ? sqlite3_column_int (statement, 0) : 0;
      if (row)
        g_array_append_val (ids, id);
    }
  return g_steal_pointer (&ids);
}

/* The needle as it would stand in a JSON string, folded. NULL: search for nothing. (transfer full) */
static char *
lk_search_needle (const char *search)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *folded = NULL, *quoted = NULL;

  if (!search || !*search)
    return NULL;
  folded = g_utf8_casefold (search, -1);
  node = json_node_init_string (json_node_alloc (), folded);
  quoted = lk_json_to_string (node, FALSE);
  return g_strndup (quoted + 1, strlen (quoted) - 2);
}

static GArray *
lk_intersect (GArray *a, GArray *b)
{
  GArray *both = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint i = 0, j = 0; i < a->len && j < b->len;)
    {
      gint32 x = g_array_index (a, gint32, i), y = g_array_index (b, gint32, j);

      if (x == y)
        g_array_append_val (both, x);
      i += x <= y;
      j += y <= x;
    }
  return both;
}

GArray *
lk_row_store_find (LkRowStore *self, const LkRowFilter *filter, GCancellable *cancellable, GError **error)
{
  g_autofree char *needle = lk_search_needle (filter->search);
  g_autofree char *condition = lk_filter_condition (filter);
  g_autofree char *sql = g_strdup_printf ("SELECT id FROM rows WHERE %s%s ORDER BY id", condition,
                                          needle ? " AND lk_holds (coalesce (edited, content), ?)" : "");
  g_autoptr (GArray) found = NULL, held_out = NULL;

  if (cancellable)
    sqlite3_progress_handler (self->db, 1000, lk_interrupted, cancellable);
  if (filter->set != LK_ROWS_HELD_OUT || needle)
    found = lk_store_select (self, sql, needle, error);
  sqlite3_progress_handler (self->db, 0, NULL, NULL);
  if (filter->set != LK_ROWS_HELD_OUT || (needle && !found))
    return g_steal_pointer (&found);
  held_out = lk_store_held_out (self, filter, error);
  return !held_out ? NULL : found ? lk_intersect (found, held_out) : g_steal_pointer (&held_out);
}

GArray *
lk_row_store_find_uncounted (LkRowStore *self, GError **error)
{
  return lk_store_select (self, "SELECT id FROM rows WHERE tokens IS NULL AND problems & 3 = 0 ORDER BY id", NULL, error);
}

void
lk_stored_row_clear (LkStoredRow *self)
{
  g_clear_pointer (&self->content, g_free);
  g_clear_pointer (&self->reason, g_free);
}

static gint64
lk_column_count (LkStatement *statement, int column)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL ? -1 : sqlite3_column_int64 (statement, column);
}

static void
lk_stored_row_clear_cb (gpointer data)
{
  lk_stored_row_clear (data);
}

GArray *
lk_row_store_get_rows (LkRowStore *self, const gint32 *ids, guint n, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self,
      "SELECT id, file, line, number, coalesce (edited, content), edited IS NOT NULL, excluded, characters, tokens, targets, first, problems, "
      "CASE WHEN problems & 1 THEN reason WHEN problems & 2 THEN refusal END FROM rows WHERE id = ?",
      error);
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (LkStoredRow));

  g_array_set_clear_func (rows, lk_stored_row_clear_cb);
  for (guint i = 0; statement && i < n; i++)
    {
      gboolean there = FALSE;

      sqlite3_bind_int64 (statement, 1, ids[i]);
      if (!_lk_store_step (self, statement, &there, error))
        return NULL;
      if (there)
        {
          LkStoredRow row = { .id = sqlite3_column_int64 (statement, 0),
                              .file = (guint) sqlite3_column_int (statement, 1),
                              .line = sqlite3_column_int64 (statement, 2),
                              .number = sqlite3_column_int64 (statement, 3),
                              .content = _lk_store_text (statement, 4),
                              .edited = sqlite3_column_int (statement, 5),
                              .excluded = sqlite3_column_int (statement, 6),
                              .characters = sqlite3_column_int64 (statement, 7),
                              .tokens = lk_column_count (statement, 8),
                              .targets = lk_column_count (statement, 9),
                              .first = lk_column_count (statement, 10),
                              .problems = (guint) sqlite3_column_int (statement, 11),
                              .reason = _lk_store_text (statement, 12) };

          row.content = row.content ? row.content : g_strdup ("");
          g_array_append_val (rows, row);
        }
      sqlite3_reset (statement);
    }
  return statement ? g_steal_pointer (&rows) : NULL;
}

/* The first @limit characters on one line. (transfer full) */
static char *
lk_one_line (const char *text, guint limit)
{
  GString *line = g_string_new (NULL);
  gboolean gap = FALSE;
  guint n = 0;

  for (; *text && n < limit; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (g_unichar_isspace (c))
        {
          gap = line->len > 0;
          continue;
        }
      if (gap)
        g_string_append_c (line, ' ');
      gap = FALSE;
      g_string_append_unichar (line, c);
      n++;
    }
  if (*text)
    g_string_append (line, "…");
  return g_string_free (line, FALSE);
}

/* The content of the last message with @role. */
static const char *
lk_last_of (JsonArray *messages, const char *role)
{
  for (guint i = json_array_get_length (messages); i > 0; i--)
    {
      JsonObject *message = json_array_get_object_element (messages, i - 1);

      if (g_str_equal (lk_json_peek_string (message, "role", ""), role))
        return lk_json_peek_string (message, "content", "");
    }
  return "";
}

void
lk_stored_row_summarise (const LkStoredRow *stored, guint limit, char **question, char **answer)
{
  LkRow row;

  if ((stored->problems & LK_ROW_UNUSABLE) || !lk_stored_row_parse (stored, &row, NULL))
    {
      *question = lk_one_line (stored->content, limit);
      *answer = g_strdup ("");
      return;
    }
  *question = lk_one_line (row.kind == LK_ROW_MESSAGES ? lk_last_of (row.messages, "user") : row.prompt ? row.prompt : row.text, limit);
  *answer = row.kind == LK_ROW_MESSAGES     ? lk_one_line (lk_last_of (row.messages, "assistant"), limit)
            : row.kind == LK_ROW_COMPLETION ? lk_one_line (row.text, limit)
                                            : g_strdup ("");
  _lk_row_clear (&row);
}
