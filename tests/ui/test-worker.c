/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker of ours, from its start to its end or death.
 */
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lk-app-test.h"
#include "lk-run-list.h"

static LkRun *
open_run (const char *folder)
{
  g_autoptr (GError) error = NULL;
  LkRun *run = lk_run_new (folder, &error);

  g_assert_no_error (error);
  return run;
}

static LkRun *
start_fake (const char *runs)
{
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
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

static gboolean
is_interrupted (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_INTERRUPTED;
}

static pid_t
worker_pid (LkRun *run)
{
  g_autofree char *path = g_build_filename (lk_run_get_folder (run), "lock", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return (pid_t)g_ascii_strtoll (text, NULL, 10);
}

static void
ended_cb (LkRun *run, gpointer user_data)
{
  ++*(guint *)user_data;
}

static void
count_cb (guint *count)
{
  ++*count;
}

static void
test_pause_and_stop (void)
{
  char *runs = lk_test_make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autofree char *adapter = NULL;
  guint ended = 0, adapters = 0;

  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), &ended);
  g_signal_connect_swapped (run, "notify::has-adapter", G_CALLBACK (count_cb), &adapters);
  lk_test_wait_for (is_past_ten, run);
  /* its own session: a terminal's Ctrl-C or the window's end must not reach it */
  g_assert_cmpint (getsid (worker_pid (run)), ==, worker_pid (run));
  lk_run_command (run, "pause");
  lk_test_wait_for (is_paused, run);
  lk_run_command (run, "resume");
  lk_test_wait_for (is_running, run);
  lk_run_command (run, "stop");
  lk_test_wait_for (is_stopped, run);
  g_assert_cmpuint (ended, ==, 1);
  adapter = lk_run_find_adapter (run);
  g_assert_true (g_str_has_suffix (adapter, "/adapter/best"));
  g_assert_true (lk_run_get_has_adapter (run));
  g_assert_cmpuint (adapters, ==, 1); /* not with each event */
  lk_test_clean (runs);
}

static void
test_killed_worker (void)
{
  char *runs = lk_test_make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autoptr (GError) error = NULL;
  g_autofree char *title = NULL;
  g_autofree char *text = NULL;
  g_autofree char *none = NULL;
  guint ended = 0;

  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), &ended);
  lk_test_wait_for (is_past_ten, run);
  g_assert_cmpint (kill (worker_pid (run), SIGKILL), ==, 0);
  lk_test_wait_for (is_interrupted, run);
  g_assert_cmpuint (ended, ==, 1);
  title = lk_test_text_of (run, "trouble");
  text = lk_test_text_of (run, "trouble-text");
  g_assert_cmpstr (title, ==, "Training was interrupted");
  g_assert_nonnull (strstr (text, "was killed"));
  g_assert_nonnull (strstr (text, "up to step 10 is saved"));
  g_assert_true (lk_run_start (run, &error));
  g_assert_no_error (error);
  lk_test_wait_for (is_finished, run);
  none = lk_test_text_of (run, "trouble");
  g_assert_null (none);
  g_assert_cmpuint (ended, ==, 2);
  lk_test_clean (runs);
}

static void
test_failed_worker (void)
{
  char *runs = lk_test_make_folder ();
  g_autoptr (LkRun) run = NULL;
  g_autofree char *text = NULL;

  g_setenv ("LK_FAKE_FAIL_AT", "5", TRUE);
  run = start_fake (runs);
  g_unsetenv ("LK_FAKE_FAIL_AT");
  lk_test_wait_for (is_failed, run);
  text = lk_test_text_of (run, "trouble-text");
  g_assert_nonnull (strstr (text, "not a number at step 5"));
  g_assert_nonnull (strstr (text, "Nothing was saved yet"));
  lk_test_clean (runs);
}

/* The window is closed and opened again: another object finds the same run at work. */
static void
test_reattach (void)
{
  char *runs = lk_test_make_folder ();
  g_autoptr (LkRun) run = start_fake (runs);
  g_autofree char *folder = g_strdup (lk_run_get_folder (run));
  g_autoptr (LkRunList) list = NULL;
  LkRun *same;

  lk_test_wait_for (is_past_ten, run);
  g_clear_object (&run);
  list = lk_run_list_new (runs);
  same = lk_run_list_find (list, folder);
  g_assert_nonnull (same);
  g_assert_true (lk_run_is_active (same));
  g_assert_cmpuint (lk_run_list_count_active (list), ==, 1);
  lk_run_command (same, "stop");
  lk_test_wait_for (is_stopped, same);
  lk_test_clean (runs);
}

void
lk_test_add_worker (void)
{
  g_test_add_func ("/app/run/pause-and-stop", test_pause_and_stop);
  g_test_add_func ("/app/run/killed", test_killed_worker);
  g_test_add_func ("/app/run/failed", test_failed_worker);
  g_test_add_func ("/app/run/reattach", test_reattach);
}
