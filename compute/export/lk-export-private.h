/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the forms share.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "lk-export.h"

#define LK_EXPORT_SHARD_BYTES G_GUINT64_CONSTANT (5000000000)

extern const LkExportTarget lk_export_adapter, lk_export_lora, lk_export_hf, lk_export_gguf;

/* FALSE and LK_ERROR_CANCELLED when the user has had enough; else tells how far it is. */
gboolean lk_export_go_on (const LkExport *self, double fraction, const char *message, GError **error);
/* The type's index in the target's list; -1 and an error that lists them. */
gint lk_export_find_type (const LkExport *self, const char *const *names, GError **error);
/* About what configuration and vocabulary take, at @each bytes a token. */
guint64 lk_export_text_bytes (LkModel *model, guint each);
/* Of the forms that hold the adapter alone. */
gboolean lk_export_check_adapter (const LkExport *self, GError **error);
guint64 lk_export_adapter_bytes (const LkExport *self);
/* Pretty JSON at folder/name. (node transfer none) */
gboolean lk_export_write_json (const char *folder, const char *name, JsonObject *object, GError **error);

/* @fault: what of @written is not what @target was to write, “the tensor … is not …”; NULL: nothing. (out) (transfer full) */
gboolean lk_export_compare (const LkExport *self, const LkExportTarget *target, LkModel *written, char **fault, GError **error);

/* config.json of the model: the file's own with all its keys, or made from a GGUF's configuration. (transfer
 * full) */
JsonObject *lk_export_make_config (LkModel *model, const char *dtype, GError **error);
/* The tokenizer's files into @folder: copies, or made from a GGUF's metadata. */
gboolean lk_export_write_tokenizer (LkModel *model, const char *folder, GError **error);
/* Normalizer, pre-tokenizer, decoder and model of a tokenizer.json, of SentencePiece's BPE. */
void lk_export_fill_sentencepiece (LkTokenizer *tokenizer, JsonObject *top);
