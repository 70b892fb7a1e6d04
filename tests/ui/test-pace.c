/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long a fine-tune will take is told from what was measured, and from nothing else.
 */
#include <glib/gstdio.h>
#include <math.h>

#include "lk-app-test.h"
#include "lk-estimate.h"
#include "lk-json.h"
#include "lk-pace.h"

/* A run of @steps steps, a second and 100 tokens each, on @device. (transfer full) */
static LkRun *
make_run (const char *home, const char *name, const char *model, const char *device, const char *settings, guint steps)
{
  g_autofree char *folder = g_build_filename (home, name, NULL);
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);
  g_autofree char *events = g_build_filename (folder, "events.jsonl", NULL);
  g_autofree char *text
      = g_strdup_printf ("{\"version\":1,\"name\":\"%s\",\"created\":\"2026-11-24T10:00:00Z\",\"model\":\"%s\",\"data\":[\"/d.jsonl\"],"
                         "\"settings\":{%s}}",
                         name, model, settings);
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  LkRun *run;

  g_string_append_printf (lines,
                          "{\"event\":\"plan\",\"time\":1000,\"steps\":%u,\"device\":\"%s\"}\n"
                          "{\"event\":\"state\",\"time\":1000,\"state\":\"running\"}\n",
                          steps, device);
  for (guint i = 1; i <= steps; i++)
    g_string_append_printf (lines, "{\"event\":\"step\",\"time\":%u,\"step\":%u,\"steps\":%u,\"tokens\":100}\n", 1000 + i, i, steps);
  g_assert_cmpint (g_mkdir (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (recipe, text, -1, NULL));
  g_assert_true (g_file_set_contents (events, lines->str, -1, NULL));
  run = lk_run_new (folder, &error);
  g_assert_no_error (error);
  lk_run_poll (run);
  return run;
}

/* A worker was killed and another one goes on an hour later: nobody was at work meanwhile. */
static void
test_kill (void)
{
  char *home = lk_test_make_folder ();
  g_autoptr (LkRun) run = make_run (home, "a", "/m.gguf", "GPU", "", 10);
  g_autofree char *events = g_build_filename (home, "a", "events.jsonl", NULL);
  FILE *file = g_fopen (events, "a");

  g_assert_cmpfloat_with_epsilon (lk_run_get_seconds_per_token (run), 0.01, 1e-9);
  fputs ("{\"event\":\"state\",\"time\":4610,\"state\":\"preparing\"}\n{\"event\":\"resume\",\"time\":4611,\"step\":5}\n"
         "{\"event\":\"state\",\"time\":4612,\"state\":\"running\"}\n{\"event\":\"step\",\"time\":4614,\"step\":6,\"tokens\":100}\n",
         file);
  fclose (file);
  lk_run_poll (run);
  g_assert_cmpfloat_with_epsilon (lk_run_get_seconds_per_token (run), 12.0 / 1100, 1e-9);
  lk_test_clean (home);
}

static void
take_answer (LkEstimate *estimate, const char *text)
{
  g_autoptr (JsonNode) node = lk_json_parse (text, strlen (text), "test", NULL);

  lk_estimate_take_answer (estimate, json_node_get_object (node));
}

static void
assert_time (LkEstimate *estimate, const char *time, const char *detail)
{
  g_autofree char *is_time = lk_test_text_of (estimate, "time-text");
  g_autofree char *is_detail = lk_test_text_of (estimate, "time-detail");

  g_assert_cmpstr (is_time, ==, time);
  g_assert_cmpstr (is_detail, ==, detail);
}

static void
test_time (void)
{
  static const char answer[] = "{\"total_bytes\":1000,\"fits\":true,\"train_tokens\":72000,\"device\":\"GPU\"}";
  static const char unknown[] = "Time: told after the first steps", why[] = "No fine-tune of this model on this device was timed yet.";
  char *home = lk_test_make_folder ();
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  g_autoptr (LkEstimate) estimate = lk_estimate_new (draft);
  g_autoptr (GListStore) runs = g_list_store_new (LK_TYPE_RUN);
  g_autoptr (LkRun) short_one = make_run (home, "Short", "/m.gguf", "GPU", "\"rank\":16", 4);
  g_autoptr (LkRun) other_model = make_run (home, "Other model", "/n.gguf", "GPU", "\"rank\":16", 10);
  g_autoptr (LkRun) other_device = make_run (home, "Other device", "/m.gguf", "CPU", "\"rank\":16", 10);
  g_autoptr (LkRun) other_form = make_run (home, "Other form", "/m.gguf", "GPU", "\"rank\":16,\"base_type\":\"nf4\"", 10);
  g_autoptr (LkRun) other_rank = make_run (home, "Other rank", "/m.gguf", "GPU", "\"rank\":64", 10);
  g_autoptr (LkRun) like = make_run (home, "Alike", "/m.gguf", "GPU", "\"rank\":16", 10);

  lk_estimate_set_runs (estimate, G_LIST_MODEL (runs));
  lk_draft_set_model (draft, "/m.gguf");
  assert_time (estimate, NULL, NULL);
  take_answer (estimate, answer);
  assert_time (estimate, unknown, why);
  g_list_store_append (runs, short_one);
  g_list_store_append (runs, other_model);
  g_list_store_append (runs, other_device);
  g_list_store_append (runs, other_form);
  assert_time (estimate, unknown, why);
  g_list_store_append (runs, other_rank);
  assert_time (estimate, "About 12 minutes", "At the pace of “Other rank”, of the same model on the same device");
  g_list_store_append (runs, like);
  assert_time (estimate, "About 12 minutes", "At the pace of “Alike”, of the same model on the same device");
  /* without a dataset there is no amount of work */
  take_answer (estimate, "{\"total_bytes\":1000,\"fits\":true,\"device\":\"GPU\"}");
  assert_time (estimate, NULL, NULL);
  lk_test_clean (home);
}

void
lk_test_add_pace (void)
{
  g_test_add_func ("/app/pace/kill", test_kill);
  g_test_add_func ("/app/pace/time", test_time);
}
