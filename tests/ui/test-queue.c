/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fine-tunes that wait for their turn.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-app-test.h"
#include "lk-queue.h"

static void
complaint_cb (GPtrArray *complaints, const char *sentence)
{
  g_ptr_array_add (complaints, g_strdup (sentence));
}

static void
add (LkQueue *queue, const char *name)
{
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  g_autoptr (GError) error = NULL;

  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/d.jsonl");
  lk_draft_set_name (draft, name);
  lk_queue_add (queue, draft, &error);
  g_assert_no_error (error);
}

static gboolean
both_complained (gpointer data)
{
  return ((GPtrArray *) data)->len == 2;
}

static guint
count_folders (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* One that cannot start is no reason for the others to wait, and each says why: with folders that cannot be moved to @runs_dir, or
 * that are not found in the list then. */
static void
fail_to_start (gboolean movable)
{
  char *home = lk_test_make_folder ();
  g_autofree char *listed = g_build_filename (home, "runs", NULL);
  g_autofree char *runs_dir = g_build_filename (home, "elsewhere", NULL);
  g_autofree char *folder = g_build_filename (home, "queue", NULL);
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LkRunList) runs = lk_run_list_new (listed);
  g_autoptr (LkQueue) queue = lk_queue_new (runs, folder, runs_dir);
  g_autoptr (LkQueue) later = NULL;

  if (movable)
    g_assert_cmpint (g_mkdir (runs_dir, 0755), ==, 0);
  g_signal_connect_swapped (queue, "complaint", G_CALLBACK (complaint_cb), complaints);
  add (queue, "One");
  add (queue, "Two");
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (queue)), ==, 2);
  lk_test_wait_for (both_complained, complaints);
  g_assert_nonnull (strstr (complaints->pdata[0], "“One” could not be started: "));
  g_assert_nonnull (strstr (complaints->pdata[1], "“Two” could not be started: "));
  g_assert_true (movable || (strstr (complaints->pdata[0], runs_dir) != NULL && strstr (complaints->pdata[0], "is not there now") != NULL));
  g_assert_cmpint (g_file_test (runs_dir, G_FILE_TEST_EXISTS), ==, movable);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (queue)), ==, 0);
  g_assert_cmpuint (count_folders (folder), ==, movable ? 0 : 2);
  /* what could not be moved is in nobody's way, and waits again after a restart */
  add (queue, "One");
  later = lk_queue_new (runs, folder, runs_dir);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (later)), ==, movable ? 1 : 3);
  g_clear_object (&later);
  g_clear_object (&queue);
  lk_test_clean (home);
}

static void
test_movable (void)
{
  fail_to_start (TRUE);
}

static void
test_immovable (void)
{
  fail_to_start (FALSE);
}

void
lk_test_add_queue (void)
{
  g_test_add_func ("/app/queue/not-listed", test_movable);
  g_test_add_func ("/app/queue/not-movable", test_immovable);
}
