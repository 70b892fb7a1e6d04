/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bytes are checked against RFC 8259 by a loop with an explicit stack of brackets before json-glib, which is more
 * lenient and, before 1.10, recursive without a limit, builds the tree.
 */
#include "lk-json.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"

typedef struct
{
  const guint8 *begin, *at, *end;
  const char *source;
} LkJsonScan;

static gboolean
lk_json_fail (LkJsonScan *scan, GError **error, const char *what)
{
  guint64 line = 1, column = 1;

  for (const guint8 *p = scan->begin; p < scan->at; p++)
    if (*p == '\n')
      line++, column = 1;
    else if ((*p & 0xc0) != 0x80)
      column++;
  if (scan->source)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s, line %" G_GUINT64_FORMAT ", column %" G_GUINT64_FORMAT ": %s", scan->source, line,
                 column, what);
  else if (line > 1)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "in its line %" G_GUINT64_FORMAT ", column %" G_GUINT64_FORMAT ", %s", line, column, what);
  else
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "in column %" G_GUINT64_FORMAT ", %s", column, what);
  return FALSE;
}

static void
lk_json_skip_space (LkJsonScan *scan)
{
  while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
    scan->at++;
}

static gboolean
lk_json_hex4 (LkJsonScan *scan, guint *out)
{
  guint value = 0;

  if (scan->end - scan->at < 4)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value ((char) scan->at[i]);
      if (digit < 0)
        return FALSE;
      value = value * 16 + (guint) digit;
    }
  scan->at += 4;
  *out = value;
  return TRUE;
}

/* After a backslash. Lone surrogates cannot be UTF-8 and are refused. */
static gboolean
lk_json_escape (LkJsonScan *scan, GError **error)
{
  guint high, low;

  if (scan->at >= scan->end)
    return lk_json_fail (scan, error, "the text ends inside a string");
  if (strchr ("\"\\/bfnrt", *scan->at) && *scan->at)
    {
      scan->at++;
      return TRUE;
    }
  if (*scan->at != 'u')
    return lk_json_fail (scan, error, "unknown escape in a string");
  scan->at++;
  if (!lk_json_hex4 (scan, &high))
    return lk_json_fail (scan, error, "\\u needs four hexadecimal digits");
  if (high >= 0xdc00 && high <= 0xdfff)
    return lk_json_fail (scan, error, "half of a surrogate pair");
  if (high < 0xd800 || high > 0xdbff)
    return TRUE;
  if (scan->end - scan->at < 6 || scan->at[0] != '\\' || scan->at[1] != 'u')
    return lk_json_fail (scan, error, "half of a surrogate pair");
  scan->at += 2;
  if (!lk_json_hex4 (scan, &low) || low < 0xdc00 || low > 0xdfff)
    return lk_json_fail (scan, error, "half of a surrogate pair");
  return TRUE;
}

static gboolean
lk_json_string (LkJsonScan *scan, GError **error)
{
  scan->at++;
  while (scan->at < scan->end)
    {
      guint8 c = *scan->at;

      if (c == '"')
        {
          scan->at++;
          return TRUE;
        }
      if (c < 0x20)
        return lk_json_fail (scan, error, "a control character inside a string");
      scan->at++;
      if (c == '\\' && !lk_json_escape (scan, error))
        return FALSE;
    }
  return lk_json_fail (scan, error, "the text ends inside a string");
}

static gboolean
lk_json_digits (LkJsonScan *scan)
{
  const guint8 *begin = scan->at;

  while (scan->at < scan->end && g_ascii_isdigit ((char) *scan->at))
    scan->at++;
  return scan->at > begin;
}

static gboolean
lk_json_number (LkJsonScan *scan, GError **error)
{
  const guint8 *begin = scan->at;
  g_autofree char *text = NULL;

  if (*scan->at == '-')
    scan->at++;
  if (scan->at < scan->end && *scan->at == '0')
    scan->at++;
  else if (!lk_json_digits (scan))
    return lk_json_fail (scan, error, "not a value");
  if (scan->at < scan->end && *scan->at == '.')
    {
      scan->at++;
      if (!lk_json_digits (scan))
        return lk_json_fail (scan, error, "digits must follow the decimal point");
    }
  if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E'))
    {
      scan->at++;
      if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
        scan->at++;
      if (!lk_json_digits (scan))
        return lk_json_fail (scan, error, "digits must follow the exponent");
    }
  if (scan->at - begin < 16) /* cannot overflow without an exponent */
    {
      gboolean exponent = memchr (begin, 'e', (gsize) (scan->at - begin)) || memchr (begin, 'E', (gsize) (scan->at - begin));
      if (!exponent)
        return TRUE;
    }
  text = g_strndup ((const char *) begin, (gsize) (scan->at - begin));
  if (!isfinite (g_ascii_strtod (text, NULL)))
    return lk_json_fail (scan, error, "the number is too large");
  return TRUE;
}

static gboolean
lk_json_word (LkJsonScan *scan, GError **error)
{
  static const char *const words[] = { "true", "false", "null" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize n = strlen (words[i]);
      if ((gsize) (scan->end - scan->at) >= n && memcmp (scan->at, words[i], n) == 0)
        {
          scan->at += n;
          return TRUE;
        }
    }
  return lk_json_fail (scan, error, "not a value");
}

static gboolean
lk_json_scalar (LkJsonScan *scan, GError **error)
{
  if (*scan->at == '"')
    return lk_json_string (scan, error);
  if (*scan->at == '-' || g_ascii_isdigit ((char) *scan->at))
    return lk_json_number (scan, error);
  return lk_json_word (scan, error);
}

/* "name" : of an object member. */
static gboolean
lk_json_member (LkJsonScan *scan, GError **error)
{
  lk_json_skip_space (scan);
  if (scan->at >= scan->end || *scan->at != '"')
    return lk_json_fail (scan, error, "a member name in quotes is missing");
  if (!lk_json_string (scan, error))
    return FALSE;
  lk_json_skip_space (scan);
  if (scan->at >= scan->end || *scan->at != ':')
    return lk_json_fail (scan, error, "“:” is missing after a member name");
  scan->at++;
  return TRUE;
}

/* After a complete value: closes brackets and steps over commas. *more: another value follows. */
static gboolean
lk_json_after_value (LkJsonScan *scan, guint8 *stack, guint *depth, gboolean *more, GError **error)
{
  while (*depth > 0)
    {
      guint8 open = stack[*depth - 1];

      lk_json_skip_space (scan);
      if (scan->at >= scan->end)
        return lk_json_fail (scan, error, "the text ends too early");
      if (*scan->at == ',')
        {
          scan->at++;
          *more = TRUE;
          return open != '{' || lk_json_member (scan, error);
        }
      if (*scan->at != (open == '{' ? '}' : ']'))
        return lk_json_fail (scan, error, open == '{' ? "“,” or “}” is missing" : "“,” or “]” is missing");
      scan->at++;
      (*depth)--;
    }
  *more = FALSE;
  return TRUE;
}

static gboolean
lk_json_check (LkJsonScan *scan, GError **error)
{
  guint8 stack[LK_JSON_MAX_DEPTH];
  guint depth = 0;
  gboolean more = TRUE;

  while (more)
    {
      guint8 open;

      lk_json_skip_space (scan);
      if (scan->at >= scan->end)
        return lk_json_fail (scan, error, depth ? "the text ends too early" : "the text is empty");
      open = *scan->at;
      if (open == '{' || open == '[')
        {
          if (depth == LK_JSON_MAX_DEPTH)
            return lk_json_fail (scan, error, "nested too deeply");
          stack[depth++] = open;
          scan->at++;
          lk_json_skip_space (scan);
          if (scan->at < scan->end && *scan->at == (open == '{' ? '}' : ']'))
            {
              scan->at++;
              depth--;
            }
          else if (open == '{' && !lk_json_member (scan, error))
            return FALSE;
          else
            continue;
        }
      else if (!lk_json_scalar (scan, error))
        return FALSE;
      if (!lk_json_after_value (scan, stack, &depth, &more, error))
        return FALSE;
    }
  lk_json_skip_space (scan);
  if (scan->at < scan->end)
    return lk_json_fail (scan, error, "something follows the value");
  return TRUE;
}

JsonNode *
lk_json_parse (const char *data, gsize size, const char *source, GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GError) local_error = NULL;
  LkJsonScan scan;
  const char *bad;

  if (size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, size -= 3;
  scan = (LkJsonScan){ (const guint8 *) data, (const guint8 *) data, (const guint8 *) data + size, source };
  if (!g_utf8_validate_len (data, size, &bad))
    {
      scan.at = (const guint8 *) bad;
      lk_json_fail (&scan, error, *bad ? "not UTF-8" : "a NUL byte");
      return NULL;
    }
  if (!lk_json_check (&scan, error))
    return NULL;
  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, data, (gssize) size, &local_error))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s%s%s", source ? source : "", source ? ": " : "", local_error->message);
      return NULL;
    }
  return json_parser_steal_root (parser);
}

JsonObject *
lk_json_load_object (const char *path, guint64 limit, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (path, limit, error);
  g_autoptr (JsonNode) node = NULL;
  gconstpointer data;
  gsize size;

  if (!bytes)
    return NULL;
  data = g_bytes_get_data (bytes, &size);
  node = lk_json_parse (size ? data : "", size, path, error);
  if (!node)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: a JSON object is expected at the top", path);
      return NULL;
    }
  return json_node_dup_object (node);
}

/* The member's node; NULL with *missing when it is absent or null. */
static JsonNode *
lk_json_lookup (JsonObject *object, const char *member, gboolean *missing)
{
  JsonNode *node = json_object_has_member (object, member) ? json_object_get_member (object, member) : NULL;

  *missing = !node || JSON_NODE_HOLDS_NULL (node);
  return *missing ? NULL : node;
}

static gboolean
lk_json_wrong_type (const char *source, const char *member, const char *wanted, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” must be %s", source, member, wanted);
  return FALSE;
}

static gboolean
lk_json_is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64 || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

gboolean
lk_json_get_int (JsonObject *object, const char *member, const char *source, gint64 *out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);
  double d;

  if (missing)
    return TRUE;
  if (!lk_json_is_number (node))
    return lk_json_wrong_type (source, member, "a whole number", error);
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    {
      *out = json_node_get_int (node);
      return TRUE;
    }
  d = json_node_get_double (node);
  if (d != floor (d) || fabs (d) > 9007199254740992.0)
    return lk_json_wrong_type (source, member, "a whole number", error);
  *out = (gint64) d;
  return TRUE;
}

gboolean
lk_json_get_double (JsonObject *object, const char *member, const char *source, double *out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);

  if (missing)
    return TRUE;
  if (!lk_json_is_number (node))
    return lk_json_wrong_type (source, member, "a number", error);
  *out = json_node_get_double (node);
  return TRUE;
}

gboolean
lk_json_get_boolean (JsonObject *object, const char *member, const char *source, gboolean *out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);

  if (missing)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return lk_json_wrong_type (source, member, "true or false", error);
  *out = json_node_get_boolean (node);
  return TRUE;
}

gboolean
lk_json_get_string (JsonObject *object, const char *member, const char *source, const char **out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);

  if (missing)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return lk_json_wrong_type (source, member, "a text", error);
  *out = json_node_get_string (node);
  return TRUE;
}

gboolean
lk_json_get_object (JsonObject *object, const char *member, const char *source, JsonObject **out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);

  if (missing)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return lk_json_wrong_type (source, member, "an object", error);
  *out = json_node_get_object (node);
  return TRUE;
}

gboolean
lk_json_get_array (JsonObject *object, const char *member, const char *source, JsonArray **out, GError **error)
{
  gboolean missing;
  JsonNode *node = lk_json_lookup (object, member, &missing);

  if (missing)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return lk_json_wrong_type (source, member, "a list", error);
  *out = json_node_get_array (node);
  return TRUE;
}

gint64
lk_json_peek_int (JsonObject *object, const char *member, gint64 fallback)
{
  gint64 value = fallback;

  return lk_json_get_int (object, member, "", &value, NULL) ? value : fallback;
}

double
lk_json_peek_double (JsonObject *object, const char *member, double fallback)
{
  double value = fallback;

  return lk_json_get_double (object, member, "", &value, NULL) ? value : fallback;
}

gboolean
lk_json_peek_boolean (JsonObject *object, const char *member, gboolean fallback)
{
  gboolean value = fallback;

  return lk_json_get_boolean (object, member, "", &value, NULL) ? value : fallback;
}

const char *
lk_json_peek_string (JsonObject *object, const char *member, const char *fallback)
{
  const char *value = fallback;

  return lk_json_get_string (object, member, "", &value, NULL) ? value : fallback;
}
