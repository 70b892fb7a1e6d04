/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-error.h"
#include "lk-format-private.h"
#include "lk-safetensors-private.h"
#include "lk-size.h"

#define MAX_NAME_BYTES 4096u

static const LkSafetensorsType types[] = {
  { "F32", LK_TYPE_F32, 32 },          { "F16", LK_TYPE_F16, 16 },          { "BF16", LK_TYPE_BF16, 16 },
  { "F64", LK_TYPE_F64, 64 },          { "I8", LK_TYPE_I8, 8 },             { "I16", LK_TYPE_I16, 16 },
  { "I32", LK_TYPE_I32, 32 },          { "I64", LK_TYPE_I64, 64 },          { "BOOL", LK_TYPE_INVALID, 8 },
  { "U8", LK_TYPE_U8, 8 },        { "U16", LK_TYPE_INVALID, 16 },      { "U32", LK_TYPE_INVALID, 32 },
  { "U64", LK_TYPE_INVALID, 64 },      { "C64", LK_TYPE_INVALID, 64 },      { "F8_E4M3", LK_TYPE_INVALID, 8 },
  { "F8_E5M2", LK_TYPE_INVALID, 8 },   { "F8_E8M0", LK_TYPE_INVALID, 8 },   { "F8_E4M3FNUZ", LK_TYPE_INVALID, 8 },
  { "F8_E5M2FNUZ", LK_TYPE_INVALID, 8 }, { "F6_E2M3", LK_TYPE_INVALID, 6 }, { "F6_E3M2", LK_TYPE_INVALID, 6 },
  { "F4", LK_TYPE_INVALID, 4 },
};

const LkSafetensorsType *
lk_safetensors_type_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (types[i].name, name))
      return &types[i];
  return NULL;
}

const LkSafetensorsType *
lk_safetensors_type_from_type (LkType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == type && type != LK_TYPE_INVALID)
      return &types[i];
  return NULL;
}

typedef struct
{
  const char *text; /* UTF-8, checked; not NUL-terminated */
  gsize size;
  gsize at;
  const char *path;
  char *where;      /* the tensor at hand, for messages */
} Cursor;

static gboolean fail (Cursor *c, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fail (Cursor *c, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”, %s at byte %" G_GSIZE_FORMAT ": %s.", c->path, c->where,
               c->at + 8, what);
  return FALSE;
}

static void
set_where (Cursor *c, const char *name)
{
  g_autofree char *shown = lk_format_show (name, -1);

  g_free (c->where);
  c->where = g_strdup_printf ("tensor “%s”", shown);
}

static void
skip_space (Cursor *c)
{
  while (c->at < c->size && strchr (" \t\r\n", c->text[c->at]) && c->text[c->at])
    c->at++;
}

/* Space, then @character if it is there. */
static gboolean
accept_char (Cursor *c, char character)
{
  skip_space (c);
  if (c->at >= c->size || c->text[c->at] != character)
    return FALSE;
  c->at++;
  return TRUE;
}

static gboolean
expect_char (Cursor *c, char character, GError **error)
{
  return accept_char (c, character) || fail (c, error, "“%c” is missing", character);
}

static gboolean
take_hex (Cursor *c, gunichar *out)
{
  *out = 0;
  for (int i = 0; i < 4; i++)
    {
      int digit = c->at < c->size ? g_ascii_xdigit_value (c->text[c->at]) : -1;

      if (digit < 0)
        return FALSE;
      c->at++;
      *out = *out << 4 | (gunichar) digit;
    }
  return TRUE;
}

static gboolean
take_escape (Cursor *c, GString *out, GError **error)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char escape = c->at < c->size ? c->text[c->at++] : '\0';
  const char *known = escape ? strchr (from, escape) : NULL;
  gunichar high, low;

  if (known)
    {
      g_string_append_c (out, to[known - from]);
      return TRUE;
    }
  if (escape != 'u' || !take_hex (c, &high))
    return fail (c, error, "unknown escape in a string");
  if (high >= 0xd800 && high < 0xdc00)
    {
      if (c->size - c->at < 6 || c->text[c->at] != '\\' || c->text[c->at + 1] != 'u')
        return fail (c, error, "half a surrogate pair in a string");
      c->at += 2;
      if (!take_hex (c, &low) || low < 0xdc00 || low > 0xdfff)
        return fail (c, error, "half a surrogate pair in a string");
      high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  else if (high == 0 || (high >= 0xdc00 && high < 0xe000))
    return fail (c, error, "a string has a character that is not allowed");
  g_string_append_unichar (out, high);
  return TRUE;
}

static char *
take_string (Cursor *c, gsize limit, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!expect_char (c, '"', error))
    return NULL;
  for (;;)
    {
      guchar character = c->at < c->size ? (guchar) c->text[c->at] : 0;

      if (character < 0x20)
        return fail (c, error, "a string does not end"), NULL;
      c->at++;
      if (character == '"')
        return g_string_free (g_steal_pointer (&out), FALSE);
      if (out->len >= limit)
        return fail (c, error, "a string is longer than %" G_GSIZE_FORMAT " bytes", limit), NULL;
      if (character != '\\')
        g_string_append_c (out, (char) character);
      else if (!take_escape (c, out, error))
        return NULL;
    }
}

static gboolean
take_integer (Cursor *c, guint64 *out, GError **error)
{
  guint64 value = 0;
  gsize start;

  skip_space (c);
  start = c->at;
  for (; c->at < c->size && g_ascii_isdigit (c->text[c->at]); c->at++)
    if (!lk_size_mul (value, 10, &value) || !lk_size_add (value, (guint64) (c->text[c->at] - '0'), &value))
      return fail (c, error, "a number is too large");
  if (c->at == start || (c->text[start] == '0' && c->at - start > 1)
      || (c->at < c->size && strchr (".eE", c->text[c->at]) && c->text[c->at]))
    return fail (c, error, "a number is not a whole number of at least 0");
  *out = value;
  return TRUE;
}

/* [n, …] of at most @limit numbers. */
static gboolean
take_integers (Cursor *c, guint64 *values, guint limit, guint *n, GError **error)
{
  *n = 0;
  if (!expect_char (c, '[', error))
    return FALSE;
  if (accept_char (c, ']'))
    return TRUE;
  do
    {
      if (*n == limit)
        return fail (c, error, "more than %u numbers in a list", limit);
      if (!take_integer (c, &values[(*n)++], error))
        return FALSE;
    }
  while (accept_char (c, ','));
  return expect_char (c, ']', error);
}

static gboolean
take_metadata (Cursor *c, LkSafetensorsPart *part, GError **error)
{
  if (part->metadata)
    return fail (c, error, "“__metadata__” is there twice");
  part->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!expect_char (c, '{', error))
    return FALSE;
  if (accept_char (c, '}'))
    return TRUE;
  do
    {
      g_autofree char *key = take_string (c, MAX_NAME_BYTES, error);
      g_autofree char *value = NULL;

      if (!key || !expect_char (c, ':', error))
        return FALSE;
      if (!(value = take_string (c, LK_SAFETENSORS_MAX_HEADER, error)))
        return FALSE;
      if (g_hash_table_contains (part->metadata, key))
        return fail (c, error, "a key of “__metadata__” is there twice");
      g_hash_table_insert (part->metadata, g_steal_pointer (&key), g_steal_pointer (&value));
    }
  while (accept_char (c, ','));
  return expect_char (c, '}', error);
}

typedef struct
{
  char *dtype;
  gboolean has_shape;
  guint64 offsets[2];
  gboolean has_offsets;
} Fields;

static void
fields_clear (Fields *fields)
{
  g_free (fields->dtype);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fields, fields_clear)

static gboolean
take_field (Cursor *c, LkTensorInfo *tensor, Fields *fields, GError **error)
{
  g_autofree char *key = take_string (c, MAX_NAME_BYTES, error);
  guint n;

  if (!key || !expect_char (c, ':', error))
    return FALSE;
  if (g_str_equal (key, "dtype") && !fields->dtype)
    return (fields->dtype = take_string (c, MAX_NAME_BYTES, error)) != NULL;
  if (g_str_equal (key, "shape") && !fields->has_shape)
    {
      fields->has_shape = TRUE;
      return take_integers (c, tensor->shape, LK_MAX_DIMS, &tensor->n_dims, error);
    }
  if (g_str_equal (key, "data_offsets") && !fields->has_offsets)
    {
      fields->has_offsets = TRUE;
      if (!take_integers (c, fields->offsets, 2, &n, error))
        return FALSE;
      return n == 2 || fail (c, error, "“data_offsets” has %u numbers, not 2", n);
    }
  return fail (c, error, "a field is unknown or there twice");
}

static gboolean
check_tensor (Cursor *c, LkTensorInfo *tensor, const Fields *fields, GError **error)
{
  const LkSafetensorsType *type = lk_safetensors_type_from_name (fields->dtype);
  guint64 elements, bits;

  if (!type)
    {
      g_autofree char *shown = lk_format_show (fields->dtype, -1);

      return fail (c, error, "unknown dtype “%s”", shown);
    }
  if (!lk_size_product (tensor->shape, tensor->n_dims, &elements) || !lk_size_mul (elements, type->bits, &bits))
    return fail (c, error, "the product of the dimensions is too large");
  if (bits % 8 != 0)
    return fail (c, error, "the elements do not fill whole bytes");
  if (fields->offsets[1] < fields->offsets[0] || fields->offsets[1] - fields->offsets[0] != bits / 8)
    return fail (c, error, "“data_offsets” spans %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", but the shape needs %"
                 G_GUINT64_FORMAT " bytes", fields->offsets[0], fields->offsets[1], bits / 8);
  tensor->type = type->type;
  tensor->size = bits / 8;
  tensor->offset = fields->offsets[0]; /* in the data, until place_tensors */
  return TRUE;
}

static gboolean
take_tensor (Cursor *c, LkTensorInfo *tensor, GError **error)
{
  g_auto (Fields) fields = { 0 };

  if (!expect_char (c, '{', error))
    return FALSE;
  do
    if (!take_field (c, tensor, &fields, error))
      return FALSE;
  while (accept_char (c, ','));
  if (!expect_char (c, '}', error))
    return FALSE;
  if (!fields.dtype || !fields.has_shape || !fields.has_offsets)
    return fail (c, error, "“dtype”, “shape” or “data_offsets” is missing");
  return check_tensor (c, tensor, &fields, error);
}

static gboolean
take_entry (Cursor *c, LkSafetensorsPart *part, GHashTable *names, GError **error)
{
  g_autofree char *name = take_string (c, MAX_NAME_BYTES, error);
  LkTensorInfo tensor = { 0 };
  guint index = part->tensors->len;

  if (!name || !expect_char (c, ':', error))
    return FALSE;
  if (g_str_equal (name, "__metadata__"))
    return take_metadata (c, part, error);
  if (name[0] == '\0')
    return fail (c, error, "a tensor has no name");
  if (index == LK_SAFETENSORS_MAX_TENSORS)
    return fail (c, error, "more than %u tensors", LK_SAFETENSORS_MAX_TENSORS);
  set_where (c, name);
  tensor.name = g_steal_pointer (&name);
  g_array_append_val (part->tensors, tensor);
  if (!g_hash_table_add (names, (gpointer) tensor.name))
    return fail (c, error, "the tensor is there twice");
  if (!take_tensor (c, &tensor, error))
    return FALSE;
  g_array_index (part->tensors, LkTensorInfo, index) = tensor;
  return TRUE;
}

static gboolean
take_header (Cursor *c, LkSafetensorsPart *part, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  if (!expect_char (c, '{', error))
    return FALSE;
  if (!accept_char (c, '}'))
    {
      do
        if (!take_entry (c, part, names, error))
          return FALSE;
      while (accept_char (c, ','));
      if (!expect_char (c, '}', error))
        return FALSE;
    }
  skip_space (c);
  return c->at == c->size || fail (c, error, "there is text after the header's end");
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const LkTensorInfo *x = a, *y = b;

  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return x->size < y->size ? -1 : x->size > y->size;
}

/* The data must be covered once, from its beginning to the end of the file. */
static gboolean
place_tensors (Cursor *c, LkSafetensorsPart *part, const guint8 *data, guint64 start, guint64 total, GError **error)
{
  guint64 expected = 0;

  g_array_sort (part->tensors, compare_offsets);
  for (guint i = 0; i < part->tensors->len; i++)
    {
      LkTensorInfo *tensor = &g_array_index (part->tensors, LkTensorInfo, i);

      set_where (c, tensor->name);
      if (tensor->offset != expected)
        return fail (c, error, "its data begins at %" G_GUINT64_FORMAT " and not where the one before ends, at %"
                     G_GUINT64_FORMAT, tensor->offset, expected);
      if (!lk_size_inside (tensor->offset, tensor->size, total - start))
        return fail (c, error, "its data of %" G_GSIZE_FORMAT " bytes goes beyond the end of the file", tensor->size);
      expected += tensor->size;
      tensor->data = data + start + tensor->offset;
      tensor->offset += start;
    }
  return expected == total - start
         || fail (c, error, "%" G_GUINT64_FORMAT " bytes at the end of the file belong to no tensor",
                  total - start - expected);
}

static gboolean
parse (Cursor *c, LkSafetensorsPart *part, const guint8 *data, gsize size, GError **error)
{
  guint64 n = 0;

  if (size < 8)
    return fail (c, error, "the file is too short to be a safetensors file");
  for (guint i = 0; i < 8; i++)
    n |= (guint64) data[i] << 8 * i;
  if (n > LK_SAFETENSORS_MAX_HEADER)
    return fail (c, error, "the header is %" G_GUINT64_FORMAT " bytes long, more than the %u allowed", n,
                 LK_SAFETENSORS_MAX_HEADER);
  if (!lk_size_inside (8, n, size))
    return fail (c, error, "the header of %" G_GUINT64_FORMAT " bytes goes beyond the end of the file", n);
  c->text = (const char *) data + 8;
  c->size = n;
  if (!g_utf8_validate (c->text, (gssize) n, NULL))
    return fail (c, error, "the header is not UTF-8 text");
  return take_header (c, part, error) && place_tensors (c, part, data, 8 + n, size, error);
}

static void
clear_tensor (gpointer data)
{
  LkTensorInfo *tensor = data;

  g_free ((char *) tensor->name);
}

LkSafetensorsPart *
lk_safetensors_part_parse (GBytes *bytes, const char *path, GError **error)
{
  g_autoptr (LkSafetensorsPart) part = g_new0 (LkSafetensorsPart, 1);
  Cursor c = { .path = path, .where = g_strdup ("header") };
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gboolean ok;

  part->path = g_strdup (path);
  part->tensors = g_array_new (FALSE, TRUE, sizeof (LkTensorInfo));
  g_array_set_clear_func (part->tensors, clear_tensor);
  ok = parse (&c, part, data, size, error);
  g_free (c.where);
  return ok ? g_steal_pointer (&part) : NULL;
}

void
lk_safetensors_part_free (LkSafetensorsPart *part)
{
  g_clear_pointer (&part->metadata, g_hash_table_unref);
  g_clear_pointer (&part->tensors, g_array_unref);
  g_free (part->path);
  g_free (part);
}
