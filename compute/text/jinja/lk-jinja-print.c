/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Values as Python's str and repr write them.
 */
#include "lk-jinja-private.h"

#include <math.h>

static gboolean
lk_is_printable (gunichar c)
{
  return c == ' ' || (c >= 0x20 && c != 0x7f && g_unichar_isprint (c) && !lk_is_space (c));
}

static void
lk_repr_character (LkBuilder *builder, const char *p, gsize n, char quote, const guint8 *tags)
{
  static const char plain[] = "\n\t\r\\", letters[] = "ntr\\";
  gunichar c = g_utf8_get_char (p);
  const char *known = c < 128 && c ? strchr (plain, (int) c) : NULL;
  guint8 tag = tags ? tags[0] : 0;
  char code[16];

  if (known)
    g_snprintf (code, sizeof code, "\\%c", letters[known - plain]);
  else if (c == (guchar) quote)
    g_snprintf (code, sizeof code, "\\%c", quote);
  else if (lk_is_printable (c))
    {
      lk_builder_text (builder, p, n, tag);
      return;
    }
  else
    g_snprintf (code, sizeof code, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
  lk_builder_text (builder, code, strlen (code), tag);
}

/* In single quotes unless only single quotes are inside. */
static void
lk_repr_string (LkBuilder *builder, const LkValue *value)
{
  const char *bytes = value->as.string.bytes, *end = bytes + value->as.string.n;
  gsize n = value->as.string.n;
  char quote = n > 0 && memchr (bytes, '\'', n) && !memchr (bytes, '"', n) ? '"' : '\'';

  lk_builder_text (builder, &quote, 1, 0);
  for (const char *p = bytes, *next; p < end && !builder->context->error; p = next)
    {
      next = g_utf8_next_char (p);
      lk_repr_character (builder, p, (gsize) (next - p), quote, value->as.string.tags ? value->as.string.tags + (p - bytes) : NULL);
    }
  lk_builder_text (builder, &quote, 1, 0);
}

/* The shortest digits that read back as the same number, as Python lays them out: 0.0001 and 1e+16 are where exponents begin. */
void
lk_format_float (char *buffer, gsize size, double real)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[8];
  int digits = 0, exponent;

  if (isnan (real) || isinf (real))
    {
      g_strlcpy (buffer, isnan (real) ? "nan" : real < 0 ? "-inf" : "inf", size);
      return;
    }
  do
    {
      g_snprintf (format, sizeof format, "%%.%de", digits);
      g_ascii_formatd (text, sizeof text, format, real);
    }
  while (++digits <= 17 && g_ascii_strtod (text, NULL) != real);
  exponent = (int) g_ascii_strtoll (strchr (text, 'e') + 1, NULL, 10);
  if (exponent < -4 || exponent >= 16)
    {
      g_strlcpy (buffer, text, size);
      return;
    }
  g_snprintf (format, sizeof format, "%%.%df", MAX (1, digits - 1 - exponent));
  g_ascii_formatd (buffer, (int) size, format, real);
}

static void
lk_repr_scalar (LkBuilder *builder, const LkValue *value, gboolean inside)
{
  char text[64];

  switch ((int) value->kind)
    {
    case LK_VALUE_INT:
      g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, value->as.integer);
      break;
    case LK_VALUE_FLOAT:
      lk_format_float (text, sizeof text, value->as.real);
      break;
    case LK_VALUE_BOOL:
      g_strlcpy (text, value->as.boolean ? "True" : "False", sizeof text);
      break;
    case LK_VALUE_NONE:
      g_strlcpy (text, "None", sizeof text);
      break;
    case LK_VALUE_FUNCTION:
      g_strlcpy (text, "<function>", sizeof text);
      break;
    default:
      g_strlcpy (text, inside ? "Undefined" : "", sizeof text);
      break;
    }
  lk_builder_text (builder, text, strlen (text), 0);
}

static void lk_repr (LkBuilder *builder, const LkValue *value, guint depth);

static void
lk_repr_list (LkBuilder *builder, const LkValue *value, guint depth)
{
  gboolean tuple = value->as.list.tuple;

  lk_builder_text (builder, tuple ? "(" : "[", 1, 0);
  for (gsize i = 0; i < value->as.list.n && !builder->context->error; i++)
    {
      lk_builder_text (builder, ", ", i ? 2 : 0, 0);
      lk_repr (builder, value->as.list.items[i], depth + 1);
    }
  if (tuple && value->as.list.n == 1)
    lk_builder_text (builder, ",", 1, 0);
  lk_builder_text (builder, tuple ? ")" : "]", 1, 0);
}

static void
lk_repr_dict (LkBuilder *builder, const LkValue *value, guint depth)
{
  lk_builder_text (builder, "{", 1, 0);
  for (gsize i = 0; i < value->as.dict.n && !builder->context->error; i++)
    {
      lk_builder_text (builder, ", ", i ? 2 : 0, 0);
      lk_repr (builder, value->as.dict.keys[i], depth + 1);
      lk_builder_text (builder, ": ", 2, 0);
      lk_repr (builder, value->as.dict.values[i], depth + 1);
    }
  lk_builder_text (builder, "}", 1, 0);
}

static void
lk_repr (LkBuilder *builder, const LkValue *value, guint depth)
{
  if (depth > LK_JINJA_MAX_DEPTH)
    lk_context_fail (builder->context, "a value is nested too deeply");
  else if (value->kind == LK_VALUE_STRING)
    lk_repr_string (builder, value);
  else if (value->kind == LK_VALUE_LIST)
    lk_repr_list (builder, value, depth);
  else if (value->kind == LK_VALUE_DICT)
    lk_repr_dict (builder, value, depth);
  else
    lk_repr_scalar (builder, value, depth > 0);
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
