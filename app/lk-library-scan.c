/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 *   ours          $LORIKEET_DATA_HOME/models, ~/.cache/lorikeet/models: files and folders
 *   Hugging Face  $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub: models--OWNER--NAME/snapshots/COMMIT
 *   Ollama        $OLLAMA_MODELS or ~/.ollama/models: manifests/HOST/OWNER/NAME/TAG, JSON whose layer of mediaType …image.model is
 *                 blobs/sha256-…
 *   LM Studio     ~/.lmstudio/models, ~/.cache/lm-studio/models: OWNER/NAME/FILE.gguf
 */
#include "lk-library-scan.h"

#include <string.h>

#include "lk-json.h"
#include "lk-paths.h"

#define DEPTH 4            /* folders below a place */
#define MANIFEST_LIMIT 1000000
#define MOST 2000          /* models; more are a folder that is none of models */

typedef struct
{
  GPtrArray *models;
  GHashTable *seen; /* canonical paths */
} Scan;

static void
add (Scan *self, LkModelPlace place, const char *path, const char *name)
{
  g_autofree char *real = g_canonicalize_filename (path, NULL);

  if (self->models->len >= MOST || !g_hash_table_add (self->seen, g_strdup (real)))
    return;
  g_ptr_array_add (self->models, lk_found_model_new (place, path, name));
}

/* Of a model in parts, the first: "…-00002-of-00005.gguf" are not models of their own. */
static gboolean
is_model_file (const char *leaf)
{
  const char *of = strstr (leaf, "-of-");

  if (!g_str_has_suffix (leaf, ".gguf") || g_str_has_prefix (leaf, "mmproj"))
    return FALSE;
  return of == NULL || of - leaf < 5 || strncmp (of - 5, "00001", 5) == 0;
}

static gboolean
is_model_folder (const char *path)
{
  g_autofree char *config = g_build_filename (path, "config.json", NULL);
  g_autofree char *single = g_build_filename (path, "model.safetensors", NULL);
  g_autofree char *several = g_build_filename (path, "model.safetensors.index.json", NULL);

  return g_file_test (config, G_FILE_TEST_IS_REGULAR)
         && (g_file_test (single, G_FILE_TEST_IS_REGULAR) || g_file_test (several, G_FILE_TEST_IS_REGULAR));
}

static void
walk (Scan *self, LkModelPlace place, const char *folder, const char *name, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *leaf;

  if (dir == NULL)
    return;
  if (is_model_folder (folder))
    {
      add (self, place, folder, name);
      return;
    }
  while ((leaf = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, leaf, NULL);

      if (is_model_file (leaf) && g_file_test (path, G_FILE_TEST_IS_REGULAR))
        add (self, place, path, name);
      else if (depth > 0 && leaf[0] != '.' && g_file_test (path, G_FILE_TEST_IS_DIR))
        walk (self, place, path, name, depth - 1);
    }
}

/* "models--HuggingFaceTB--SmolLM2-135M" → "HuggingFaceTB/SmolLM2-135M", with the newest snapshot. */
static void
scan_hugging_face (Scan *self, const char *hub)
{
  g_autoptr (GDir) dir = g_dir_open (hub, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    {
      g_auto (GStrv) parts = g_str_has_prefix (leaf, "models--") ? g_strsplit (leaf + strlen ("models--"), "--", 2) : NULL;
      g_autofree char *name = parts != NULL ? g_strjoinv ("/", parts) : NULL;
      g_autofree char *main_path = g_build_filename (hub, leaf, "refs", "main", NULL);
      g_autofree char *commit = NULL;
      g_autofree char *snapshot = NULL;

      if (name == NULL)
        continue;
      if (g_file_get_contents (main_path, &commit, NULL, NULL))
        snapshot = g_build_filename (hub, leaf, "snapshots", g_strstrip (commit), NULL);
      if (snapshot == NULL || !g_file_test (snapshot, G_FILE_TEST_IS_DIR))
        {
          g_free (snapshot);
          snapshot = g_build_filename (hub, leaf, "snapshots", NULL);
        }
      walk (self, LK_PLACE_HUGGING_FACE, snapshot, name, 2);
    }
}

static void
read_manifest (Scan *self, const char *models, const char *manifest, const char *name)
{
  g_autoptr (JsonObject) object = lk_json_load_object (manifest, MANIFEST_LIMIT, NULL);
  JsonArray *layers = NULL;

  if (object != NULL)
    lk_json_get_array (object, "layers", manifest, &layers, NULL);
  for (guint i = 0; layers != NULL && i < json_array_get_length (layers); i++)
    {
      JsonNode *node = json_array_get_element (layers, i);
      JsonObject *layer = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *kind = layer != NULL ? lk_json_peek_string (layer, "mediaType", "") : "";
      g_autofree char *digest = layer != NULL ? g_strdup (lk_json_peek_string (layer, "digest", NULL)) : NULL;
      g_autofree char *blob = NULL;

      if (digest == NULL || !g_str_has_suffix (kind, "image.model") || strchr (digest, '/') != NULL)
        continue;
      g_strdelimit (digest, ":", '-');
      blob = g_build_filename (models, "blobs", digest, NULL);
      if (g_file_test (blob, G_FILE_TEST_IS_REGULAR))
        add (self, LK_PLACE_OLLAMA, blob, name);
    }
}

/* Below manifests/HOST: OWNER/NAME/TAG; what everybody's library holds is called NAME:TAG. */
static void
scan_manifests (Scan *self, const char *models, const char *folder, const char *so_far, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, leaf, NULL);
      gboolean quiet = depth == 3 || (depth == 2 && g_str_equal (leaf, "library"));
      g_autofree char *name = so_far[0] == 0 ? g_strdup (leaf) : g_strdup_printf (depth == 0 ? "%s:%s" : "%s/%s", so_far, leaf);

      if (depth == 0)
        read_manifest (self, models, path, name);
      else if (g_file_test (path, G_FILE_TEST_IS_DIR))
        scan_manifests (self, models, path, quiet ? "" : name, depth - 1);
    }
}

static char *
place_of (const char *variable, const char *rest, const char *home, const char *below_home)
{
  const char *own = variable != NULL ? g_getenv (variable) : NULL;

  if (own != NULL && own[0] != 0)
    return g_build_filename (own, rest, NULL);
  return below_home != NULL ? g_build_filename (home, below_home, NULL) : NULL;
}

/* Runs of ours know which model they began with. */
static void
scan_runs (Scan *self, const char *runs)
{
  g_autoptr (GDir) dir = g_dir_open (runs, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *recipe_path = g_build_filename (runs, leaf, "recipe.json", NULL);
      g_autofree char *best = g_build_filename (runs, leaf, "adapter", "best", NULL);
      g_autofree char *last = g_build_filename (runs, leaf, "adapter", "last", NULL);
      const char *adapter = g_file_test (best, G_FILE_TEST_IS_DIR) ? best : last;
      g_autoptr (JsonObject) recipe = g_file_test (adapter, G_FILE_TEST_IS_DIR) ? lk_json_load_object (recipe_path, MANIFEST_LIMIT, NULL) : NULL;
      const char *model = recipe != NULL ? lk_json_peek_string (recipe, "model", NULL) : NULL;
      g_autofree char *real = model != NULL ? g_canonicalize_filename (model, NULL) : NULL;

      for (guint i = 0; real != NULL && i < self->models->len; i++)
        {
          g_autofree char *path = g_canonicalize_filename (lk_found_model_get_path (self->models->pdata[i]), NULL);

          if (g_str_equal (path, real))
            lk_found_model_add_adapter (self->models->pdata[i], lk_json_peek_string (recipe, "name", leaf), adapter);
        }
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  LkFoundModel *first = *(gpointer *) a, *second = *(gpointer *) b;

  if (lk_found_model_get_place (first) != lk_found_model_get_place (second))
    return (int) lk_found_model_get_place (first) - (int) lk_found_model_get_place (second);
  return g_utf8_collate (lk_found_model_get_name (first), lk_found_model_get_name (second));
}

GPtrArray *
lk_library_scan (const char *home)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Scan scan = { g_ptr_array_new_with_free_func (g_object_unref), seen };
  g_autofree char *tiny = lk_paths_find_tiny_model ();
  g_autofree char *own = lk_paths_get_models_dir ();
  g_autofree char *usual = lk_paths_get_usual_models_dir ();
  g_auto (GStrv) runs = lk_paths_list_runs_dirs ();
  g_autofree char *cache = g_build_filename (home, ".cache", "lorikeet", "models", NULL);
  g_autofree char *hf_home = place_of ("HF_HOME", "hub", home, ".cache/huggingface/hub");
  g_autofree char *hub_cache = place_of ("HF_HUB_CACHE", NULL, home, NULL);
  g_autofree char *ollama = place_of ("OLLAMA_MODELS", NULL, home, ".ollama/models");
  g_autofree char *manifests = g_build_filename (ollama, "manifests", NULL);
  g_autofree char *studio = g_build_filename (home, ".lmstudio", "models", NULL);
  g_autofree char *old_studio = g_build_filename (home, ".cache", "lm-studio", "models", NULL);

  if (tiny != NULL)
    add (&scan, LK_PLACE_SHIPPED, tiny, NULL);
  walk (&scan, LK_PLACE_OWN, own, NULL, DEPTH);
  if (!g_str_equal (own, usual))
    walk (&scan, LK_PLACE_OWN, usual, NULL, DEPTH);
  walk (&scan, LK_PLACE_OWN, cache, NULL, DEPTH);
  scan_hugging_face (&scan, hub_cache != NULL ? hub_cache : hf_home);
  scan_manifests (&scan, ollama, manifests, "", 3);
  walk (&scan, LK_PLACE_LM_STUDIO, studio, NULL, DEPTH);
  walk (&scan, LK_PLACE_LM_STUDIO, old_studio, NULL, DEPTH);
  for (guint i = 0; runs[i] != NULL; i++)
    scan_runs (&scan, runs[i]);
  g_ptr_array_sort (scan.models, compare);
  return scan.models;
}
