/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The objects behind the window, without a display: what they make of the bytes of a run folder, of the
 * engine's answers, and of a worker's death. The engine is tests/ui/fake-cli.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lk-chat-turn.h"
#include "lk-chat.h"
#include "lk-worker-control.h"
#include "lk-engine.h"
#include "lk-error.h"
#include "lk-estimate.h"
#include "lk-export-job.h"
#include "lk-file.h"
#include "lk-http-reader.h"
#include "lk-inspection.h"
#include "lk-json.h"
#include "lk-preview-row.h"
#include "lk-draft.h"
#include "lk-run-list.h"
#include "lk-run-reader.h"
#include "lk-sample.h"
#include "lk-settings.h"
#include "lk-words.h"

#define WAIT_SECONDS 20

static const char RECIPE[]
    = "{\"version\":1,\"name\":\"Parrot\",\"created\":\"2026-11-24T10:00:00Z\",\"model\":\"/m.gguf\","
      "\"data\":[\"/d.jsonl\"],\"settings\":{\"rank\":16}}";

typedef gboolean (*Condition) (gpointer data);

static gboolean
wake_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main loop until @condition holds; fails the test when it does not in time. */
static void
wait_for (Condition condition, gpointer data)
{
  gint64 end = g_get_monotonic_time () + WAIT_SECONDS * G_USEC_PER_SEC;
  guint wake = g_timeout_add (20, wake_cb, NULL);

  while (!condition (data))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (wake);
}

static char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("lorikeet-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

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
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  close (fd);
}

static void
clean (char *folder)
{
  g_autoptr (GError) error = NULL;

  lk_remove_recursively (folder, &error);
  g_assert_no_error (error);
  g_free (folder);
}

static LkRun *
open_run (const char *folder)
{
  g_autoptr (GError) error = NULL;
  LkRun *run = lk_run_new (folder, &error);

  g_assert_no_error (error);
  return run;
}

static char *
text_of (gpointer object, const char *property)
{
  char *text = NULL;

  g_object_get (object, property, &text, NULL);
  return text;
}

static void
count_cb (LkRunReader *reader, GPtrArray *events, gpointer user_data)
{
  *(guint *) user_data += events->len;
}

static void
test_half_lines (void)
{
  char *folder = make_folder ();
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
  clean (folder);
}

static void
test_bad_lines (void)
{
  char *folder = make_folder ();
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
  clean (folder);
}

static void
restarted_cb (LkRunReader *reader, gpointer user_data)
{
  *(guint *) user_data = 1000;
}

static void
test_truncated_file (void)
{
  char *folder = make_folder ();
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
  clean (folder);
}

static void
test_run_properties (void)
{
  char *runs = make_folder ();
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
  progress = text_of (run, "progress-text");
  summary = text_of (run, "summary");
  problems = text_of (run, "problems-title");
  g_object_get (run, "fraction", &fraction, NULL);
  g_assert_cmpstr (progress, ==, "Step 320 of 500 · about 12 minutes left");
  g_assert_cmpstr (summary, ==, "64 % · 1.310");
  g_assert_cmpstr (problems, ==, "3 rows could not be used");
  g_assert_cmpfloat_with_epsilon (fraction, 0.64, 1e-9);
  g_assert_cmpuint (g_list_model_get_n_items (lk_run_get_samples (run)), ==, 1);
  sample = g_list_model_get_item (lk_run_get_samples (run), 0);
  latest = text_of (sample, "latest-text");
  g_assert_cmpstr (latest, ==, "now");
  clean (runs);
}

static void
test_resumed_series (void)
{
  char *runs = make_folder ();
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
  clean (runs);
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
  char *runs = make_folder ();
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
  progress = text_of (run, "progress-text");
  g_assert_cmpstr (progress, ==, "Finished 2 steps in about 3 minutes");
  clean (runs);
}

/* A worker that this window never started: only the lock tells. */
static void
test_lock_of_another (void)
{
  char *runs = make_folder ();
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
  wait_for (is_interrupted, run);
  trouble = text_of (run, "trouble-text");
  g_assert_nonnull (strstr (trouble, "step 40 is saved"));
  clean (runs);
}

static LkDraft *
make_draft (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  LkDraft *draft = lk_draft_new ();
  const char *text
      = "{\"settings\":[{\"name\":\"rank\",\"type\":\"int\",\"default\":16,\"minimum\":1,\"maximum\":256,"
        "\"label\":\"Rank\"},{\"name\":\"learning_rate\",\"type\":\"double\",\"default\":0.0002},"
        "{\"name\":\"schedule\",\"type\":\"choice\",\"default\":\"cosine\",\"choices\":[\"linear\","
        "\"cosine\"]},{\"name\":\"rslora\",\"type\":\"bool\",\"default\":false}]}";

  node = lk_json_parse (text, strlen (text), "test", &error);
  g_assert_no_error (error);
  g_assert_true (lk_draft_load_from_json (draft, node, &error));
  g_assert_no_error (error);
  return draft;
}

static void
test_recipe (void)
{
  g_autoptr (LkDraft) draft = make_draft ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;
  char *runs = make_folder ();
  g_autofree char *folder = NULL;
  g_autofree char *again = NULL;
  g_autofree char *path = NULL;
  g_autofree char *path_of_preset = NULL;
  g_autoptr (JsonObject) written = NULL;
  JsonObject *settings;

  g_assert_false (lk_draft_is_ready (draft));
  g_assert_null (lk_draft_create_run (draft, runs, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/x/support_mails.jsonl");
  g_assert_cmpstr (lk_draft_get_name (draft), ==, "Support mails");
  g_assert_true (lk_option_set_value (lk_draft_find (draft, "rank"), "9999"));
  g_assert_cmpstr (lk_option_get_value (lk_draft_find (draft, "rank")), ==, "256");
  g_assert_false (lk_option_set_value (lk_draft_find (draft, "learning_rate"), "fast"));
  g_assert_false (lk_option_set_value (lk_draft_find (draft, "learning_rate"), "nan"));
  g_assert_true (lk_option_set_value (lk_draft_find (draft, "learning_rate"), "1e-3"));
  g_assert_false (lk_option_set_value (lk_draft_find (draft, "schedule"), "steep"));
  arguments = lk_draft_to_arguments (draft);
  g_assert_cmpuint (g_strv_length (arguments), ==, 6);
  g_assert_true (g_strv_contains ((const char *const *) arguments, "--rank=256"));
  g_assert_true (g_strv_contains ((const char *const *) arguments, "--learning-rate=0.001"));
  folder = lk_draft_create_run (draft, runs, &error);
  g_assert_no_error (error);
  again = lk_draft_create_run (draft, runs, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (folder, !=, again);
  path = g_build_filename (folder, "recipe.json", NULL);
  written = lk_json_load_object (path, 1 << 20, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_suffix (folder, "-support-mails"));
  settings = json_object_get_object_member (written, "settings");
  g_assert_cmpint (json_object_get_int_member (settings, "rank"), ==, 256);
  g_assert_cmpfloat (json_object_get_double_member (settings, "learning_rate"), ==, 0.001);
  g_assert_cmpstr (json_object_get_string_member (settings, "schedule"), ==, "cosine");
  path_of_preset = g_build_filename (runs, "preset.json", NULL);
  g_file_set_contents (path_of_preset, "{\"rank\":8,\"schedule\":\"linear\",\"rslora\":true}", -1, NULL);
  g_assert_true (lk_draft_apply_preset (draft, path_of_preset, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (lk_option_get_value (lk_draft_find (draft, "rslora")), ==, "true");
  g_file_set_contents (path_of_preset, "{\"rang\":8}", -1, NULL);
  g_assert_false (lk_draft_apply_preset (draft, path_of_preset, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
  lk_draft_reset (draft);
  g_assert_false (lk_option_is_changed (lk_draft_find (draft, "rank")));
  clean (runs);
}

/* A worker of ours, from its start to its end or death. */

static LkRun *
start_fake (const char *runs)
{
  g_autoptr (LkDraft) draft = make_draft ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  LkRun *run;

  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/d.jsonl");
  folder = lk_draft_create_run (draft, runs, &error);
  g_assert_no_error (error);
  run = open_run (folder);
  g_assert_true (lk_run_start (run, &error));
  g_assert_no_error (error);
  return run;
}

static gboolean
is_past_ten (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_step (data) > 11;
}

static gboolean
is_stopped (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_STOPPED;
}

static gboolean
is_paused (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_PAUSED;
}

static gboolean
is_running (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_RUNNING;
}

static gboolean
is_failed (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_FAILED;
}

static gboolean
is_finished (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_FINISHED;
}

static pid_t
worker_pid (LkRun *run)
{
  g_autofree char *path = g_build_filename (lk_run_get_folder (run), "lock", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return (pid_t) g_ascii_strtoll (text, NULL, 10);
}

static void
ended_cb (LkRun *run, gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_pause_and_stop (void)
{
  char *runs = make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autofree char *adapter = NULL;
  guint ended = 0;

  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), &ended);
  wait_for (is_past_ten, run);
  /* its own session: a terminal's Ctrl-C or the window's end must not reach it */
  g_assert_cmpint (getsid (worker_pid (run)), ==, worker_pid (run));
  lk_run_command (run, "pause");
  wait_for (is_paused, run);
  lk_run_command (run, "resume");
  wait_for (is_running, run);
  lk_run_command (run, "stop");
  wait_for (is_stopped, run);
  g_assert_cmpuint (ended, ==, 1);
  adapter = lk_run_find_adapter (run);
  g_assert_true (g_str_has_suffix (adapter, "/adapter/best"));
  g_assert_true (lk_run_get_has_adapter (run));
  clean (runs);
}

static void
test_killed_worker (void)
{
  char *runs = make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autoptr (GError) error = NULL;
  g_autofree char *title = NULL;
  g_autofree char *text = NULL;
  g_autofree char *none = NULL;
  guint ended = 0;

  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), &ended);
  wait_for (is_past_ten, run);
  g_assert_cmpint (kill (worker_pid (run), SIGKILL), ==, 0);
  wait_for (is_interrupted, run);
  g_assert_cmpuint (ended, ==, 1);
  title = text_of (run, "trouble");
  text = text_of (run, "trouble-text");
  g_assert_cmpstr (title, ==, "Training was interrupted");
  g_assert_nonnull (strstr (text, "was killed"));
  g_assert_nonnull (strstr (text, "up to step 10 is saved"));
  g_assert_true (lk_run_start (run, &error));
  g_assert_no_error (error);
  wait_for (is_finished, run);
  none = text_of (run, "trouble");
  g_assert_null (none);
  g_assert_cmpuint (ended, ==, 2);
  clean (runs);
}

static void
test_failed_worker (void)
{
  char *runs = make_folder ();
  g_autoptr (LkRun) run = NULL;
  g_autofree char *text = NULL;

  g_setenv ("LK_FAKE_FAIL_AT", "5", TRUE);
  run = start_fake (runs);
  g_unsetenv ("LK_FAKE_FAIL_AT");
  wait_for (is_failed, run);
  text = text_of (run, "trouble-text");
  g_assert_nonnull (strstr (text, "not a number at step 5"));
  g_assert_nonnull (strstr (text, "Nothing was saved yet"));
  clean (runs);
}

/* The window is closed and opened again: another object finds the same run at work. */
static void
test_reattach (void)
{
  char *runs = make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autofree char *folder = g_strdup (lk_run_get_folder (run));
  g_autoptr (LkRunList) list = NULL;
  LkRun *same;

  wait_for (is_past_ten, run);
  g_clear_object (&run);
  list = lk_run_list_new (runs);
  same = lk_run_list_find (list, folder);
  g_assert_nonnull (same);
  g_assert_true (lk_run_is_active (same));
  g_assert_cmpuint (lk_run_list_count_active (list), ==, 1);
  lk_run_command (same, "stop");
  wait_for (is_stopped, same);
  clean (runs);
}

static void
test_run_list (void)
{
  char *runs = make_folder ();
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
  g_assert_true (lk_remove_recursively (first, &error));
  lk_run_list_scan (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  clean (runs);
}

static void
data_cb (const char *data, gpointer user_data)
{
  g_string_append_printf (user_data, "[%s]", data);
}

/* Every way to cut the same answer in two must read the same. */
static void
test_http_reader (void)
{
  static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "a\r\ndata: one\n\r\n5\r\n\ndata\r\n8\r\n: two\r\n\n\r\n0\r\n\r\n";

  for (gsize cut = 0; cut < sizeof answer; cut++)
    {
      g_autoptr (GString) seen = g_string_new (NULL);
      g_autoptr (LkHttpReader) reader = lk_http_reader_new (data_cb, seen);
      g_autoptr (GError) error = NULL;

      g_assert_true (lk_http_reader_feed (reader, answer, cut, &error));
      g_assert_true (lk_http_reader_feed (reader, answer + cut,
                                          sizeof answer - 1 - MIN (cut, sizeof answer - 1), &error));
      g_assert_cmpstr (seen->str, ==, "[one][two]");
      g_assert_true (lk_http_reader_is_done (reader));
      g_assert_cmpuint (lk_http_reader_get_status (reader), ==, 200);
    }
}

static void
test_http_errors (void)
{
  static const char *const bad[] = { "SSH-2.0\r\n", "HTTP/1.1 abc\r\n",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" };
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (LkHttpReader) refused = lk_http_reader_new (data_cb, seen);
  const char *refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ndata";
  g_autoptr (GError) inner = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (LkHttpReader) reader = lk_http_reader_new (data_cb, seen);
      g_autoptr (GError) error = NULL;

      g_assert_false (lk_http_reader_feed (reader, bad[i], strlen (bad[i]), &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_FAILED);
    }
  g_assert_true (lk_http_reader_feed (refused, refusal, strlen (refusal), &inner));
  g_assert_cmpuint (lk_http_reader_get_status (refused), ==, 404);
  g_assert_cmpstr (lk_http_reader_get_error_body (refused), ==, "data");
  g_assert_cmpstr (seen->str, ==, "");
}

static gboolean
is_idle (gpointer data)
{
  gboolean busy = TRUE;

  g_object_get (data, "busy", &busy, NULL);
  return !busy;
}

static void
test_chat (void)
{
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) turn = NULL;

  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  lk_chat_ask (chat, "  ");
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 0);
  lk_chat_ask (chat, "How do you do?");
  lk_chat_ask (chat, "too early");
  wait_for (is_idle, chat);
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 1);
  turn = g_list_model_get_item (lk_chat_get_turns (chat), 0);
  g_assert_cmpstr (lk_chat_answer_get_error (lk_chat_turn_get_base (turn)), ==, NULL);
  g_assert_cmpstr (lk_chat_answer_get_text (lk_chat_turn_get_base (turn)), ==, "bird the bird of ");
  g_assert_nonnull (strstr (lk_chat_answer_get_text (lk_chat_turn_get_tuned (turn)), "polite"));
}

static void
test_chat_without_engine (void)
{
  g_autofree char *cli = g_strdup (g_getenv ("LORIKEET_CLI"));
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) turn = NULL;

  g_setenv ("LORIKEET_CLI", "/bin/false", TRUE);
  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  lk_chat_ask (chat, "How do you do?");
  wait_for (is_idle, chat);
  g_setenv ("LORIKEET_CLI", cli, TRUE);
  turn = g_list_model_get_item (lk_chat_get_turns (chat), 0);
  g_assert_cmpstr (lk_chat_answer_get_error (lk_chat_turn_get_tuned (turn)), ==,
                   "The engine ended with code 1.");
}

static gboolean
is_exported (gpointer data)
{
  gboolean running = TRUE;

  g_object_get (data, "running", &running, NULL);
  return !running;
}

static void
test_export (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "model.gguf", NULL);
  g_autoptr (LkExportJob) job = lk_export_job_new ();
  g_autoptr (LkExportJob) failing = lk_export_job_new ();
  g_autofree char *verdict = NULL;
  g_autofree char *error = NULL;
  gboolean done = FALSE;

  lk_export_job_start (job, "/run", "gguf", "F16", path);
  wait_for (is_exported, job);
  g_object_get (job, "done", &done, "verdict", &verdict, NULL);
  g_assert_true (done);
  g_assert_nonnull (strstr (verdict, "answers as the trained model does"));
  lk_export_job_start (failing, "/run", "gguf", "F16", "/nowhere/at/all.gguf");
  wait_for (is_exported, failing);
  g_object_get (failing, "done", &done, "error", &error, NULL);
  g_assert_false (done);
  g_assert_nonnull (strstr (error, "No such file"));
  clean (folder);
}

static gboolean
is_estimated (gpointer data)
{
  gboolean known = FALSE;

  g_object_get (data, "known", &known, NULL);
  return known;
}

static gboolean
is_too_large (gpointer data)
{
  gboolean known = FALSE, fits = TRUE;

  g_object_get (data, "known", &known, "fits", &fits, NULL);
  return known && !fits;
}

static void
test_estimate (void)
{
  g_autoptr (LkDraft) draft = make_draft ();
  g_autoptr (LkEstimate) estimate = lk_estimate_new (draft);
  g_autofree char *fits = NULL;
  g_autofree char *too_large = NULL;

  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/d.jsonl");
  wait_for (is_estimated, estimate);
  fits = text_of (estimate, "memory-text");
  g_assert_true (g_str_has_prefix (fits, "Fits: needs 96.4"));
  lk_option_set_value (lk_draft_find (draft, "rank"), "256");
  wait_for (is_too_large, estimate);
  too_large = text_of (estimate, "memory-text");
  g_assert_true (g_str_has_prefix (too_large, "Does not fit"));
}

static void
test_inspection (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "birds.jsonl", NULL);
  g_autoptr (LkInspection) inspection = lk_inspection_new ();
  g_autoptr (LkPreviewRow) row = NULL;
  g_autofree char *subtitle = NULL;
  g_autofree char *problems = NULL;
  g_autofree char *error = NULL;
  const LkPreviewSpan *spans;
  guint n = 0;

  g_file_set_contents (path, "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\"}\n", -1, NULL);
  lk_inspection_look_at_data (inspection, path, NULL);
  wait_for (is_idle, inspection);
  subtitle = text_of (inspection, "subtitle");
  problems = text_of (inspection, "problems-title");
  g_assert_cmpstr (subtitle, ==, "1 example · prompt and completion");
  g_assert_cmpstr (problems, ==, "One row cannot be used");
  g_assert_cmpuint (g_list_model_get_n_items (lk_inspection_get_rows (inspection)), ==, 1);
  row = g_list_model_get_item (lk_inspection_get_rows (inspection), 0);
  spans = lk_preview_row_get_spans (row, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (spans[0].end, >, spans[0].start);
  lk_inspection_look_at_data (inspection, "/nowhere.jsonl", NULL);
  wait_for (is_idle, inspection);
  error = text_of (inspection, "error");
  g_assert_cmpstr (error, ==, "“/nowhere.jsonl” does not exist.");
  clean (folder);
}

static void
test_words (void)
{
  static const struct
  {
    double seconds;
    const char *words;
  } durations[] = { { -1, "some time" },          { NAN, "some time" },           { 3, "a few seconds" },
                    { 42, "about 40 seconds" },   { 60, "about 1 minute" },       { 720, "about 12 minutes" },
                    { 3599, "about 1 hour" },     { 7800, "about 2 hours 10 minutes" },
                    { 86399, "about 24 hours" },  { 200000, "about 2 days" } };
  g_autofree char *name = lk_words_name_of_path ("/x/SmolLM2-135M_Instruct.Q4_1.gguf");
  g_autofree char *dataset = lk_words_name_of_dataset ("/x/support-mails/train.jsonl");
  g_autofree char *rate = lk_words_small_number (2e-4);
  g_autofree char *cut = lk_words_shorten ("Äpfel und Birnen sind Obst", 12);

  for (guint i = 0; i < G_N_ELEMENTS (durations); i++)
    {
      g_autofree char *words = lk_words_duration (durations[i].seconds);

      g_assert_cmpstr (words, ==, durations[i].words);
    }
  g_assert_cmpstr (name, ==, "SmolLM2 135M Instruct");
  g_assert_cmpstr (dataset, ==, "Support mails");
  g_assert_cmpstr (rate, ==, "2.00 × 10⁻⁴");
  g_assert_cmpstr (cut, ==, "Äpfel und…");
}

/* What we write must be what we read: learning rates are small numbers. */
static void
test_json_numbers (void)
{
  static const double numbers[] = { 1e-8, 1e-12, 2e-5, 0.1, 1.0 / 3, 1e300, -4.9e-324, 5, -0.0 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), numbers[i]);
      g_autoptr (JsonNode) list = json_node_new (JSON_NODE_ARRAY);
      g_autoptr (JsonNode) again = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      json_node_take_array (list, json_array_new ());
      json_array_add_element (json_node_get_array (list), json_node_copy (node));
      text = lk_json_to_string (list, i % 2 == 0);
      again = lk_json_parse (text, strlen (text), "test", &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (json_array_get_double_element (json_node_get_array (again), 0), ==, numbers[i]);
    }
}

static void
test_settings (void)
{
  LkSettings *settings = lk_settings_get_default ();
  g_autofree char *model = NULL;

  g_assert_cmpint (lk_settings_get_window_width (settings), ==, 1180);
  g_object_set (settings, "last-model", "/m.gguf", NULL);
  model = lk_settings_get_last_model (settings);
  g_assert_cmpstr (model, ==, "/m.gguf");
}

int
main (int argc, char **argv)
{
  g_setenv ("LK_FAKE_STEPS", "60", TRUE);
  g_setenv ("LK_FAKE_STEP_SECONDS", "0.02", TRUE);
  g_setenv ("LORIKEET_CLI", g_getenv ("LK_FAKE_CLI"), TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app/words", test_words);
  g_test_add_func ("/app/settings", test_settings);
  g_test_add_func ("/app/json-numbers", test_json_numbers);
  g_test_add_func ("/app/reader/half-lines", test_half_lines);
  g_test_add_func ("/app/reader/bad-lines", test_bad_lines);
  g_test_add_func ("/app/reader/truncated", test_truncated_file);
  g_test_add_func ("/app/run/properties", test_run_properties);
  g_test_add_func ("/app/run/resumed", test_resumed_series);
  g_test_add_func ("/app/run/active-time", test_active_time);
  g_test_add_func ("/app/run/lock", test_lock_of_another);
  g_test_add_func ("/app/run/pause-and-stop", test_pause_and_stop);
  g_test_add_func ("/app/run/killed", test_killed_worker);
  g_test_add_func ("/app/run/failed", test_failed_worker);
  g_test_add_func ("/app/run/reattach", test_reattach);
  g_test_add_func ("/app/run/list", test_run_list);
  g_test_add_func ("/app/recipe", test_recipe);
  g_test_add_func ("/app/estimate", test_estimate);
  g_test_add_func ("/app/inspection", test_inspection);
  g_test_add_func ("/app/http/cuts", test_http_reader);
  g_test_add_func ("/app/http/errors", test_http_errors);
  g_test_add_func ("/app/chat", test_chat);
  g_test_add_func ("/app/chat/no-engine", test_chat_without_engine);
  g_test_add_func ("/app/export", test_export);
  return g_test_run ();
}
