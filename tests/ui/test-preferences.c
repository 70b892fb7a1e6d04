/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences: the devices to choose from, what the choices change, and the report of the machine.
 */
#include <string.h>

#include "lk-app-test.h"
#include "lk-devices.h"
#include "lk-json.h"
#include "lk-paths.h"
#include "lk-queue.h"
#include "lk-settings.h"
#include "lk-system-report.h"

static const char *const machine
    = "{\"devices\":[{\"device\":\"cpu\",\"name\":\"CPU, 2 threads\",\"kind\":\"processor\",\"memory_bytes\":2147483648,"
      "\"usable\":true},{\"device\":\"vulkan:0\",\"name\":\"Radeon <1>\",\"driver\":\"radv Mesa 22\",\"usable\":true,"
      "\"snapshot\":{\"api_version\":4206822,\"max_shared_memory\":32768,\"shader_float16\":true,\"matrices\":[]}},"
      "{\"device\":\"vulkan:1\",\"name\":\"Old card\",\"usable\":false,\"reason\":\"too old\"}],"
      "\"auto\":\"vulkan:0\",\"reason\":\"The card computes.\"}";

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = lk_json_parse (text, strlen (text), "test", &error);

  g_assert_no_error (error);
  return node;
}

static void
assert_device (GListModel *devices, guint position, const char *id, const char *name, const char *note)
{
  g_autoptr (LkDevice) device = g_list_model_get_item (devices, position);

  g_assert_cmpstr (lk_device_get_id (device), ==, id);
  g_assert_cmpstr (lk_device_get_name (device), ==, name);
  g_assert_cmpstr (lk_device_get_note (device), ==, note);
}

static void
test_devices (void)
{
  g_autoptr (JsonNode) node = parse (machine);
  g_autoptr (JsonNode) empty = parse ("{\"devices\":[7,{\"device\":3}]}");
  g_autoptr (GListModel) devices = lk_devices_read (json_node_get_object (node), "vulkan:0");
  g_autoptr (GListModel) gone = lk_devices_read (json_node_get_object (node), "vulkan:7");
  g_autoptr (GListModel) none = lk_devices_read (json_node_get_object (empty), "auto");

  g_assert_cmpuint (g_list_model_get_n_items (devices), ==, 3); /* one cannot be used */
  assert_device (devices, 0, "auto", "Automatic", "The best there is: now Radeon <1>.");
  assert_device (devices, 1, "cpu", "Processor", "CPU, 2 threads");
  assert_device (devices, 2, "vulkan:0", "Radeon <1>", "radv Mesa 22");
  g_assert_cmpuint (g_list_model_get_n_items (gone), ==, 4);
  assert_device (gone, 3, "vulkan:7", "vulkan:7", "“vulkan:7” is not here now. Choose another one.");
  g_assert_cmpuint (g_list_model_get_n_items (none), ==, 1);
}

static void
test_report (void)
{
  g_autoptr (JsonNode) node = parse (machine);
  g_autofree char *text = lk_system_report_describe_devices (json_node_get_object (node));

  g_assert_nonnull (strstr (text, "Automatic: vulkan:0. The card computes.\n"));
  g_assert_nonnull (strstr (text, "\ncpu: CPU, 2 threads\n  kind: processor\n  memory: 2.0"));
  g_assert_nonnull (strstr (text, "  driver: radv Mesa 22\n  Vulkan: 1.3.230\n"));
  g_assert_nonnull (strstr (text, "  max_shared_memory: 32768\n"));
  g_assert_nonnull (strstr (text, "  shader_float16: yes\n"));
  g_assert_nonnull (strstr (text, "vulkan:1: Old card\n  reason: too old\n"));
}

static void
reported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(char **) user_data = lk_system_report_gather_finish (result);
}

static gboolean
is_set (gpointer data)
{
  return *(char **) data != NULL;
}

/* Without an engine it says so, and the rest is there. */
static void
test_report_without_engine (void)
{
  g_autofree char *cli = g_strdup (g_getenv ("LORIKEET_CLI"));
  g_autofree char *text = NULL, *second = NULL;
  g_autofree char *beside = g_strconcat (g_get_home_dir (), "-of-another/runs", NULL);
  g_autofree char *below = g_build_filename (g_get_home_dir (), "runs of mine", NULL);
  g_autofree char *words = g_strdup_printf ("\nFine-tunes: %s\n", beside);

  g_setenv ("LORIKEET_CLI", "/bin/false", TRUE);
  lk_paths_set_runs_dir (beside);
  lk_system_report_gather_async ("Toolkit 1\n", reported_cb, &text);
  lk_test_wait_for (is_set, &text);
  lk_paths_set_runs_dir (below);
  lk_system_report_gather_async ("Toolkit 1\n", reported_cb, &second);
  lk_test_wait_for (is_set, &second);
  lk_paths_set_runs_dir (NULL);
  g_setenv ("LORIKEET_CLI", cli, TRUE);
  /* who somebody is stays away, but only where the home is meant */
  g_assert_nonnull (strstr (text, words));
  g_assert_nonnull (strstr (second, "\nFine-tunes: ~/runs of mine\n"));
  g_assert_true (g_str_has_prefix (text, "Lorikeet "));
  g_assert_nonnull (strstr (text, "\nToolkit 1\n"));
  g_assert_nonnull (strstr (text, "\nFlatpak: "));
  g_assert_nonnull (strstr (text, "The engine did not list its devices. The engine ended: its exit code was 1."));
}

/* What Preferences say holds where the draft leaves it open, and only there. */
static void
test_device (void)
{
  g_autoptr (LkDraft) draft = lk_draft_new ();
  g_autoptr (JsonNode) node = parse ("{\"settings\":[{\"name\":\"device\",\"type\":\"string\",\"default\":\"auto\"}]}");
  g_autofree char *folder = lk_test_make_folder ();
  g_autofree char *run = NULL, *recipe = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) before = NULL, after = NULL, own = NULL;
  g_autoptr (LkOption) option = NULL;

  g_assert_true (lk_draft_load_from_json (draft, node, &error));
  before = lk_draft_to_arguments (draft);
  g_assert_cmpuint (g_strv_length (before), ==, 0);
  g_object_set (lk_settings_get_default (), "device", "vulkan:1", NULL);
  after = lk_draft_to_arguments (draft);
  g_assert_cmpstr (after[0], ==, "--device=vulkan:1");
  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/d.jsonl");
  run = lk_draft_create_run (draft, folder, &error);
  g_assert_no_error (error);
  recipe = g_build_filename (run, "recipe.json", NULL);
  g_assert_true (g_file_get_contents (recipe, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "\"vulkan:1\""));
  option = g_list_model_get_item (lk_draft_get_settings (draft), 0);
  lk_option_set_value (option, "cpu");
  own = lk_draft_to_arguments (draft);
  g_assert_true (g_strv_contains ((const char *const *) own, "--device=cpu"));
  g_object_set (lk_settings_get_default (), "device", "auto", NULL);
  lk_test_clean (g_steal_pointer (&folder));
}

static void
write_recipe (const char *folder, const char *name)
{
  g_autofree char *run = g_build_filename (folder, name, NULL);
  g_autofree char *recipe = g_build_filename (run, "recipe.json", NULL);
  g_autofree char *text = g_strdup_printf ("{\"version\":1,\"name\":\"%s\",\"created\":\"2026-01-02T03:04:05Z\",\"model\":\"/m.gguf\","
                                           "\"data\":[\"/d.jsonl\"],\"settings\":{\"epochs\":3}}", name);

  g_assert_cmpint (g_mkdir_with_parents (run, 0755), ==, 0);
  g_assert_true (g_file_set_contents (recipe, text, -1, NULL));
}

/* New runs go to the folder that was chosen; those elsewhere stay in the list. */
static void
test_folders (void)
{
  g_autofree char *home = g_strdup (g_getenv ("LORIKEET_DATA_HOME"));
  char *folder = lk_test_make_folder ();
  g_autofree char *here = g_build_filename (folder, "runs", NULL);
  g_autofree char *there = g_build_filename (folder, "other drive", NULL);
  g_autofree char *detour = g_build_filename (folder, "runs", "..", "other drive", NULL);
  g_autofree char *models = g_build_filename (folder, "weights", NULL);
  g_autofree char *now = NULL, *usual = NULL, *again = NULL, *own = NULL, *made = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) known = NULL;
  g_autoptr (LkRunList) runs = NULL;

  g_setenv ("LORIKEET_DATA_HOME", folder, TRUE);
  write_recipe (here, "one");
  write_recipe (there, "two");
  g_object_set (lk_settings_get_default (), "runs-folder", there, "models-folder", models, NULL);
  now = lk_paths_get_runs_dir ();
  usual = lk_paths_get_usual_runs_dir ();
  own = lk_paths_get_models_dir ();
  known = lk_paths_list_runs_dirs ();
  g_assert_cmpstr (now, ==, there);
  g_assert_cmpstr (usual, ==, here);
  g_assert_cmpstr (own, ==, models);
  g_assert_cmpstr (known[0], ==, here);
  g_assert_true (g_strv_contains ((const char *const *) known + 1, there));
  runs = lk_run_list_new (now);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (runs)), ==, 1);
  lk_run_list_watch (runs, usual);
  lk_run_list_watch (runs, detour); /* the same one said in another way */
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (runs)), ==, 2);
  g_object_set (lk_settings_get_default (), "runs-folder", "", "models-folder", "", NULL);
  again = lk_paths_get_runs_dir ();
  g_assert_cmpstr (again, ==, here);
  /* the usual place is made; one that was chosen is on a drive that went away */
  g_assert_true (g_file_test (there, G_FILE_TEST_IS_DIR));
  g_assert_false (lk_paths_prepare_runs_dir (models, &error));
  g_assert_nonnull (strstr (error->message, models));
  g_assert_false (g_file_test (models, G_FILE_TEST_EXISTS));
  g_setenv ("LORIKEET_DATA_HOME", models, TRUE);
  made = lk_paths_get_runs_dir ();
  g_assert_false (g_file_test (made, G_FILE_TEST_EXISTS));
  g_assert_true (lk_paths_prepare_runs_dir (made, NULL));
  g_assert_true (g_file_test (made, G_FILE_TEST_IS_DIR));
  g_clear_object (&runs);
  if (home != NULL)
    g_setenv ("LORIKEET_DATA_HOME", home, TRUE);
  else
    g_unsetenv ("LORIKEET_DATA_HOME");
  lk_test_clean (folder);
}

void
lk_test_add_preferences (void)
{
  g_test_add_func ("/app/preferences/devices", test_devices);
  g_test_add_func ("/app/preferences/report", test_report);
  g_test_add_func ("/app/preferences/report-without-engine", test_report_without_engine);
  g_test_add_func ("/app/preferences/device", test_device);
  g_test_add_func ("/app/preferences/folders", test_folders);
}
