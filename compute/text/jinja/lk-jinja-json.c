/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tojson filter: Python's json.dumps with ensure_ascii=False, ", " and ": " between, "," and newlines with an indent.
 */
#include "lk-jinja-private.h"

#include <math.h>
#include <stdlib.h>

typedef struct
{
  LkBuilder builder;
  const LkJsonStyle *style;
} LkJsonWriter;

static void
lk_json_put (LkJsonWriter *self, const char *text, guint8 tag)
{
  lk_builder_text (&self->builder, text, strlen (text), tag);
}

static void
lk_json_newline (LkJsonWriter *self, guint depth)
{
  if (!self->style->indent)
    return;
  lk_json_put (self, "\n", 0);
  for (guint i = 0; i < depth; i++)
    lk_json_put (self, self->style->indent, 0);
}

static void
lk_json_separator (LkJsonWriter *self, const LkValue *chosen, const char *usual)
{
  if (chosen)
    lk_builder_value (&self->builder, chosen);
  else
    lk_json_put (self, usual, 0);
}

/* A character as an escape; FALSE: it stands for itself. */
static gboolean
lk_json_escape (gunichar c, gboolean ascii, char *code, gsize size)
{
  static const char plain[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
  const char *known;

  if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
    return FALSE;
  known = c < 128 && c ? strchr (plain, (int) c) : NULL;
  if (known)
    {
      const char two[] = { '\\', letters[known - plain], '\0' };

      memcpy (code, two, sizeof two);
    }
  else if (ascii && c >= 0x10000)
    g_snprintf (code, size, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
  else if (c < 0x20 || (ascii && c > 0x7e))
    g_snprintf (code, size, "\\u%04x", c);
  else
    return FALSE;
  return TRUE;
}

static void
lk_json_put_string (LkJsonWriter *self, const LkValue *value)
{
  const char *bytes = value->as.string.bytes, *end = bytes + value->as.string.n;
  const guint8 *tags = (const guint8 *) value->as.string.tags;
  char code[16];

  lk_json_put (self, "\"", 0);
  for (const char *p = bytes, *run = bytes; p < end && !self->builder.context->error; run = p)
    {
      guint8 tag = tags ? tags[p - bytes] : 0;
      gboolean escaped = FALSE;

      /* As many as go together: a text has up to LK_JINJA_MAX_OUTPUT characters. */
      for (; p < end && !escaped && (!tags || tags[p - bytes] == tag); p = escaped ? p : g_utf8_next_char (p))
        escaped = lk_json_escape (g_utf8_get_char (p), self->style->ascii, code, sizeof code);
      lk_builder_text (&self->builder, run, (gsize) (p - run), tag);
      if (escaped)
        {
          lk_json_put (self, code, tag);
          p = g_utf8_next_char (p);
        }
    }
  lk_json_put (self, "\"", 0);
}

static void lk_json_put_value (LkJsonWriter *self, const LkValue *value, guint depth);

static void
lk_json_put_list (LkJsonWriter *self, const LkValue *value, guint depth)
{
  lk_json_put (self, "[", 0);
  for (gsize i = 0; i < value->as.list.n && !self->builder.context->error; i++)
    {
      if (i > 0)
        lk_json_separator (self, self->style->item_separator, self->style->indent ? "," : ", ");
      lk_json_newline (self, depth + 1);
      lk_json_put_value (self, value->as.list.items[i], depth + 1);
    }
  if (value->as.list.n > 0)
    lk_json_newline (self, depth);
  lk_json_put (self, "]", 0);
}

static void
lk_json_put_scalar (LkJsonWriter *self, const LkValue *value)
{
  char text[64];

  if (value->kind == LK_VALUE_BOOL)
    g_strlcpy (text, value->as.boolean ? "true" : "false", sizeof text);
  else if (value->kind == LK_VALUE_INT)
    g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, value->as.integer);
  else if (value->kind == LK_VALUE_NONE)
    g_strlcpy (text, "null", sizeof text);
  else if (value->kind != LK_VALUE_FLOAT)
    {
      lk_context_fail (self->builder.context, "%s cannot be written as JSON", lk_value_kind_name (value));
      return;
    }
  else if (isfinite (value->as.real))
    lk_format_float (text, sizeof text, value->as.real);
  else
    g_strlcpy (text, isnan (value->as.real) ? "NaN" : value->as.real < 0 ? "-Infinity" : "Infinity", sizeof text);
  lk_json_put (self, text, 0);
}

/* Keys that are no texts are written as JSON writes them, in quotes. */
static void
lk_json_put_key (LkJsonWriter *self, const LkValue *key)
{
  if (key->kind == LK_VALUE_STRING)
    {
      lk_json_put_string (self, key);
      return;
    }
  lk_json_put (self, "\"", 0);
  lk_json_put_scalar (self, key);
  lk_json_put (self, "\"", 0);
}

static int
lk_json_compare (gconstpointer a, gconstpointer b, gpointer data)
{
  const LkValue *dict = data, *x = dict->as.dict.keys[*(const gsize *) a], *y = dict->as.dict.keys[*(const gsize *) b];
  int c;

  if (x->kind != LK_VALUE_STRING || y->kind != LK_VALUE_STRING)
    return 0;
  c = memcmp (x->as.string.bytes, y->as.string.bytes, MIN (x->as.string.n, y->as.string.n));
  return c ? c : x->as.string.n < y->as.string.n ? -1 : x->as.string.n > y->as.string.n;
}

static void
lk_json_put_dict (LkJsonWriter *self, const LkValue *value, guint depth)
{
  gsize n = value->as.dict.n;
  g_autoptr (GArray) sorted = g_array_sized_new (FALSE, FALSE, sizeof (gsize), (guint) n);
  const gsize *order;

  for (gsize i = 0; i < n; i++)
    g_array_append_val (sorted, i);
  if (self->style->sort)
    g_array_sort_with_data (sorted, lk_json_compare, (gpointer) value);
  order = (const gsize *) (const void *) sorted->data;
  lk_json_put (self, "{", 0);
  for (gsize i = 0; i < n && !self->builder.context->error; i++)
    {
      if (i > 0)
        lk_json_separator (self, self->style->item_separator, self->style->indent ? "," : ", ");
      lk_json_newline (self, depth + 1);
      lk_json_put_key (self, value->as.dict.keys[order[i]]);
      lk_json_separator (self, self->style->key_separator, ": ");
      lk_json_put_value (self, value->as.dict.values[order[i]], depth + 1);
    }
  if (n > 0)
    lk_json_newline (self, depth);
  lk_json_put (self, "}", 0);
}

static void
lk_json_put_value (LkJsonWriter *self, const LkValue *value, guint depth)
{
  if (depth > LK_JINJA_MAX_DEPTH)
    lk_context_fail (self->builder.context, "a value is nested too deeply");
  else if (value->kind == LK_VALUE_STRING)
    lk_json_put_string (self, value);
  else if (value->kind == LK_VALUE_LIST)
    lk_json_put_list (self, value, depth);
  else if (value->kind == LK_VALUE_DICT && !value->as.dict.is_namespace)
    lk_json_put_dict (self, value, depth);
  else
    lk_json_put_scalar (self, value);
}

LkValue *
lk_value_to_json (LkContext *context, const LkValue *value, const LkJsonStyle *style)
{
  LkJsonWriter writer = { .style = style };

  lk_builder_init (&writer.builder, context);
  lk_json_put_value (&writer, value, 0);
  return lk_builder_finish (&writer.builder);
}
