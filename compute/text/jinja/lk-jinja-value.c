/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-jinja-private.h"

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
    {
      g_autofree char *valid = g_utf8_make_valid (message, -1);
      context->error = g_error_new (LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %u: %s", context->name, context->line, valid);
    }
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
  guint8 origin = 0, generated = 0;

  if (value->kind == LK_VALUE_STRING && value->as.string.tags)
    for (gsize i = 0; i < value->as.string.n; i++)
      {
        origin = MAX (origin, value->as.string.tags[i] & LK_TAG_ORIGIN);
        generated = MAX (generated, value->as.string.tags[i] & ~LK_TAG_ORIGIN);
      }
  return origin | generated;
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
  if (n > LK_JINJA_MAX_OUTPUT - self->text->len)
    lk_context_fail (self->context, "a text grows too long");
  return !self->context->error && lk_context_work (self->context, n + LK_JINJA_CALL);
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
  if (!item || !lk_context_work (context, LK_JINJA_CALL))
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

#define LK_DICT_FEW 8

/* Begins with a number nobody knows before, so that a template cannot bring keys that all hash alike. */
static guint32
lk_key_hash (const LkValue *key)
{
  static guint32 seed;
  static gsize seeded;
  guint32 hash;

  if (g_once_init_enter (&seeded))
    {
      seed = g_random_int ();
      g_once_init_leave (&seeded, 1);
    }
  hash = seed;

  if (key->kind == LK_VALUE_STRING)
    for (gsize i = 0; i < key->as.string.n; i++)
      hash = (hash ^ (guint8) key->as.string.bytes[i]) * 16777619u;
  else if (key->kind == LK_VALUE_INT || key->kind == LK_VALUE_BOOL)
    {
      guint64 number = (guint64) (key->kind == LK_VALUE_BOOL ? (gint64) key->as.boolean : key->as.integer);

      hash = (guint32) ((number ^ seed) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32);
    }
  return hash ^ hash >> 15;
}

/* Keys are texts and numbers; anything else is only itself. */
static gboolean
lk_key_equal (const LkValue *a, const LkValue *b)
{
  if (a->kind == LK_VALUE_STRING && b->kind == LK_VALUE_STRING)
    return a->as.string.n == b->as.string.n && memcmp (a->as.string.bytes, b->as.string.bytes, a->as.string.n) == 0;
  if (lk_value_is_number (a) && lk_value_is_number (b))
    return lk_value_number (a) == lk_value_number (b);
  return a == b || (a->kind == LK_VALUE_NONE && b->kind == LK_VALUE_NONE);
}

/* The number of @key; −1: it is not there. A float may be a whole number's equal but not its hash: it is looked for one by one. */
static gssize
lk_dict_find (const LkValue *dict, const LkValue *key)
{
  if (dict->as.dict.index && key->kind != LK_VALUE_FLOAT)
    {
      gsize mask = dict->as.dict.n_index - 1;

      for (gsize i = lk_key_hash (key) & mask; dict->as.dict.index[i]; i = (i + 1) & mask)
        if (lk_key_equal (dict->as.dict.keys[dict->as.dict.index[i] - 1], key))
          return dict->as.dict.index[i] - 1;
      return -1;
    }
  for (gsize i = 0; i < dict->as.dict.n; i++)
    if (lk_key_equal (dict->as.dict.keys[i], key))
      return (gssize) i;
  return -1;
}

LkValue *
lk_dict_get (const LkValue *dict, const LkValue *key)
{
  gssize i = lk_dict_find (dict, key);

  return i < 0 ? NULL : dict->as.dict.values[i];
}

LkValue *
lk_dict_get_text (const LkValue *dict, const char *key)
{
  LkValue text = { .kind = LK_VALUE_STRING, .as.string = { key, NULL, strlen (key) } };

  return lk_dict_get (dict, &text);
}

static void
lk_dict_index (LkValue *dict, gsize number)
{
  gsize mask = dict->as.dict.n_index - 1, i = lk_key_hash (dict->as.dict.keys[number]) & mask;

  while (dict->as.dict.index[i])
    i = (i + 1) & mask;
  dict->as.dict.index[i] = (guint32) number + 1;
}

/* Room for one more. */
static gboolean
lk_dict_grow (LkContext *context, LkValue *dict)
{
  gsize allocated;
  LkValue **keys = lk_grow (context, dict->as.dict.keys, dict->as.dict.n, &allocated);
  LkValue **values = keys ? lk_grow (context, dict->as.dict.values, dict->as.dict.n, &allocated) : NULL;

  if (!values)
    return FALSE;
  dict->as.dict.keys = keys;
  dict->as.dict.values = values;
  dict->as.dict.allocated = allocated;
  if (allocated <= LK_DICT_FEW)
    return TRUE;
  dict->as.dict.n_index = 2 * allocated; /* allocated is a power of two */
  dict->as.dict.index = lk_context_alloc (context, dict->as.dict.n_index * sizeof (guint32));
  for (gsize i = 0; dict->as.dict.index && i < dict->as.dict.n; i++)
    lk_dict_index (dict, i);
  return dict->as.dict.index != NULL;
}

gboolean
lk_dict_set (LkContext *context, LkValue *dict, LkValue *key, LkValue *value)
{
  gssize found;

  if (!key || !value || !lk_context_work (context, LK_JINJA_CALL) || !lk_context_look (context, key))
    return FALSE;
  found = lk_dict_find (dict, key);
  if (found >= 0)
    {
      dict->as.dict.values[found] = value;
      return TRUE;
    }
  if (dict->as.dict.n == dict->as.dict.allocated && !lk_dict_grow (context, dict))
    return FALSE;
  dict->as.dict.keys[dict->as.dict.n] = key;
  dict->as.dict.values[dict->as.dict.n++] = value;
  if (dict->as.dict.index)
    lk_dict_index (dict, dict->as.dict.n - 1);
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

static gboolean lk_equal (LkContext *context, const LkValue *a, const LkValue *b, guint depth);

static gboolean
lk_equal_lists (LkContext *context, const LkValue *a, const LkValue *b, guint depth)
{
  if (a->as.list.n != b->as.list.n || a->as.list.tuple != b->as.list.tuple)
    return FALSE;
  for (gsize i = 0; i < a->as.list.n; i++)
    if (!lk_equal (context, a->as.list.items[i], b->as.list.items[i], depth + 1))
      return FALSE;
  return TRUE;
}

static gboolean
lk_equal_dicts (LkContext *context, const LkValue *a, const LkValue *b, guint depth)
{
  if (a->as.dict.n != b->as.dict.n || a->as.dict.is_namespace || b->as.dict.is_namespace)
    return FALSE;
  for (gsize i = 0; i < a->as.dict.n; i++)
    {
      const LkValue *other = lk_dict_get (b, a->as.dict.keys[i]);
      if (!other || !lk_equal (context, a->as.dict.values[i], other, depth + 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
lk_equal (LkContext *context, const LkValue *a, const LkValue *b, guint depth)
{
  if (depth > LK_JINJA_MAX_DEPTH)
    return lk_context_fail (context, "a value is nested too deeply") != NULL;
  if (!lk_context_work (context, 16 + (a->kind == LK_VALUE_STRING ? a->as.string.n / 16 : 0)))
    return FALSE;
  if (a == b)
    return TRUE;
  if (lk_value_is_number (a) && lk_value_is_number (b))
    return a->kind == LK_VALUE_INT && b->kind == LK_VALUE_INT ? a->as.integer == b->as.integer : lk_value_number (a) == lk_value_number (b);
  if (a->kind != b->kind || a->kind == LK_VALUE_FUNCTION)
    return FALSE;
  if (a->kind == LK_VALUE_STRING)
    return lk_key_equal (a, b);
  if (a->kind == LK_VALUE_LIST)
    return lk_equal_lists (context, a, b, depth);
  return a->kind != LK_VALUE_DICT || lk_equal_dicts (context, a, b, depth);
}

gboolean
lk_value_equal (LkContext *context, const LkValue *a, const LkValue *b)
{
  return lk_equal (context, a, b, 0);
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
      int c = lk_context_work (context, n / 16) ? memcmp (a->as.string.bytes, b->as.string.bytes, n) : 0;

      *order = c ? (c < 0 ? -1 : 1) : a->as.string.n < b->as.string.n ? -1 : a->as.string.n > b->as.string.n;
      return TRUE;
    }
  lk_context_fail (context, "%s and %s cannot be ordered", lk_value_kind_name (a), lk_value_kind_name (b));
  return FALSE;
}

static LkValue *
lk_string_characters (LkContext *context, LkValue *string)
{
  LkValue *list = lk_value_list (context);
  const char *begin = string->as.string.bytes, *end = begin + string->as.string.n;

  for (const char *p = begin; list && p < end;)
    {
      const char *q = g_utf8_next_char (p);

      if (!lk_list_append (context, list, lk_value_substring (context, string, (gsize) (p - begin), (gsize) (q - p))))
        return NULL;
      p = q;
    }
  return list;
}

LkValue *
lk_string_at (LkContext *context, const LkValue *string, gint64 i)
{
  const char *begin = string->as.string.bytes, *end = begin + string->as.string.n, *p = i < 0 ? end : begin;

  for (; i < 0 && p > begin; i++)
    p = g_utf8_prev_char (p);
  for (; i > 0 && p < end; i--)
    p = g_utf8_next_char (p);
  if (!lk_context_work (context, (gsize) ABS (p - (string->as.string.bytes))) || i != 0 || p >= end)
    return NULL;
  return lk_value_substring (context, string, (gsize) (p - begin), (gsize) (g_utf8_next_char (p) - p));
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

static LkValue *
lk_value_tagged (LkContext *context, const char *text, guint8 tag)
{
  LkBuilder builder;

  lk_builder_init (&builder, context);
  lk_builder_text (&builder, text, strlen (text), tag);
  return lk_builder_finish (&builder);
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
        {
          LkValue *key = lk_value_tagged (context, name, tag), *item = lk_value_from_json (context, member, tag);
          if (!lk_dict_set (context, value, key, item))
            return NULL;
        }
      return value;
    }
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return lk_value_tagged (context, json_node_get_string (node), tag);
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
