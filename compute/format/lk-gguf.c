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

static gboolean
add_part (LkGguf *self, GBytes *bytes, const char *path, GError **error)
{
  LkGgufPart *part = lk_gguf_part_parse (bytes, path, error);

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

          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: tensor “%s” is already in an earlier part.", path,
                       shown);
          return FALSE;
        }
      g_ptr_array_add (self->tensors, tensor);
    }
  return TRUE;
}

static gboolean
part_int (LkGgufPart *part, const char *key, gint64 *out, GError **error)
{
  const LkGgufEntry *entry = g_hash_table_lookup (part->by_key, key);

  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_U16 && entry->type != LK_GGUF_I32 && entry->type != LK_GGUF_U32)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: key “%s” is %s, not a 16- or 32-bit integer.",
                   part->path, key, lk_gguf_type_names[entry->type]);
      return FALSE;
    }
  *out = (gint64) lk_gguf_load (entry->value, lk_gguf_type_sizes[entry->type]);
  return TRUE;
}

/* Parts are “name-00001-of-0000N.gguf”; the metadata is in the first. */
static gboolean
open_other_parts (LkGguf *self, gint64 count, GError **error)
{
  g_autofree char *suffix = g_strdup_printf ("-00001-of-%05d.gguf", (int) count);
  g_autofree char *stem = NULL;
  gint64 n_tensors = -1;

  if (!g_str_has_suffix (self->path, suffix))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "“%s” is the first of %d parts, but its name does not end in “%s”.", self->path, (int) count, suffix);
      return FALSE;
    }
  stem = g_strndup (self->path, strlen (self->path) - strlen (suffix));
  for (int i = 1; i < count; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s-%05d-of-%05d.gguf", stem, i + 1, (int) count);
      g_autoptr (GBytes) bytes = lk_file_map (path, error);
      gint64 number = -1, parts = -1;

      if (!bytes || !add_part (self, bytes, path, error)
          || !part_int (g_ptr_array_index (self->parts, i), "split.no", &number, error)
          || !part_int (g_ptr_array_index (self->parts, i), "split.count", &parts, error))
        return FALSE;
      if (number != i || parts != count)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s” is not part %d of %d: split.no or split.count differ.",
                       path, i + 1, (int) count);
          return FALSE;
        }
    }
  if (!part_int (first_part (self), "split.tensors.count", &n_tensors, error))
    return FALSE;
  if (n_tensors >= 0 && n_tensors != (gint64) self->tensors->len)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "“%s”: the parts hold %u tensors, split.tensors.count says %" G_GINT64_FORMAT ".", self->path,
                   self->tensors->len, n_tensors);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_split (LkGguf *self, gint64 *count, GError **error)
{
  gint64 number = 0;

  *count = 1;
  if (!part_int (first_part (self), "split.count", count, error)
      || !part_int (first_part (self), "split.no", &number, error))
    return FALSE;
  if (*count < 0 || *count > LK_GGUF_MAX_PARTS)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: split.count is %" G_GINT64_FORMAT ", more than %u parts "
                 "are not possible.", self->path, *count, LK_GGUF_MAX_PARTS);
  else if (*count > 1 && number != 0)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s” is part %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                 "; please open the first.", self->path, number + 1, *count);
  else
    return TRUE;
  return FALSE;
}

LkGguf *
lk_gguf_open (const char *path, GError **error)
{
  g_autoptr (LkGguf) self = gguf_new (path);
  g_autoptr (GBytes) bytes = lk_file_map (path, error);
  gint64 count;

  if (!bytes || !add_part (self, bytes, path, error) || !check_split (self, &count, error))
    return NULL;
  if (count > 1 && !open_other_parts (self, count, error))
    return NULL;
  return g_steal_pointer (&self);
}

LkGguf *
lk_gguf_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (LkGguf) self = gguf_new (name);
  gint64 count;

  if (!add_part (self, bytes, name, error) || !check_split (self, &count, error))
    return NULL;
  if (count > 1)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” has %" G_GINT64_FORMAT
                   " parts, which can only be opened from a folder.", name, count);
      return NULL;
    }
  return g_steal_pointer (&self);
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
