/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-jinja-private.h"

#include <math.h>
#include <stdarg.h>

#define LK_ARENA_BLOCK (64 << 10)

struct _LkArena
{
  GPtrArray *blocks;
  guint8 *at;
  gsize left, used, limit;
};

LkArena *
lk_arena_new (gsize limit)
{
  LkArena *self = g_new0 (LkArena, 1);

  self->blocks = g_ptr_array_new_with_free_func (g_free);
  self->limit = limit;
  return self;
}

void
lk_arena_free (LkArena *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->blocks);
  g_free (self);
}

gpointer
lk_arena_alloc (LkArena *self, gsize size)
{
  gpointer result;

  size = (size + 15) & ~(gsize) 15;
  if (size > self->limit - self->used)
    return NULL;
  self->used += size;
  if (size > self->left)
    {
      gsize block = MAX (size, LK_ARENA_BLOCK);

      self->at = g_malloc0 (block);
      self->left = block;
      g_ptr_array_add (self->blocks, self->at);
    }
  result = self->at;
  self->at += size;
  self->left -= size;
  return result;
}

gpointer
lk_context_fail (LkContext *context, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  if (!context->error)
    context->error = g_error_new (LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %u: %s", context->name, context->line, message);
  return NULL;
}

static gpointer
lk_context_alloc (LkContext *context, gsize size)
{
  gpointer memory = lk_arena_alloc (context->arena, size);

  return memory ? memory : lk_context_fail (context, "the template needs too much memory");
}

static LkValue *
lk_value_new (LkContext *context, LkValueKind kind)
{
  LkValue *value = lk_context_alloc (context, sizeof (LkValue));

  if (value)
    value->kind = kind;
  return value;
}

LkValue *
lk_value_undefined (LkContext *context, const char *name)
{
  LkValue *value = lk_value_new (context, LK_VALUE_UNDEFINED);

  if (value)
    value->as.name = name;
  return value;
}

LkValue *
lk_value_none (LkContext *context)
{
  return lk_value_new (context, LK_VALUE_NONE);
}

LkValue *
lk_value_bool (LkContext *context, gboolean boolean)
{
  LkValue *value = lk_value_new (context, LK_VALUE_BOOL);

  if (value)
    value->as.boolean = boolean != FALSE;
  return value;
}

LkValue *
lk_value_int (LkContext *context, gint64 integer)
{
  LkValue *value = lk_value_new (context, LK_VALUE_INT);

  if (value)
    value->as.integer = integer;
  return value;
}

LkValue *
lk_value_float (LkContext *context, double real)
{
  LkValue *value = lk_value_new (context, LK_VALUE_FLOAT);

  if (value)
    value->as.real = real;
  return value;
}

LkValue *
lk_value_string (LkContext *context, const char *bytes, gsize n, const guint8 *tags)
{
  LkValue *value = lk_value_new (context, LK_VALUE_STRING);
  char *copy = value ? lk_context_alloc (context, tags ? 2 * n + 1 : n + 1) : NULL;

  if (!copy)
    return NULL;
  if (n > 0)
    memcpy (copy, bytes, n);
  value->as.string.bytes = copy;
  value->as.string.n = n;
  if (tags)
    value->as.string.tags = memcpy (copy + n + 1, tags, n);
  return value;
}

LkValue *
lk_value_text (LkContext *context, const char *text)
{
  return lk_value_string (context, text, strlen (text), NULL);
}

LkValue *
lk_value_substring (LkContext *context, const LkValue *whole, gsize begin, gsize n)
{
  LkValue *value = lk_value_new (context, LK_VALUE_STRING);

  if (!value)
    return NULL;
  value->as.string.bytes = whole->as.string.bytes + begin;
  value->as.string.tags = whole->as.string.tags ? whole->as.string.tags + begin : NULL;
  value->as.string.n = n;
  return value;
}

guint8
lk_value_tag (const LkValue *value)
{
  guint8 tag = 0;

  if (value->kind == LK_VALUE_STRING && value->as.string.tags)
    for (gsize i = 0; i < value->as.string.n; i++)
      tag = MAX (tag, value->as.string.tags[i]);
  return tag;
}

LkValue *
lk_value_derived (LkContext *context, const char *bytes, gsize n, const LkValue *origin)
{
  guint8 tag = lk_value_tag (origin);
  LkBuilder builder;

  if (tag == 0)
    return lk_value_string (context, bytes, n, NULL);
  lk_builder_init (&builder, context);
  lk_builder_text (&builder, bytes, n, tag);
  return lk_builder_finish (&builder);
}

LkValue *
lk_value_concat (LkContext *context, const LkValue *a, const LkValue *b)
{
  LkBuilder builder;

  lk_builder_init (&builder, context);
  lk_builder_value (&builder, a);
  lk_builder_value (&builder, b);
  return lk_builder_finish (&builder);
}

void
lk_builder_init (LkBuilder *self, LkContext *context)
{
  *self = (LkBuilder){ context, g_string_new (NULL), g_byte_array_new () };
}

static gboolean
lk_builder_has_room (LkBuilder *self, gsize n)
{
  if (n <= LK_JINJA_MAX_HEAP / 2 - self->text->len && !self->context->error)
    return TRUE;
  lk_context_fail (self->context, "a text grows too long");
  return FALSE;
}

void
lk_builder_text (LkBuilder *self, const char *bytes, gsize n, guint8 tag)
{
  if (n == 0 || !lk_builder_has_room (self, n))
    return;
  g_string_append_len (self->text, bytes, (gssize) n);
  g_byte_array_set_size (self->tags, (guint) self->text->len);
  memset (self->tags->data + self->text->len - n, tag, n);
}

void
lk_builder_value (LkBuilder *self, const LkValue *string)
{
  gsize n = string->as.string.n;

  if (!string->as.string.tags)
    {
      lk_builder_text (self, string->as.string.bytes, n, 0);
      return;
    }
  if (n == 0 || !lk_builder_has_room (self, n))
    return;
  g_string_append_len (self->text, string->as.string.bytes, (gssize) n);
  g_byte_array_append (self->tags, string->as.string.tags, (guint) n);
}

LkValue *
lk_builder_finish (LkBuilder *self)
{
  LkValue *value = self->context->error ? NULL : lk_value_string (self->context, self->text->str, self->text->len, self->tags->data);

  g_string_free (self->text, TRUE);
  g_byte_array_unref (self->tags);
  return value;
}

LkValue *
lk_value_list (LkContext *context)
{
  return lk_value_new (context, LK_VALUE_LIST);
}

LkValue *
lk_value_dict (LkContext *context)
{
  return lk_value_new (context, LK_VALUE_DICT);
}

LkValue *
lk_value_function (LkContext *context, const char *name, LkFunction call, LkValue *self)
{
  LkValue *value = lk_value_new (context, LK_VALUE_FUNCTION);

  if (value)
    {
      value->as.function.name = name;
      value->as.function.call = call;
      value->as.function.self = self;
    }
  return value;
}

/* A copy of @items with room for twice as many. */
static LkValue **
lk_grow (LkContext *context, LkValue **items, gsize n, gsize *allocated)
{
  gsize size = MAX (4, n * 2);
  LkValue **copy = lk_context_alloc (context, size * sizeof *copy);

  if (copy && n > 0)
    memcpy (copy, items, n * sizeof *copy);
  if (copy)
    *allocated = size;
  return copy;
}

gboolean
lk_list_append (LkContext *context, LkValue *list, LkValue *item)
{
  if (!item)
    return FALSE;
  if (list->as.list.n == list->as.list.allocated)
    {
      LkValue **items = lk_grow (context, list->as.list.items, list->as.list.n, &list->as.list.allocated);
      if (!items)
        return FALSE;
      list->as.list.items = items;
    }
  list->as.list.items[list->as.list.n++] = item;
  return TRUE;
}

LkValue *
lk_dict_get (const LkValue *dict, const LkValue *key)
{
  for (gsize i = 0; i < dict->as.dict.n; i++)
    if (lk_value_equal (dict->as.dict.keys[i], key))
      return dict->as.dict.values[i];
  return NULL;
}

LkValue *
lk_dict_get_text (const LkValue *dict, const char *key)
{
  for (gsize i = 0; i < dict->as.dict.n; i++)
    if (lk_value_is_text (dict->as.dict.keys[i], key))
      return dict->as.dict.values[i];
  return NULL;
}

gboolean
lk_dict_set (LkContext *context, LkValue *dict, LkValue *key, LkValue *value)
{
  if (!key || !value)
    return FALSE;
  for (gsize i = 0; i < dict->as.dict.n; i++)
    if (lk_value_equal (dict->as.dict.keys[i], key))
      {
        dict->as.dict.values[i] = value;
        return TRUE;
      }
  if (dict->as.dict.n == dict->as.dict.allocated)
    {
      gsize allocated;
      LkValue **keys = lk_grow (context, dict->as.dict.keys, dict->as.dict.n, &allocated);
      LkValue **values = keys ? lk_grow (context, dict->as.dict.values, dict->as.dict.n, &allocated) : NULL;

      if (!values)
        return FALSE;
      dict->as.dict.keys = keys;
      dict->as.dict.values = values;
      dict->as.dict.allocated = allocated;
    }
  dict->as.dict.keys[dict->as.dict.n] = key;
  dict->as.dict.values[dict->as.dict.n++] = value;
  return TRUE;
}

gboolean
lk_dict_set_text (LkContext *context, LkValue *dict, const char *key, LkValue *value)
{
  return value && lk_dict_set (context, dict, lk_value_text (context, key), value);
}

gboolean
lk_value_is_text (const LkValue *value, const char *text)
{
  return value->kind == LK_VALUE_STRING && value->as.string.n == strlen (text)
         && memcmp (value->as.string.bytes, text, value->as.string.n) == 0;
}

const char *
lk_value_kind_name (const LkValue *value)
{
  static const char *const names[] = { "undefined", "None", "bool", "int", "float", "str", "list", "dict", "function" };

  return names[value->kind];
}

gboolean
lk_value_truth (const LkValue *value)
{
  switch (value->kind)
    {
    case LK_VALUE_BOOL:
      return value->as.boolean;
    case LK_VALUE_INT:
      return value->as.integer != 0;
    case LK_VALUE_FLOAT:
      return value->as.real != 0;
    case LK_VALUE_STRING:
      return value->as.string.n > 0;
    case LK_VALUE_LIST:
      return value->as.list.n > 0;
    case LK_VALUE_DICT:
      return value->as.dict.n > 0 || value->as.dict.is_namespace;
    case LK_VALUE_FUNCTION:
      return TRUE;
    case LK_VALUE_UNDEFINED:
    case LK_VALUE_NONE:
    default:
      return FALSE;
    }
}

static gboolean
lk_value_is_number (const LkValue *value)
{
  return value->kind == LK_VALUE_INT || value->kind == LK_VALUE_FLOAT || value->kind == LK_VALUE_BOOL;
}

static double
lk_value_number (const LkValue *value)
{
  return value->kind == LK_VALUE_FLOAT ? value->as.real : value->kind == LK_VALUE_INT ? (double) value->as.integer : value->as.boolean;
}

gboolean
lk_value_equal (const LkValue *a, const LkValue *b)
{
  if (lk_value_is_number (a) && lk_value_is_number (b))
    return a->kind == LK_VALUE_INT && b->kind == LK_VALUE_INT ? a->as.integer == b->as.integer : lk_value_number (a) == lk_value_number (b);
  if (a->kind != b->kind)
    return FALSE;
  switch ((int) a->kind)
    {
    case LK_VALUE_STRING:
      return a->as.string.n == b->as.string.n && memcmp (a->as.string.bytes, b->as.string.bytes, a->as.string.n) == 0;
    case LK_VALUE_LIST:
      if (a->as.list.n != b->as.list.n)
        return FALSE;
      for (gsize i = 0; i < a->as.list.n; i++)
        if (!lk_value_equal (a->as.list.items[i], b->as.list.items[i]))
          return FALSE;
      return TRUE;
    case LK_VALUE_DICT:
      if (a->as.dict.n != b->as.dict.n)
        return FALSE;
      for (gsize i = 0; i < a->as.dict.n; i++)
        {
          LkValue *other = lk_dict_get (b, a->as.dict.keys[i]);
          if (!other || !lk_value_equal (a->as.dict.values[i], other))
            return FALSE;
        }
      return TRUE;
    case LK_VALUE_FUNCTION:
      return a == b;
    default:
      return TRUE;
    }
}

gboolean
lk_value_order (LkContext *context, const LkValue *a, const LkValue *b, int *order)
{
  if (lk_value_is_number (a) && lk_value_is_number (b))
    {
      double x = lk_value_number (a), y = lk_value_number (b);
      *order = x < y ? -1 : x > y;
      return TRUE;
    }
  if (a->kind == LK_VALUE_STRING && b->kind == LK_VALUE_STRING)
    {
      gsize n = MIN (a->as.string.n, b->as.string.n);
      int c = memcmp (a->as.string.bytes, b->as.string.bytes, n);
      *order = c ? (c < 0 ? -1 : 1) : a->as.string.n < b->as.string.n ? -1 : a->as.string.n > b->as.string.n;
      return TRUE;
    }
  lk_context_fail (context, "%s and %s cannot be ordered", lk_value_kind_name (a), lk_value_kind_name (b));
  return FALSE;
}

/* Python's repr of a string: single quotes unless only single quotes are inside. */
static void
lk_repr_string (LkBuilder *builder, const LkValue *value)
{
  guint8 tag = lk_value_tag (value);
  const char *bytes = value->as.string.bytes;
  gsize n = value->as.string.n;
  char quote = n > 0 && memchr (bytes, '\'', n) && !memchr (bytes, '"', n) ? '"' : '\'';

  lk_builder_text (builder, &quote, 1, 0);
  for (gsize i = 0; i < n; i++)
    {
      const char *escape = bytes[i] == '\n' ? "\\n" : bytes[i] == '\t' ? "\\t" : bytes[i] == '\r' ? "\\r" : bytes[i] == '\\' ? "\\\\" : NULL;

      if (!escape && bytes[i] == quote)
        escape = quote == '"' ? "\\\"" : "\\'";
      lk_builder_text (builder, escape ? escape : bytes + i, escape ? 2 : 1, tag);
    }
  lk_builder_text (builder, &quote, 1, 0);
}

/* Shortest text that reads back as the same number, with ".0" where it would look whole. */
static void
lk_format_float (char *buffer, gsize size, double real)
{
  char copy[G_ASCII_DTOSTR_BUF_SIZE];

  if (isnan (real) || isinf (real))
    {
      g_strlcpy (buffer, isnan (real) ? "nan" : real < 0 ? "-inf" : "inf", size);
      return;
    }
  for (int digits = 1; digits <= 17; digits++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%dg", digits);
      g_ascii_formatd (copy, sizeof copy, format, real);
      if (g_ascii_strtod (copy, NULL) == real)
        break;
    }
  g_snprintf (buffer, size, "%s%s", copy, strpbrk (copy, ".en") ? "" : ".0");
}

static void
lk_repr (LkBuilder *builder, const LkValue *value, guint depth)
{
  char number[64];

  if (depth > LK_JINJA_MAX_DEPTH)
    {
      lk_context_fail (builder->context, "a value is nested too deeply");
      return;
    }
  switch (value->kind)
    {
    case LK_VALUE_STRING:
      lk_repr_string (builder, value);
      return;
    case LK_VALUE_LIST:
      lk_builder_text (builder, value->as.list.tuple ? "(" : "[", 1, 0);
      for (gsize i = 0; i < value->as.list.n; i++)
        {
          lk_builder_text (builder, ", ", i ? 2 : 0, 0);
          lk_repr (builder, value->as.list.items[i], depth + 1);
        }
      lk_builder_text (builder, value->as.list.tuple ? (value->as.list.n == 1 ? ",)" : ")") : "]", value->as.list.tuple && value->as.list.n == 1 ? 2 : 1, 0);
      return;
    case LK_VALUE_DICT:
      lk_builder_text (builder, "{", 1, 0);
      for (gsize i = 0; i < value->as.dict.n; i++)
        {
          lk_builder_text (builder, ", ", i ? 2 : 0, 0);
          lk_repr (builder, value->as.dict.keys[i], depth + 1);
          lk_builder_text (builder, ": ", 2, 0);
          lk_repr (builder, value->as.dict.values[i], depth + 1);
        }
      lk_builder_text (builder, "}", 1, 0);
      return;
    case LK_VALUE_INT:
      g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, value->as.integer);
      break;
    case LK_VALUE_FLOAT:
      lk_format_float (number, sizeof number, value->as.real);
      break;
    case LK_VALUE_BOOL:
      g_strlcpy (number, value->as.boolean ? "True" : "False", sizeof number);
      break;
    case LK_VALUE_NONE:
      g_strlcpy (number, "None", sizeof number);
      break;
    case LK_VALUE_FUNCTION:
      g_strlcpy (number, "<function>", sizeof number);
      break;
    case LK_VALUE_UNDEFINED:
    default:
      g_strlcpy (number, depth ? "Undefined" : "", sizeof number);
      break;
    }
  lk_builder_text (builder, number, strlen (number), 0);
}

LkValue *
lk_value_to_string (LkContext *context, LkValue *value)
{
  LkBuilder builder;

  if (value->kind == LK_VALUE_STRING)
    return value;
  lk_builder_init (&builder, context);
  lk_repr (&builder, value, 0);
  return lk_builder_finish (&builder);
}

static LkValue *
lk_string_characters (LkContext *context, LkValue *string)
{
  LkValue *list = lk_value_list (context);
  const char *begin = string->as.string.bytes, *end = begin + string->as.string.n;

  for (const char *p = begin; list && p < end;)
    {
      const char *q = MIN (g_utf8_next_char (p), end);

      if (!lk_list_append (context, list, lk_value_substring (context, string, (gsize) (p - begin), (gsize) (q - p))))
        return NULL;
      p = q;
    }
  return list;
}

LkValue *
lk_value_iterate (LkContext *context, LkValue *value)
{
  LkValue *list;

  switch ((int) value->kind)
    {
    case LK_VALUE_LIST:
      return value;
    case LK_VALUE_STRING:
      return lk_string_characters (context, value);
    case LK_VALUE_UNDEFINED:
      return lk_value_list (context);
    case LK_VALUE_DICT:
      list = lk_value_list (context);
      for (gsize i = 0; list && i < value->as.dict.n; i++)
        if (!lk_list_append (context, list, value->as.dict.keys[i]))
          return NULL;
      return list;
    default:
      return lk_context_fail (context, "%s cannot be iterated over", lk_value_kind_name (value));
    }
}

gboolean
lk_value_length (LkContext *context, const LkValue *value, gsize *length)
{
  switch ((int) value->kind)
    {
    case LK_VALUE_LIST:
      *length = value->as.list.n;
      return TRUE;
    case LK_VALUE_DICT:
      *length = value->as.dict.n;
      return TRUE;
    case LK_VALUE_STRING:
      *length = (gsize) g_utf8_strlen (value->as.string.bytes, (gssize) value->as.string.n);
      return TRUE;
    case LK_VALUE_UNDEFINED:
      *length = 0;
      return TRUE;
    default:
      lk_context_fail (context, "%s has no length", lk_value_kind_name (value));
      return FALSE;
    }
}

LkValue *
lk_value_from_json (LkContext *context, JsonNode *node, guint8 tag)
{
  LkValue *value;

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return lk_value_none (context);
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      value = lk_value_list (context);
      for (guint i = 0; value && i < json_array_get_length (array); i++)
        if (!lk_list_append (context, value, lk_value_from_json (context, json_array_get_element (array, i), tag)))
          return NULL;
      return value;
    }
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *member;

      value = lk_value_dict (context);
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (value && json_object_iter_next_ordered (&iter, &name, &member))
        if (!lk_dict_set_text (context, value, name, lk_value_from_json (context, member, tag)))
          return NULL;
      return value;
    }
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *text = json_node_get_string (node);
      LkBuilder builder;

      lk_builder_init (&builder, context);
      lk_builder_text (&builder, text, strlen (text), tag);
      return lk_builder_finish (&builder);
    }
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return lk_value_bool (context, json_node_get_boolean (node));
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return lk_value_int (context, json_node_get_int (node));
  return lk_value_float (context, json_node_get_double (node));
}

LkValue *
lk_argument (LkValue **args, guint n_args, LkValue *kwargs, guint i, const char *name)
{
  return i < n_args ? args[i] : kwargs && name ? lk_dict_get_text (kwargs, name) : NULL;
}
