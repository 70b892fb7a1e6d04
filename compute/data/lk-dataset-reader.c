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

#define LK_MAX_FORMS 16

/* One file while it is read. */
typedef struct
{
  LkDataset *self;
  guint file;
  const char *begin, *end; /* of the content, byte-order mark skipped */
  guint64 line;            /* of @counted */
  const char *counted;
  guint64 index;
  struct
  {
    const char *name;
    guint64 rows;
  } forms[LK_MAX_FORMS];
} LkReader;

static guint64
lk_reader_line (LkReader *reader, const char *at)
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

static const char *
lk_reader_path (LkReader *reader)
{
  return g_array_index (reader->self->files, LkDataFile, reader->file).path;
}

static void
lk_reader_problem (LkReader *reader, guint64 line, char *reason)
{
  LkRowProblem problem = { reader->file, line, reader->index, reason };

  g_array_append_val (reader->self->problems, problem);
}

static void
lk_reader_count_form (LkReader *reader, const char *name)
{
  for (guint i = 0; i < LK_MAX_FORMS; i++)
    if (!reader->forms[i].name || reader->forms[i].name == name)
      {
        reader->forms[i].name = name;
        reader->forms[i].rows++;
        return;
      }
}

static const char *
lk_reader_choose_form (LkReader *reader)
{
  guint best = 0;

  for (guint i = 1; i < LK_MAX_FORMS; i++)
    if (reader->forms[i].rows > reader->forms[best].rows)
      best = i;
  return reader->forms[best].name;
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

/* One JSON value that should be a row. FALSE: it is not even JSON. */
static gboolean
lk_reader_add (LkReader *reader, const char *text, gsize n, guint64 line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = g_strdup_printf ("row %" G_GUINT64_FORMAT, reader->index + 1);
  g_autoptr (JsonNode) node = lk_json_parse (text, n, source, &error);
  JsonObject *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const LkForm *form = object ? lk_form_recognise (object) : NULL;
  LkRow row = { .file = reader->file, .line = line, .index = reader->index };
  char *reason = NULL;

  if (!node)
    reason = g_strdup_printf ("not JSON: %s", error->message);
  else if (!object)
    reason = g_strdup ("the row is no JSON object");
  else if (lk_holds_nul (text, n))
    reason = g_strdup ("the row holds the character U+0000, which no text can hold");
  else if (!form)
    reason = g_strdup ("the row has none of the members a dataset's form is known by (messages, conversations, prompt, instruction, "
                       "question, text)");
  else if (form->read (object, &row, &reason))
    {
      lk_reader_count_form (reader, form->name);
      g_array_append_val (reader->self->rows, row);
      reader->index++;
      return TRUE;
    }
  _lk_row_clear (&row);
  lk_reader_problem (reader, line, reason);
  reader->index++;
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

static gboolean
lk_reader_fail (LkReader *reader, const char *at, const char *what, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s, line %" G_GUINT64_FORMAT ": %s", lk_reader_path (reader),
               lk_reader_line (reader, at), what);
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
        return lk_reader_fail (reader, begin, after ? "a value is missing in the list" : "a value of the list does not end", error);
      lk_reader_add (reader, begin, (gsize) (after - begin), lk_reader_line (reader, begin));
      p = lk_skip_space (after, reader->end);
      if (p >= reader->end || (*p != ',' && *p != ']'))
        return lk_reader_fail (reader, p, "“,” or “]” is missing in the list", error);
      if (*p == ',')
        {
          p = lk_skip_space (p + 1, reader->end);
          if (p < reader->end && *p == ']')
            return lk_reader_fail (reader, p, "a value is missing behind the last “,”", error);
        }
    }
  if (p >= reader->end)
    return lk_reader_fail (reader, reader->end, "the list does not end", error);
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
    lk_reader_problem (reader, lk_reader_line (reader, p), g_strdup ("what follows the list is not read"));
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

              lk_reader_problem (reader, lk_reader_line (reader, name),
                                 g_strdup_printf ("the list %s beside the one that is read is left out", valid));
            }
        }
      p = after ? lk_skip_space (after, reader->end) : reader->end;
      if (p >= reader->end || *p != ',')
        break;
      p = lk_skip_space (p + 1, reader->end);
    }
  return TRUE;
}

static void
lk_reader_lines (LkReader *reader)
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
    }
}

/* JSON values one after the other, each over as many lines as it likes. A bad one ends where a line begins with the next brace;
 * @wasted keeps many bad ones from looking through the whole file each. */
static void
lk_reader_values (LkReader *reader, const char *p)
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
      if (!lk_reader_add (reader, p, (gsize) (after - p), lk_reader_line (reader, p)))
        after = MIN (after, next);
      p = after;
    }
}

/* Paragraphs, apart by empty lines. */
static gboolean
lk_reader_text (LkReader *reader, GError **error)
{
  const char *bad;

  if (!g_utf8_validate_len (reader->begin, (gsize) (reader->end - reader->begin), &bad))
    return lk_reader_fail (reader, bad, "not UTF-8, so not a text", error);
  for (const char *p = reader->begin, *row_begin = NULL; p < reader->end;)
    {
      const char *newline = memchr (p, '\n', (gsize) (reader->end - p));
      const char *next = newline ? newline + 1 : reader->end;
      gboolean blank = lk_skip_space (p, next) == next, last = next == reader->end;

      row_begin = row_begin || blank ? row_begin : p;
      if (row_begin && (blank || last))
        {
          LkRow row = { .kind = LK_ROW_TEXT, .file = reader->file, .index = reader->index++, .line = lk_reader_line (reader, row_begin) };

          row.text = g_strchomp (g_strndup (row_begin, (gsize) ((blank ? p : next) - row_begin)));
          g_array_append_val (reader->self->rows, row);
          lk_reader_count_form (reader, lk_form_text.name);
          row_begin = NULL;
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
    lk_reader_values (reader, p);
  else
    lk_reader_lines (reader);
  return TRUE;
}

/* Names whose content is no plain text, though its bytes might pass for it. */
static gboolean
lk_reader_refuse_kind (LkReader *reader, GError **error)
{
  static const char *const kinds[] = { ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".xlsx", ".ods", ".gz", ".zst", ".zip", ".xml", ".html" };
  g_autofree char *name = g_ascii_strdown (lk_reader_path (reader), -1);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_suffix (name, kinds[i]))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: %s files cannot be read; JSON, JSON lines and plain text can",
                     lk_reader_path (reader), kinds[i]);
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

  if (p >= reader->end)
    return lk_reader_fail (reader, p, "the file is empty", error);
  if (n >= 2 && (memcmp (reader->begin, "\xff\xfe", 2) == 0 || memcmp (reader->begin, "\xfe\xff", 2) == 0))
    return lk_reader_fail (reader, p, "the file is UTF-16; save it as UTF-8", error);
  if (*p == '[')
    return lk_reader_top_list (reader, p + 1, error);
  if (*p == '{')
    return lk_reader_objects (reader, p, error);
  if (!lk_reader_refuse_kind (reader, error))
    return FALSE;
  if (!lk_reader_is_json_name (lk_reader_path (reader)))
    return lk_reader_text (reader, error);
  lk_reader_lines (reader);
  return TRUE;
}

gboolean
_lk_dataset_read_file (LkDataset *self, guint index, GBytes *bytes, GError **error)
{
  gsize n;
  const char *data = g_bytes_get_data (bytes, &n);
  LkReader reader = { .self = self, .file = index, .line = 1 };
  guint rows = self->rows->len, problems = self->problems->len;
  const LkRowProblem *first;

  if (n >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, n -= 3;
  reader.begin = reader.counted = n ? data : "";
  reader.end = reader.begin + n;
  if (!lk_reader_read (&reader, error))
    return FALSE;
  g_array_index (self->files, LkDataFile, index).form = lk_reader_choose_form (&reader);
  if (self->rows->len > rows)
    return TRUE;
  if (self->problems->len == problems)
    return lk_reader_fail (&reader, reader.begin, "there is no row in it", error);
  first = &g_array_index (self->problems, LkRowProblem, problems);
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: none of its %u rows can be used; line %" G_GUINT64_FORMAT ": %s",
               lk_reader_path (&reader), self->problems->len - problems, first->line, first->reason);
  return FALSE;
}
