/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gguf.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-format-private.h"
#include "lk-gguf-private.h"

struct _LkGguf
{
  gatomicrefcount references;
  char *path;
  GPtrArray *bytes;      /* of GBytes, one a part; outlives the parts */
  GPtrArray *parts;      /* of LkGgufPart */
  GPtrArray *tensors;    /* borrowed LkTensorInfo of all parts */
  GHashTable *by_name;   /* borrowed name → LkTensorInfo */
};

static LkGgufPart *
first_part (LkGguf *self)
{
  return g_ptr_array_index (self->parts, 0);
}

const LkGgufEntry *
lk_gguf_find (LkGguf *self, const char *key)
{
  return g_hash_table_lookup (first_part (self)->by_key, key);
}

static LkGguf *
gguf_new (const char *path)
{
  LkGguf *self = g_new0 (LkGguf, 1);

  g_atomic_ref_count_init (&self->references);
  self->path = g_strdup (path);
  self->bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_gguf_part_free);
  self->tensors = g_ptr_array_new ();
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/* Takes the part of @bytes; FALSE when a tensor of it is already there. */
static gboolean
add_part (LkGguf *self, GBytes *bytes, LkGgufPart *part, GError **error)
{
  g_ptr_array_add (self->bytes, g_bytes_ref (bytes));
  g_ptr_array_add (self->parts, part);
  for (guint i = 0; i < part->tensors->len; i++)
    {
      LkTensorInfo *tensor = &g_array_index (part->tensors, LkTensorInfo, i);

      if (!g_hash_table_insert (self->by_name, (gpointer) tensor->name, tensor))
        {
          g_autofree char *shown = lk_format_show (tensor->name, -1);

          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: tensor “%s” is already in an earlier part.",
                       part->path, shown);
          return FALSE;
        }
      g_ptr_array_add (self->tensors, tensor);
    }
  return TRUE;
}

/* @own, of @bytes, is one of the parts: it and the others from beside it, in order. Takes @own. */
static gboolean
add_all_parts (LkGguf *self, GBytes *bytes, LkGgufPart *own, const LkGgufSplit *split, GError **error)
{
  g_autoptr (LkGgufPart) owned = own;
  g_autofree char *stem = lk_gguf_split_stem (own->path, split, error);

  for (gint64 i = 0; stem && i < split->count; i++)
    {
      g_autofree char *path = lk_gguf_split_path (stem, i, split->count);
      g_autoptr (GBytes) mapped = NULL;
      g_autoptr (LkGgufPart) part = NULL;

      if (i == split->number)
        {
          if (!add_part (self, bytes, g_steal_pointer (&owned), error))
            return FALSE;
          continue;
        }
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "“%s” is part %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                       ", and part %" G_GINT64_FORMAT ", “%s”, is missing.", own->path, split->number + 1, split->count,
                       i + 1, path);
          return FALSE;
        }
      mapped = lk_file_map (path, error);
      part = mapped ? lk_gguf_part_parse (mapped, path, error) : NULL;
      if (!part || !lk_gguf_split_check (part, i, split, own, error)
          || !add_part (self, mapped, g_steal_pointer (&part), error))
        return FALSE;
    }
  return stem && lk_gguf_split_check_tensors (first_part (self)->path, split, self->tensors->len, error);
}

LkGguf *
lk_gguf_open (const char *path, GError **error)
{
  g_autoptr (LkGguf) self = gguf_new (path);
  g_autoptr (GBytes) bytes = lk_file_map (path, error);
  g_autoptr (LkGgufPart) part = bytes ? lk_gguf_part_parse (bytes, path, error) : NULL;
  LkGgufSplit split;

  if (!part || !lk_gguf_split_read (part, &split, error))
    return NULL;
  if (split.count <= 1 ? !add_part (self, bytes, g_steal_pointer (&part), error)
                       : !add_all_parts (self, bytes, g_steal_pointer (&part), &split, error))
    return NULL;
  g_free (self->path);
  self->path = g_strdup (first_part (self)->path);
  return g_steal_pointer (&self);
}

LkGguf *
lk_gguf_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (LkGguf) self = gguf_new (name);
  g_autoptr (LkGgufPart) part = lk_gguf_part_parse (bytes, name, error);
  LkGgufSplit split;

  if (!part || !lk_gguf_split_read (part, &split, error))
    return NULL;
  if (split.count > 1)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” has %" G_GINT64_FORMAT
                   " parts, which can only be opened from a folder.", name, split.count);
      return NULL;
    }
  return add_part (self, bytes, g_steal_pointer (&part), error) ? g_steal_pointer (&self) : NULL;
}

LkGguf *
lk_gguf_ref (LkGguf *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
lk_gguf_unref (LkGguf *self)
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
lk_gguf_get_path (LkGguf *self)
{
  return self->path;
}

guint
lk_gguf_get_n_parts (LkGguf *self)
{
  return self->parts->len;
}

const char *
lk_gguf_get_part_path (LkGguf *self, guint index)
{
  g_return_val_if_fail (index < self->parts->len, NULL);
  return ((LkGgufPart *) g_ptr_array_index (self->parts, index))->path;
}

guint
lk_gguf_get_n_tensors (LkGguf *self)
{
  return self->tensors->len;
}

const LkTensorInfo *
lk_gguf_get_tensor (LkGguf *self, guint index)
{
  g_return_val_if_fail (index < self->tensors->len, NULL);
  return g_ptr_array_index (self->tensors, index);
}

const LkTensorInfo *
lk_gguf_lookup (LkGguf *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

guint
lk_gguf_get_n_keys (LkGguf *self)
{
  return first_part (self)->entries->len;
}

const char *
lk_gguf_get_key (LkGguf *self, guint index)
{
  LkGgufEntry *entry;

  g_return_val_if_fail (index < lk_gguf_get_n_keys (self), NULL);
  entry = g_ptr_array_index (first_part (self)->entries, index);
  return entry->key;
}

gboolean
lk_gguf_get_type (LkGguf *self, const char *key, LkGgufType *type, LkGgufType *element, guint64 *count)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);

  if (!entry)
    return FALSE;
  *type = entry->type;
  if (entry->type == LK_GGUF_ARRAY)
    {
      if (element)
        *element = entry->element;
      if (count)
        *count = entry->count;
    }
  return TRUE;
}

static gboolean
wrong_type (LkGguf *self, const LkGgufEntry *entry, const char *expected, GError **error)
{
  gboolean array = entry->type == LK_GGUF_ARRAY;

  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: metadata key “%s” is %s%s; expected was %s.", self->path,
               entry->key, array ? "an array, each element " : "",
               lk_gguf_type_names[array ? entry->element : entry->type], expected);
  return FALSE;
}

static gboolean
load_int (LkGgufType type, const guint8 *p, gint64 *out)
{
  guint64 raw = lk_gguf_load (p, lk_gguf_type_sizes[type]);

  switch (type)
    {
    case LK_GGUF_U8: case LK_GGUF_U16: case LK_GGUF_U32:
      *out = (gint64) raw;
      return TRUE;
    case LK_GGUF_I8:
      *out = (gint8) raw;
      return TRUE;
    case LK_GGUF_I16:
      *out = (gint16) raw;
      return TRUE;
    case LK_GGUF_I32:
      *out = (gint32) raw;
      return TRUE;
    case LK_GGUF_I64:
      *out = (gint64) raw;
      return TRUE;
    case LK_GGUF_U64:
      *out = (gint64) raw;
      return raw <= G_MAXINT64;
    default:
      return FALSE;
    }
}

static gboolean
load_double (LkGgufType type, const guint8 *p, double *out)
{
  gint64 integer;

  if (type == LK_GGUF_F32)
    {
      float f;

      memcpy (&f, p, sizeof f);
      *out = f;
    }
  else if (type == LK_GGUF_F64)
    memcpy (out, p, sizeof *out);
  else if (load_int (type, p, &integer))
    *out = (double) integer;
  else
    return FALSE;
  return TRUE;
}

gboolean
lk_gguf_get_int (LkGguf *self, const char *key, gint64 *out, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);
  gint64 value;

  if (!entry)
    return TRUE;
  if (!load_int (entry->type, entry->value, &value))
    return wrong_type (self, entry, "an integer below 2^63", error);
  *out = value;
  return TRUE;
}

gboolean
lk_gguf_get_double (LkGguf *self, const char *key, double *out, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);
  double value;

  if (!entry)
    return TRUE;
  if (!load_double (entry->type, entry->value, &value))
    return wrong_type (self, entry, "a number", error);
  if (!isfinite (value))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: metadata key “%s” is not a finite number.", self->path,
                   entry->key);
      return FALSE;
    }
  *out = value;
  return TRUE;
}

gboolean
lk_gguf_get_boolean (LkGguf *self, const char *key, gboolean *out, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);

  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_BOOL)
    return wrong_type (self, entry, "a boolean", error);
  *out = entry->value[0] != 0;
  return TRUE;
}

gboolean
lk_gguf_get_string (LkGguf *self, const char *key, const char **out, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);

  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_STRING)
    return wrong_type (self, entry, "a string", error);
  if (!entry->string)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: metadata key “%s” is not UTF-8 text.", self->path,
                   entry->key);
      return FALSE;
    }
  *out = entry->string;
  return TRUE;
}

gboolean
lk_gguf_get_strings (LkGguf *self, const char *key, char ***out, guint *n, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);
  g_auto (GStrv) strings = NULL;
  const guint8 *p;

  *out = NULL;
  *n = 0;
  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_ARRAY || entry->element != LK_GGUF_STRING)
    return wrong_type (self, entry, "an array of strings", error);
  strings = g_new0 (char *, entry->count + 1);
  p = entry->value;
  for (guint64 i = 0; i < entry->count; i++)
    {
      gsize size = lk_gguf_load (p, 8); /* checked when the file was opened */

      p += 8;
      if (memchr (p, 0, size) || !g_utf8_validate ((const char *) p, (gssize) size, NULL))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                       "“%s”: string %" G_GUINT64_FORMAT " of metadata key “%s” is not UTF-8 text.", self->path, i,
                       entry->key);
          return FALSE;
        }
      strings[i] = g_strndup ((const char *) p, size);
      p += size;
    }
  *n = (guint) entry->count;
  *out = g_steal_pointer (&strings);
  return TRUE;
}

gboolean
lk_gguf_get_ints (LkGguf *self, const char *key, gint64 **out, guint *n, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);
  g_autofree gint64 *values = NULL;

  *out = NULL;
  *n = 0;
  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_ARRAY || entry->element == LK_GGUF_STRING)
    return wrong_type (self, entry, "an array of integers", error);
  values = g_new (gint64, entry->count + 1);
  for (guint64 i = 0; i < entry->count; i++)
    if (!load_int (entry->element, entry->value + i * lk_gguf_type_sizes[entry->element], &values[i]))
      return wrong_type (self, entry, "an array of integers below 2^63", error);
  *n = (guint) entry->count;
  *out = g_steal_pointer (&values);
  return TRUE;
}

gboolean
lk_gguf_get_doubles (LkGguf *self, const char *key, double **out, guint *n, GError **error)
{
  const LkGgufEntry *entry = lk_gguf_find (self, key);
  g_autofree double *values = NULL;

  *out = NULL;
  *n = 0;
  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_ARRAY || entry->element == LK_GGUF_STRING)
    return wrong_type (self, entry, "an array of numbers", error);
  values = g_new (double, entry->count + 1);
  for (guint64 i = 0; i < entry->count; i++)
    if (!load_double (entry->element, entry->value + i * lk_gguf_type_sizes[entry->element], &values[i]))
      return wrong_type (self, entry, "an array of numbers", error);
  *n = (guint) entry->count;
  *out = g_steal_pointer (&values);
  return TRUE;
}
