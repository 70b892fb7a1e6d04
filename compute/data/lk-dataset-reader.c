/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file's container is told by its content: a JSON list, one JSON object holding a list (data, train), JSON lines, JSON values
 * spread over lines, else plain text whose paragraphs are rows. Elements are found by a scanner of our own and parsed one by one,
 * so that each row knows its line, a bad one spoils no other, and memory stays small.
 */
#define _GNU_SOURCE /* memmem */
#include "lk-dataset-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-form.h"
#include "lk-json.h"

guint64
_lk_reader_line (LkReader *reader, const char *at)
{
  if (at < reader->counted)
    {
      reader->counted = reader->begin;
      reader->line = 1;
    }
  for (; reader->counted < at; reader->counted++)
    reader->line += *reader->counted == '\n';
  return reader->line;
}

void
_lk_reader_problem (LkReader *reader, guint64 line, char *reason, const char *text, gsize n)
{
  if (!reader->first_problem)
    reader->first_problem = g_strdup_printf ("line %" G_GUINT64_FORMAT ": %s", line, reason);
  reader->sink->problem (line, reader->index, reason, text, n, reader->sink->data);
  reader->problems++;
  if (text)
    reader->index++;
}

static void
lk_reader_take_row (LkReader *reader, LkRow *row, const char *form)
{
  gpointer count = g_hash_table_lookup (reader->forms, form);

  g_hash_table_insert (reader->forms, (gpointer) form, GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
  reader->sink->row (row, reader->sink->data);
  reader->rows++;
  reader->index++;
}

static const char *
lk_reader_choose_form (LkReader *reader)
{
  GHashTableIter iter;
  gpointer name, count;
  const char *best = NULL;
  guint most = 0;

  g_hash_table_iter_init (&iter, reader->forms);
  while (g_hash_table_iter_next (&iter, &name, &count))
    if (GPOINTER_TO_UINT (count) > most || (GPOINTER_TO_UINT (count) == most && g_strcmp0 (name, best) < 0))
      {
        most = GPOINTER_TO_UINT (count);
        best = name;
      }
  return best;
}

gboolean
_lk_reader_go_on (LkReader *reader, const char *at, GError **error)
{
  if (!reader->sink->progress
      || reader->sink->progress ((guint64) (at - reader->begin), (guint64) (reader->end - reader->begin), reader->sink->data))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_CANCELLED, "Reading %s was ended", reader->path);
  return FALSE;
}

/* \u0000 in a string: texts end there. The pair of backslashes before it is no escape of it. */
static gboolean
lk_holds_nul (const char *text, gsize n)
{
  const char *end = text + n;

  for (const char *p = text; (p = memmem (p, (gsize) (end - p), "\\u0000", 6)); p += 6)
    {
      gsize slashes = 1;

      while (p - slashes >= text && p[-(gssize) slashes] == '\\')
        slashes++;
      if (slashes % 2 == 1)
        return TRUE;
    }
  return FALSE;
}

void
_lk_reader_add_object (LkReader *reader, JsonObject *object, const char *text, gsize n, guint64 line)
{
  const LkForm *form = reader->mapping ? NULL : lk_form_recognise (object);
  LkRow row = { .file = reader->file, .line = line, .index = reader->index };
  char *reason = NULL;

  if (reader->sink->object)
    reader->sink->object (object, reader->sink->data);
  if (reader->mapping && lk_mapping_read (reader->mapping, object, &row, &reason))
    lk_reader_take_row (reader, &row, "Columns");
  else if (form && form->read (object, &row, &reason))
    lk_reader_take_row (reader, &row, form->name);
  else
    {
      _lk_row_clear (&row);
      if (!reason)
        reason = g_strdup ("the row has none of the members a dataset's form is known by (messages, conversations, prompt, instruction, "
                           "question, text)");
      _lk_reader_problem (reader, line, reason, text, n);
    }
}

/* One JSON value that should be a row. FALSE: it is not even JSON. */
static gboolean
lk_reader_add (LkReader *reader, const char *text, gsize n, guint64 line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_json_parse (text, n, NULL, &error);
  char *reason = NULL;

  if (!node)
    reason = g_strdup_printf ("not JSON: %s", error->message);
  else if (!JSON_NODE_HOLDS_OBJECT (node))
    reason = g_strdup ("the row is no JSON object");
  else if (lk_holds_nul (text, n))
    reason = g_strdup ("the row holds the character U+0000, which no text can hold");
  if (reason)
    _lk_reader_problem (reader, line, reason, text, n);
  else
    _lk_reader_add_object (reader, json_node_get_object (node), text, n, line);
  return node != NULL;
}

/* Behind one JSON value that begins at @p: brackets are matched, strings skipped. NULL when it does not end. */
static const char *
lk_skip_value (const char *p, const char *end)
{
  guint64 depth = 0;

  for (; p < end; p++)
    {
      if (*p == '"')
        {
          for (p++; p < end && *p != '"'; p++)
            if (*p == '\\' && ++p == end)
              return NULL;
          if (p >= end)
            return NULL;
        }
      else if (*p == '{' || *p == '[')
        depth++;
      else if (*p == '}' || *p == ']')
        {
          if (depth == 0)
            return p;
          depth--;
        }
      else if (depth == 0 && (*p == ',' || g_ascii_isspace (*p)))
        return p;
      if (depth == 0 && (*p == '"' || *p == '}' || *p == ']'))
        return p + 1;
    }
  return depth == 0 ? p : NULL;
}

static const char *
lk_skip_space (const char *p, const char *end)
{
  while (p < end && g_ascii_isspace (*p))
    p++;
  return p;
}

gboolean
_lk_reader_fail (LkReader *reader, const char *at, const char *what, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s, line %" G_GUINT64_FORMAT ": %s", reader->path,
               _lk_reader_line (reader, at), what);
  return FALSE;
}

/* The elements of a list; @p is behind “[”, *after will be behind “]”. */
static gboolean
lk_reader_list (LkReader *reader, const char *p, const char **after_list, GError **error)
{
  for (p = lk_skip_space (p, reader->end); p < reader->end && *p != ']';)
    {
      const char *begin = p, *after = lk_skip_value (p, reader->end);

      if (!after || after == begin)
        return _lk_reader_fail (reader, begin, after ? "a value is missing in the list" : "a value of the list does not end", error);
      lk_reader_add (reader, begin, (gsize) (after - begin), _lk_reader_line (reader, begin));
      if (!_lk_reader_go_on (reader, after, error))
        return FALSE;
      p = lk_skip_space (after, reader->end);
      if (p >= reader->end || (*p != ',' && *p != ']'))
        return _lk_reader_fail (reader, p, "“,” or “]” is missing in the list", error);
      if (*p == ',')
        {
          p = lk_skip_space (p + 1, reader->end);
          if (p < reader->end && *p == ']')
            return _lk_reader_fail (reader, p, "a value is missing behind the last “,”", error);
        }
    }
  if (p >= reader->end)
    return _lk_reader_fail (reader, reader->end, "the list does not end", error);
  *after_list = p + 1;
  return TRUE;
}

static gboolean
lk_reader_top_list (LkReader *reader, const char *p, GError **error)
{
  if (!lk_reader_list (reader, p, &p, error))
    return FALSE;
  p = lk_skip_space (p, reader->end);
  if (p < reader->end)
    _lk_reader_problem (reader, _lk_reader_line (reader, p), g_strdup ("what follows the list is not read"), NULL, 0);
  return TRUE;
}

/* The members of one object from @p, a name, on: the first list called data, train or rows is read (*found), lists beside it are
 * told of. */
static gboolean
lk_reader_members (LkReader *reader, const char *p, gboolean *found, GError **error)
{
  static const char *const names[] = { "\"data\"", "\"train\"", "\"rows\"" };

  while (p < reader->end && *p == '"')
    {
      const char *name = p, *after = lk_skip_value (p, reader->end), *value;
      gsize n = after ? (gsize) (after - name) : 0;
      gboolean wanted = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (names) && !*found; i++)
        wanted |= n == strlen (names[i]) && strncmp (name, names[i], n) == 0;
      p = after ? lk_skip_space (after, reader->end) : reader->end;
      if (p >= reader->end || *p != ':')
        break;
      value = lk_skip_space (p + 1, reader->end);
      if (wanted && value < reader->end && *value == '[')
        {
          *found = TRUE;
          if (!lk_reader_list (reader, value + 1, &after, error))
            return FALSE;
        }
      else
        {
          after = value < reader->end ? lk_skip_value (value, reader->end) : NULL;
          if (*found && after && *value == '[')
            {
              g_autofree char *valid = g_utf8_make_valid (name, (gssize) MIN (n, 60));

              _lk_reader_problem (reader, _lk_reader_line (reader, name),
                                  g_strdup_printf ("the list %s beside the one that is read is left out", valid), NULL, 0);
            }
        }
      p = after ? lk_skip_space (after, reader->end) : reader->end;
      if (p >= reader->end || *p != ',')
        break;
      p = lk_skip_space (p + 1, reader->end);
    }
  return TRUE;
}

static gboolean
lk_reader_lines (LkReader *reader, GError **error)
{
  guint64 line = 1;

  for (const char *p = reader->begin; p < reader->end; line++)
    {
      const char *newline = memchr (p, '\n', (gsize) (reader->end - p));
      const char *after = newline ? newline : reader->end, *stop = after;

      while (stop > p && g_ascii_isspace (stop[-1]))
        stop--;
      if (lk_skip_space (p, stop) < stop)
        lk_reader_add (reader, p, (gsize) (stop - p), line);
      p = newline ? newline + 1 : reader->end;
      if (!_lk_reader_go_on (reader, p, error))
        return FALSE;
    }
  return TRUE;
}

/* JSON values one after the other, each over as many lines as it likes. A bad one ends where a line begins with the next brace;
 * @wasted keeps many bad ones from looking through the whole file each. */
static gboolean
lk_reader_values (LkReader *reader, const char *p, GError **error)
{
  guint64 wasted = 0, size = (guint64) (reader->end - reader->begin);

  while ((p = lk_skip_space (p, reader->end)) < reader->end)
    {
      const char *next = memmem (p, (gsize) (reader->end - p), "\n{", 2);
      const char *limit = wasted > 8 * size && next ? next : reader->end;
      const char *after = lk_skip_value (p, limit);

      next = next ? next + 1 : reader->end;
      if (!after || after == p)
        {
          wasted += (guint64) (limit - p);
          after = next;
        }
      if (!lk_reader_add (reader, p, (gsize) (after - p), _lk_reader_line (reader, p)))
        after = MIN (after, next);
      p = after;
      if (!_lk_reader_go_on (reader, p, error))
        return FALSE;
    }
  return TRUE;
}

/* Paragraphs, apart by empty lines. */
static gboolean
lk_reader_text (LkReader *reader, GError **error)
{
  const char *bad;

  if (!g_utf8_validate_len (reader->begin, (gsize) (reader->end - reader->begin), &bad))
    return _lk_reader_fail (reader, bad, "not UTF-8, so not a text", error);
  for (const char *p = reader->begin, *row_begin = NULL; p < reader->end;)
    {
      const char *newline = memchr (p, '\n', (gsize) (reader->end - p));
      const char *next = newline ? newline + 1 : reader->end;
      gboolean blank = lk_skip_space (p, next) == next, last = next == reader->end;

      row_begin = row_begin || blank ? row_begin : p;
      if (row_begin && (blank || last))
        {
          LkRow row = { .kind = LK_ROW_TEXT, .file = reader->file, .index = reader->index, .line = _lk_reader_line (reader, row_begin) };

          row.text = g_strchomp (g_strndup (row_begin, (gsize) ((blank ? p : next) - row_begin)));
          lk_reader_take_row (reader, &row, lk_form_text.name);
          row_begin = NULL;
          if (!_lk_reader_go_on (reader, next, error))
            return FALSE;
        }
      p = next;
    }
  return TRUE;
}

/* The file is one or more JSON objects; @p is at the first. */
static gboolean
lk_reader_objects (LkReader *reader, const char *p, GError **error)
{
  const char *after = lk_skip_value (p, reader->end);
  const char *newline = memchr (p, '\n', (gsize) (reader->end - p));
  g_autoptr (JsonNode) node = NULL;
  gboolean found = FALSE;

  if (after && lk_skip_space (after, reader->end) == reader->end) /* a single one */
    {
      if (!lk_reader_members (reader, lk_skip_space (p + 1, reader->end), &found, error))
        return FALSE;
      if (found)
        return TRUE;
    }
  if (after && newline && after > newline && (node = lk_json_parse (p, (gsize) (after - p), "row 1", NULL)))
    return lk_reader_values (reader, p, error);
  return lk_reader_lines (reader, error);
}

/* Names whose content is no plain text, though its bytes might pass for it. */
static gboolean
lk_reader_refuse_kind (LkReader *reader, GError **error)
{
  static const char *const kinds[] = { ".parquet", ".arrow", ".feather", ".xlsx", ".ods", ".gz", ".zst", ".zip", ".xml", ".html" };
  g_autofree char *name = g_ascii_strdown (reader->path, -1);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_suffix (name, kinds[i]))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: %s files cannot be read; JSON, JSON lines, CSV and plain text can",
                     reader->path, kinds[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
lk_reader_is_json_name (const char *path)
{
  g_autofree char *name = g_ascii_strdown (path, -1);

  return g_str_has_suffix (name, ".jsonl") || g_str_has_suffix (name, ".json") || g_str_has_suffix (name, ".ndjson");
}

static gboolean
lk_reader_read (LkReader *reader, GError **error)
{
  const char *p = lk_skip_space (reader->begin, reader->end);
  gsize n = (gsize) (reader->end - reader->begin);
  char delimiter;

  if (p >= reader->end)
    return _lk_reader_fail (reader, p, "the file is empty", error);
  if (n >= 2 && (memcmp (reader->begin, "\xff\xfe", 2) == 0 || memcmp (reader->begin, "\xfe\xff", 2) == 0))
    return _lk_reader_fail (reader, p, "the file is UTF-16; save it as UTF-8", error);
  if (_lk_reader_is_table (reader, &delimiter))
    return _lk_reader_table (reader, delimiter, error);
  if (*p == '[')
    return lk_reader_top_list (reader, p + 1, error);
  if (*p == '{')
    return lk_reader_objects (reader, p, error);
  if (!lk_reader_refuse_kind (reader, error))
    return FALSE;
  if (!lk_reader_is_json_name (reader->path))
    return lk_reader_text (reader, error);
  return lk_reader_lines (reader, error);
}

gboolean
_lk_data_read (const char *path, guint file, GBytes *bytes, const LkMapping *mapping, const LkDataSink *sink, const char **form,
               guint64 *rows, GError **error)
{
  g_autoptr (GHashTable) forms = g_hash_table_new (g_str_hash, g_str_equal);
  gsize n;
  const char *data = g_bytes_get_data (bytes, &n);
  LkReader reader = { .path = path, .file = file, .mapping = mapping, .sink = sink, .line = 1, .forms = forms };
  g_autofree char *first_problem = NULL;
  gboolean ok;

  if (n >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, n -= 3;
  reader.begin = reader.counted = n ? data : "";
  reader.end = reader.begin + n;
  ok = lk_reader_read (&reader, error);
  first_problem = reader.first_problem;
  *form = lk_reader_choose_form (&reader);
  *rows = reader.rows;
  if (!ok || reader.rows > 0)
    return ok;
  if (!first_problem)
    return _lk_reader_fail (&reader, reader.begin, "there is no row in it", error);
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: none of its %" G_GUINT64_FORMAT " rows can be used; %s", path, reader.problems,
               first_problem);
  return FALSE;
}
