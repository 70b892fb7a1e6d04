/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An imported dataset: one SQLite file (by convention NAME.lkdata) that holds the rows of one file or several in one form, each with
 * where it came from, what was counted of it and what is wrong with it, and beside that what a person did to it: edits and exclusions.
 * The files it was imported from are never written to.
 *
 *   meta  (key, value)          version, name, created, model (whose tokens are counted)
 *   files (id, path, size, sha256, form, weight, columns, mapping, trouble)
 *   rows  (id, file, line, number, content, edited, excluded, characters, tokens, targets, first, problems, hash, question,
 *          reason, refusal)
 *
 * ids of rows are 1 … n in the order of files and lines. `content` is the row as JSON ({"messages": …}, {"prompt", "completion"} or
 * {"text"}), of a row that cannot be used what the file says; `edited` takes its place where it is not NULL. `hash` and `question` are
 * 64 bits of a hash of what the row teaches and of what it asks. `tokens`, `targets` and `first` (how many tokens, how many of them are
 * learned, the index of the first such) are NULL while they are not counted. `reason`: why it cannot be used as imported; `refusal`: why
 * the model's template refuses it.
 *
 * Thread-safety: an object belongs to one thread at a time; several objects of one file may be at work in several threads and
 * processes.
 */
#pragma once

#include <gio/gio.h>

#include "lk-dataset.h"
#include "lk-mapping.h"
#include "lk-row-flag.h"

G_BEGIN_DECLS

typedef struct _LkRowStore LkRowStore;

/* TRUE when @bytes, the content of a file, begins like a store. */
gboolean lk_row_store_is (GBytes *bytes);
LkRowStore *lk_row_store_open (const char *path, gboolean writable, GError **error);
void lk_row_store_free (LkRowStore *self);

typedef struct
{
  const char *path;
  const LkMapping *mapping; /* NULL: the form is recognised */
  double weight;            /* times each row is seen in an epoch: 2, 0.5 … */
} LkImportFile;

/* @fraction 0 … 1, @rows so far; FALSE cancels. */
typedef gboolean (*LkImportFunc) (double fraction, gint64 rows, gpointer data);

/* Reads @files into a new store at @path, which appears whole or not at all. A store that is there is replaced; what was edited or
 * excluded in it stays so for the rows of files whose content is the same. A file of which nothing can be read is an error. */
gboolean lk_row_store_import (const char *path, const char *name, const LkImportFile *files, guint n_files, LkImportFunc progress,
                              gpointer data, GError **error);

/* (transfer full); NULL when there is none. Keys: "name", "created", "model". */
char *lk_row_store_get_meta (LkRowStore *self, const char *key);
gboolean lk_row_store_set_meta (LkRowStore *self, const char *key, const char *value, GError **error);

typedef struct
{
  char *path, *form, *sha256, *trouble; /* trouble: why it could not be read to its end; NULL */
  char *columns;                        /* JSON: [{"name", "sample"}] of the first rows */
  LkMapping *mapping;                   /* may be NULL */
  gint64 size, rows;
  double weight;
} LkStoredFile;

/* Of LkStoredFile, in order. (transfer full) */
GArray *lk_row_store_get_files (LkRowStore *self, GError **error);
gboolean lk_row_store_set_weight (LkRowStore *self, guint file, double weight, GError **error);

typedef struct
{
  gint64 id;
  guint file;
  gint64 line, number; /* 1-based; number: of the row in its file */
  char *content;       /* as it is learned: edited or as imported */
  gboolean edited, excluded;
  gint64 characters, tokens, targets, first; /* −1: not counted */
  guint problems;                            /* LkRowFlag bits */
  char *reason;                              /* may be NULL */
} LkStoredRow;

void lk_stored_row_clear (LkStoredRow *self);

/* Which rows. */
typedef struct
{
  enum
  {
    LK_ROWS_ALL,
    LK_ROWS_USED,     /* can be used and are not excluded */
    LK_ROWS_PROBLEM,  /* have one of the bits in @problems, and are not excluded */
    LK_ROWS_EXCLUDED,
    LK_ROWS_EDITED,
    LK_ROWS_CUT,      /* used and longer than @limit tokens */
    LK_ROWS_LOST,     /* used, and nothing that is learned is within @limit tokens */
    LK_ROWS_HELD_OUT, /* used and held out with @fraction and @seed, as lk_dataset_split has it */
  } set;
  guint problems;
  gint64 limit;
  double fraction;
  guint64 seed;
  const char *search; /* rows whose texts hold it, whatever the case; NULL or "": all */
} LkRowFilter;

/* What a run does where nobody said otherwise: its length limit in tokens, the share it holds out, the seed of which rows. */
#define LK_DEFAULT_LIMIT 2048
#define LK_DEFAULT_HELD_OUT 0.05
#define LK_DEFAULT_SEED 42

/* Their ids, ascending: a GArray of gint32. Looks at @cancellable (may be NULL) as it goes. (transfer full) */
GArray *lk_row_store_find (LkRowStore *self, const LkRowFilter *filter, GCancellable *cancellable, GError **error);
/* The rows @ids[@n], in ascending order of their ids: a GArray of LkStoredRow. (transfer full) */
GArray *lk_row_store_get_rows (LkRowStore *self, const gint32 *ids, guint n, GError **error);
/* The row as a training run takes it; NULL and @error when it cannot be used. *row is cleared with lk_stored_to_row_clear. */
gboolean lk_stored_row_parse (const LkStoredRow *stored, LkRow *row, GError **error);
void lk_stored_row_parse_clear (LkRow *row);
/* Texts for a list: what is asked, and what is answered. (transfer full), one line each, at most @limit characters. */
void lk_stored_row_summarise (const LkStoredRow *stored, guint limit, char **question, char **answer);

#define LK_LENGTH_BINS 40

typedef struct
{
  gint64 rows, unusable, excluded, edited, used;
  gint64 cut, lost;             /* of the used ones, by @limit; lost ones are not counted as cut */
  gint64 counted;               /* used rows with tokens */
  gint64 tokens, targets;       /* of the used ones */
  gint64 shortest, median, p95, longest; /* of the used ones, in tokens where all are counted, else in characters */
  gboolean in_tokens;
  gint64 held_out;
  gint64 of_flag[8];            /* rows with each problem of lk_row_flags, not excluded */
  gint64 bin_width;             /* tokens or characters of a bin */
  gint64 bins[LK_LENGTH_BINS];  /* used rows; the last bin holds all that are longer as well */
} LkRowStats;

/* The least of @n sorted @lengths that at least @percent of them (1 to 100) do not exceed; n > 0. */
gint64 lk_length_of_percent (const gint64 *lengths, guint n, guint percent);
/* With the limit, fraction and seed of @filter (the rest of it is not looked at). */
gboolean lk_row_store_measure (LkRowStore *self, const LkRowFilter *filter, LkRowStats *stats, GError **error);

/* What a person does. Each is one transaction. */
gboolean lk_row_store_exclude (LkRowStore *self, const gint32 *ids, guint n, gboolean excluded, GError **error);
/* @content is the row's new JSON, in any form; NULL takes the edit back. A row that cannot be used is an error and nothing changes. */
gboolean lk_row_store_edit (LkRowStore *self, gint32 id, const char *content, GError **error);

/* What was counted of a row. @reason: the template refused it. */
typedef struct
{
  gint32 id;
  gint64 tokens, targets, first;
  const char *reason;
} LkRowCount;
gboolean lk_row_store_set_counts (LkRowStore *self, const LkRowCount *counts, guint n, GError **error);
/* All counts are forgotten: they were another model's. */
gboolean lk_row_store_clear_counts (LkRowStore *self, GError **error);
/* Rows that can be used and are not counted; a GArray of gint32. (transfer full) */
GArray *lk_row_store_find_uncounted (LkRowStore *self, GError **error);

/* The used rows as JSON lines, each as often as its file's weight says: what a run learns from. The same content gives the same
 * bytes. */
gboolean lk_row_store_export (LkRowStore *self, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkRowStore, lk_row_store_free)

G_END_DECLS
