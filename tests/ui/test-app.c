/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The objects behind the window, without a display: what they make of the bytes of a run folder, of the
 * engine's answers, and of a worker's death. The engine is tests/ui/fake-cli.
 */
#include <math.h>
#include <string.h>

#include "lk-app-test.h"
#include "lk-command-words.h"
#include "lk-error.h"
#include "lk-json.h"
#include "lk-settings.h"
#include "lk-words.h"

static void
test_recipe (void)
{
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;
  char *runs = lk_test_make_folder ();
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
  g_assert_true (g_strv_contains ((const char *const *)arguments, "--rank=256"));
  g_assert_true (g_strv_contains ((const char *const *)arguments, "--learning-rate=0.001"));
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
  lk_test_clean (runs);
}

static void
test_words (void)
{
  static const struct
  {
    double seconds;
    const char *words;
  } durations[] = { { -1, "some time" },         { NAN, "some time" },
                    { 3, "a few seconds" },      { 42, "about 40 seconds" },
                    { 60, "about 1 minute" },    { 720, "about 12 minutes" },
                    { 3599, "about 1 hour" },    { 7800, "about 2 hours 10 minutes" },
                    { 86399, "about 24 hours" }, { 200000, "about 2 days" } };
  g_autofree char *name = lk_words_name_of_path ("/x/SmolLM2-135M_Instruct.Q4_1.gguf");
  g_autofree char *dataset = lk_words_name_of_dataset ("/x/support-mails/train.jsonl");
  g_autofree char *rate = lk_words_small_number (2e-4);
  g_autofree char *power = lk_words_small_number (1e-3);
  g_autofree char *rounded = lk_words_small_number (9.996e-5);
  g_autofree char *cut = lk_words_shorten ("Äpfel und Birnen sind Obst", 12);

  for (guint i = 0; i < G_N_ELEMENTS (durations); i++)
    {
      g_autofree char *words = lk_words_duration (durations[i].seconds);

      g_assert_cmpstr (words, ==, durations[i].words);
    }
  g_assert_cmpstr (name, ==, "SmolLM2 135M Instruct");
  g_assert_cmpstr (dataset, ==, "Support mails");
  g_assert_cmpstr (power, ==, "1.00 × 10⁻³");
  g_assert_cmpstr (rounded, ==, "1.00 × 10⁻⁴");
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

/* A yes-or-no is said in one way wherever its value or its default stands. */
static void
test_option_words (void)
{
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  LkOption *yes_or_no = lk_draft_find (draft, "rslora"), *number = lk_draft_find (draft, "rank");
  g_autofree char *standard = lk_option_words_of_default (yes_or_no);
  g_autofree char *value = NULL;
  g_autofree char *count = lk_option_words_of_default (number);

  g_assert_cmpstr (standard, ==, "off");
  lk_option_set_value (yes_or_no, "true");
  value = lk_option_words_of_value (yes_or_no);
  g_assert_cmpstr (value, ==, "on");
  g_assert_cmpstr (count, ==, lk_option_get_default (number));
}

/* What is copied is what a shell makes of it: the shell itself is asked. */
static void
test_command_words (void)
{
  static const char *const words[] = { "--data", "/d/a;touch b",  "a&b",         "a|b",  "(a)",          "`id`",   "$HOME", "it's",
                                       "",       "/d/Mäils.csv", "--x=~/a b*?", "a\nb", "--targets=a,b", "{a,b}", "!!",    NULL };
  g_autofree char *line = lk_command_words_train ("-n; x", words);
  g_autofree char *script = g_strconcat ("printf '%s\\0' ", line, NULL);
  const char *const shell[] = { "/bin/sh", "-c", script, NULL };
  g_autoptr (GSubprocess) process = g_subprocess_newv (shell, G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL);
  g_autoptr (GBytes) output = NULL;
  g_autofree char *plain = NULL;
  const char *got, *end;
  gsize size = 0;

  g_assert_true (g_subprocess_communicate (process, NULL, NULL, &output, NULL, NULL));
  got = g_bytes_get_data (output, &size);
  end = got + size;
  for (guint i = 0; i < 3 + G_N_ELEMENTS (words) - 1; i++, got += strlen (got) + 1)
    {
      static const char *const first[] = { "lorikeet-cli", "train", "--name=-n; x" };

      g_assert_true (got < end);
      g_assert_cmpstr (got, ==, i < 3 ? first[i] : words[i - 3]);
    }
  g_assert_true (got == end);
  plain = lk_command_words_train ("", (const char *const[]){ "--model", "/m/a-1.gguf", "--rank=8", NULL });
  g_assert_cmpstr (plain, ==, "lorikeet-cli train --model /m/a-1.gguf --rank=8");
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
  g_test_add_func ("/app/recipe", test_recipe);
  g_test_add_func ("/app/option-words", test_option_words);
  g_test_add_func ("/app/command-words", test_command_words);
  lk_test_add_run ();
  lk_test_add_run_edit ();
  lk_test_add_queue ();
  lk_test_add_worker ();
  lk_test_add_engine ();
  lk_test_add_http ();
  lk_test_add_data ();
  lk_test_add_preferences ();
  lk_test_add_markdown ();
  lk_test_add_pace ();
  return g_test_run ();
}
