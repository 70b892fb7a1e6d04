/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-checkpoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lk-config.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-safetensors.h"

#define LK_STATE_LIMIT (1 << 20)
#define LK_STATE_VERSION 1
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
lk_checkpoint_write_state (const char *path, const LkRecipe *recipe, const LkTrainState *state,
                           GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonObject *top = json_object_new ();

  json_node_take_object (node, top);
  json_object_set_int_member (top, "version", LK_STATE_VERSION);
  json_object_set_string_member (top, "engine", LK_VERSION);
  json_object_set_object_member (top, "settings", lk_recipe_get_settings (recipe));
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
  json_object_set_int_member (top, "evaluated_step", state->evaluated_step);
  json_object_set_int_member (top, "bad_steps", state->bad_steps);
  json_object_set_int_member (top, "rows", state->rows);
  json_object_set_int_member (top, "recompute_layers", state->recompute_layers);
  json_object_set_string_member (top, "device", state->device);
  json_object_set_string_member (top, "products", state->products);
  if (isfinite (state->loss_before))
    json_object_set_double_member (top, "loss_before", state->loss_before);
  text = lk_json_to_string (node, TRUE);
  return lk_file_write (path, text, -1, error);
}

static const char *const checkpoint_files[]
    = { "adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors", "state.json" };

static gboolean
lk_checkpoint_write_manifest (const char *folder, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *path = g_build_filename (folder, "manifest.json", NULL);
  g_autofree char *text = NULL;
  JsonObject *top = json_object_new (), *files = json_object_new ();

  json_node_take_object (node, top);
  json_object_set_int_member (top, "version", LK_STATE_VERSION);
  json_object_set_object_member (top, "files", files);
  for (guint i = 0; i < G_N_ELEMENTS (checkpoint_files); i++)
    {
      g_autofree char *file = g_build_filename (folder, checkpoint_files[i], NULL);
      g_autofree char *hash = lk_file_sha256 (file, error);
      JsonObject *one;
      struct stat st;

      if (!hash)
        return FALSE;
      if (stat (file, &st) != 0)
        return lk_error_set_errno (error, errno, "Could not look at “%s”", file);
      one = json_object_new ();
      json_object_set_int_member (one, "size", (gint64) st.st_size);
      json_object_set_string_member (one, "sha256", hash);
      json_object_set_object_member (files, checkpoint_files[i], one);
    }
  text = lk_json_to_string (node, TRUE);
  return lk_file_write (path, text, -1, error);
}

/* Reads the tensors back: a disk that lied about writing is found out before the checkpoint gets its name. */
static gboolean
lk_checkpoint_compare (const char *folder, LkAdapter *adapter, LkUpdate *update, LkBackend *backend,
                       GError **error)
{
  g_autofree char *moments_path = g_build_filename (folder, checkpoint_files[2], NULL);
  g_autofree char *adapter_path = g_build_filename (folder, checkpoint_files[1], NULL);
  g_autoptr (LkSafetensors) moments = lk_safetensors_open (moments_path, error);
  g_autoptr (LkSafetensors) matrices = moments ? lk_safetensors_open (adapter_path, error) : NULL;
  LkVariable *variables[] = { update->m, update->v };
  static const char *const names[] = { "m", "v" };

  if (!matrices)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      const LkTensorInfo *info = lk_safetensors_lookup (moments, names[i]);
      g_autofree guint8 *bytes = g_malloc (variables[i]->bytes);

      if (!lk_backend_read (backend, variables[i], 0, bytes, variables[i]->bytes, error))
        return FALSE;
      if (!info || info->size != variables[i]->bytes || memcmp (info->data, bytes, info->size) != 0)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                       "%s: “%s” reads back differently from how it was written", moments_path, names[i]);
          return FALSE;
        }
    }
  if (lk_safetensors_get_n_tensors (matrices) == 2 * lk_adapter_get_n_modules (adapter))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: matrices are missing after writing", adapter_path);
  return FALSE;
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
lk_checkpoint_save (const char *folder, const LkRecipe *recipe, LkAdapter *adapter, LkUpdate *update,
                    LkBackend *backend, const LkTrainState *state, GError **error)
{
  g_autofree char *name = g_strdup_printf (LK_CHECKPOINT_PREFIX "%06" G_GINT64_FORMAT, state->step);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (LkStage) stage = lk_stage_new (path, error);
  g_autofree char *moments
      = stage ? g_build_filename (lk_stage_get_path (stage), "optimizer.safetensors", NULL) : NULL;
  g_autofree char *json = stage ? g_build_filename (lk_stage_get_path (stage), "state.json", NULL) : NULL;

  return stage && lk_checkpoint_write_adapter (lk_stage_get_path (stage), adapter, backend, error)
         && lk_checkpoint_write_moments (moments, update, backend, error)
         && lk_checkpoint_write_state (json, recipe, state, error)
         && lk_checkpoint_compare (lk_stage_get_path (stage), adapter, update, backend, error)
         && lk_checkpoint_write_manifest (lk_stage_get_path (stage), error)
         && lk_stage_finish (stage, TRUE, error);
}

/* @deep FALSE: names and sizes only. */
static gboolean
lk_checkpoint_verify_file (const char *path, JsonObject *files, const char *name, const char *manifest,
                           gboolean deep, GError **error)
{
  g_autofree char *file = g_build_filename (path, name, NULL);
  g_autofree char *hash = NULL;
  JsonObject *one = NULL;
  const char *wanted = NULL;
  gint64 size = -1;
  struct stat st;

  if (!lk_json_get_object (files, name, manifest, &one, error)
      || (one
          && (!lk_json_get_int (one, "size", manifest, &size, error)
              || !lk_json_get_string (one, "sha256", manifest, &wanted, error))))
    return FALSE;
  if (lstat (file, &st) != 0)
    return lk_error_set_errno (error, errno, "Could not look at “%s”", file);
  if (!wanted || !S_ISREG (st.st_mode) || st.st_size != size)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: not of the size that was written", file);
      return FALSE;
    }
  if (!deep)
    return TRUE;
  hash = lk_file_sha256 (file, error);
  if (hash && !g_str_equal (hash, wanted))
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the bytes are not those that were written", file);
  return hash && g_str_equal (hash, wanted);
}

static gboolean
lk_checkpoint_verify (const char *path, gboolean deep, GError **error)
{
  g_autofree char *manifest = g_build_filename (path, "manifest.json", NULL);
  g_autoptr (JsonObject) top = lk_json_load_object (manifest, LK_STATE_LIMIT, error);
  JsonObject *files = NULL;

  if (!top || !lk_json_get_object (top, "files", manifest, &files, error))
    return FALSE;
  if (!files)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “files” is missing", manifest);
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (checkpoint_files); i++)
    if (!lk_checkpoint_verify_file (path, files, checkpoint_files[i], manifest, deep, error))
      return FALSE;
  return TRUE;
}

static gint64
lk_checkpoint_name_step (const char *name)
{
  return g_ascii_strtoll (name + strlen (LK_CHECKPOINT_PREFIX), NULL, 10);
}

static int
lk_compare_descending (gconstpointer a, gconstpointer b)
{
  gint64 x = lk_checkpoint_name_step (*(const char *const *) a),
         y = lk_checkpoint_name_step (*(const char *const *) b);

  return x > y ? -1 : x < y;
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

      if (lk_checkpoint_verify (path, TRUE, &error))
        return g_steal_pointer (&path);
      g_ptr_array_add (warnings,
                       g_strdup_printf ("The checkpoint “%s” is damaged and is passed over: %s",
                                        (const char *) g_ptr_array_index (names, i), error->message));
    }
  return NULL;
}

static gboolean
lk_checkpoint_match (JsonObject *top, const char *path, const char *member, const char *wanted,
                     const char *what, GError **error)
{
  const char *value = NULL;

  if (!lk_json_get_string (top, member, path, &value, error))
    return FALSE;
  if (g_strcmp0 (value, wanted) == 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
               "%s: “%s” differs: the %s changed since the checkpoint was written", path, member, what);
  return FALSE;
}

static gboolean
lk_checkpoint_read_numbers (JsonObject *top, const char *file, LkTrainState *state, GError **error)
{
  const char *device = "", *products = "float32"; /* of checkpoints that do not say: there was nothing else */

  *state = (LkTrainState){
    .step = -1, .best_loss = INFINITY, .loss_before = NAN, .best_step = -1, .evaluated_step = -1, .rows = -1
  };
  if (!lk_json_get_int (top, "step", file, &state->step, error)
      || !lk_json_get_int (top, "tokens", file, &state->tokens, error)
      || !lk_json_get_double (top, "best_loss", file, &state->best_loss, error)
      || !lk_json_get_int (top, "best_step", file, &state->best_step, error)
      || !lk_json_get_int (top, "stale", file, &state->stale, error)
      || !lk_json_get_double (top, "loss_before", file, &state->loss_before, error)
      || !lk_json_get_int (top, "evaluated_step", file, &state->evaluated_step, error)
      || !lk_json_get_int (top, "bad_steps", file, &state->bad_steps, error)
      || !lk_json_get_int (top, "rows", file, &state->rows, error)
      || !lk_json_get_int (top, "recompute_layers", file, &state->recompute_layers, error)
      || !lk_json_get_string (top, "device", file, &device, error)
      || !lk_json_get_string (top, "products", file, &products, error))
    return FALSE;
  g_strlcpy (state->device, device, sizeof state->device);
  g_strlcpy (state->products, products, sizeof state->products);
  if (state->step >= 0 && state->rows > 0 && state->rows <= G_MAXINT16 && state->recompute_layers >= 0
      && state->recompute_layers <= G_MAXINT16)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
               "%s: “step”, “rows” or “recompute_layers” is missing or out of range", file);
  return FALSE;
}

gboolean
lk_checkpoint_load_state (const char *path, const LkRecipe *recipe, LkTrainState *state, GError **error)
{
  g_autofree char *file = g_build_filename (path, "state.json", NULL);
  g_autoptr (JsonObject) top = lk_json_load_object (file, LK_STATE_LIMIT, error);
  JsonObject *settings = NULL;
  gint64 version = LK_STATE_VERSION;

  if (!top || !lk_json_get_int (top, "version", file, &version, error)
      || !lk_json_get_object (top, "settings", file, &settings, error))
    return FALSE;
  if (version != LK_STATE_VERSION)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "%s: “version” is %" G_GINT64_FORMAT "; this program reads version %d", file, version,
                   LK_STATE_VERSION);
      return FALSE;
    }
  if (!settings)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “settings” is missing", file);
      return FALSE;
    }
  return lk_recipe_check_settings (recipe, settings, file, error)
         && lk_checkpoint_match (top, file, "model_sha256", lk_recipe_get_model_hash (recipe), "model", error)
         && lk_checkpoint_match (top, file, "data_sha256", lk_recipe_get_data_hash (recipe), "dataset", error)
         && lk_checkpoint_read_numbers (top, file, state, error);
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
          g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                       "%s: “%s” is missing or of another size than the adapter", file, names[i]);
          return FALSE;
        }
      if (!lk_backend_write (backend, moments[i], 0, info->data, info->size, error))
        return FALSE;
    }
  return TRUE;
}

void
lk_checkpoint_prune (const char *folder, guint keep, gint64 best_step)
{
  g_autoptr (GPtrArray) names = lk_checkpoint_list (folder);
  guint whole = 0;

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      gboolean is_whole = lk_checkpoint_verify (path, FALSE, NULL);

      if (whole >= keep && lk_checkpoint_name_step (name) != best_step)
        lk_remove_recursively (path, NULL);
      whole += is_whole;
    }
}
