/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-format-private.h"
#include "lk-gguf-private.h"
#include "lk-size.h"

#define VERSION 3
#define NO_TENSOR_NAME_ABOVE 63 /* bytes llama.cpp can hold */

typedef struct
{
  char *key;
  GByteArray *value; /* type and value, as in the file */
} Entry;

typedef struct
{
  char *name;
  LkType type;
  guint n_dims;
  guint64 shape[LK_MAX_DIMS];
  guint64 size;
  guint64 offset; /* in the data */
} Tensor;

struct _LkGgufWriter
{
  LkFileWriter *file;
  char *path;
  GPtrArray *entries;
  GHashTable *by_key; /* borrowed key → Entry */
  GArray *tensors;
  GHashTable *names;  /* borrowed */
  guint current;      /* tensor whose data comes next */
  guint64 written;    /* bytes of it already there */
  gboolean begun;
  GError *error;      /* the first thing wrong with what was set or added; reported when data begins */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->key);
  g_byte_array_unref (entry->value);
  g_free (entry);
}

static void
tensor_clear (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->name);
}

LkGgufWriter *
lk_gguf_writer_new (const char *path, GError **error)
{
  LkFileWriter *file = lk_file_writer_new (path, error);
  LkGgufWriter *self;

  if (!file)
    return NULL;
  self = g_new0 (LkGgufWriter, 1);
  self->file = file;
  self->path = g_strdup (path);
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  self->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  self->tensors = g_array_new (FALSE, TRUE, sizeof (Tensor));
  g_array_set_clear_func (self->tensors, tensor_clear);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static void note (LkGgufWriter *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (LkGgufWriter *self, const char *format, ...)
{
  va_list arguments;
  g_autofree char *what = NULL;

  if (self->error)
    return;
  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->error = g_error_new (LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” cannot be written: %s.", self->path, what);
}

static void
append (GByteArray *bytes, guint64 value, guint size)
{
  guint8 raw[8];

  for (guint i = 0; i < size; i++)
    raw[i] = (guint8) (value >> 8 * i);
  g_byte_array_append (bytes, raw, size);
}

static void
append_string (LkGgufWriter *self, GByteArray *bytes, const char *text)
{
  gsize size = strlen (text);

  if (size > LK_GGUF_MAX_STRING_BYTES)
    {
      note (self, "a string of %" G_GSIZE_FORMAT " bytes is too long", size);
      return;
    }
  append (bytes, size, 8);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) size);
}

static void
append_float (GByteArray *bytes, float value)
{
  guint32 raw;

  memcpy (&raw, &value, sizeof raw);
  append (bytes, raw, 4);
}

/* The value's bytes to append to; setting a key again replaces it in its place. */
static GByteArray *
value_of (LkGgufWriter *self, const char *key, LkGgufType type)
{
  Entry *entry = g_hash_table_lookup (self->by_key, key);

  if (self->begun)
    note (self, "key “%s” was set after the data began", key);
  if (strlen (key) == 0 || strlen (key) > LK_GGUF_MAX_KEY_BYTES)
    note (self, "a key of %" G_GSIZE_FORMAT " bytes is not possible", strlen (key));
  if (!entry)
    {
      entry = g_new0 (Entry, 1);
      entry->key = g_strdup (key);
      entry->value = g_byte_array_new ();
      g_ptr_array_add (self->entries, entry);
      g_hash_table_insert (self->by_key, entry->key, entry);
    }
  g_byte_array_set_size (entry->value, 0);
  append (entry->value, type, 4);
  return entry->value;
}

static GByteArray *
array_of (LkGgufWriter *self, const char *key, LkGgufType element, guint n)
{
  GByteArray *bytes = value_of (self, key, LK_GGUF_ARRAY);

  if (n > LK_GGUF_MAX_ARRAY)
    note (self, "key “%s” has %u elements, more than %u", key, n, LK_GGUF_MAX_ARRAY);
  append (bytes, element, 4);
  append (bytes, n, 8);
  return bytes;
}

static gboolean
integer_fits (LkGgufType type, gint64 value)
{
  static const struct { gint64 least, most; } ranges[LK_GGUF_N_TYPES] = {
    [LK_GGUF_U8] = { 0, G_MAXUINT8 },   [LK_GGUF_I8] = { G_MININT8, G_MAXINT8 },
    [LK_GGUF_U16] = { 0, G_MAXUINT16 }, [LK_GGUF_I16] = { G_MININT16, G_MAXINT16 },
    [LK_GGUF_U32] = { 0, G_MAXUINT32 }, [LK_GGUF_I32] = { G_MININT32, G_MAXINT32 },
    [LK_GGUF_U64] = { 0, G_MAXINT64 },  [LK_GGUF_I64] = { G_MININT64, G_MAXINT64 },
  };

  return (guint) type < LK_GGUF_N_TYPES && ranges[type].most > 0 && value >= ranges[type].least
         && value <= ranges[type].most;
}

void
lk_gguf_writer_set_int (LkGgufWriter *self, const char *key, LkGgufType type, gint64 value)
{
  GByteArray *bytes = value_of (self, key, type);

  if (!integer_fits (type, value))
    note (self, "%" G_GINT64_FORMAT " does not fit key “%s”", value, key);
  else
    append (bytes, (guint64) value, lk_gguf_type_sizes[type]);
}

void
lk_gguf_writer_set_float (LkGgufWriter *self, const char *key, double value)
{
  append_float (value_of (self, key, LK_GGUF_F32), (float) value);
}

void
lk_gguf_writer_set_boolean (LkGgufWriter *self, const char *key, gboolean value)
{
  append (value_of (self, key, LK_GGUF_BOOL), value ? 1 : 0, 1);
}

void
lk_gguf_writer_set_string (LkGgufWriter *self, const char *key, const char *value)
{
  append_string (self, value_of (self, key, LK_GGUF_STRING), value);
}

void
lk_gguf_writer_set_strings (LkGgufWriter *self, const char *key, const char *const *values, guint n)
{
  GByteArray *bytes = array_of (self, key, LK_GGUF_STRING, n);

  for (guint i = 0; i < n; i++)
    append_string (self, bytes, values[i]);
}

void
lk_gguf_writer_set_ints (LkGgufWriter *self, const char *key, LkGgufType element, const gint64 *values, guint n)
{
  GByteArray *bytes = array_of (self, key, element, n);

  for (guint i = 0; i < n; i++)
    if (integer_fits (element, values[i]))
      append (bytes, (guint64) values[i], lk_gguf_type_sizes[element]);
    else
      note (self, "%" G_GINT64_FORMAT " does not fit the elements of key “%s”", values[i], key);
}

void
lk_gguf_writer_set_floats (LkGgufWriter *self, const char *key, const float *values, guint n)
{
  GByteArray *bytes = array_of (self, key, LK_GGUF_F32, n);

  for (guint i = 0; i < n; i++)
    append_float (bytes, values[i]);
}

void
lk_gguf_writer_copy_key (LkGgufWriter *self, LkGguf *from, const char *key)
{
  const LkGgufEntry *entry = lk_gguf_find (from, key);
  GByteArray *bytes;

  if (!entry || g_str_equal (key, "general.alignment") || g_str_has_prefix (key, "split."))
    return;
  if (entry->size > G_MAXINT32)
    {
      note (self, "key “%s” of the model it is made from has %" G_GSIZE_FORMAT " bytes", key, entry->size);
      return;
    }
  bytes = value_of (self, key, entry->type);
  if (entry->type == LK_GGUF_ARRAY)
    {
      /* the entry's value begins after type and count, and its size includes neither */
      append (bytes, entry->element, 4);
      append (bytes, entry->count, 8);
    }
  g_byte_array_append (bytes, entry->value, (guint) entry->size);
}

void
lk_gguf_writer_add_tensor (LkGgufWriter *self, const char *name, LkType type, const guint64 *shape, guint n_dims)
{
  Tensor tensor = { .type = type, .n_dims = n_dims };
  gboolean empty = FALSE;

  if (self->begun)
    note (self, "tensor “%s” was added after the data began", name);
  if (strlen (name) == 0 || strlen (name) > NO_TENSOR_NAME_ABOVE)
    note (self, "the tensor name “%s” is not 1 to %d bytes long", name, NO_TENSOR_NAME_ABOVE);
  if (n_dims < 1 || n_dims > LK_MAX_DIMS)
    {
      note (self, "tensor “%s” has %u dimensions; 1 to %d are possible", name, n_dims, LK_MAX_DIMS);
      return;
    }
  memcpy (tensor.shape, shape, n_dims * sizeof *shape);
  for (guint i = 0; i < n_dims; i++)
    empty |= shape[i] == 0;
  if (empty || !lk_format_tensor_bytes (type, shape, n_dims, &tensor.size))
    note (self, "the shape of tensor “%s” does not suit the type %s", name, lk_type_name (type));
  tensor.name = g_strdup (name);
  g_array_append_val (self->tensors, tensor);
  if (!g_hash_table_add (self->names, tensor.name))
    note (self, "tensor “%s” was added twice", name);
}

static GByteArray *
make_header (LkGgufWriter *self)
{
  GByteArray *header = g_byte_array_new ();

  g_byte_array_append (header, (const guint8 *) "GGUF", 4);
  append (header, VERSION, 4);
  append (header, self->tensors->len, 8);
  append (header, self->entries->len, 8);
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (self->entries, i);

      append_string (self, header, entry->key);
      g_byte_array_append (header, entry->value->data, entry->value->len);
    }
  for (guint i = 0; i < self->tensors->len; i++)
    {
      Tensor *tensor = &g_array_index (self->tensors, Tensor, i);

      append_string (self, header, tensor->name);
      append (header, tensor->n_dims, 4);
      for (guint k = tensor->n_dims; k > 0; k--)
        append (header, tensor->shape[k - 1], 8);
      append (header, (guint64) tensor->type, 4);
      append (header, tensor->offset, 8);
    }
  return header;
}

gboolean
lk_gguf_writer_begin_data (LkGgufWriter *self, GError **error)
{
  g_autoptr (GByteArray) header = NULL;
  guint64 offset = 0;

  g_return_val_if_fail (!self->begun, FALSE);
  if (self->tensors->len > LK_GGUF_MAX_TENSORS || self->entries->len > LK_GGUF_MAX_KEYS)
    note (self, "%u tensors and %u keys are more than the %u and %u possible", self->tensors->len,
          self->entries->len, LK_GGUF_MAX_TENSORS, LK_GGUF_MAX_KEYS);
  for (guint i = 0; i < self->tensors->len; i++)
    {
      Tensor *tensor = &g_array_index (self->tensors, Tensor, i);

      tensor->offset = offset;
      if (!lk_size_add (offset, tensor->size, &offset)
          || !lk_size_align (offset, LK_GGUF_DEFAULT_ALIGNMENT, &offset) || offset > G_MAXINT64)
        note (self, "the tensors add up to too much");
    }
  if (!self->error)
    header = make_header (self);
  if (self->error)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  self->begun = TRUE;
  return lk_file_writer_write (self->file, header->data, header->len, error)
         && lk_file_writer_pad (self->file, LK_GGUF_DEFAULT_ALIGNMENT, error);
}

gboolean
lk_gguf_writer_write (LkGgufWriter *self, const void *data, gsize size, GError **error)
{
  const Tensor *tensor;

  g_return_val_if_fail (self->begun, FALSE);
  tensor = self->current < self->tensors->len ? &g_array_index (self->tensors, Tensor, self->current) : NULL;
  if (!tensor || size > tensor->size - self->written)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "“%s”: more data than described was written for tensor “%s”.", self->path,
                   tensor ? tensor->name : "after the last");
      return FALSE;
    }
  if (!lk_file_writer_write (self->file, data, size, error))
    return FALSE;
  self->written += size;
  if (self->written < tensor->size)
    return TRUE;
  self->written = 0;
  self->current++;
  return lk_file_writer_pad (self->file, LK_GGUF_DEFAULT_ALIGNMENT, error);
}

gboolean
lk_gguf_writer_finish (LkGgufWriter *self, GError **error)
{
  g_return_val_if_fail (self->begun, FALSE);
  if (self->current < self->tensors->len)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s”: the data of tensor “%s” is not complete.",
                   self->path, g_array_index (self->tensors, Tensor, self->current).name);
      return FALSE;
    }
  return lk_file_writer_finish (self->file, error);
}

void
lk_gguf_writer_free (LkGgufWriter *self)
{
  if (!self)
    return;
  lk_file_writer_free (self->file);
  g_hash_table_unref (self->by_key);
  g_hash_table_unref (self->names);
  g_ptr_array_unref (self->entries);
  g_array_unref (self->tensors);
  g_clear_error (&self->error);
  g_free (self->path);
  g_free (self);
}
