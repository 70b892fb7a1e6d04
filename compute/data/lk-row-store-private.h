/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the parts of the store share.
 */
#pragma once

#include <sqlite3.h>

#include "lk-dataset-private.h"
#include "lk-row-store.h"

#define LK_STORE_VERSION 1

struct _LkRowStore
{
  char *path;
  sqlite3 *db;
};

/* A statement that is finalised where its scope ends. */
typedef sqlite3_stmt LkStatement;
static inline void
lk_statement_free (LkStatement *statement)
{
  sqlite3_finalize (statement);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkStatement, lk_statement_free)

/* A column's text, valid UTF-8 whatever the file holds; NULL of NULL. (transfer full) */
char *_lk_store_text (LkStatement *statement, int column);
/* Sets *error from the database's last failure; returns FALSE. */
gboolean _lk_store_fail (LkRowStore *self, const char *what, GError **error);
gboolean _lk_store_exec (LkRowStore *self, const char *sql, GError **error);
LkStatement *_lk_store_prepare (LkRowStore *self, const char *sql, GError **error);
/* TRUE with *row: there is one; FALSE in *row: the end. */
gboolean _lk_store_step (LkRowStore *self, LkStatement *statement, gboolean *row, GError **error);
/* Runs a statement that gives no rows, and makes it ready to run again. */
gboolean _lk_store_run (LkRowStore *self, LkStatement *statement, GError **error);
/* BEGIN … COMMIT around what is done between; rolled back unless @ok. */
gboolean _lk_store_begin (LkRowStore *self, GError **error);
gboolean _lk_store_end (LkRowStore *self, gboolean ok, GError **error);

/* What is known of a row from its content alone. */
typedef struct
{
  char *content; /* JSON */
  gint64 characters, hash, question;
  guint problems;
} LkRowFacts;
void _lk_row_facts_init (LkRowFacts *self, const LkRow *row);
void _lk_row_facts_clear (LkRowFacts *self);

/* LK_ROW_DUPLICATE and LK_ROW_CONFLICT anew, of all rows, or (where the temporary table “touched” holds the hashes and questions of
 * changed rows) of those that share one with them. */
gboolean _lk_store_mark_all (LkRowStore *self, GError **error);
gboolean _lk_store_mark_touched (LkRowStore *self, GError **error);

/* Calls @func for each used row, as often as its file's weight says. */
typedef gboolean (*LkUsedFunc) (const char *content, guint file, gint64 line, gint64 number, gint64 hash, gpointer data, GError **error);
gboolean _lk_store_each_used (LkRowStore *self, gboolean contents, LkUsedFunc func, gpointer data, GError **error);

/* The used rows of the store @path into @sink. */
gboolean _lk_row_store_read (const char *path, guint file, const LkDataSink *sink, GChecksum *checksum, const char **form, GError **error);
/* {"messages"…} of @row on one line. (transfer full) */
char *_lk_row_to_json (const LkRow *row);

#define LK_SQL_USED "excluded = 0 AND problems & 3 = 0"
