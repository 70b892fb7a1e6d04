/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What becomes of the bytes of a run folder.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lk-app-test.h"
#include "lk-run-list.h"
#include "lk-run-reader.h"
#include "lk-run-table.h"
#include "lk-sample.h"
#include "lk-worker-control.h"
#include "lk-file.h"

static const char RECIPE[]
    = "{\"version\":1,\"name\":\"Parrot\",\"created\":\"2026-11-24T10:00:00Z\",\"model\":\"/m.gguf\","
      "\"data\":[\"/d.jsonl\"],\"settings\":{\"rank\":16}}";

static char *
make_run (const char *runs, const char *name)
{
  char *folder = g_build_filename (runs, name, NULL);
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);

  g_assert_cmpint (g_mkdir (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (recipe, RECIPE, -1, NULL));
  return folder;
}

static void
append (const char *folder, const char *text)
{
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT, 0644);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize)strlen (text));
  close (fd);
}

static LkRun *
open_run (const char *folder)
{
  g_autoptr (GError) error = NULL;
  LkRun *run = lk_run_new (folder, &error);

  g_assert_no_error (error);
  return run;
}

static void
count_cb (LkRunReader *reader, GPtrArray *events, gpointer user_data)
{
  *(guint *)user_data += events->len;
}

static void
test_half_lines (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  g_autoptr (LkRunReader) reader = lk_run_reader_new (path);
  guint events = 0;

  g_signal_connect (reader, "events", G_CALLBACK (count_cb), &events);
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 0);
  append (folder, "{\"event\":\"step\"}\n{\"event\":\"st");
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 1);
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 1);
  append (folder, "ep\"}");
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 1);
  append (folder, "\r\n\n{\"event\":1}\n");
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 3);
  g_assert_cmpuint (lk_run_reader_get_bad_lines (reader), ==, 0);
  lk_test_clean (folder);
}

static void
test_bad_lines (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  g_autoptr (LkRunReader) reader = lk_run_reader_new (path);
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autofree char *endless = g_strnfill (3 * 1024 * 1024, 'x');
  guint events = 0;

  g_signal_connect (reader, "events", G_CALLBACK (count_cb), &events);
  append (folder, "not json\n[1]\n\"text\"\n{\"a\":}\n\xff\xfe\n");
  append (folder, deep);
  append (folder, "\n{\"event\":\"step\"}\n");
  append (folder, endless);
  append (folder, "\n{\"event\":\"step\"}\n");
  g_test_expect_message (NULL, G_LOG_LEVEL_MESSAGE, "*could not be read and was passed over*");
  lk_run_reader_poll (reader);
  while (!lk_run_reader_is_caught_up (reader))
    g_main_context_iteration (NULL, TRUE);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (events, ==, 2);
  g_assert_cmpuint (lk_run_reader_get_bad_lines (reader), ==, 7);
  lk_test_clean (folder);
}

static void
restarted_cb (LkRunReader *reader, gpointer user_data)
{
  *(guint *)user_data = 1000;
}

static void
test_truncated_file (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  g_autoptr (LkRunReader) reader = lk_run_reader_new (path);
  guint events = 0;

  g_signal_connect (reader, "events", G_CALLBACK (count_cb), &events);
  g_signal_connect (reader, "restarted", G_CALLBACK (restarted_cb), &events);
  append (folder, "{\"event\":\"a\"}\n{\"event\":\"b\"}\n");
  lk_run_reader_poll (reader);
  g_assert_cmpint (truncate (path, 0), ==, 0);
  append (folder, "{\"event\":\"c\"}\n");
  lk_run_reader_poll (reader);
  g_assert_cmpuint (events, ==, 1001);
  lk_test_clean (folder);
}

static void
test_run_properties (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autoptr (LkRun) run = open_run (folder);
  g_autofree char *progress = NULL;
  g_autofree char *summary = NULL;
  g_autofree char *problems = NULL;
  g_autoptr (LkSample) sample = NULL;
  g_autofree char *latest = NULL;
  double fraction = 0;

  g_assert_cmpstr (lk_run_get_name (run), ==, "Parrot");
  append (folder,
          "{\"event\":\"state\",\"state\":\"running\",\"time\":1}\n"
          "{\"event\":\"plan\",\"steps\":500,\"problems\":3,\"train_rows\":90,\"held_out_rows\":16}\n"
          "{\"event\":\"problem\",\"file\":\"/x/d.jsonl\",\"line\":7,\"reason\":\"no answer\"}\n"
          "{\"event\":\"sample\",\"step\":0,\"prompt\":\"p\",\"text\":\"before\"}\n"
          "{\"event\":\"eval\",\"step\":300,\"loss\":1.31,\"rows\":16,\"best\":true}\n"
          "{\"event\":\"sample\",\"step\":300,\"prompt\":\"p\",\"text\":\"now\"}\n"
          "{\"event\":\"step\",\"step\":320,\"steps\":500,\"loss\":\"wrong kind\",\"seconds_left\":720}\n"
          "{\"event\":\"step\",\"step\":320,\"steps\":500,\"loss\":1.25,\"seconds_left\":720}\n"
          "{\"event\":\"of a newer engine\",\"step\":{}}\n");
  lk_run_poll (run);
  progress = lk_test_text_of (run, "progress-text");
  summary = lk_test_text_of (run, "summary");
  problems = lk_test_text_of (run, "problems-title");
  g_object_get (run, "fraction", &fraction, NULL);
  g_assert_cmpstr (progress, ==, "Step 320 of 500 · about 12 minutes left");
  g_assert_cmpstr (summary, ==, "64 % · 1.310");
  g_assert_cmpstr (problems, ==, "3 rows could not be used");
  g_assert_cmpfloat_with_epsilon (fraction, 0.64, 1e-9);
  g_assert_cmpuint (g_list_model_get_n_items (lk_run_get_samples (run)), ==, 1);
  sample = g_list_model_get_item (lk_run_get_samples (run), 0);
  latest = lk_test_text_of (sample, "latest-text");
  g_assert_cmpstr (latest, ==, "now");
  lk_test_clean (runs);
}

static void
test_resumed_series (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autoptr (LkRun) run = open_run (folder);
  LkSeries *training = lk_run_get_training (run);

  append (folder, "{\"event\":\"step\",\"step\":1,\"loss\":3}\n{\"event\":\"step\",\"step\":2,\"loss\":2}\n"
                  "{\"event\":\"step\",\"step\":3,\"loss\":9}\n{\"event\":\"resume\",\"step\":2}\n"
                  "{\"event\":\"step\",\"step\":3,\"loss\":1}\n");
  lk_run_poll (run);
  g_assert_cmpuint (lk_series_get_n_points (training), ==, 3);
  g_assert_cmpfloat (lk_series_get_y (training, 2), ==, 1);
  append (folder,
          "{\"event\":\"state\",\"state\":\"preparing\"}\n{\"event\":\"step\",\"step\":1,\"loss\":4}\n");
  lk_run_poll (run);
  g_assert_cmpuint (lk_series_get_n_points (training), ==, 1);
  g_assert_cmpfloat (lk_series_get_y (training, 0), ==, 4);
  lk_test_clean (runs);
}

/* What a list of the rows shows, kept by what it is told: "3 1.000 4.000, 2 2.000". */
typedef struct
{
  GPtrArray *rows; /* char* */
  guint told;      /* rows it was told of */
} Shown;

static char *
words_of_row (GListModel *table, guint i)
{
  g_autoptr (GObject) row = g_list_model_get_item (table, i);
  g_autofree char *step = lk_test_text_of (row, "step");
  g_autofree char *loss = lk_test_text_of (row, "loss");
  g_autofree char *held_out = lk_test_text_of (row, "held-out");

  return g_strjoin (" ", step, loss, held_out[0] != 0 ? held_out : NULL, NULL);
}

static void
rows_changed_cb (GListModel *table, guint position, guint removed, guint added, Shown *shown)
{
  if (removed > 0)
    g_ptr_array_remove_range (shown->rows, position, removed);
  for (guint i = position; i < position + added; i++)
    g_ptr_array_insert (shown->rows, (int) i, words_of_row (table, i));
  shown->told += removed + added;
}

static void
check_rows (LkRun *run, Shown *shown, const char *folder, const char *events, const char *wanted, guint told)
{
  g_autoptr (GString) text = g_string_new (NULL);

  append (folder, events);
  shown->told = 0;
  lk_run_poll (run);
  for (guint i = 0; i < shown->rows->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", (char *) g_ptr_array_index (shown->rows, i));
  g_assert_cmpstr (text->str, ==, wanted);
  g_assert_cmpuint (shown->told, ==, told);
}

/* Who looks at the table sees what the run says, also where steps are done again or measured after they were shown, and is told no more
 * than what changed. */
static void
test_table (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autoptr (LkRun) run = open_run (folder);
  g_autoptr (LkRunTable) table = lk_run_table_new (run);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  Shown shown = { .rows = rows };

  g_signal_connect (table, "items-changed", G_CALLBACK (rows_changed_cb), &shown);
  check_rows (run, &shown, folder, "{\"event\":\"step\",\"step\":1,\"loss\":3}\n{\"event\":\"step\",\"step\":2,\"loss\":2}\n",
              "2 2.000, 1 3.000", 2);
  check_rows (run, &shown, folder, "{\"event\":\"step\",\"step\":3,\"loss\":1}\n", "3 1.000, 2 2.000, 1 3.000", 1);
  check_rows (run, &shown, folder, "{\"event\":\"eval\",\"step\":3,\"loss\":4}\n", "3 1.000 4.000, 2 2.000, 1 3.000", 2);
  /* as many as before, and more than before, with other values */
  check_rows (run, &shown, folder, "{\"event\":\"resume\",\"step\":2}\n{\"event\":\"step\",\"step\":3,\"loss\":0.5}\n",
              "3 0.500, 2 2.000, 1 3.000", 2);
  check_rows (run, &shown, folder,
              "{\"event\":\"resume\",\"step\":1}\n{\"event\":\"step\",\"step\":2,\"loss\":5}\n"
              "{\"event\":\"step\",\"step\":3,\"loss\":6}\n{\"event\":\"step\",\"step\":4,\"loss\":7}\n",
              "4 7.000, 3 6.000, 2 5.000, 1 3.000", 5);
  check_rows (run, &shown, folder, "{\"event\":\"state\",\"state\":\"paused\"}\n", "4 7.000, 3 6.000, 2 5.000, 1 3.000", 0);
  check_rows (run, &shown, folder, "{\"event\":\"resume\",\"step\":1}\n", "1 3.000", 3);
  lk_test_clean (runs);
}

/* All warnings of a run are shown, each once; of many the newest, and how many there are. */
static void
test_warnings (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autoptr (LkRun) run = NULL;
  g_autofree char *text = NULL, *many = NULL;

  append (folder, "{\"event\":\"warning\",\"message\":\"One.\"}\n{\"event\":\"warning\",\"message\":\"Two.\"}\n"
                  "{\"event\":\"warning\",\"message\":\"One.\"}\n{\"event\":\"warning\"}\n");
  run = open_run (folder);
  lk_run_poll (run);
  g_object_get (run, "warning", &text, NULL);
  g_assert_cmpstr (text, ==, "One.\nTwo.");
  for (char c = 'a'; c <= 'e'; c++)
    {
      g_autofree char *line = g_strdup_printf ("{\"event\":\"warning\",\"message\":\"%c.\"}\n", c);
      append (folder, line);
    }
  lk_run_poll (run);
  g_object_get (run, "warning", &many, NULL);
  g_assert_true (strstr (many, "7") != NULL && g_str_has_suffix (many, "\na.\nb.\nc.\nd.\ne."));
  lk_test_clean (runs);
}

static gboolean
is_interrupted (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_INTERRUPTED;
}

/* Neither a pause nor a night between a stop and a resume is time at work. */
static void
test_active_time (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autoptr (LkRun) run = open_run (folder);
  g_autofree char *progress = NULL;

  append (folder, "{\"event\":\"state\",\"state\":\"running\",\"time\":1000}\n"
                  "{\"event\":\"step\",\"step\":1,\"steps\":2,\"loss\":3,\"time\":1060}\n"
                  "{\"event\":\"state\",\"state\":\"paused\",\"time\":1060}\n"
                  "{\"event\":\"state\",\"state\":\"running\",\"time\":5000}\n"
                  "{\"event\":\"state\",\"state\":\"stopped\",\"time\":5060}\n"
                  "{\"event\":\"state\",\"state\":\"preparing\",\"time\":90000}\n"
                  "{\"event\":\"state\",\"state\":\"running\",\"time\":90010}\n"
                  "{\"event\":\"step\",\"step\":2,\"steps\":2,\"loss\":2,\"time\":90070}\n"
                  "{\"event\":\"state\",\"state\":\"finished\",\"time\":90070}\n");
  lk_run_poll (run);
  progress = lk_test_text_of (run, "progress-text");
  g_assert_cmpstr (progress, ==, "Finished 2 steps in about 3 minutes");
  lk_test_clean (runs);
}

/* A worker that this window never started: only the lock tells. */
static void
test_lock_of_another (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "a");
  g_autofree char *path = g_build_filename (folder, "lock", NULL);
  g_autoptr (LkRun) run = open_run (folder);
  g_autofree char *trouble = NULL;
  int fd = open (path, O_RDWR | O_CREAT, 0644);

  g_assert_cmpint (flock (fd, LOCK_EX | LOCK_NB), ==, 0);
  append (folder, "{\"event\":\"state\",\"state\":\"running\"}\n{\"event\":\"checkpoint\",\"step\":40}\n");
  for (int i = 0; i < 10; i++)
    lk_run_poll (run);
  g_assert_true (lk_worker_control_is_locked (folder));
  g_assert_cmpint (lk_run_get_state (run), ==, LK_RUN_RUNNING);
  close (fd);
  lk_test_wait_for (is_interrupted, run);
  trouble = lk_test_text_of (run, "trouble-text");
  g_assert_nonnull (strstr (trouble, "step 40 is saved"));
  lk_test_clean (runs);
}

/* Found dead: when it was last heard of, and what the clock tells about why. */
static void
test_found_dead (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *before_boot = make_run (runs, "a");
  g_autofree char *after_boot = make_run (runs, "b");
  g_autoptr (LkRun) one = open_run (before_boot);
  g_autoptr (LkRun) two = open_run (after_boot);
  g_autofree char *now = g_strdup_printf ("{\"event\":\"state\",\"state\":\"running\",\"time\":%" G_GINT64_FORMAT
                                          ".5}\n{\"event\":\"checkpoint\",\"step\":40}\n",
                                          g_get_real_time () / G_USEC_PER_SEC);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  append (before_boot, "{\"event\":\"state\",\"state\":\"running\",\"time\":1000000000}\n");
  append (after_boot, now);
  lk_test_wait_for (is_interrupted, one);
  lk_test_wait_for (is_interrupted, two);
  first = lk_test_text_of (one, "trouble-text");
  second = lk_test_text_of (two, "trouble-text");
  g_assert_nonnull (strstr (first, "2001"));
  g_assert_nonnull (strstr (first, "started anew"));
  g_assert_nonnull (strstr (first, "Nothing was saved yet"));
  g_assert_nonnull (strstr (second, "Last sign of life: Today"));
  g_assert_nonnull (strstr (second, "without a word"));
  g_assert_nonnull (strstr (second, "step 40 is saved"));
  lk_test_clean (runs);
}

static void
test_run_list (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *first = make_run (runs, "one");
  g_autofree char *broken = g_build_filename (runs, "broken", NULL);
  g_autofree char *broken_recipe = g_build_filename (broken, "recipe.json", NULL);
  g_autofree char *second = NULL;
  g_autoptr (LkRunList) list = NULL;
  g_autoptr (GError) error = NULL;

  g_mkdir (broken, 0755);
  g_file_set_contents (broken_recipe, "{\"name\":[]}", -1, NULL);
  list = lk_run_list_new (runs);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  second = make_run (runs, "two");
  g_assert_nonnull (lk_run_list_find (list, second));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 2);
  append (first, "{\"event\":\"step\",\"step\":1,\"loss\":1}\n");
  g_assert_true (lk_run_list_get_latest (list) == lk_run_list_find (list, first));
  g_assert_true (lk_remove_recursively (first, &error));
  lk_run_list_scan (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  lk_test_clean (runs);
}

void
lk_test_add_run (void)
{
  g_test_add_func ("/app/reader/half-lines", test_half_lines);
  g_test_add_func ("/app/reader/bad-lines", test_bad_lines);
  g_test_add_func ("/app/reader/truncated", test_truncated_file);
  g_test_add_func ("/app/run/properties", test_run_properties);
  g_test_add_func ("/app/run/warnings", test_warnings);
  g_test_add_func ("/app/run/resumed", test_resumed_series);
  g_test_add_func ("/app/run/table", test_table);
  g_test_add_func ("/app/run/active-time", test_active_time);
  g_test_add_func ("/app/run/lock", test_lock_of_another);
  g_test_add_func ("/app/run/found-dead", test_found_dead);
  g_test_add_func ("/app/run/list", test_run_list);
}
