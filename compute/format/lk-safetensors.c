/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-safetensors.h"

#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-format-private.h"
#include "lk-json.h"
#include "lk-safetensors-private.h"

struct _LkSafetensors
{
  gatomicrefcount references;
  char *path;
  GPtrArray *bytes;    /* of GBytes, one a file; outlives the parts */
  GPtrArray *parts;    /* of LkSafetensorsPart */
  GPtrArray *tensors;  /* borrowed LkTensorInfo of all files */
  GHashTable *by_name; /* borrowed name → LkTensorInfo */
};

static LkSafetensors *
safetensors_new (const char *path)
{
  LkSafetensors *self = g_new0 (LkSafetensors, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_strdup (path);
  self->bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_safetensors_part_free);
  self->tensors = g_ptr_array_new ();
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static gboolean
add_part (LkSafetensors *self, GBytes *bytes, const char *path, GError **error)
{
  LkSafetensorsPart *part = lk_safetensors_part_parse (bytes, path, error);

  if (!part)
    return FALSE;
  g_ptr_array_add (self->bytes, g_bytes_ref (bytes));
  g_ptr_array_add (self->parts, part);
  for (guint i = 0; i < part->tensors->len; i++)
    {
      LkTensorInfo *tensor = &g_array_index (part->tensors, LkTensorInfo, i);

      if (!g_hash_table_insert (self->by_name, (gpointer) tensor->name, tensor))
        {
          g_autofree char *shown = lk_format_show (tensor->name, -1);

          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: tensor “%s” is already in another file of the model.",
                       path, shown);
          return FALSE;
        }
      g_ptr_array_add (self->tensors, tensor);
    }
  return TRUE;
}

static gboolean
add_file (LkSafetensors *self, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_map (path, error);

  return bytes && add_part (self, bytes, path, error);
}

static LkSafetensorsPart *
find_part (LkSafetensors *self, const char *path)
{
  for (guint i = 0; i < self->parts->len; i++)
    {
      LkSafetensorsPart *part = g_ptr_array_index (self->parts, i);

      if (g_str_equal (part->path, path))
        return part;
    }
  return NULL;
}

/* The set of shard names in @map, each a plain file name. */
static GHashTable *
collect_shards (JsonObject *map, const char *path, GError **error)
{
  g_autoptr (GHashTable) shards = g_hash_table_new (g_str_hash, g_str_equal);
  JsonObjectIter iter;
  const char *tensor;
  JsonNode *node;

  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, &tensor, &node))
    {
      const char *shard = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                            ? json_node_get_string (node) : NULL;

      if (!shard || !lk_format_is_plain_name (shard) || !g_str_has_suffix (shard, ".safetensors"))
        {
          g_autofree char *shown = lk_format_show (shard ? shard : "", -1);
          g_autofree char *shown_tensor = lk_format_show (tensor, -1);

          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: the file “%s” given for tensor “%s” in weight_map "
                       "is not a plain .safetensors file name.", path, shown, shown_tensor);
          return NULL;
        }
      g_hash_table_add (shards, (gpointer) shard);
    }
  if (g_hash_table_size (shards) == 0 || g_hash_table_size (shards) > LK_SAFETENSORS_MAX_SHARDS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: weight_map names %u files; 1 to %u are possible.", path,
                   g_hash_table_size (shards), LK_SAFETENSORS_MAX_SHARDS);
      return NULL;
    }
  return g_steal_pointer (&shards);
}

/* Every tensor of the index must be in the very file it names. */
static gboolean
check_map (LkSafetensors *self, JsonObject *map, const char *folder, const char *path, GError **error)
{
  g_autoptr (GHashTable) owners = g_hash_table_new (g_direct_hash, g_direct_equal); /* LkTensorInfo → part */
  JsonObjectIter iter;
  const char *tensor;
  JsonNode *node;

  for (guint i = 0; i < self->parts->len; i++)
    {
      LkSafetensorsPart *part = g_ptr_array_index (self->parts, i);

      for (guint k = 0; k < part->tensors->len; k++)
        g_hash_table_insert (owners, &g_array_index (part->tensors, LkTensorInfo, k), part);
    }
  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, &tensor, &node))
    {
      const LkTensorInfo *info = g_hash_table_lookup (self->by_name, tensor);
      g_autofree char *file = g_build_filename (folder, json_node_get_string (node), NULL);
      LkSafetensorsPart *owner = info ? g_hash_table_lookup (owners, info) : NULL;

      if (!owner || !g_str_equal (owner->path, file))
        {
          g_autofree char *shown = lk_format_show (tensor, -1);

          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: tensor “%s” is not in the file “%s” that weight_map "
                       "names for it.", path, shown, file);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_index (LkSafetensors *self, const char *path, GError **error)
{
  g_autoptr (JsonObject) index = lk_json_load_object (path, LK_SAFETENSORS_MAX_INDEX, error);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GHashTable) shards = NULL;
  g_autoptr (GList) names = NULL;
  JsonObject *map = NULL;

  if (!index || !lk_json_get_object (index, "weight_map", path, &map, error))
    return FALSE;
  if (!map)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s” has no weight_map.", path);
      return FALSE;
    }
  if (!(shards = collect_shards (map, path, error)))
    return FALSE;
  names = g_list_sort (g_hash_table_get_keys (shards), (GCompareFunc) strcmp);
  for (GList *l = names; l; l = l->next)
    {
      g_autofree char *file = g_build_filename (folder, l->data, NULL);

      if (!find_part (self, file) && !add_file (self, file, error))
        return FALSE;
    }
  return check_map (self, map, folder, path, error);
}

static gboolean
add_folder (LkSafetensors *self, const char *folder, GError **error)
{
  static const char *const names[] = {
    "model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      return g_str_has_suffix (path, ".json") ? add_index (self, path, error) : add_file (self, path, error);
    }
  g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "The folder “%s” holds no model.safetensors, "
               "model.safetensors.index.json or adapter_model.safetensors. Pickle files (.bin, .pt) are never read.",
               folder);
  return FALSE;
}

LkSafetensors *
lk_safetensors_open (const char *path, GError **error)
{
  g_autoptr (LkSafetensors) self = safetensors_new (path);
  gboolean ok;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    ok = add_folder (self, path, error);
  else if (g_str_has_suffix (path, ".json"))
    ok = add_index (self, path, error);
  else
    ok = add_file (self, path, error);
  return ok ? g_steal_pointer (&self) : NULL;
}

LkSafetensors *
lk_safetensors_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (LkSafetensors) self = safetensors_new (name);

  return add_part (self, bytes, name, error) ? g_steal_pointer (&self) : NULL;
}

LkSafetensors *
lk_safetensors_ref (LkSafetensors *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
lk_safetensors_unref (LkSafetensors *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->tensors);
  g_ptr_array_unref (self->parts);
  g_ptr_array_unref (self->bytes);
  g_free (self->path);
  g_free (self);
}

const char *
lk_safetensors_get_path (LkSafetensors *self)
{
  return self->path;
}

guint
lk_safetensors_get_n_tensors (LkSafetensors *self)
{
  return self->tensors->len;
}

const LkTensorInfo *
lk_safetensors_get_tensor (LkSafetensors *self, guint index)
{
  g_return_val_if_fail (index < self->tensors->len, NULL);
  return g_ptr_array_index (self->tensors, index);
}

const LkTensorInfo *
lk_safetensors_lookup (LkSafetensors *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

const char *
lk_safetensors_get_metadata (LkSafetensors *self, const char *key)
{
  for (guint i = 0; i < self->parts->len; i++)
    {
      LkSafetensorsPart *part = g_ptr_array_index (self->parts, i);
      const char *value = part->metadata ? g_hash_table_lookup (part->metadata, key) : NULL;

      if (value)
        return value;
    }
  return NULL;
}
