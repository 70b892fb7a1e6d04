/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GGUF version 2 and 3, little-endian, memory-mapped; hostile input: every count, length, offset and product is
 * checked before use, errors name file, field and offset. A split file is opened by any of its parts, which lie side by
 * side; its metadata is that of the first. Limits of our own (lk-gguf-private.h) are far above real files. Tensors must follow each other without gaps, as llama.cpp demands;
 * types that lk-type.h does not list are refused by name.
 * Thread-safety: immutable after open.
 */
#pragma once

#include "lk-tensor-file.h"

G_BEGIN_DECLS

typedef struct _LkGguf LkGguf;

typedef enum
{
  LK_GGUF_U8, LK_GGUF_I8, LK_GGUF_U16, LK_GGUF_I16, LK_GGUF_U32, LK_GGUF_I32, LK_GGUF_F32, LK_GGUF_BOOL,
  LK_GGUF_STRING, LK_GGUF_ARRAY, LK_GGUF_U64, LK_GGUF_I64, LK_GGUF_F64,
} LkGgufType;

LkGguf *lk_gguf_open (const char *path, GError **error);
LkGguf *lk_gguf_open_bytes (GBytes *bytes, const char *name, GError **error);
LkGguf *lk_gguf_ref (LkGguf *self);
void lk_gguf_unref (LkGguf *self);
const char *lk_gguf_get_path (LkGguf *self); /* of the first part */
guint lk_gguf_get_n_parts (LkGguf *self);    /* 1 where the file is not split */
const char *lk_gguf_get_part_path (LkGguf *self, guint index);

guint lk_gguf_get_n_tensors (LkGguf *self);
const LkTensorInfo *lk_gguf_get_tensor (LkGguf *self, guint index);
const LkTensorInfo *lk_gguf_lookup (LkGguf *self, const char *name); /* NULL when absent */

/* Metadata, in file order. */
guint lk_gguf_get_n_keys (LkGguf *self);
const char *lk_gguf_get_key (LkGguf *self, guint index);
/* LK_GGUF_ARRAY gives *element and *count too; FALSE when the key is absent. */
gboolean lk_gguf_get_type (LkGguf *self, const char *key, LkGgufType *type, LkGgufType *element, guint64 *count);
/* Typed look-ups: absent → *out keeps its value, TRUE; present with another type → FALSE and an error naming it.
 * Any integer width is accepted where it fits. */
gboolean lk_gguf_get_int (LkGguf *self, const char *key, gint64 *out, GError **error);
gboolean lk_gguf_get_double (LkGguf *self, const char *key, double *out, GError **error);
gboolean lk_gguf_get_boolean (LkGguf *self, const char *key, gboolean *out, GError **error);
/* Checked UTF-8, NUL-terminated, owned by @self. */
gboolean lk_gguf_get_string (LkGguf *self, const char *key, const char **out, GError **error);
/* Arrays. @out is (transfer full); *n elements. Strings are NUL-terminated, NULL-terminated vector (g_strfreev).
 * Absent → *out NULL. */
gboolean lk_gguf_get_strings (LkGguf *self, const char *key, char ***out, guint *n, GError **error);
gboolean lk_gguf_get_ints (LkGguf *self, const char *key, gint64 **out, guint *n, GError **error);
gboolean lk_gguf_get_doubles (LkGguf *self, const char *key, double **out, guint *n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGguf, lk_gguf_unref)

/* Writer: metadata first, then all tensor descriptions, then their data in the same order; LkFileWriter beneath.
 * Version 3, alignment 32, one file. Setting a key again replaces its value. What is wrong with a key or a tensor
 * (a value that does not fit, a name twice, a partial block) is reported by lk_gguf_writer_begin_data. */
typedef struct _LkGgufWriter LkGgufWriter;
LkGgufWriter *lk_gguf_writer_new (const char *path, GError **error);
void lk_gguf_writer_set_int (LkGgufWriter *self, const char *key, LkGgufType type, gint64 value);
void lk_gguf_writer_set_float (LkGgufWriter *self, const char *key, double value); /* F32 */
void lk_gguf_writer_set_boolean (LkGgufWriter *self, const char *key, gboolean value);
void lk_gguf_writer_set_string (LkGgufWriter *self, const char *key, const char *value);
void lk_gguf_writer_set_strings (LkGgufWriter *self, const char *key, const char *const *values, guint n);
void lk_gguf_writer_set_ints (LkGgufWriter *self, const char *key, LkGgufType element, const gint64 *values, guint n);
void lk_gguf_writer_set_floats (LkGgufWriter *self, const char *key, const float *values, guint n);
/* Copies a key of any type, byte for byte. general.alignment and split.* are left out: the writer decides both. */
void lk_gguf_writer_copy_key (LkGgufWriter *self, LkGguf *from, const char *key);
void lk_gguf_writer_add_tensor (LkGgufWriter *self, const char *name, LkType type, const guint64 *shape, guint n_dims);
/* After the last add: writes header and descriptions. */
gboolean lk_gguf_writer_begin_data (LkGgufWriter *self, GError **error);
/* Appends data of the tensor at hand; moves to the next when its size is reached; more is an error. */
gboolean lk_gguf_writer_write (LkGgufWriter *self, const void *data, gsize size, GError **error);
gboolean lk_gguf_writer_finish (LkGgufWriter *self, GError **error);
void lk_gguf_writer_free (LkGgufWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGgufWriter, lk_gguf_writer_free)

G_END_DECLS
