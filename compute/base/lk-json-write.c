/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * JSON text from nodes. json-glib's own generator writes 1e-08 as "1e-08.0", which nobody can read back, and doubles
 * with more digits than they need.
 */
#include "lk-json.h"

#include <math.h>
#include <string.h>

static void write_node (GString *out, JsonNode *node, gboolean pretty, guint depth);

/* How many bytes at @c are a control character of Unicode beyond ASCII, or one of its separators of lines and paragraphs; 0: another one.
 * JSON allows these raw, but programs that split a file into lines by Unicode's rules would see a row end there. */
static guint
wide_control (const char *c, gunichar *out)
{
  const guchar *b = (const guchar *) c;

  if (b[0] == 0xc2 && b[1] >= 0x80 && b[1] < 0xa0)
    {
      *out = b[1];
      return 2;
    }
  if (b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9))
    {
      *out = 0x2000 | (b[2] & 0x3f);
      return 3;
    }
  return 0;
}

static void
write_character (GString *out, const char **c)
{
  gunichar wide = 0;
  guint n = wide_control (*c, &wide);

  if (n > 0)
    {
      g_string_append_printf (out, "\\u%04x", wide);
      *c += n - 1;
    }
  else if ((guchar) **c < 0x20 || **c == 0x7f)
    g_string_append_printf (out, "\\u%04x", (guchar) **c);
  else
    g_string_append_c (out, **c);
}

static void
write_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *c = text; *c != 0; c++)
    switch (*c)
      {
      case '"': g_string_append (out, "\\\""); break;
      case '\\': g_string_append (out, "\\\\"); break;
      case '\b': g_string_append (out, "\\b"); break;
      case '\f': g_string_append (out, "\\f"); break;
      case '\n': g_string_append (out, "\\n"); break;
      case '\r': g_string_append (out, "\\r"); break;
      case '\t': g_string_append (out, "\\t"); break;
      default: write_character (out, &c);
      }
  g_string_append_c (out, '"');
}

/* The fewest digits that read back as the same number; a point or an exponent keeps it a double. JSON knows no NaN. */
static void
write_double (GString *out, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    {
      g_string_append (out, "null");
      return;
    }
  for (int digits = 15; digits <= 17; digits++)
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%dg", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      if (g_ascii_strtod (buffer, NULL) == value)
        break;
    }
  g_string_append (out, buffer);
  if (strpbrk (buffer, ".e") == NULL)
    g_string_append (out, ".0");
}

static void
write_value (GString *out, JsonNode *node)
{
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_BOOLEAN: g_string_append (out, json_node_get_boolean (node) ? "true" : "false"); break;
    case G_TYPE_INT64: g_string_append_printf (out, "%" G_GINT64_FORMAT, json_node_get_int (node)); break;
    case G_TYPE_DOUBLE: write_double (out, json_node_get_double (node)); break;
    default: write_string (out, json_node_get_string (node) != NULL ? json_node_get_string (node) : "");
    }
}

static void
new_line (GString *out, gboolean pretty, guint depth)
{
  if (!pretty)
    return;
  g_string_append_c (out, '\n');
  for (guint i = 0; i < depth; i++)
    g_string_append (out, "  ");
}

static void
write_array (GString *out, JsonArray *array, gboolean pretty, guint depth)
{
  guint n = json_array_get_length (array);

  g_string_append_c (out, '[');
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      new_line (out, pretty, depth + 1);
      write_node (out, json_array_get_element (array, i), pretty, depth + 1);
    }
  if (n > 0)
    new_line (out, pretty, depth);
  g_string_append_c (out, ']');
}

static void
write_object (GString *out, JsonObject *object, gboolean pretty, guint depth)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  guint n = 0;

  g_string_append_c (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (n++ > 0)
        g_string_append_c (out, ',');
      new_line (out, pretty, depth + 1);
      write_string (out, name);
      g_string_append (out, pretty ? ": " : ":");
      write_node (out, node, pretty, depth + 1);
    }
  if (n > 0)
    new_line (out, pretty, depth);
  g_string_append_c (out, '}');
}

static void
write_node (GString *out, JsonNode *node, gboolean pretty, guint depth)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT: write_object (out, json_node_get_object (node), pretty, depth); break;
    case JSON_NODE_ARRAY: write_array (out, json_node_get_array (node), pretty, depth); break;
    case JSON_NODE_VALUE: write_value (out, node); break;
    case JSON_NODE_NULL:
    default: g_string_append (out, "null");
    }
}

char *
lk_json_to_string (JsonNode *node, gboolean pretty)
{
  GString *out = g_string_new (NULL);

  write_node (out, node, pretty, 0);
  return g_string_free (out, FALSE);
}
