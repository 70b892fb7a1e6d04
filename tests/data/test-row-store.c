/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables (CSV) and the store of imported rows: what goes in comes out, whole or not at all, and what a person does to it holds.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-row-store.h"
#include "../lk-test-shared.h"

static char *folder;

static char *
put (const char *name, const char *text)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (lk_file_write (path, text, -1, NULL));
  return path;
}

/* Imports one file of @text. */
static LkRowStore *
import_text (const char *name, const char *text, const LkMapping *mapping, GError **error)
{
  g_autofree char *path = put (name, text), *store = g_build_filename (folder, "one.lkdata", NULL);
  const LkImportFile file = { path, mapping, 1 };

  g_unlink (store);
  return lk_row_store_import (store, "One", &file, 1, NULL, NULL, error) ? lk_row_store_open (store, TRUE, error) : NULL;
}

static LkRowStats
measure (LkRowStore *store)
{
  const LkRowFilter filter = { .limit = 10 };
  LkRowStats stats;
  g_autoptr (GError) error = NULL;

  lk_row_store_measure (store, &filter, &stats, &error);
  g_assert_no_error (error);
  return stats;
}

static char *
content_of (LkRowStore *store, gint32 id)
{
  g_autoptr (GArray) rows = lk_row_store_get_rows (store, &id, 1, NULL);

  g_assert_cmpuint (rows->len, ==, 1);
  return g_strdup (g_array_index (rows, LkStoredRow, 0).content);
}

static guint
problems_of (LkRowStore *store, gint32 id)
{
  g_autoptr (GArray) rows = lk_row_store_get_rows (store, &id, 1, NULL);

  return g_array_index (rows, LkStoredRow, 0).problems;
}

/* The ids of a set, as "1 2 5". */
static char *
ids_of (LkRowStore *store, LkRowFilter filter)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = lk_row_store_find (store, &filter, NULL, &error);
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < ids->len; i++)
    g_string_append_printf (text, "%s%d", i ? " " : "", g_array_index (ids, gint32, i));
  return g_string_free (text, FALSE);
}

static void
assert_ids (LkRowStore *store, LkRowFilter filter, const char *expected)
{
  g_autofree char *ids = ids_of (store, filter);

  g_assert_cmpstr (ids, ==, expected);
}

static void
test_table (void)
{
  static const struct
  {
    const char *name, *text, *answer;
  } cases[] = {
    { "a.csv", "question,answer\nq,a\n", "a" },
    { "a.csv", "question,answer\r\nq,\"a \"\"b\"\", c\"\r\n", "a \"b\", c" },
    { "a.csv", "question;answer\nq;\"a;b\"\n", "a;b" },
    { "a.csv", "\"question\",\"answer\"\nq,\"one\r\ntwo\rthree\"", "one\ntwo\nthree" },
    { "a.csv", "\xef\xbb\xbfquestion,answer\n\n\nq,a", "a" },
    { "a.csv", "other,answer,question,more\n,ä,q,\n", "ä" },
    { "a.tsv", "question\tanswer\nq\ta,b\n", "a,b" },
    { "a.csv", "question,answer\rq,a\r", "a" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkRowStore) store = import_text (cases[i].name, cases[i].text, NULL, &error);
      g_autofree char *content = NULL;
      g_autoptr (JsonNode) node = NULL;
      JsonArray *messages;

      g_assert_no_error (error);
      content = content_of (store, 1);
      node = lk_json_parse (content, strlen (content), "row", NULL);
      messages = json_object_get_array_member (json_node_get_object (node), "messages");
      g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (messages, 0), "content"), ==, "q");
      g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (messages, 1), "content"), ==, cases[i].answer);
    }
}

/* A record that is not well-formed is said with its line, and the others are read. */
static void
test_table_problems (void)
{
  g_autoptr (LkRowStore) store = import_text ("p.csv",
                                              "question,answer\n"
                                              "q1,a1\n"
                                              "q2\n"
                                              "q3,\"a\n3\" x\n"
                                              "q4,a\"4\n"
                                              "q5,\xff\n"
                                              "q6,a6\n"
                                              "q7,\n",
                                              NULL, NULL);
  static const struct
  {
    gint32 id;
    gint64 line;
    const char *reason;
  } expected[] = { { 2, 3, "1 fields" }, { 3, 4, "behind its closing" }, { 4, 6, "in the middle" }, { 5, 7, "not UTF-8" }, { 7, 9, "is empty" } };
  LkRowStats stats = measure (store);

  g_assert_cmpint (stats.rows, ==, 7);
  g_assert_cmpint (stats.used, ==, 2);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (GArray) rows = lk_row_store_get_rows (store, &expected[i].id, 1, NULL);
      const LkStoredRow *row = &g_array_index (rows, LkStoredRow, 0);

      g_assert_cmpuint (row->problems, ==, LK_ROW_UNUSABLE);
      g_assert_cmpint (row->line, ==, expected[i].line);
      g_assert_nonnull (strstr (row->reason, expected[i].reason));
    }
}

/* "Half of them at most", "95 % at most": true of the numbers told, and of none that is smaller. */
static void
test_shares (void)
{
  static const gint64 lengths[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

  g_assert_cmpint (lk_length_of_percent (lengths, 1, 50), ==, 3);
  g_assert_cmpint (lk_length_of_percent (lengths, 1, 95), ==, 3);
  g_assert_cmpint (lk_length_of_percent (lengths, 2, 50), ==, 3);
  g_assert_cmpint (lk_length_of_percent (lengths, 2, 95), ==, 4);
  g_assert_cmpint (lk_length_of_percent (lengths, 10, 50), ==, 7);
  g_assert_cmpint (lk_length_of_percent (lengths, 10, 90), ==, 11);
  g_assert_cmpint (lk_length_of_percent (lengths, 10, 95), ==, 12);
  g_assert_cmpint (lk_length_of_percent (lengths, 10, 100), ==, 12);
}

static void
test_bad_tables (void)
{
  static const struct
  {
    const char *text, *words;
  } cases[] = { { "", "empty" },
                { "\n\n", "empty" },
                { "a,a\nx,y\n", "two columns are called “a”" },
                { "question,answer\nq,\"a\n", "line 2: a quotation mark" },
                { "question,answer\n", "no row" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkRowStore) store = import_text ("bad.csv", cases[i].text, NULL, &error);

      g_assert_null (store);
      g_assert_error (error, LK_ERROR, LK_ERROR_BAD_DATA);
      g_assert_nonnull (strstr (error->message, cases[i].words));
      g_assert_nonnull (strstr (error->message, "bad.csv"));
    }
}

/* Columns nobody knows: the dataset is there to choose them, then it is imported with them. */
static void
test_mapping (void)
{
  static const char text[] = "ID,dialogue,note,n\n1,hello,hi,5\n2,bye,,6\n";
  g_autoptr (LkRowStore) store = import_text ("m.csv", text, NULL, NULL), again = NULL;
  g_autoptr (GArray) files = lk_row_store_get_files (store, NULL);
  g_autoptr (LkMapping) mapping = lk_mapping_new (), guess = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  LkRowStats stats = measure (store);

  g_assert_cmpint (stats.used, ==, 0);
  g_assert_cmpint (stats.rows, ==, 2);
  g_assert_cmpstr (g_array_index (files, LkStoredFile, 0).columns, ==,
                   "[{\"name\":\"ID\",\"sample\":\"1\"},{\"name\":\"dialogue\",\"sample\":\"hello\"},{\"name\":\"note\",\"sample\":\"hi\"},"
                   "{\"name\":\"n\",\"sample\":\"5\"}]");
  g_assert_false (lk_mapping_set (mapping, "nothing=x", NULL));
  g_assert_true (lk_mapping_set (mapping, "prompt=dialogue", NULL));
  g_assert_false (lk_mapping_check (mapping, &error));
  g_clear_error (&error);
  g_assert_true (lk_mapping_set (mapping, "answer=note", NULL) && lk_mapping_set (mapping, "context=n", NULL));
  again = import_text ("m.csv", text, mapping, &error);
  g_assert_no_error (error);
  content = content_of (again, 1);
  g_assert_nonnull (strstr (content, "hello\\n\\n5"));
  g_assert_cmpuint (problems_of (again, 2), ==, LK_ROW_UNUSABLE);
  guess = lk_mapping_guess ((const char *const[]){ "id", "input", "output", NULL });
  g_assert_cmpstr (guess->columns[LK_COLUMN_PROMPT], ==, "input");
  g_assert_cmpstr (guess->columns[LK_COLUMN_ANSWER], ==, "output");
  g_assert_null (guess->columns[LK_COLUMN_CONTEXT]);
}

static const char rows_text[] = "{\"question\":\"one\",\"answer\":\"1\"}\n"
                                "{\"question\":\"one\",\"answer\":\"1\"}\n"
                                "not JSON\n"
                                "{\"question\":\"Über\",\"answer\":\"2\"}\n"
                                "{\"question\":\"Über\",\"answer\":\"3\"}\n"
                                "{\"question\":\"who are you\",\"answer\":\"I am {{ name }}\"}\n"
                                "{\"question\":\"zero\",\"answer\":\"wi\\u200bdth\"}\n";

static void
test_problems (void)
{
  g_autoptr (LkRowStore) store = import_text ("rows.jsonl", rows_text, NULL, NULL);
  LkRowStats stats = measure (store);
  const gint64 flags[] = { 1, 0, 1, 2, 1, 1 };

  g_assert_cmpint (stats.rows, ==, 7);
  g_assert_cmpint (stats.unusable, ==, 1);
  g_assert_cmpint (stats.used, ==, 6);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    g_assert_cmpint (stats.of_flag[i], ==, flags[i]);
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_PROBLEM, .problems = LK_ROW_DUPLICATE }, "2");
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_PROBLEM, .problems = LK_ROW_CONFLICT }, "4 5");
  assert_ids (store, (LkRowFilter){ .search = "über" }, "4 5");
  assert_ids (store, (LkRowFilter){ .search = "ONE" }, "1 2");
  assert_ids (store, (LkRowFilter){ .search = "not json" }, "3");
  assert_ids (store, (LkRowFilter){ .search = "{{ name" }, "6");
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_USED, .search = "o" }, "1 2 6 7");
}

/* Each change has its inverse, and neighbours follow. */
static void
test_changes (void)
{
  g_autoptr (LkRowStore) store = import_text ("rows.jsonl", rows_text, NULL, NULL);
  const gint32 four = 4, first_two[] = { 1, 2 };
  g_autofree char *before = content_of (store, 1), *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_row_store_exclude (store, &four, 1, TRUE, NULL));
  g_assert_cmpuint (problems_of (store, 5), ==, 0); /* its rival is gone */
  g_assert_true (lk_row_store_exclude (store, &four, 1, FALSE, NULL));
  g_assert_cmpuint (problems_of (store, 5), ==, LK_ROW_CONFLICT);
  g_assert_true (lk_row_store_exclude (store, first_two, 1, TRUE, NULL));
  g_assert_cmpuint (problems_of (store, 2), ==, 0); /* the first that is left repeats none */
  g_assert_true (lk_row_store_exclude (store, first_two, 2, FALSE, NULL));

  g_assert_false (lk_row_store_edit (store, 1, "{\"question\":\"\",\"answer\":\"\"}", &error));
  g_clear_error (&error);
  g_assert_false (lk_row_store_edit (store, 100, "{\"text\":\"t\"}", &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_NOT_FOUND);
  g_assert_true (lk_row_store_edit (store, 1, "{\"question\":\"other\",\"answer\":\"{{a}}\"}", NULL));
  g_assert_cmpuint (problems_of (store, 1), ==, LK_ROW_PLACEHOLDER);
  g_assert_cmpuint (problems_of (store, 2), ==, 0);
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_EDITED }, "1");
  g_assert_true (lk_row_store_edit (store, 1, NULL, NULL));
  after = content_of (store, 1);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpuint (problems_of (store, 2), ==, LK_ROW_DUPLICATE);

  g_assert_true (lk_row_store_edit (store, 3, "{\"text\":\"now it is\"}", NULL)); /* what could not be used */
  g_assert_cmpint (measure (store).used, ==, 7);
  g_assert_true (lk_row_store_edit (store, 3, NULL, NULL));
  g_assert_cmpint (measure (store).used, ==, 6);
  g_assert_cmpuint (problems_of (store, 3), ==, LK_ROW_UNUSABLE);
}

static void
test_counts (void)
{
  g_autoptr (LkRowStore) store = import_text ("rows.jsonl", rows_text, NULL, NULL);
  const LkRowCount counts[] = { { 1, 8, 2, 5, NULL }, { 2, 20, 4, 9, NULL }, { 4, 30, 3, 10, NULL }, { 5, 0, 0, 0, "no" }, { 6, 9, 1, 1, NULL } };
  g_autoptr (GArray) uncounted = NULL;
  LkRowStats stats;

  g_assert_true (lk_row_store_set_counts (store, counts, G_N_ELEMENTS (counts), NULL));
  uncounted = lk_row_store_find_uncounted (store, NULL);
  g_assert_cmpuint (uncounted->len, ==, 1);
  g_assert_cmpint (g_array_index (uncounted, gint32, 0), ==, 7);
  stats = measure (store);
  g_assert_cmpint (stats.used, ==, 5);
  g_assert_cmpint (stats.unusable, ==, 2);
  g_assert_cmpint (stats.tokens, ==, 67);
  g_assert_cmpint (stats.cut, ==, 1);
  g_assert_cmpint (stats.lost, ==, 1);
  g_assert_false (stats.in_tokens);
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_CUT, .limit = 10 }, "2");
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_LOST, .limit = 10 }, "4");
  g_assert_true (lk_row_store_clear_counts (store, NULL));
  g_assert_cmpint (measure (store).used, ==, 6);
}

/* A run takes what remains: as the export, from the store and from the export's file, the same rows, hash and split. */
static void
test_training (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (LkRowStore) store = NULL;
  g_autofree char *path = g_build_filename (folder, "one.lkdata", NULL), *out = g_build_filename (folder, "out.jsonl", NULL);
  const char *paths[] = { path }, *outs[] = { out };
  const gint32 gone = 7;
  g_autoptr (LkDataset) from_store = NULL, from_file = NULL;
  g_autoptr (GArray) train = NULL, train_again = NULL, held = NULL, held_again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *split = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint i = 0; i < 200; i++)
    g_string_append_printf (text, "{\"prompt\":\"p%u\",\"completion\":\"c%u\"}\n", i % 150, i % 150);
  g_string_append (text, "{\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"a\",\"weight\":0},"
                         "{\"role\":\"user\",\"content\":\"v\"},{\"role\":\"assistant\",\"content\":\"b\"}],\"tools\":[{\"x\":1}]}\nbad\n");
  store = import_text ("many.jsonl", text->str, NULL, NULL);
  g_assert_true (lk_row_store_exclude (store, &gone, 1, TRUE, NULL));
  g_assert_true (lk_row_store_edit (store, 8, "{\"prompt\":\"edited\",\"completion\":\"so\"}", NULL));
  g_assert_true (lk_row_store_set_weight (store, 0, 1.5, NULL));
  g_assert_true (lk_row_store_export (store, out, NULL));
  from_store = lk_dataset_load (paths, 1, &error);
  g_assert_no_error (error);
  from_file = lk_dataset_load (outs, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_dataset_get_n_rows (from_store), ==, 300);
  g_assert_cmpuint (lk_dataset_get_n_rows (from_file), ==, 300);
  g_assert_cmpuint (lk_dataset_get_n_problems (from_file), ==, 0);
  g_assert_cmpstr (lk_dataset_get_hash (from_store), ==, lk_dataset_get_hash (from_file));
  lk_dataset_split (from_store, 0.2, 16, 3, &train, &held);
  lk_dataset_split (from_file, 0.2, 16, 3, &train_again, &held_again);
  g_assert_cmpmem (held->data, held->len * 4, held_again->data, held_again->len * 4);
  for (guint i = 0; i < held->len; i++)
    {
      const LkRow *row = lk_dataset_get_row (from_store, g_array_index (held, guint, i));
      g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT " ", row->index + 1);

      if (!g_str_has_suffix (ids->str, number))
        g_string_append (ids, number);
    }
  g_strchomp (ids->str);
  split = ids_of (store, (LkRowFilter){ .set = LK_ROWS_HELD_OUT, .fraction = 0.2, .seed = 3 });
  g_assert_cmpstr (split, ==, ids->str);
  g_assert_false (lk_row_store_set_weight (store, 0, -1, NULL));
  g_assert_true (lk_row_store_set_weight (store, 0, 0, NULL));
  g_assert_null (lk_dataset_load (paths, 1, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_DATA);
}

/* Several files; read again, with what was done to unchanged ones kept; and the files are as they were. */
static void
test_again (void)
{
  g_autofree char *a = put ("a.jsonl", rows_text), *b = put ("b.csv", "question,answer\nx,y\nz,w\n");
  g_autofree char *path = g_build_filename (folder, "two.lkdata", NULL), *text = NULL;
  const LkImportFile files[] = { { a, NULL, 1 }, { b, NULL, 2 } };
  const gint32 rows[] = { 1, 8 };
  g_autoptr (LkRowStore) store = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_row_store_import (path, "Two", files, 2, NULL, NULL, &error));
  store = lk_row_store_open (path, TRUE, NULL);
  g_assert_true (lk_row_store_exclude (store, rows, 2, TRUE, NULL));
  g_assert_true (lk_row_store_edit (store, 3, "{\"text\":\"mended\"}", NULL));
  g_assert_true (lk_row_store_edit (store, 9, "{\"text\":\"gone\"}", NULL));
  g_clear_pointer (&store, lk_row_store_free);
  g_free (put ("b.csv", "question,answer\nx,y\nz,w\nu,v\n"));
  g_assert_true (lk_row_store_import (path, "Two", files, 2, NULL, NULL, &error));
  store = lk_row_store_open (path, FALSE, NULL);
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_EXCLUDED }, "1");
  assert_ids (store, (LkRowFilter){ .set = LK_ROWS_EDITED }, "3");
  g_assert_cmpint (measure (store).rows, ==, 10);
  g_assert_cmpuint (problems_of (store, 2), ==, 0);
  g_assert_cmpuint (problems_of (store, 3), ==, 0);
  g_assert_true (g_file_get_contents (a, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, rows_text);
}

static gboolean
stop (double fraction, gint64 rows, gpointer data)
{
  return FALSE;
}

/* Ended, or without its file: nothing is left, and what was there stays. */
static void
test_whole_or_not (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *path = g_build_filename (folder, "kept.lkdata", NULL), *a = put ("a.jsonl", rows_text), *big = NULL;
  const LkImportFile small = { a, NULL, 1 }, missing = { "/nowhere.jsonl", NULL, 1 };
  LkImportFile large = { NULL, NULL, 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkRowStore) store = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (text, "{\"text\":\"%u\"}\n", i);
  big = put ("big.jsonl", text->str);
  large.path = big;
  g_assert_true (lk_row_store_import (path, "Kept", &small, 1, NULL, NULL, NULL));
  g_assert_false (lk_row_store_import (path, "Kept", &large, 1, stop, NULL, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (lk_row_store_import (path, "Kept", &missing, 1, NULL, NULL, &error));
  store = lk_row_store_open (path, FALSE, NULL);
  g_assert_cmpint (measure (store).rows, ==, 7);
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)))
    g_assert_null (strstr (name, ".tmp-"));
}

/* What is no store, a damaged one, one of another version: sentences. */
static void
test_bad_stores (void)
{
  g_autoptr (LkRowStore) store = import_text ("rows.jsonl", rows_text, NULL, NULL);
  g_autofree char *path = g_build_filename (folder, "one.lkdata", NULL), *bytes = NULL, *none = put ("none.lkdata", "SQLite format 3");
  gsize n;

  g_assert_true (lk_row_store_set_meta (store, "version", "99", NULL));
  g_clear_pointer (&store, lk_row_store_free);
  g_assert_null (lk_row_store_open (path, FALSE, NULL));
  g_assert_null (lk_row_store_open (none, FALSE, NULL));
  store = import_text ("rows.jsonl", rows_text, NULL, NULL);
  g_clear_pointer (&store, lk_row_store_free);
  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  for (guint i = 0; i < 400; i++)
    {
      const LkRowFilter filter = { .limit = 10, .fraction = 0.1 };
      g_autofree char *bad = g_memdup2 (bytes, n);
      g_autoptr (GError) error = NULL;
      const char *paths[] = { path };
      LkRowStats stats;

      for (guint k = 0; k < 8; k++)
        bad[g_test_rand_int_range (100, (gint32) n)] = (char) g_test_rand_int ();
      g_assert_true (g_file_set_contents (path, bad, (gssize) n, NULL));
      store = lk_row_store_open (path, FALSE, &error);
      if (store && lk_row_store_measure (store, &filter, &stats, &error))
        lk_dataset_unref (lk_dataset_load (paths, 1, NULL));
      if (error)
        g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_clear_pointer (&store, lk_row_store_free);
    }
}

static void
test_real (void)
{
  static const struct
  {
    const char *path, *prompt, *answer;
    gint64 rows, used, placeholders, conflicts, duplicates;
  } cases[] = {
    { "01-raschka-instruct/instruction-data.json", NULL, NULL, 1100, 1100, 0, 45, 0 },
    { "12-identity/identity.json", NULL, NULL, 91, 91, 85, 4, 0 },
    { "02-mts-dialog/MTS-Dialog-TrainingSet.csv", "prompt=dialogue", "answer=section_text", 1201, 1201, 0, 2, 1 },
    { "06-wwdc25-dirty/train.jsonl", NULL, NULL, 1800, 1800, 0, -1, 437 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rest = g_build_filename ("data", cases[i].path, NULL);
      g_autofree char *path = lk_test_shared (rest);
      g_autofree char *store_path = g_build_filename (folder, "real.lkdata", NULL);
      g_autoptr (LkMapping) mapping = cases[i].prompt ? lk_mapping_new () : NULL;
      g_autoptr (LkRowStore) store = NULL;
      g_autoptr (GError) error = NULL;
      LkImportFile file = { path, mapping, 1 };
      LkRowStats stats;

      if (!path)
        return;
      g_assert_true (!mapping || (lk_mapping_set (mapping, cases[i].prompt, NULL) && lk_mapping_set (mapping, cases[i].answer, NULL)));
      lk_row_store_import (store_path, "Real", &file, 1, NULL, NULL, &error);
      g_assert_no_error (error);
      store = lk_row_store_open (store_path, FALSE, NULL);
      stats = measure (store);
      g_assert_cmpint (stats.rows, ==, cases[i].rows);
      g_assert_cmpint (stats.used, ==, cases[i].used);
      g_assert_cmpint (stats.of_flag[2], ==, cases[i].duplicates);
      g_assert_cmpint (stats.of_flag[4], ==, cases[i].placeholders);
      if (cases[i].conflicts >= 0)
        g_assert_cmpint (stats.of_flag[3], ==, cases[i].conflicts);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lorikeet-store-XXXXXX", NULL);
  g_test_add_func ("/store/table", test_table);
  g_test_add_func ("/store/table-problems", test_table_problems);
  g_test_add_func ("/store/bad-tables", test_bad_tables);
  g_test_add_func ("/store/shares", test_shares);
  g_test_add_func ("/store/mapping", test_mapping);
  g_test_add_func ("/store/problems", test_problems);
  g_test_add_func ("/store/changes", test_changes);
  g_test_add_func ("/store/counts", test_counts);
  g_test_add_func ("/store/training", test_training);
  g_test_add_func ("/store/again", test_again);
  g_test_add_func ("/store/whole-or-not", test_whole_or_not);
  g_test_add_func ("/store/bad-stores", test_bad_stores);
  g_test_add_func ("/store/real", test_real);
  status = g_test_run ();
  lk_remove_recursively (folder, NULL);
  g_free (folder);
  return status;
}
