/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-format-private.h"
#include "lk-safetensors-private.h"
#include "lk-size.h"

typedef struct
{
  char *name;
  const LkSafetensorsType *type;
  guint n_dims;
  guint64 shape[LK_MAX_DIMS];
  guint64 size;
} Tensor;

struct _LkSafetensorsWriter
{
  LkFileWriter *file;
  char *path;
  GPtrArray *metadata; /* key, value, key, value … */
  GArray *tensors;
  GHashTable *names;   /* borrowed */
  guint current;       /* tensor whose data comes next */
  guint64 written;     /* bytes of it already there */
  gboolean begun;
  GError *error;       /* the first thing wrong with what was added; reported when data begins */
};

static void
tensor_clear (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->name);
}

LkSafetensorsWriter *
lk_safetensors_writer_new (const char *path, GError **error)
{
  LkFileWriter *file = lk_file_writer_new (path, error);
  LkSafetensorsWriter *self;

  if (!file)
    return NULL;
  self = g_new0 (LkSafetensorsWriter, 1);
  self->file = file;
  self->path = g_strdup (path);
  self->metadata = g_ptr_array_new_with_free_func (g_free);
  self->tensors = g_array_new (FALSE, TRUE, sizeof (Tensor));
  g_array_set_clear_func (self->tensors, tensor_clear);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  lk_safetensors_writer_set_metadata (self, "format", "pt");
  return self;
}

static void note (LkSafetensorsWriter *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (LkSafetensorsWriter *self, const char *format, ...)
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

void
lk_safetensors_writer_set_metadata (LkSafetensorsWriter *self, const char *key, const char *value)
{
  for (guint i = 0; i < self->metadata->len; i += 2)
    if (g_str_equal (g_ptr_array_index (self->metadata, i), key))
      {
        g_free (g_ptr_array_index (self->metadata, i + 1));
        g_ptr_array_index (self->metadata, i + 1) = g_strdup (value);
        return;
      }
  g_ptr_array_add (self->metadata, g_strdup (key));
  g_ptr_array_add (self->metadata, g_strdup (value));
}

void
lk_safetensors_writer_add_tensor (LkSafetensorsWriter *self, const char *name, LkType type, const guint64 *shape,
                                  guint n_dims)
{
  Tensor tensor = { .type = lk_safetensors_type_from_type (type), .n_dims = n_dims };

  if (self->begun)
    note (self, "tensor “%s” was added after the data began", name);
  if (!tensor.type)
    note (self, "safetensors files cannot hold the type %s of tensor “%s”", lk_type_name (type), name);
  if (name[0] == '\0' || g_str_equal (name, "__metadata__") || !g_utf8_validate (name, -1, NULL))
    note (self, "a tensor's name is empty, “__metadata__” or not UTF-8 text");
  if (n_dims > LK_MAX_DIMS)
    note (self, "tensor “%s” has %u dimensions; up to %d are possible", name, n_dims, LK_MAX_DIMS);
  if (self->error)
    return;
  if (n_dims > 0)
    memcpy (tensor.shape, shape, n_dims * sizeof *shape);
  if (!lk_format_tensor_bytes (type, shape, n_dims, &tensor.size))
    note (self, "the shape of tensor “%s” is too large", name);
  tensor.name = g_strdup (name);
  g_array_append_val (self->tensors, tensor);
  if (!g_hash_table_add (self->names, tensor.name))
    note (self, "tensor “%s” was added twice", name);
}

static void
append_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *p = text; *p; p++)
    if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else if ((guchar) *p < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint) *p);
    else
      g_string_append_c (out, *p);
  g_string_append_c (out, '"');
}

static GString *
make_header (LkSafetensorsWriter *self)
{
  GString *out = g_string_new ("{\"__metadata__\":{");
  guint64 offset = 0;

  for (guint i = 0; i < self->metadata->len; i += 2)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      append_string (out, g_ptr_array_index (self->metadata, i));
      g_string_append_c (out, ':');
      append_string (out, g_ptr_array_index (self->metadata, i + 1));
    }
  g_string_append_c (out, '}');
  for (guint i = 0; i < self->tensors->len; i++)
    {
      const Tensor *tensor = &g_array_index (self->tensors, Tensor, i);
      guint64 end = offset;

      if (!lk_size_add (offset, tensor->size, &end) || end > G_MAXINT64)
        note (self, "the tensors add up to too much");
      g_string_append_c (out, ',');
      append_string (out, tensor->name);
      g_string_append_printf (out, ":{\"dtype\":\"%s\",\"shape\":[", tensor->type->name);
      for (guint k = 0; k < tensor->n_dims; k++)
        g_string_append_printf (out, "%s%" G_GUINT64_FORMAT, k > 0 ? "," : "", tensor->shape[k]);
      g_string_append_printf (out, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}", offset, end);
      offset = end;
    }
  g_string_append_c (out, '}');
  while (out->len % 8 != 0)
    g_string_append_c (out, ' ');
  return out;
}

/* Tensors without elements have no data to wait for. */
static void
skip_empty (LkSafetensorsWriter *self)
{
  while (self->current < self->tensors->len && g_array_index (self->tensors, Tensor, self->current).size == 0)
    self->current++;
}

gboolean
lk_safetensors_writer_begin_data (LkSafetensorsWriter *self, GError **error)
{
  g_autoptr (GString) header = NULL;
  guint8 length[8];

  g_return_val_if_fail (!self->begun, FALSE);
  if (!self->error)
    header = make_header (self);
  if (!self->error && (header->len > LK_SAFETENSORS_MAX_HEADER || self->tensors->len > LK_SAFETENSORS_MAX_TENSORS))
    note (self, "there are too many tensors");
  if (self->error)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  self->begun = TRUE;
  skip_empty (self);
  for (guint i = 0; i < 8; i++)
    length[i] = (guint8) ((guint64) header->len >> 8 * i);
  return lk_file_writer_write (self->file, length, 8, error)
         && lk_file_writer_write (self->file, header->str, header->len, error);
}

gboolean
lk_safetensors_writer_write (LkSafetensorsWriter *self, const void *data, gsize size, GError **error)
{
  const Tensor *tensor;

  g_return_val_if_fail (self->begun, FALSE);
  if (size == 0)
    return TRUE;
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
  if (self->written == tensor->size)
    {
      self->written = 0;
      self->current++;
      skip_empty (self);
    }
  return TRUE;
}

gboolean
lk_safetensors_writer_finish (LkSafetensorsWriter *self, GError **error)
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
lk_safetensors_writer_free (LkSafetensorsWriter *self)
{
  if (!self)
    return;
  lk_file_writer_free (self->file);
  g_ptr_array_unref (self->metadata);
  g_hash_table_unref (self->names);
  g_array_unref (self->tensors);
  g_clear_error (&self->error);
  g_free (self->path);
  g_free (self);
}
