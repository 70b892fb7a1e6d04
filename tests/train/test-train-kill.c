/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The worker killed at random moments of a run, while it saves as often as it can: each time it goes on from
 * a whole checkpoint, and at the end the adapter is the same as that of a run nobody disturbed.
 */
#include <signal.h>
#include <string.h>

#include "lk-train-fixture.h"

#define KILLS 20
#define SETTINGS "steps=200 checkpoint-interval=1 eval-interval=5 learning-rate=0.01 samples=1"

static GSubprocess *
start (LkRunFolder *folder)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *process
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error,
                          g_getenv ("LK_CLI"), "train", folder->path, "--resume", NULL);

  g_assert_no_error (error);
  return process;
}

/* How often a worker went on from a step that was not the first. */
static guint
count_resumed (LkRunFolder *folder)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (folder->events, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    n += strstr (lines[i], "\"event\":\"resume\"") && !strstr (lines[i], "\"step\":0,");
  return n;
}

static void
test_kill (void)
{
  g_autoptr (LkRunFolder) undisturbed = lk_fixture_run (40, SETTINGS), folder = lk_fixture_run (40, SETTINGS);
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;
  guint killed = 0;

  g_assert_true (lk_fixture_train (undisturbed, FALSE, &run));
  for (guint i = 0; i < KILLS; i++)
    {
      g_autoptr (GSubprocess) process = start (folder);

      g_usleep ((gulong) g_test_rand_int_range (20000, 500000));
      g_subprocess_force_exit (process);
      g_assert_true (g_subprocess_wait (process, NULL, NULL));
      killed += g_subprocess_get_if_signaled (process);
      if (!g_subprocess_get_if_signaled (process))
        {
          g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
          break;
        }
    }
  g_assert_cmpuint (killed, >, 0);
  {
    g_autoptr (GSubprocess) process = start (folder);
    g_autoptr (GError) error = NULL;

    g_assert_true (g_subprocess_wait_check (process, NULL, &error));
    g_assert_no_error (error);
  }
  g_test_message ("killed %u times, went on %u times from a checkpoint", killed, count_resumed (folder));
  g_assert_cmpuint (count_resumed (folder), >, 0);
  lk_fixture_assert_same (undisturbed, folder, "adapter/last/adapter_model.safetensors");
  lk_fixture_assert_same (undisturbed, folder, "adapter/best/adapter_model.safetensors");
  lk_fixture_assert_same (undisturbed, folder, "checkpoints/step-000200/optimizer.safetensors");
}

/* SIGTERM is a wish: the step is finished and saved. */
static void
test_terminate (void)
{
  g_autoptr (LkRunFolder) folder
      = lk_fixture_run (40, "steps=100000 checkpoint-interval=1000000 eval-interval=1000000 samples=0");
  g_autoptr (GSubprocess) process = start (folder);
  g_autofree char *events = NULL;

  for (guint i = 0; i < 200 && (!events || !strstr (events, "\"event\":\"step\"")); i++)
    {
      g_usleep (50000);
      g_free (events);
      events = NULL;
      g_file_get_contents (folder->events, &events, NULL, NULL);
    }
  g_subprocess_send_signal (process, SIGTERM);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 130);
  g_free (events);
  g_assert_true (g_file_get_contents (folder->events, &events, NULL, NULL));
  g_assert_nonnull (strstr (events, "\"event\":\"checkpoint\""));
  g_assert_nonnull (strstr (events, "\"state\":\"stopped\""));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/kill/anywhere", test_kill);
  g_test_add_func ("/train/kill/terminate", test_terminate);
  status = g_test_run ();
  lk_fixture_remove ();
  return status;
}
