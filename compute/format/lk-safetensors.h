/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * safetensors files, one or sharded by an index; memory-mapped, hostile input (formats: u64 header length, JSON
 * header, data without holes). Thread-safety: immutable after open.
 */
#pragma once

#include "lk-tensor-file.h"

G_BEGIN_DECLS

typedef struct _LkSafetensors LkSafetensors;

/* A .safetensors file, a …index.json, or a folder that holds, in this order of preference, model.safetensors,
 * model.safetensors.index.json or adapter_model.safetensors. Shard names must be plain file names in the same folder;
 * symbolic links are followed, as Hugging Face's cache consists of them. Tensors come in the order of their data. */
LkSafetensors *lk_safetensors_open (const char *path, GError **error);
LkSafetensors *lk_safetensors_open_bytes (GBytes *bytes, const char *name, GError **error);
LkSafetensors *lk_safetensors_ref (LkSafetensors *self);
void lk_safetensors_unref (LkSafetensors *self);
const char *lk_safetensors_get_path (LkSafetensors *self);
guint lk_safetensors_get_n_tensors (LkSafetensors *self);
const LkTensorInfo *lk_safetensors_get_tensor (LkSafetensors *self, guint index);
const LkTensorInfo *lk_safetensors_lookup (LkSafetensors *self, const char *name);
/* A string of __metadata__, or NULL. */
const char *lk_safetensors_get_metadata (LkSafetensors *self, const char *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkSafetensors, lk_safetensors_unref)

/* Writer of one file: describe all tensors, begin, write their data in the same order. "__metadata__" always holds
 * format = pt. What is wrong with a tensor (name twice, a type safetensors has no name for) is reported by
 * lk_safetensors_writer_begin_data. */
typedef struct _LkSafetensorsWriter LkSafetensorsWriter;
LkSafetensorsWriter *lk_safetensors_writer_new (const char *path, GError **error);
void lk_safetensors_writer_set_metadata (LkSafetensorsWriter *self, const char *key, const char *value);
void lk_safetensors_writer_add_tensor (LkSafetensorsWriter *self, const char *name, LkType type, const guint64 *shape,
                                       guint n_dims);
gboolean lk_safetensors_writer_begin_data (LkSafetensorsWriter *self, GError **error);
gboolean lk_safetensors_writer_write (LkSafetensorsWriter *self, const void *data, gsize size, GError **error);
gboolean lk_safetensors_writer_finish (LkSafetensorsWriter *self, GError **error);
void lk_safetensors_writer_free (LkSafetensorsWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkSafetensorsWriter, lk_safetensors_writer_free)

G_END_DECLS
