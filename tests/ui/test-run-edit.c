/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What people do with runs they have: rename, annotate, delete and take back, make longer, continue, compare.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lk-app-test.h"
#include "lk-card-sensors.h"
#include "lk-json.h"
#include "lk-run-compare.h"
#include "lk-run-list.h"
#include "lk-sample.h"

static char *
make_run (const char *runs, const char *name, const char *settings, const char *events)
{
  char *folder = g_build_filename (runs, name, NULL);
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  g_autofree char *text = g_strdup_printf ("{\"version\":1,\"name\":\"%s\",\"created\":\"2026-11-24T10:00:00Z\","
                                           "\"model\":\"/m.gguf\",\"data\":[\"/d.jsonl\"],\"model_sha256\":\"ab12\","
                                           "\"settings\":%s}",
                                           name, settings);

  g_assert_cmpint (g_mkdir (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (recipe, text, -1, NULL));
  g_assert_true (g_file_set_contents (path, events, -1, NULL));
  return folder;
}

static LkRun *
open_run (const char *folder)
{
  g_autoptr (GError) error = NULL;
  LkRun *run = lk_run_new (folder, &error);

  g_assert_no_error (error);
  lk_run_poll (run);
  return run;
}

static const char STOPPED[] = "{\"event\":\"step\",\"step\":5,\"steps\":60,\"loss\":1.5}\n"
                              "{\"event\":\"eval\",\"step\":5,\"loss\":1.4,\"best\":true}\n"
                              "{\"event\":\"checkpoint\",\"step\":5}\n{\"event\":\"state\",\"state\":\"stopped\"}\n";

static void
count_cb (guint *count)
{
  (*count)++;
}

static void
test_rename (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "One", "{\"rank\":16}", STOPPED);
  g_autoptr (LkRun) run = open_run (folder);
  g_autoptr (LkRun) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *notes = NULL;
  g_autofree char *none = NULL;
  guint told = 0;

  g_signal_connect_swapped (run, "notify::name", G_CALLBACK (count_cb), &told);
  g_assert_false (lk_run_rename (run, "  ", &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_true (lk_run_rename (run, " Two & three ", &error));
  g_assert_no_error (error);
  g_assert_cmpstr (lk_run_get_name (run), ==, "Two & three");
  g_assert_cmpuint (told, ==, 1);
  none = lk_run_read_notes (run);
  g_assert_cmpstr (none, ==, "");
  g_assert_true (lk_run_write_notes (run, "Better than the last.\nTry rank 8.", &error));

  again = open_run (folder);
  g_assert_cmpstr (lk_run_get_name (again), ==, "Two & three");
  g_assert_cmpstr (lk_run_get_fact (again, "model_sha256"), ==, "ab12");
  g_assert_cmpint (json_object_get_int_member (lk_run_get_settings (again), "rank"), ==, 16);
  notes = lk_run_read_notes (again);
  g_assert_cmpstr (notes, ==, "Better than the last.\nTry rank 8.");
  g_assert_true (lk_run_write_notes (again, "", &error));
  g_assert_true (lk_run_write_notes (again, "", &error));
  g_assert_no_error (error);
  lk_test_clean (runs);
}

/* Deleted, it is out of the list and its folder stays, until the chance to take it back is over. */
static void
test_delete (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *one = make_run (runs, "one", "{}", STOPPED);
  g_autofree char *two = make_run (runs, "two", "{}", STOPPED);
  g_autoptr (LkRunList) list = lk_run_list_new (runs);
  g_autoptr (LkRun) run = g_object_ref (lk_run_list_find (list, one));
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (lk_run_list_find (list, two));
  g_assert_true (lk_run_list_hide (list, run, &error));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  lk_run_list_scan (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  g_assert_true (g_file_test (one, G_FILE_TEST_IS_DIR));

  g_assert_true (lk_run_list_unhide (list, one));
  g_assert_false (lk_run_list_unhide (list, one));
  g_assert_true (lk_run_list_find (list, one) == run);
  /* the toast goes after the run was taken back: nothing may happen */
  g_assert_true (lk_run_list_trash (list, one, &error));
  g_assert_true (g_file_test (one, G_FILE_TEST_IS_DIR));
  lk_test_clean (runs);
}

/* One at work cannot be deleted or made longer. */
static void
test_at_work (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *one = make_run (runs, "one", "{\"epochs\":3}", "{\"event\":\"state\",\"state\":\"running\"}\n");
  g_autoptr (LkRunList) list = lk_run_list_new (runs);
  LkRun *run = lk_run_list_find (list, one);
  g_autofree char *lock = g_build_filename (one, "lock", NULL);
  g_autoptr (GError) error = NULL;
  int fd = open (lock, O_RDWR | O_CREAT, 0644);

  g_assert_cmpint (flock (fd, LOCK_EX | LOCK_NB), ==, 0);
  g_assert_false (lk_run_list_hide (list, run, &error));
  g_assert_nonnull (strstr (error->message, "Stop it first"));
  g_clear_error (&error);
  g_assert_false (lk_run_extend (run, 6, &error));
  g_assert_nonnull (strstr (error->message, "Stop it first"));
  close (fd);
  lk_test_clean (runs);
}

static gboolean
is_finished (gpointer data)
{
  lk_run_poll (data);
  return lk_run_get_state (data) == LK_RUN_FINISHED;
}

static void
test_extend (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "one", "{\"epochs\":3,\"steps\":0}", STOPPED);
  g_autoptr (LkRun) run = open_run (folder);
  g_autoptr (GError) error = NULL;
  gboolean in_steps;

  g_assert_cmpfloat (lk_run_get_length (run, &in_steps), ==, 3);
  g_assert_false (in_steps);
  g_assert_false (lk_run_extend (run, 3, &error));
  g_assert_nonnull (strstr (error->message, "not longer"));
  g_clear_error (&error);
  g_setenv ("LK_FAKE_STEPS", "12", TRUE);
  g_setenv ("LK_FAKE_STEP_SECONDS", "0.01", TRUE);
  g_assert_true (lk_run_extend (run, 4.5, &error));
  g_assert_no_error (error);
  lk_test_wait_for (is_finished, run);
  g_unsetenv ("LK_FAKE_STEPS");
  g_unsetenv ("LK_FAKE_STEP_SECONDS");
  g_assert_cmpint (lk_run_get_step (run), ==, 18);
  /* the recipe says so from now on, and so do we */
  g_assert_cmpfloat (lk_run_get_length (run, &in_steps), ==, 4.5);
  lk_test_clean (runs);
}

static void
test_continue (void)
{
  char *runs = lk_test_make_folder ();
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  g_autofree char *old = make_run (runs, "one", "{\"rank\":8,\"schedule\":\"linear\"}", STOPPED);
  g_autoptr (LkRun) run = open_run (old);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  g_autoptr (LkRun) next = NULL;
  g_auto (GStrv) arguments = NULL;
  g_auto (GStrv) of_all = NULL;

  lk_draft_set_model (draft, lk_run_get_model (run));
  lk_draft_set_data (draft, lk_run_get_data (run));
  g_assert_true (lk_draft_apply_settings (draft, lk_run_get_settings (run), "one", &error));
  lk_draft_set_adapter (draft, "/runs/one/adapter/best", "Begins with one");
  folder = lk_draft_create_run (draft, runs, &error);
  g_assert_no_error (error);
  next = open_run (folder);
  g_assert_cmpstr (lk_run_get_fact (next, "adapter"), ==, "/runs/one/adapter/best");
  g_assert_cmpint (json_object_get_int_member (lk_run_get_settings (next), "rank"), ==, 8);
  arguments = lk_draft_to_train_arguments (draft);
  of_all = lk_draft_to_arguments (draft);
  g_assert_false (g_strv_contains ((const char *const *) of_all, "--adapter"));
  g_assert_true (g_strv_contains ((const char *const *) arguments, "--adapter"));
  lk_draft_set_adapter (draft, NULL, NULL);
  g_assert_null (lk_draft_get_adapter (draft));
  lk_test_clean (runs);
}

static const LkRunDifference *
find_line (GPtrArray *table, const char *name)
{
  for (guint i = 0; i < table->len; i++)
    if (g_str_equal (((LkRunDifference *) g_ptr_array_index (table, i))->name, name))
      return g_ptr_array_index (table, i);
  return NULL;
}

/* Only what differs; a setting that one of them lacks differs too; the best is the least held-out loss. */
static void
test_compare (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *one = make_run (runs, "one", "{\"rank\":16,\"seed\":42,\"rslora\":true}", STOPPED);
  g_autofree char *two = make_run (runs, "two", "{\"rank\":8,\"seed\":42}",
                                   "{\"event\":\"eval\",\"step\":9,\"loss\":1.25,\"best\":true}\n");
  g_autoptr (GPtrArray) both = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) table = NULL;
  const LkRunDifference *line;

  g_ptr_array_add (both, open_run (one));
  g_ptr_array_add (both, open_run (two));
  table = lk_run_compare (both);
  g_assert_null (find_line (table, "Seed"));
  g_assert_null (find_line (table, "Model"));
  line = find_line (table, "Rank");
  g_assert_false (line->result);
  g_assert_cmpstr (line->values[0], ==, "16");
  g_assert_cmpstr (line->values[1], ==, "8");
  line = find_line (table, "Rslora");
  g_assert_cmpstr (line->values[0], ==, "on");
  g_assert_cmpstr (line->values[1], ==, "–");
  line = find_line (table, "Best held-out loss");
  g_assert_true (line->result);
  g_assert_cmpint (line->best, ==, 1);
  g_assert_cmpstr (line->values[1], ==, "1.250 at step 9");
  lk_test_clean (runs);
}

static void
test_samples (void)
{
  char *runs = lk_test_make_folder ();
  g_autofree char *folder
      = make_run (runs, "one", "{}",
                  "{\"event\":\"sample\",\"step\":0,\"prompt\":\"p\",\"text\":\"a\"}\n"
                  "{\"event\":\"sample\",\"step\":10,\"prompt\":\"p\",\"text\":\"b\"}\n"
                  "{\"event\":\"sample\",\"step\":20,\"prompt\":\"p\",\"text\":\"lost\"}\n"
                  "{\"event\":\"resume\",\"step\":10}\n"
                  "{\"event\":\"sample\",\"step\":20,\"prompt\":\"p\",\"text\":\"c\"}\n"
                  "{\"event\":\"sample\",\"step\":20,\"prompt\":\"p\",\"text\":\"asked again\"}\n");
  g_autoptr (LkRun) run = open_run (folder);
  g_autoptr (LkSample) sample = g_list_model_get_item (lk_run_get_samples (run), 0);
  GListModel *answers = lk_sample_get_answers (sample);
  static const char *const wanted[] = { "a", "b", "asked again" };

  g_assert_cmpuint (g_list_model_get_n_items (answers), ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (LkSampleAnswer) answer = g_list_model_get_item (answers, i);

      g_assert_cmpint (lk_sample_answer_get_step (answer), ==, 10 * i);
      g_assert_cmpstr (lk_sample_answer_get_text (answer), ==, wanted[i]);
    }
  lk_test_clean (runs);
}

static void
put (const char *sysfs, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (sysfs, "class", "drm", name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_sensors (void)
{
  char *sysfs = lk_test_make_folder ();
  LkCardReading reading;

  g_assert_false (lk_card_sensors_read (sysfs, "AMD Radeon RX 6800 (RADV NAVI21)", &reading));
  put (sysfs, "card1/device/vendor", "0x1002\n");
  put (sysfs, "card1-DP-1/device/vendor", "0x1002\n");
  g_assert_false (lk_card_sensors_read (sysfs, "AMD Radeon RX 6800 (RADV NAVI21)", &reading));
  put (sysfs, "card1/device/gpu_busy_percent", "97\n");
  put (sysfs, "card1/device/mem_info_vram_used", "3000000000\n");
  put (sysfs, "card1/device/hwmon/hwmon3/temp1_input", "61000\n");
  put (sysfs, "card1/device/hwmon/hwmon3/power1_average", "not told\n");
  put (sysfs, "card1/device/hwmon/hwmon3/power1_input", "180500000\n");
  g_assert_true (lk_card_sensors_read (sysfs, "AMD Radeon RX 6800 (RADV NAVI21)", &reading));
  g_assert_cmpfloat (reading.load, ==, 97);
  g_assert_cmpfloat (reading.memory_used, ==, 3e9);
  g_assert_true (isnan (reading.memory_total));
  g_assert_cmpfloat (reading.temperature, ==, 61);
  g_assert_cmpfloat_with_epsilon (reading.power, 180.5, 1e-9);
  g_assert_false (lk_card_sensors_read (sysfs, "NVIDIA GeForce RTX 3060", &reading));
  g_assert_false (lk_card_sensors_read (sysfs, "CPU, 2 threads, AVX2", &reading));
  /* two of the same maker: nobody knows which of them computes */
  put (sysfs, "card0/device/vendor", "0x1002\n");
  g_assert_false (lk_card_sensors_read (sysfs, "AMD Radeon RX 6800 (RADV NAVI21)", &reading));
  lk_test_clean (sysfs);
}

/* What people see of a run whose worker has copied its dataset is the dataset, not the copy that goes with the run. */
static void
test_origin (void)
{
  static const struct
  {
    const char *data, *datasets, *name, *all;
  } cases[] = {
    { "\"%s/data.jsonl\"", "\"/d/Mails.lkdata\"", "Mails", "/d/Mails.lkdata" },
    { "\"%s/data.jsonl\",\"%s/data-2.jsonl\"", "\"/d/Mails.lkdata\",\"/d/Chats.lkdata\"", "Mails, Chats",
      "/d/Mails.lkdata|/d/Chats.lkdata" },
    { "\"/x/notes.jsonl\",\"%s/data-2.jsonl\"", "\"/d/Mails.lkdata\"", "Notes, Mails", "/x/notes.jsonl|/d/Mails.lkdata" },
    { "\"/x/notes.jsonl\"", "", "Notes", "/x/notes.jsonl" },
    { "7,\"/x/notes.jsonl\"", "{}", "Notes", "/x/notes.jsonl" },
    { "", "\"/d/Mails.lkdata\"", "", "" },
  };
  char *runs = lk_test_make_folder ();
  g_autofree char *folder = make_run (runs, "one", "{}", STOPPED);
  g_autofree char *path = g_build_filename (folder, "recipe.json", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) data = g_string_new (cases[i].data);
      g_autofree char *recipe = NULL;
      g_autofree char *name = NULL;
      g_autofree char *all = NULL;
      g_autoptr (LkRun) run = NULL;

      g_string_replace (data, "%s", folder, 0);
      recipe = g_strdup_printf ("{\"name\":\"one\",\"model\":\"/m.gguf\",\"data\":[%s],\"datasets\":[%s],\"settings\":{}}",
                                data->str, cases[i].datasets);
      g_assert_true (g_file_set_contents (path, recipe, -1, NULL));
      run = open_run (folder);
      name = lk_test_text_of (run, "data-name");
      all = g_strjoinv ("|", (char **) lk_run_get_all_data (run));
      g_assert_cmpstr (name, ==, cases[i].name);
      g_assert_cmpstr (all, ==, cases[i].all);
      g_assert_cmpstr (lk_run_get_data (run), ==, lk_run_get_all_data (run)[0]);
    }
  lk_test_clean (runs);
}

void
lk_test_add_run_edit (void)
{
  g_test_add_func ("/app/run/origin", test_origin);
  g_test_add_func ("/app/run/rename", test_rename);
  g_test_add_func ("/app/run/delete", test_delete);
  g_test_add_func ("/app/run/at-work", test_at_work);
  g_test_add_func ("/app/run/extend", test_extend);
  g_test_add_func ("/app/run/continue", test_continue);
  g_test_add_func ("/app/run/compare", test_compare);
  g_test_add_func ("/app/run/samples", test_samples);
  g_test_add_func ("/app/card/sensors", test_sensors);
}
