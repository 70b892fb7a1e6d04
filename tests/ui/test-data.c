/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datasets, presets, the advisor and the library of models, without a window.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-advice.h"
#include "lk-app-test.h"
#include "lk-json.h"
#include "lk-library-scan.h"
#include "lk-settings.h"
#include "lk-preset.h"
#include "lk-stored-dataset.h"

/* Each answer leads on or to a verdict, and every verdict and question is reached. */
static void
test_advice (void)
{
  gboolean reached[LK_N_VERDICTS] = { FALSE };
  g_autofree gboolean *asked = g_new0 (gboolean, lk_n_questions);

  asked[0] = TRUE;
  for (guint i = 0; i < lk_n_questions; i++)
    for (const LkAnswer *answer = lk_questions[i].answers; answer->text != NULL; answer++)
      {
        g_assert_nonnull (answer->why);
        if (answer->next < 0)
          reached[answer->verdict] = TRUE;
        else
          {
            g_assert_cmpint (answer->next, >, (int) i);
            g_assert_cmpint (answer->next, <, (int) lk_n_questions);
            asked[answer->next] = TRUE;
          }
      }
  for (guint i = 0; i < lk_n_questions; i++)
    g_assert_true (asked[i]);
  for (guint i = 0; i < LK_N_VERDICTS; i++)
    g_assert_true (reached[i] && lk_verdicts[i].title != NULL);
}

static LkDraft *
make_draft (void)
{
  static const char settings[]
      = "{\"settings\": ["
        "{\"name\": \"rank\", \"type\": \"int\", \"label\": \"Rank\", \"default\": 16, \"minimum\": 1, \"maximum\": 1024},"
        "{\"name\": \"alpha\", \"type\": \"double\", \"label\": \"Alpha\", \"default\": 32, \"minimum\": 0, \"maximum\": 1000},"
        "{\"name\": \"epochs\", \"type\": \"double\", \"label\": \"Epochs\", \"default\": 3, \"minimum\": 0, \"maximum\": 1000},"
        "{\"name\": \"batch\", \"type\": \"int\", \"label\": \"Batch\", \"default\": 2, \"minimum\": 1, \"maximum\": 64},"
        "{\"name\": \"length\", \"type\": \"int\", \"label\": \"Length\", \"default\": 2048, \"minimum\": 16, \"maximum\": 100000},"
        "{\"name\": \"recompute\", \"type\": \"choice\", \"label\": \"R\", \"default\": \"auto\", \"choices\": [\"auto\", \"none\", \"all\"]}]}";
  g_autoptr (JsonNode) node = lk_json_parse (settings, strlen (settings), "test", NULL);
  LkDraft *draft = lk_draft_new ();

  g_assert_true (lk_draft_load_from_json (draft, node, NULL));
  return draft;
}

static void
test_presets (void)
{
  g_autoptr (LkDraft) draft = make_draft ();

  for (guint i = 0; i < lk_n_preset_lists; i++)
    {
      const LkPresetList *list = &lk_preset_lists[i];

      g_assert_cmpint (lk_preset_find (list, draft), ==, 0); /* the defaults */
      for (guint k = 0; k < list->n; k++)
        {
          lk_preset_apply (&list->presets[k], draft);
          g_assert_cmpint (lk_preset_find (list, draft), ==, (int) k);
        }
    }
  lk_option_set_value (lk_draft_find (draft, "rank"), "5");
  g_assert_cmpint (lk_preset_find (&lk_preset_lists[0], draft), ==, -1);
}

static void
count_cb (guint *count)
{
  ++*count;
}

/* The same path is the same data, until somebody says that it is not. */
static void
test_renew_data (void)
{
  g_autoptr (LkDraft) draft = make_draft ();
  guint data = 0, changed = 0;

  lk_draft_set_data (draft, "/x/Mails.lkdata");
  g_signal_connect_swapped (draft, "notify::data", G_CALLBACK (count_cb), &data);
  g_signal_connect_swapped (draft, "changed", G_CALLBACK (count_cb), &changed);
  lk_draft_set_data (draft, "/x/Mails.lkdata");
  g_assert_cmpuint (data + changed, ==, 0);
  lk_draft_renew_data (draft);
  g_assert_cmpuint (data, ==, 1);
  g_assert_cmpuint (changed, ==, 1);
  g_assert_cmpstr (lk_draft_get_data (draft), ==, "/x/Mails.lkdata");
}

static void
test_dataset (void)
{
  static const char answer[]
      = "{\"name\": \"Mails\", \"rows\": 10, \"used\": 7, \"unusable\": 2, \"excluded\": 1, \"unit\": \"tokens\", \"bin_width\": 5, \"bins\": [1, 2, -3],"
        "\"problems\": {\"unusable\": 2, \"duplicate\": 4}, \"files\": [{\"path\": \"/a.csv\", \"rows\": 10, \"weight\": 0.5,"
        "\"columns\": [{\"name\": \"q\", \"sample\": \"Why?\"}, 7], \"mapping\": {\"prompt\": \"q\", \"answer\": \"a\"}}, null]}";
  g_autoptr (JsonNode) node = lk_json_parse (answer, strlen (answer), "test", NULL);
  g_autoptr (LkStoredDataset) dataset = lk_stored_dataset_new ("/x/Mails.lkdata");
  g_autofree char *words = NULL;
  const LkDatasetFigures *figures;
  const LkSourceFile *file;

  g_assert_cmpstr (lk_stored_dataset_get_name (dataset), ==, "Mails");
  g_assert_null (lk_stored_dataset_peek (dataset));
  lk_stored_dataset_take_answer (dataset, json_node_get_object (node));
  figures = lk_stored_dataset_peek (dataset);
  words = lk_stored_dataset_describe (dataset);
  g_assert_cmpstr (words, ==, "10 rows, 3 left out");
  g_assert_true (figures->in_tokens);
  g_assert_cmpuint (figures->n_bins, ==, 3);
  g_assert_cmpint (figures->bins[2], ==, 0); /* nothing is fewer than nothing */
  g_assert_cmpint (figures->of_flag[2], ==, 4);
  g_assert_cmpuint (lk_stored_dataset_get_files (dataset)->len, ==, 1);
  file = lk_stored_dataset_get_files (dataset)->pdata[0];
  g_assert_cmpfloat (file->weight, ==, 0.5);
  g_assert_cmpuint (file->columns->len, ==, 1);
  g_assert_cmpstr (file->mapping->columns[LK_COLUMN_PROMPT], ==, "q");
}

/* A job does not replace the file under a change that is being written. */
static void
test_dataset_busy (void)
{
  g_autoptr (LkStoredDataset) dataset = lk_stored_dataset_new ("/x/Mails.lkdata");

  lk_stored_dataset_set_weight (dataset, 0, 0.5);
  g_assert_true (lk_stored_dataset_is_busy (dataset));
  lk_stored_dataset_count (dataset, "/m.gguf");
  g_assert_false (lk_data_job_is_running (lk_stored_dataset_get_job (dataset)));
  g_assert_cmpstr (lk_stored_dataset_get_error (dataset), ==, "A change is still being written. Try again in a moment.");
  lk_stored_dataset_import_again (dataset, NULL);
  g_assert_false (lk_data_job_is_running (lk_stored_dataset_get_job (dataset)));
  lk_test_wait_for (lk_test_is_idle, dataset);
  lk_stored_dataset_count (dataset, "/m.gguf");
  g_assert_true (lk_data_job_is_running (lk_stored_dataset_get_job (dataset)));
  lk_data_job_cancel (lk_stored_dataset_get_job (dataset));
}

static void
put (const char *home, const char *path, const char *content)
{
  g_autofree char *full = g_build_filename (home, path, NULL);
  g_autofree char *folder = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (full, content, -1, NULL));
}

static LkFoundModel *
find (GPtrArray *models, LkModelPlace place, const char *name)
{
  for (guint i = 0; i < models->len; i++)
    if (lk_found_model_get_place (models->pdata[i]) == place && g_strcmp0 (lk_found_model_get_name (models->pdata[i]), name) == 0)
      return models->pdata[i];
  return NULL;
}

static void
test_library (void)
{
  static const char *const variables[] = { "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS" };
  char *home = lk_test_make_folder ();
  g_autoptr (GPtrArray) models = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  put (home, ".cache/huggingface/hub/models--Owner--Small-One/refs/main", "abc\n");
  put (home, ".cache/huggingface/hub/models--Owner--Small-One/snapshots/abc/config.json", "{}");
  put (home, ".cache/huggingface/hub/models--Owner--Small-One/snapshots/abc/model.safetensors", "");
  put (home, ".cache/huggingface/hub/models--Owner--Small-One/snapshots/old/config.json", "{}");
  put (home, ".cache/huggingface/hub/datasets--Owner--Data/refs/main", "abc");
  put (home, ".ollama/models/manifests/registry.ollama.ai/library/llama/1b",
       "{\"layers\": [{\"mediaType\": \"application/vnd.ollama.image.model\", \"digest\": \"sha256:12\"}, 5]}");
  put (home, ".ollama/models/manifests/registry.ollama.ai/me/mine/latest",
       "{\"layers\": [{\"mediaType\": \"application/vnd.ollama.image.model\", \"digest\": \"sha256:../../x\"}]}");
  put (home, ".ollama/models/manifests/registry.ollama.ai/me/broken/latest", "{");
  put (home, ".ollama/models/blobs/sha256-12", "GGUF");
  put (home, ".lmstudio/models/owner/repo/big-00001-of-00002.gguf", "GGUF");
  put (home, ".lmstudio/models/owner/repo/big-00002-of-00002.gguf", "GGUF");
  put (home, ".lmstudio/models/owner/repo/mmproj-big.gguf", "GGUF");
  models = lk_library_scan (home);
  g_assert_nonnull (find (models, LK_PLACE_HUGGING_FACE, "Owner/Small-One"));
  g_assert_nonnull (find (models, LK_PLACE_OLLAMA, "llama:1b"));
  g_assert_null (find (models, LK_PLACE_OLLAMA, "me/mine:latest")); /* leads out of the blobs */
  g_assert_nonnull (find (models, LK_PLACE_LM_STUDIO, "Big 00001 of 00002"));
  g_assert_null (find (models, LK_PLACE_LM_STUDIO, "Big 00002 of 00002"));
  g_assert_null (find (models, LK_PLACE_LM_STUDIO, "Mmproj big"));
  lk_test_clean (home);
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

/* Whether a model fits is asked of the device that Preferences say, and again when it is another one. */
static void
test_found_model (void)
{
  g_autofree char *cli = g_strdup (g_getenv ("LORIKEET_CLI"));
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "m.gguf", NULL);
  g_autofree char *log = g_build_filename (folder, "asked", NULL);
  g_autofree char *script = g_build_filename (folder, "cli", NULL);
  g_autofree char *words = g_strdup_printf ("#!/bin/sh\necho \"$@\" >> '%s'\nexec '%s' \"$@\"\n", log, cli);
  g_autoptr (LkFoundModel) model = lk_found_model_new (LK_PLACE_OWN, path, NULL);
  g_autofree char *text = NULL;
  gboolean first = FALSE, second = FALSE;

  g_assert_true (g_file_set_contents (path, "GGUF", -1, NULL));
  g_assert_true (g_file_set_contents_full (script, words, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_setenv ("LORIKEET_CLI", script, TRUE);
  lk_found_model_look (model, looked_cb, &first);
  lk_test_wait_for (is_true, &first);
  g_assert_true (lk_found_model_was_looked_at (model));
  g_object_set (lk_settings_get_default (), "device", "cpu", NULL);
  g_assert_false (lk_found_model_was_looked_at (model));
  lk_found_model_look (model, looked_cb, &second);
  lk_test_wait_for (is_true, &second);
  g_assert_true (lk_found_model_was_looked_at (model));
  g_object_set (lk_settings_get_default (), "device", "auto", NULL);
  g_setenv ("LORIKEET_CLI", cli, TRUE);
  g_assert_true (g_file_get_contents (log, &text, NULL, NULL));
  g_free (words);
  words = g_strdup_printf ("inspect --json %s\nestimate --json --methods --model %s\ninspect --json %s\nestimate --json --methods --model %s --device=cpu\n", path,
                           path, path, path);
  g_assert_cmpstr (text, ==, words);
  lk_test_clean (folder);
}

void
lk_test_add_data (void)
{
  g_test_add_func ("/app/advice", test_advice);
  g_test_add_func ("/app/presets", test_presets);
  g_test_add_func ("/app/renew-data", test_renew_data);
  g_test_add_func ("/app/stored-dataset", test_dataset);
  g_test_add_func ("/app/stored-dataset-busy", test_dataset_busy);
  g_test_add_func ("/app/library", test_library);
  g_test_add_func ("/app/found-model", test_found_model);
}
