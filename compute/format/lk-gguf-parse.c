/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One GGUF file's header. Nothing is allocated for a count before the bytes it needs at least are known to be there.
 */
#include <string.h>

#include "lk-error.h"
#include "lk-format-private.h"
#include "lk-gguf-private.h"
#include "lk-quant.h"
#include "lk-size.h"

/* The fewest bytes an entry can have: key length, a key of one byte, type, value of one byte. */
#define MIN_ENTRY_BYTES (8 + 1 + 4 + 1)
/* Name length, a name of one byte, number of dimensions, one dimension, type, offset. */
#define MIN_TENSOR_BYTES (8 + 1 + 4 + 8 + 4 + 8)

const guint8 lk_gguf_type_sizes[LK_GGUF_N_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
const char *const lk_gguf_type_names[LK_GGUF_N_TYPES] = {
  "an 8-bit unsigned integer", "an 8-bit integer", "a 16-bit unsigned integer", "a 16-bit integer",
  "a 32-bit unsigned integer", "a 32-bit integer", "a 32-bit float", "a boolean", "a string", "an array",
  "a 64-bit unsigned integer", "a 64-bit integer", "a 64-bit float",
};

typedef struct
{
  const guint8 *data;
  guint64 size;
  guint64 at;
  const char *path;
  char *where; /* the entry at hand, for messages */
} Cursor;

guint64
lk_gguf_load (const guint8 *p, guint size)
{
  guint64 v = 0;

  for (guint i = 0; i < size; i++)
    v |= (guint64) p[i] << 8 * i;
  return v;
}

static gboolean fail (Cursor *c, GError **error, LkError code, const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
fail (Cursor *c, GError **error, LkError code, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LK_ERROR, code, "“%s”, %s at byte %" G_GUINT64_FORMAT ": %s.", c->path, c->where, c->at, what);
  return FALSE;
}

static void
set_where (Cursor *c, char *where)
{
  g_free (c->where);
  c->where = where;
}

static gboolean
take (Cursor *c, guint size, guint64 *out, const char *what, GError **error)
{
  *out = 0;
  if (!lk_size_inside (c->at, size, c->size))
    return fail (c, error, LK_ERROR_BAD_FILE, "the file ends inside the %s", what);
  *out = lk_gguf_load (c->data + c->at, size);
  c->at += size;
  return TRUE;
}

/* The bytes stay in the file. */
static gboolean
take_string (Cursor *c, guint64 limit, const char **text, gsize *size, const char *what, GError **error)
{
  guint64 n;

  if (!take (c, 8, &n, what, error))
    return FALSE;
  if (n > limit)
    return fail (c, error, LK_ERROR_BAD_FILE, "the %s is %" G_GUINT64_FORMAT " bytes long, more than the %"
                 G_GUINT64_FORMAT " allowed", what, n, limit);
  if (!lk_size_inside (c->at, n, c->size))
    return fail (c, error, LK_ERROR_BAD_FILE, "the %s of %" G_GUINT64_FORMAT " bytes goes beyond the end of the file",
                 what, n);
  *text = (const char *) c->data + c->at;
  *size = n;
  c->at += n;
  return TRUE;
}

static gboolean
take_key (Cursor *c, char **key, GError **error)
{
  const char *text;
  gsize size;

  if (!take_string (c, LK_GGUF_MAX_KEY_BYTES, &text, &size, "name", error))
    return FALSE;
  if (size == 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "the name is empty");
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isgraph (text[i]))
      return fail (c, error, LK_ERROR_BAD_FILE, "the name has a byte that is no printable ASCII character");
  *key = g_strndup (text, size);
  return TRUE;
}

static gboolean
take_array (Cursor *c, LkGgufEntry *entry, GError **error)
{
  guint64 element, bytes;
  const char *text;
  gsize size;

  if (!take (c, 4, &element, "element type", error) || !take (c, 8, &entry->count, "element count", error))
    return FALSE;
  if (element == LK_GGUF_ARRAY)
    return fail (c, error, LK_ERROR_UNSUPPORTED, "arrays of arrays are not supported");
  if (element >= LK_GGUF_N_TYPES)
    return fail (c, error, LK_ERROR_BAD_FILE, "unknown element type %" G_GUINT64_FORMAT, element);
  if (entry->count > LK_GGUF_MAX_ARRAY)
    return fail (c, error, LK_ERROR_BAD_FILE, "the array has %" G_GUINT64_FORMAT " elements, more than the %u allowed",
                 entry->count, LK_GGUF_MAX_ARRAY);
  entry->element = (LkGgufType) element;
  entry->value = c->data + c->at;
  if (element != LK_GGUF_STRING)
    {
      if (!lk_size_mul (entry->count, lk_gguf_type_sizes[element], &bytes)
          || !lk_size_inside (c->at, bytes, c->size))
        return fail (c, error, LK_ERROR_BAD_FILE, "the array goes beyond the end of the file");
      c->at += bytes;
      return TRUE;
    }
  for (guint64 i = 0; i < entry->count; i++)
    if (!take_string (c, LK_GGUF_MAX_STRING_BYTES, &text, &size, "array's string", error))
      return FALSE;
  return TRUE;
}

static gboolean
take_value (Cursor *c, LkGgufEntry *entry, GError **error)
{
  guint64 type, ignored;
  const guint8 *start;

  if (!take (c, 4, &type, "type", error))
    return FALSE;
  if (type >= LK_GGUF_N_TYPES)
    return fail (c, error, LK_ERROR_BAD_FILE, "unknown type %" G_GUINT64_FORMAT, type);
  entry->type = (LkGgufType) type;
  entry->value = start = c->data + c->at;
  if (type == LK_GGUF_ARRAY)
    {
      if (!take_array (c, entry, error))
        return FALSE;
    }
  else if (type == LK_GGUF_STRING)
    {
      const char *text;
      gsize size;

      if (!take_string (c, LK_GGUF_MAX_STRING_BYTES, &text, &size, "string", error))
        return FALSE;
      if (memchr (text, 0, size) == NULL && g_utf8_validate (text, (gssize) size, NULL))
        entry->string = g_strndup (text, size);
    }
  else if (!take (c, lk_gguf_type_sizes[type], &ignored, "value", error))
    return FALSE;
  if (type == LK_GGUF_BOOL && *start > 1)
    return fail (c, error, LK_ERROR_BAD_FILE, "the boolean is %u", *start);
  entry->size = (gsize) (c->data + c->at - entry->value);
  return TRUE;
}

static void
entry_free (gpointer data)
{
  LkGgufEntry *entry = data;

  g_free (entry->key);
  g_free (entry->string);
  g_free (entry);
}

static gboolean
parse_entry (Cursor *c, LkGgufPart *part, guint64 index, GError **error)
{
  LkGgufEntry *entry = g_new0 (LkGgufEntry, 1);
  g_autofree char *shown = NULL;

  g_ptr_array_add (part->entries, entry);
  set_where (c, g_strdup_printf ("metadata key %" G_GUINT64_FORMAT, index));
  if (!take_key (c, &entry->key, error))
    return FALSE;
  shown = lk_format_show (entry->key, -1);
  set_where (c, g_strdup_printf ("metadata key “%s”", shown));
  if (!g_hash_table_insert (part->by_key, entry->key, entry))
    return fail (c, error, LK_ERROR_BAD_FILE, "the key is there twice");
  return take_value (c, entry, error);
}

static gboolean
take_shape (Cursor *c, LkTensorInfo *tensor, GError **error)
{
  guint64 n_dims;

  if (!take (c, 4, &n_dims, "number of dimensions", error))
    return FALSE;
  if (n_dims < 1 || n_dims > LK_MAX_DIMS)
    return fail (c, error, LK_ERROR_BAD_FILE, "%" G_GUINT64_FORMAT " dimensions; 1 to %d are possible", n_dims,
                 LK_MAX_DIMS);
  tensor->n_dims = (guint) n_dims;
  for (guint i = 0; i < n_dims; i++)
    {
      /* the file's first dimension is the contiguous one */
      guint64 *dimension = &tensor->shape[n_dims - 1 - i];

      if (!take (c, 8, dimension, "dimensions", error))
        return FALSE;
      if (*dimension == 0)
        return fail (c, error, LK_ERROR_BAD_FILE, "dimension %u is zero", i);
    }
  return TRUE;
}

/* Names of types that exist and that we do not read, by id. */
static const char *
foreign_type_name (guint64 id)
{
  static const struct { guint id; const char *name; } names[] = {
    { 4, "Q4_2" }, { 5, "Q4_3" }, { 9, "Q8_1" }, { 15, "Q8_K" }, { 16, "IQ2_XXS" }, { 17, "IQ2_XS" },
    { 18, "IQ3_XXS" }, { 19, "IQ1_S" }, { 21, "IQ3_S" }, { 22, "IQ2_S" }, { 29, "IQ1_M" }, { 31, "Q4_0_4_4" },
    { 32, "Q4_0_4_8" }, { 33, "Q4_0_8_8" }, { 36, "IQ4_NL_4_4" }, { 37, "IQ4_NL_4_8" }, { 38, "IQ4_NL_8_8" }, { 40, "NVFP4" }, { 41, "Q1_0" }, { 42, "Q2_0" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].id == id)
      return names[i].name;
  return NULL;
}

static gboolean
take_type (Cursor *c, LkTensorInfo *tensor, GError **error)
{
  const LkTypeInfo *info;
  guint64 id, bytes;

  if (!take (c, 4, &id, "type", error))
    return FALSE;
  info = id < LK_TYPE_NOT_GGUF ? lk_type_info ((LkType) id) : NULL;
  if (!info && foreign_type_name (id))
    {
      g_autofree char *known = lk_quant_list_types ();

      return fail (c, error, LK_ERROR_UNSUPPORTED, "tensors of type %s are not supported; those of types %s are",
                   foreign_type_name (id), known);
    }
  if (!info)
    return fail (c, error, LK_ERROR_BAD_FILE, "unknown tensor type %" G_GUINT64_FORMAT, id);
  tensor->type = info->type;
  if (tensor->shape[tensor->n_dims - 1] % info->block_elements != 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "rows of %" G_GUINT64_FORMAT " elements are not whole blocks of %u (%s)",
                 tensor->shape[tensor->n_dims - 1], info->block_elements, info->name);
  if (!lk_format_tensor_bytes (info->type, tensor->shape, tensor->n_dims, &bytes) || bytes > G_MAXSSIZE)
    return fail (c, error, LK_ERROR_BAD_FILE, "the product of the dimensions is too large");
  tensor->size = (gsize) bytes;
  return TRUE;
}

static gboolean
parse_tensor (Cursor *c, LkGgufPart *part, GHashTable *names, guint64 index, GError **error)
{
  LkTensorInfo tensor = { 0 };
  const char *text;
  gsize size;
  g_autofree char *shown = NULL;

  set_where (c, g_strdup_printf ("tensor %" G_GUINT64_FORMAT, index));
  if (!take_string (c, LK_GGUF_MAX_NAME_BYTES, &text, &size, "name", error))
    return FALSE;
  if (size == 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "the name is empty");
  if (memchr (text, 0, size) || !g_utf8_validate (text, (gssize) size, NULL))
    return fail (c, error, LK_ERROR_BAD_FILE, "the name is not UTF-8 text");
  shown = lk_format_show (text, (gssize) size);
  set_where (c, g_strdup_printf ("tensor “%s”", shown));
  tensor.name = g_strndup (text, size);
  g_array_append_val (part->tensors, tensor);
  if (!g_hash_table_add (names, (gpointer) tensor.name))
    return fail (c, error, LK_ERROR_BAD_FILE, "the tensor is there twice");
  if (!take_shape (c, &tensor, error) || !take_type (c, &tensor, error)
      || !take (c, 8, &tensor.offset, "offset", error))
    return FALSE;
  g_array_index (part->tensors, LkTensorInfo, index) = tensor;
  return TRUE;
}

static gboolean
take_alignment (Cursor *c, LkGgufPart *part, guint64 *alignment, GError **error)
{
  const LkGgufEntry *entry = g_hash_table_lookup (part->by_key, "general.alignment");

  *alignment = LK_GGUF_DEFAULT_ALIGNMENT;
  if (!entry)
    return TRUE;
  set_where (c, g_strdup ("metadata key “general.alignment”"));
  if (entry->type != LK_GGUF_U32)
    return fail (c, error, LK_ERROR_BAD_FILE, "it is %s, not %s", lk_gguf_type_names[entry->type],
                 lk_gguf_type_names[LK_GGUF_U32]);
  *alignment = lk_gguf_load (entry->value, 4);
  if (*alignment == 0 || *alignment > LK_GGUF_MAX_ALIGNMENT || (*alignment & (*alignment - 1)) != 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "%" G_GUINT64_FORMAT " is not a power of two up to %u", *alignment,
                 LK_GGUF_MAX_ALIGNMENT);
  return TRUE;
}

/* Offsets are relative to the data; tensors follow each other in order, each padded to the alignment. */
static gboolean
place_tensors (Cursor *c, LkGgufPart *part, guint64 alignment, GError **error)
{
  guint64 start, expected = 0;

  if (part->tensors->len == 0)
    return TRUE;
  set_where (c, g_strdup ("tensor data"));
  if (!lk_size_align (c->at, alignment, &start) || start > c->size)
    return fail (c, error, LK_ERROR_BAD_FILE, "the file ends before its data");
  for (guint i = 0; i < part->tensors->len; i++)
    {
      LkTensorInfo *tensor = &g_array_index (part->tensors, LkTensorInfo, i);
      g_autofree char *shown = lk_format_show (tensor->name, -1);

      if (tensor->offset != expected)
        return fail (c, error, LK_ERROR_BAD_FILE, "tensor “%s” begins at offset %" G_GUINT64_FORMAT
                     " of the data and not at %" G_GUINT64_FORMAT, shown, tensor->offset, expected);
      if (!lk_size_inside (expected, tensor->size, c->size - start))
        return fail (c, error, LK_ERROR_BAD_FILE, "tensor “%s” of %" G_GSIZE_FORMAT
                     " bytes goes beyond the end of the file", shown, tensor->size);
      tensor->offset = start + expected;
      tensor->data = c->data + tensor->offset;
      if (!lk_size_add (expected, tensor->size, &expected) || !lk_size_align (expected, alignment, &expected))
        return fail (c, error, LK_ERROR_BAD_FILE, "the sizes of the tensors add up to too much");
    }
  return TRUE;
}

static gboolean
parse_counts (Cursor *c, guint64 *n_tensors, guint64 *n_keys, GError **error)
{
  guint64 version;

  if (c->size < 4 || memcmp (c->data, "GGUF", 4) != 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "this is not a GGUF file");
  c->at = 4;
  if (!take (c, 4, &version, "version", error))
    return FALSE;
  if ((version & 0xffff) == 0 && version != 0)
    return fail (c, error, LK_ERROR_UNSUPPORTED, "big-endian GGUF files are not supported");
  if (version == 0)
    return fail (c, error, LK_ERROR_BAD_FILE, "the version is 0");
  if (version != 2 && version != 3)
    return fail (c, error, LK_ERROR_UNSUPPORTED, "GGUF version %" G_GUINT64_FORMAT " is not supported, only 2 and 3",
                 version);
  if (!take (c, 8, n_tensors, "number of tensors", error) || !take (c, 8, n_keys, "number of keys", error))
    return FALSE;
  if (*n_tensors > LK_GGUF_MAX_TENSORS || *n_keys > LK_GGUF_MAX_KEYS)
    return fail (c, error, LK_ERROR_BAD_FILE, "%" G_GUINT64_FORMAT " tensors and %" G_GUINT64_FORMAT
                 " metadata keys are more than the %u and %u allowed", *n_tensors, *n_keys, LK_GGUF_MAX_TENSORS,
                 LK_GGUF_MAX_KEYS);
  if (*n_tensors * MIN_TENSOR_BYTES + *n_keys * MIN_ENTRY_BYTES > c->size - c->at)
    return fail (c, error, LK_ERROR_BAD_FILE, "%" G_GUINT64_FORMAT " tensors and %" G_GUINT64_FORMAT
                 " metadata keys do not fit into the file", *n_tensors, *n_keys);
  return TRUE;
}

static gboolean
parse (Cursor *c, LkGgufPart *part, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 n_tensors, n_keys, alignment;

  if (!parse_counts (c, &n_tensors, &n_keys, error))
    return FALSE;
  for (guint64 i = 0; i < n_keys; i++)
    if (!parse_entry (c, part, i, error))
      return FALSE;
  for (guint64 i = 0; i < n_tensors; i++)
    if (!parse_tensor (c, part, names, i, error))
      return FALSE;
  return take_alignment (c, part, &alignment, error) && place_tensors (c, part, alignment, error);
}

static void
clear_tensor (gpointer data)
{
  LkTensorInfo *tensor = data;

  g_free ((char *) tensor->name);
}

LkGgufPart *
lk_gguf_part_parse (GBytes *bytes, const char *path, GError **error)
{
  g_autoptr (LkGgufPart) part = g_new0 (LkGgufPart, 1);
  Cursor c = { .path = path, .where = g_strdup ("header") };
  gsize size;
  gboolean ok;

  part->path = g_strdup (path);
  part->entries = g_ptr_array_new_with_free_func (entry_free);
  part->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  part->tensors = g_array_new (FALSE, TRUE, sizeof (LkTensorInfo));
  g_array_set_clear_func (part->tensors, clear_tensor);
  c.data = g_bytes_get_data (bytes, &size);
  c.size = size;
  ok = parse (&c, part, error);
  g_free (c.where);
  return ok ? g_steal_pointer (&part) : NULL;
}

void
lk_gguf_part_free (LkGgufPart *part)
{
  g_clear_pointer (&part->by_key, g_hash_table_unref);
  g_clear_pointer (&part->entries, g_ptr_array_unref);
  g_clear_pointer (&part->tensors, g_array_unref);
  g_free (part->path);
  g_free (part);
}
