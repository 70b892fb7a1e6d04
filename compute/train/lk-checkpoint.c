/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-checkpoint.h"

#include <math.h>
#include <string.h>

#include "lk-config.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-safetensors.h"

#define LK_STATE_LIMIT (1 << 20)
#define LK_CHECKPOINT_PREFIX "step-"

static gboolean
lk_checkpoint_write_moments (const char *path, LkUpdate *update, LkBackend *backend, GError **error)
{
  g_autoptr (LkSafetensorsWriter) writer = lk_safetensors_writer_new (path, error);
  guint64 shape[] = { (guint64) update->m->cols };
  LkVariable *moments[] = { update->m, update->v };
  g_autofree guint8 *bytes = g_malloc (update->m->bytes);

  if (!writer)
    return FALSE;
  lk_safetensors_writer_add_tensor (writer, "m", LK_TYPE_F32, shape, 1);
  lk_safetensors_writer_add_tensor (writer, "v", LK_TYPE_F32, shape, 1);
  if (!lk_safetensors_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (!lk_backend_read (backend, moments[i], 0, bytes, moments[i]->bytes, error)
        || !lk_safetensors_writer_write (writer, bytes, moments[i]->bytes, error))
      return FALSE;
  return lk_safetensors_writer_finish (writer, error);
}

static gboolean
lk_checkpoint_write_state (const char *path, const LkRecipe *recipe, const LkTrainState *state, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *settings = lk_recipe_fingerprint (recipe);
  g_autofree char *text = NULL;
  JsonObject *top = json_object_new ();

  json_node_take_object (node, top);
  json_object_set_int_member (top, "version", 1);
  json_object_set_string_member (top, "engine", LK_VERSION);
  json_object_set_string_member (top, "settings_sha256", settings);
  json_object_set_string_member (top, "model_sha256", lk_recipe_get_model_hash (recipe));
  json_object_set_string_member (top, "data_sha256", lk_recipe_get_data_hash (recipe));
  json_object_set_int_member (top, "step", state->step);
  json_object_set_int_member (top, "tokens", state->tokens);
  if (isfinite (state->best_loss))
    {
      json_object_set_double_member (top, "best_loss", state->best_loss);
      json_object_set_int_member (top, "best_step", state->best_step);
    }
  json_object_set_int_member (top, "stale", state->stale);
  if (isfinite (state->loss_before))
    json_object_set_double_member (top, "loss_before", state->loss_before);
  text = lk_json_to_string (node, TRUE);
  return lk_file_write (path, text, -1, error);
}

static const char *const checkpoint_files[] = { "adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors", "state.json" };

static gboolean
lk_checkpoint_write_manifest (const char *folder, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *path = g_build_filename (folder, "manifest.json", NULL);
  g_autofree char *text = NULL;
  JsonObject *top = json_object_new ();

  json_node_take_object (node, top);
  for (guint i = 0; i < G_N_ELEMENTS (checkpoint_files); i++)
    {
      g_autofree char *file = g_build_filename (folder, checkpoint_files[i], NULL);
      g_autofree char *hash = lk_file_sha256 (file, error);

      if (!hash)
        return FALSE;
      json_object_set_string_member (top, checkpoint_files[i], hash);
    }
  text = lk_json_to_string (node, TRUE);
  return lk_file_write (path, text, -1, error);
}

/* lk_adapter_save makes a folder of its own; its files are moved up into the checkpoint. */
static gboolean
lk_checkpoint_write_adapter (const char *folder, LkAdapter *adapter, LkBackend *backend, GError **error)
{
  g_autofree char *inner = g_build_filename (folder, "adapter", NULL);

  if (!lk_adapter_save (adapter, backend, inner, error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *from = g_build_filename (inner, checkpoint_files[i], NULL);
      g_autofree char *to = g_build_filename (folder, checkpoint_files[i], NULL);
      g_autoptr (GFile) a = g_file_new_for_path (from), b = g_file_new_for_path (to);

      if (!g_file_move (a, b, G_FILE_COPY_NONE, NULL, NULL, NULL, error))
        return FALSE;
    }
  return lk_remove_recursively (inner, error);
}

gboolean
lk_checkpoint_save (const char *folder, const LkRecipe *recipe, LkAdapter *adapter, LkUpdate *update, LkBackend *backend,
                    const LkTrainState *state, GError **error)
{
  g_autofree char *name = g_strdup_printf (LK_CHECKPOINT_PREFIX "%06" G_GINT64_FORMAT, state->step);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (LkStage) stage = lk_stage_new (path, error);
  g_autofree char *moments = stage ? g_build_filename (lk_stage_get_path (stage), "optimizer.safetensors", NULL) : NULL;
  g_autofree char *json = stage ? g_build_filename (lk_stage_get_path (stage), "state.json", NULL) : NULL;

  return stage && lk_checkpoint_write_adapter (lk_stage_get_path (stage), adapter, backend, error)
         && lk_checkpoint_write_moments (moments, update, backend, error) && lk_checkpoint_write_state (json, recipe, state, error)
         && lk_checkpoint_write_manifest (lk_stage_get_path (stage), error) && lk_stage_finish (stage, TRUE, error);
}

static gboolean
lk_checkpoint_verify (const char *path, GError **error)
{
  g_autofree char *manifest = g_build_filename (path, "manifest.json", NULL);
  g_autoptr (JsonObject) top = lk_json_load_object (manifest, LK_STATE_LIMIT, error);

  if (!top)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (checkpoint_files); i++)
    {
      g_autofree char *file = g_build_filename (path, checkpoint_files[i], NULL);
      g_autofree char *hash = lk_file_sha256 (file, error);

      if (!hash)
        return FALSE;
      if (g_strcmp0 (hash, json_object_get_string_member_with_default (top, checkpoint_files[i], "")) != 0)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s is not what was written", file);
          return FALSE;
        }
    }
  return TRUE;
}

static int
lk_compare_descending (gconstpointer a, gconstpointer b)
{
  return -strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Names of checkpoints, the newest first. (transfer full) */
static GPtrArray *
lk_checkpoint_list (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_prefix (name, LK_CHECKPOINT_PREFIX))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, lk_compare_descending);
  return names;
}

char *
lk_checkpoint_newest (const char *folder, GPtrArray *warnings)
{
  g_autoptr (GPtrArray) names = lk_checkpoint_list (folder);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
      g_autoptr (GError) error = NULL;

      if (lk_checkpoint_verify (path, &error))
        return g_steal_pointer (&path);
      g_ptr_array_add (warnings, g_strdup_printf ("The checkpoint “%s” is damaged and is passed over: %s",
                                                  (const char *) g_ptr_array_index (names, i), error->message));
    }
  return NULL;
}

static gboolean
lk_checkpoint_match (JsonObject *top, const char *path, const char *member, const char *wanted, const char *what, GError **error)
{
  const char *value = NULL;

  if (!lk_json_get_string (top, member, path, &value, error))
    return FALSE;
  if (g_strcmp0 (value, wanted) == 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “%s” differs: the %s changed since the checkpoint was written", path, member, what);
  return FALSE;
}

gboolean
lk_checkpoint_load_state (const char *path, const LkRecipe *recipe, LkTrainState *state, GError **error)
{
  g_autofree char *file = g_build_filename (path, "state.json", NULL);
  g_autofree char *settings = lk_recipe_fingerprint (recipe);
  g_autoptr (JsonObject) top = lk_json_load_object (file, LK_STATE_LIMIT, error);

  *state = (LkTrainState){ .best_loss = INFINITY, .loss_before = NAN };
  return top && lk_checkpoint_match (top, file, "settings_sha256", settings, "settings", error)
         && lk_checkpoint_match (top, file, "model_sha256", lk_recipe_get_model_hash (recipe), "model", error)
         && lk_checkpoint_match (top, file, "data_sha256", lk_recipe_get_data_hash (recipe), "dataset", error)
         && lk_json_get_int (top, "step", file, &state->step, error) && lk_json_get_int (top, "tokens", file, &state->tokens, error)
         && lk_json_get_double (top, "best_loss", file, &state->best_loss, error)
         && lk_json_get_int (top, "best_step", file, &state->best_step, error) && lk_json_get_int (top, "stale", file, &state->stale, error)
         && lk_json_get_double (top, "loss_before", file, &state->loss_before, error);
}

gboolean
lk_checkpoint_load_optimizer (const char *path, LkUpdate *update, LkBackend *backend, GError **error)
{
  g_autofree char *file = g_build_filename (path, "optimizer.safetensors", NULL);
  g_autoptr (LkSafetensors) tensors = lk_safetensors_open (file, error);
  LkVariable *moments[] = { update->m, update->v };
  static const char *const names[] = { "m", "v" };

  if (!tensors)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      const LkTensorInfo *info = lk_safetensors_lookup (tensors, names[i]);

      if (!info || info->type != LK_TYPE_F32 || info->size != moments[i]->bytes)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “%s” is missing or of another size than the adapter", file, names[i]);
          return FALSE;
        }
      if (!lk_backend_write (backend, moments[i], 0, info->data, info->size, error))
        return FALSE;
    }
  return TRUE;
}

void
lk_checkpoint_prune (const char *folder, guint keep)
{
  g_autoptr (GPtrArray) names = lk_checkpoint_list (folder);

  for (guint i = keep; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);

      lk_remove_recursively (path, NULL);
    }
}
