/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A folder that transformers opens: weights with the adapter merged, configuration, tokenizer, chat template.
 */
#include <gio/gio.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-file.h"
#include "lk-safetensors.h"

static const char *const type_names[] = { "BF16", "F16", "F32", NULL };
static const LkType types[] = { LK_TYPE_BF16, LK_TYPE_F16, LK_TYPE_F32 };
static const char *const dtypes[] = { "bfloat16", "float16", "float32" };

static const char *const *
list_types (void)
{
  return type_names;
}

static guint64
tensor_bytes (const LkModelTensor *tensor, LkType type)
{
  return (guint64) tensor->variable->rows * (guint64) tensor->variable->cols
         * lk_type_info (type)->block_bytes;
}

static guint64
size (const LkExport *self)
{
  gint type = lk_export_find_type (self, type_names, NULL);

  return (guint64) lk_model_get_config (self->model)->parameters
             * lk_type_info (types[MAX (0, type)])->block_bytes
         + lk_export_text_bytes (self->model, 160); /* tokenizer.json is written for people */
}

/* Which tensors share a file: first[f] … first[f+1]-1. */
static GArray *
plan_shards (const LkExport *self, LkType type)
{
  guint64 limit = self->shard_bytes ? self->shard_bytes : LK_EXPORT_SHARD_BYTES, used = 0;
  GArray *first = g_array_new (FALSE, FALSE, sizeof (guint));
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  for (guint i = 0; i < n; i++)
    {
      guint64 bytes = tensor_bytes (&tensors[i], type);

      if (first->len == 0 || used + bytes > limit)
        {
          g_array_append_val (first, i);
          used = 0;
        }
      used += bytes;
    }
  g_array_append_val (first, n);
  return first;
}

/* The folder at work. */
typedef struct
{
  const LkExport *export;
  LkMerge *merge;
  LkType type;
  const char *folder;
  LkSafetensorsWriter *writer;
  double done, all; /* bytes */
} HfWork;

static gboolean
take_piece (const void *data, gsize bytes, gpointer user_data, GError **error)
{
  HfWork *work = user_data;

  work->done += (double) bytes;
  return lk_export_go_on (work->export, work->done / work->all, "Writing the weights", error)
         && lk_safetensors_writer_write (work->writer, data, bytes, error);
}

static gboolean
write_shard (HfWork *work, const char *name, const LkModelTensor *tensors, guint begin, guint end,
             GError **error)
{
  g_autofree char *path = g_build_filename (work->folder, name, NULL);
  g_autoptr (LkSafetensorsWriter) writer = lk_safetensors_writer_new (path, error);

  if (!writer)
    return FALSE;
  work->writer = writer;
  for (guint i = begin; i < end; i++)
    {
      guint64 shape[2] = { (guint64) tensors[i].variable->rows, (guint64) tensors[i].variable->cols };
      gboolean vector = shape[0] == 1 && tensors[i].role < 0;

      lk_safetensors_writer_add_tensor (writer, tensors[i].hf_name, work->type, vector ? shape + 1 : shape,
                                        vector ? 1 : 2);
    }
  if (!lk_safetensors_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = begin; i < end; i++)
    if (!lk_merge_stream (work->merge, &tensors[i], work->type, FALSE, take_piece, work, error))
      return FALSE;
  return lk_safetensors_writer_finish (writer, error);
}

static char *
shard_name (guint i, guint n)
{
  return n == 1 ? g_strdup ("model.safetensors")
                : g_strdup_printf ("model-%05u-of-%05u.safetensors", i + 1, n);
}

static gboolean
write_index (HfWork *work, const LkModelTensor *tensors, GArray *first, GError **error)
{
  g_autoptr (JsonObject) index = json_object_new ();
  JsonObject *map = json_object_new (), *metadata = json_object_new ();

  json_object_set_int_member (metadata, "total_size", (gint64) work->all);
  json_object_set_object_member (index, "metadata", metadata);
  json_object_set_object_member (index, "weight_map", map);
  for (guint f = 0; f + 1 < first->len; f++)
    {
      g_autofree char *name = shard_name (f, first->len - 1);

      for (guint i = g_array_index (first, guint, f); i < g_array_index (first, guint, f + 1); i++)
        json_object_set_string_member (map, tensors[i].hf_name, name);
    }
  return lk_export_write_json (work->folder, "model.safetensors.index.json", index, error);
}

static gboolean
write_weights (HfWork *work, GError **error)
{
  g_autoptr (GArray) first = plan_shards (work->export, work->type);
  guint n, shards = first->len - 1;
  const LkModelTensor *tensors = lk_model_get_tensors (work->export->model, &n);

  for (guint i = 0; i < n; i++)
    work->all += (double) tensor_bytes (&tensors[i], work->type);
  for (guint f = 0; f < shards; f++)
    {
      g_autofree char *name = shard_name (f, shards);

      if (!write_shard (work, name, tensors, g_array_index (first, guint, f),
                        g_array_index (first, guint, f + 1), error))
        return FALSE;
    }
  return shards == 1 || write_index (work, tensors, first, error);
}

static gboolean
write_folder (const LkExport *self, GError **error)
{
  gint type = lk_export_find_type (self, type_names, error);
  g_autoptr (LkStage) stage = type >= 0 ? lk_stage_new (self->path, error) : NULL;
  g_autoptr (LkMerge) merge = lk_merge_new (self->model, self->adapter, self->backend);
  g_autoptr (JsonObject) config = NULL;
  HfWork work = { self, merge };

  if (!stage)
    return FALSE;
  work.type = types[type];
  work.folder = lk_stage_get_path (stage);
  config = lk_export_make_config (self->model, dtypes[type], error);
  return config && lk_export_write_json (work.folder, "config.json", config, error)
         && lk_export_write_tokenizer (self->model, work.folder, error) && write_weights (&work, error)
         && lk_stage_finish (stage, self->replace, error);
}

static LkType
type_of (const LkExport *self, const LkModelTensor *tensor)
{
  return types[lk_export_find_type (self, type_names, NULL)];
}

const LkExportTarget lk_export_hf = {
  .name = "hf",
  .label = "Hugging Face folder",
  .folder = TRUE,
  .merged = TRUE,
  .types = list_types,
  .size = size,
  .write = write_folder,
  .type_of = type_of,
};
