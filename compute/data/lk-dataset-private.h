/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the readers of dataset files and those who take their rows share.
 */
#pragma once

#include "lk-dataset.h"
#include "lk-mapping.h"

typedef struct
{
  char *path;
  const char *form; /* of most rows; static */
} LkDataFile;

struct _LkDataset
{
  gatomicrefcount ref_count;
  GArray *files, *rows, *problems; /* LkDataFile, LkRow, LkRowProblem */
  char *hash;
};

/* Where rows go as they are read, in the order of the file. Functions that are NULL are not called. */
typedef struct
{
  /* @row is the receiver's. */
  void (*row) (LkRow *row, gpointer data);
  /* A row that cannot be used, or something beside the rows (@text is NULL): @reason is the receiver's; @text[@n] is what the file says. */
  void (*problem) (guint64 line, guint64 index, char *reason, const char *text, gsize n, gpointer data);
  /* Each row's object before its form is looked for, to learn the members' names. */
  void (*object) (JsonObject *object, gpointer data);
  /* How many bytes of how many are read; FALSE ends the reading with LK_ERROR_CANCELLED. */
  gboolean (*progress) (guint64 done, guint64 size, gpointer data);
  gpointer data;
} LkDataSink;

/* One file while it is read. */
typedef struct
{
  const char *path;
  guint file;
  const LkMapping *mapping; /* NULL: the form of each row is recognised */
  const LkDataSink *sink;
  const char *begin, *end; /* of the content, byte-order mark skipped */
  guint64 line;            /* of @counted */
  const char *counted;
  guint64 index, rows, problems;
  char *first_problem;
  GHashTable *forms; /* name → rows */
} LkReader;

void _lk_row_clear (gpointer row);
/* The row's content as one text, the same for rows that teach the same. (transfer full) */
char *_lk_row_canonical (const LkRow *row);

/* Reads @bytes, the content of the file @path, into @sink. *form is the name of most rows' form; static; NULL when there was none.
 * FALSE when the file cannot be read (to its end); what was read before has reached the sink. */
gboolean _lk_data_read (const char *path, guint file, GBytes *bytes, const LkMapping *mapping, const LkDataSink *sink, const char **form,
                        guint64 *rows, GError **error);

/* For the files that hold the containers. */
gboolean _lk_reader_fail (LkReader *reader, const char *at, const char *what, GError **error);
guint64 _lk_reader_line (LkReader *reader, const char *at);
/* @reason is taken. */
void _lk_reader_problem (LkReader *reader, guint64 line, char *reason, const char *text, gsize n);
/* One row; @text is what the file says. */
void _lk_reader_add_object (LkReader *reader, JsonObject *object, const char *text, gsize n, guint64 line);
gboolean _lk_reader_go_on (LkReader *reader, const char *at, GError **error);
/* CSV and its kin by the file's name. */
gboolean _lk_reader_is_table (LkReader *reader, char *delimiter);
gboolean _lk_reader_table (LkReader *reader, char delimiter, GError **error);

/* Held-out split over groups; see lk_dataset_split. @group_of: n numbers below @n_groups. */
void _lk_split_groups (const guint *group_of, guint n, guint n_groups, double fraction, guint minimum, guint64 seed, GArray **train,
                       GArray **held_out);
