/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tojson filter: json.dumps with ensure_ascii=False, ", " and ": " between, "," and newlines with an indent.
 */
#include "lk-jinja-private.h"

#include <math.h>

typedef struct
{
  LkBuilder builder;
  int indent; /* −1: one line */
} LkJsonWriter;

static void
lk_json_put (LkJsonWriter *self, const char *text, guint8 tag)
{
  lk_builder_text (&self->builder, text, strlen (text), tag);
}

static void
lk_json_newline (LkJsonWriter *self, guint depth)
{
  if (self->indent < 0)
    return;
  lk_json_put (self, "\n", 0);
  for (guint i = 0; i < depth * (guint) self->indent; i++)
    lk_json_put (self, " ", 0);
}

static void
lk_json_put_string (LkJsonWriter *self, const LkValue *value)
{
  guint8 tag = lk_value_tag (value);

  lk_json_put (self, "\"", 0);
  for (gsize i = 0; i < value->as.string.n; i++)
    {
      guint8 c = (guint8) value->as.string.bytes[i];
      const char *escape = c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t"
                           : c == '\b' ? "\\b" : c == '\f' ? "\\f" : NULL;
      char code[8];

      if (!escape && c < 0x20)
        {
          g_snprintf (code, sizeof code, "\\u%04x", c);
          escape = code;
        }
      if (escape)
        lk_json_put (self, escape, tag);
      else
        lk_builder_text (&self->builder, (const char *) &c, 1, tag);
    }
  lk_json_put (self, "\"", 0);
}

static void lk_json_put_value (LkJsonWriter *self, const LkValue *value, guint depth);

static void
lk_json_put_list (LkJsonWriter *self, const LkValue *value, guint depth)
{
  lk_json_put (self, "[", 0);
  for (gsize i = 0; i < value->as.list.n; i++)
    {
      lk_json_put (self, i == 0 ? "" : self->indent < 0 ? ", " : ",", 0);
      lk_json_newline (self, depth + 1);
      lk_json_put_value (self, value->as.list.items[i], depth + 1);
    }
  if (value->as.list.n > 0)
    lk_json_newline (self, depth);
  lk_json_put (self, "]", 0);
}

static void
lk_json_put_dict (LkJsonWriter *self, const LkValue *value, guint depth)
{
  lk_json_put (self, "{", 0);
  for (gsize i = 0; i < value->as.dict.n; i++)
    {
      LkValue *key = lk_value_to_string (self->builder.context, value->as.dict.keys[i]);

      if (!key)
        return;
      lk_json_put (self, i == 0 ? "" : self->indent < 0 ? ", " : ",", 0);
      lk_json_newline (self, depth + 1);
      lk_json_put_string (self, key);
      lk_json_put (self, ": ", 0);
      lk_json_put_value (self, value->as.dict.values[i], depth + 1);
    }
  if (value->as.dict.n > 0)
    lk_json_newline (self, depth);
  lk_json_put (self, "}", 0);
}

static void
lk_json_put_value (LkJsonWriter *self, const LkValue *value, guint depth)
{
  LkValue *text;

  if (depth > LK_JINJA_MAX_DEPTH)
    {
      lk_context_fail (self->builder.context, "a value is nested too deeply");
      return;
    }
  switch ((int) value->kind)
    {
    case LK_VALUE_STRING:
      lk_json_put_string (self, value);
      break;
    case LK_VALUE_LIST:
      lk_json_put_list (self, value, depth);
      break;
    case LK_VALUE_DICT:
      lk_json_put_dict (self, value, depth);
      break;
    case LK_VALUE_NONE:
      lk_json_put (self, "null", 0);
      break;
    case LK_VALUE_BOOL:
      lk_json_put (self, value->as.boolean ? "true" : "false", 0);
      break;
    case LK_VALUE_INT:
    case LK_VALUE_FLOAT:
      text = lk_value_to_string (self->builder.context, (LkValue *) value);
      if (text)
        lk_builder_value (&self->builder, text);
      break;
    default:
      lk_context_fail (self->builder.context, "%s cannot be written as JSON", lk_value_kind_name (value));
    }
}

LkValue *
lk_value_to_json (LkContext *context, const LkValue *value, int indent)
{
  LkJsonWriter writer = { .indent = indent };

  lk_builder_init (&writer.builder, context);
  lk_json_put_value (&writer, value, 0);
  return lk_builder_finish (&writer.builder);
}
