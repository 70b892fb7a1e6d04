/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file's container is told by its content: a JSON list, one JSON object holding a list (data, train), JSON lines, else plain
 * text whose paragraphs are rows. Elements of a list are found by a scanner of our own and parsed one by one, so that each
 * row knows its line and memory stays small.
 */
#include "lk-dataset.h"

#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-form.h"
#include "lk-json.h"
#include "lk-random.h"

typedef struct
{
  char *path;
  const char *form; /* of most rows; static */
} LkDataFile;

struct _LkDataset
{
  gatomicrefcount ref_count;
  GArray *files, *rows, *problems;
  char *hash;
};

static void
lk_data_file_clear (gpointer data)
{
  g_free (((LkDataFile *) data)->path);
}

static void
lk_row_clear (gpointer data)
{
  LkRow *row = data;

  g_clear_pointer (&row->messages, json_array_unref);
  g_clear_pointer (&row->tools, json_node_unref);
  g_clear_pointer (&row->prompt, g_free);
  g_clear_pointer (&row->text, g_free);
}

static void
lk_row_problem_clear (gpointer data)
{
  g_free (((LkRowProblem *) data)->reason);
}

LkDataset *
lk_dataset_ref (LkDataset *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_dataset_unref (LkDataset *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->files);
  g_array_unref (self->rows);
  g_array_unref (self->problems);
  g_free (self->hash);
  g_free (self);
}

/* One file while it is read. */
typedef struct
{
  LkDataset *self;
  guint file;
  const char *begin, *end; /* of the content, byte-order mark skipped */
  guint64 line;            /* of @counted */
  const char *counted;
  guint64 index;
} LkReader;

static guint64
lk_reader_line (LkReader *reader, const char *at)
{
  for (; reader->counted < at; reader->counted++)
    reader->line += *reader->counted == '\n';
  return reader->line;
}

static void
lk_reader_problem (LkReader *reader, guint64 line, char *reason)
{
  LkRowProblem problem = { reader->file, line, reader->index, reason };

  g_array_append_val (reader->self->problems, problem);
}

/* One JSON value that should be a row. */
static void
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
  else if (!form)
    reason = g_strdup ("the row has none of the members a dataset's form is known by (messages, conversations, prompt, instruction, "
                       "question, text)");
  else if (form->read (object, &row, &reason))
    {
      LkDataFile *file = &g_array_index (reader->self->files, LkDataFile, reader->file);

      file->form = file->form ? file->form : form->name;
      g_array_append_val (reader->self->rows, row);
      reader->index++;
      return;
    }
  lk_row_clear (&row);
  lk_reader_problem (reader, line, reason);
  reader->index++;
}

/* Behind one JSON value that begins at @p: brackets are matched, strings skipped. NULL when it does not end. */
static const char *
lk_skip_value (const char *p, const char *end)
{
  guint depth = 0;

  for (; p < end; p++)
    {
      if (*p == '"')
        {
          for (p++; p < end && *p != '"'; p++)
            p += *p == '\\';
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
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s, line %" G_GUINT64_FORMAT ": %s",
               g_array_index (reader->self->files, LkDataFile, reader->file).path, lk_reader_line (reader, at), what);
  return FALSE;
}

/* The elements of a list; @p is behind “[”. */
static gboolean
lk_reader_list (LkReader *reader, const char *p, GError **error)
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
  p = lk_skip_space (p + 1, reader->end);
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

/* JSON values one after the other, each over as many lines as it likes. */
static void
lk_reader_values (LkReader *reader, const char *p)
{
  while ((p = lk_skip_space (p, reader->end)) < reader->end)
    {
      const char *after = lk_skip_value (p, reader->end);

      after = after && after > p ? after : reader->end;
      lk_reader_add (reader, p, (gsize) (after - p), lk_reader_line (reader, p));
      p = after;
    }
}

/* The first line is an opening brace alone: somebody printed the object to be read by people. */
static gboolean
lk_reader_is_spread (const char *p, const char *end)
{
  for (p++; p < end && *p != '\n'; p++)
    if (!g_ascii_isspace (*p))
      return FALSE;
  return TRUE;
}

/* Paragraphs, apart by empty lines. */
static gboolean
lk_reader_text (LkReader *reader, GError **error)
{
  const char *bad;

  if (!g_utf8_validate_len (reader->begin, (gsize) (reader->end - reader->begin), &bad))
    return lk_reader_fail (reader, bad, "not UTF-8, so not a text", error);
  for (const char *p = lk_skip_space (reader->begin, reader->end); p < reader->end;)
    {
      const char *q = p;
      LkRow row = { .kind = LK_ROW_TEXT, .file = reader->file, .index = reader->index++, .line = lk_reader_line (reader, p) };

      while (q < reader->end)
        {
          const char *newline = memchr (q, '\n', (gsize) (reader->end - q));
          const char *next = newline ? newline + 1 : reader->end, *rest = next;

          q = next;
          while (rest < reader->end && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
            rest++;
          if (rest >= reader->end || *rest == '\n')
            break;
        }
      row.text = g_strchomp (g_strndup (p, (gsize) (q - p)));
      g_array_append_val (reader->self->rows, row);
      p = lk_skip_space (q, reader->end);
    }
  g_array_index (reader->self->files, LkDataFile, reader->file).form = lk_form_text.name;
  return TRUE;
}

/* Where the list of {"data": […]} or {"train": […]} begins, behind “[”; NULL: the file is no such object. */
static const char *
lk_reader_wrapped_list (const char *p, const char *end)
{
  static const char *const names[] = { "\"data\"", "\"train\"", "\"rows\"" };

  for (p = lk_skip_space (p + 1, end); p < end && *p == '"';)
    {
      const char *after = lk_skip_value (p, end), *value;
      gboolean wanted = FALSE;

      for (guint i = 0; after && i < G_N_ELEMENTS (names); i++)
        wanted |= (gsize) (after - p) == strlen (names[i]) && strncmp (p, names[i], strlen (names[i])) == 0;
      p = after ? lk_skip_space (after, end) : end;
      if (p >= end || *p != ':')
        return NULL;
      value = lk_skip_space (p + 1, end);
      if (wanted && value < end && *value == '[')
        return value + 1;
      after = value < end ? lk_skip_value (value, end) : NULL;
      p = after ? lk_skip_space (after, end) : end;
      if (p >= end || *p != ',')
        return NULL;
      p = lk_skip_space (p + 1, end);
    }
  return NULL;
}

static gboolean
lk_dataset_read_file (LkDataset *self, guint index, GBytes *bytes, GError **error)
{
  gsize n;
  const char *data = g_bytes_get_data (bytes, &n);
  LkReader reader = { .self = self, .file = index, .line = 1 };
  guint rows = self->rows->len, problems = self->problems->len;
  const char *p, *wrapped;
  gboolean ok = TRUE;

  if (n >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, n -= 3;
  reader.begin = reader.counted = n ? data : "";
  reader.end = reader.begin + n;
  p = lk_skip_space (reader.begin, reader.end);
  if (p >= reader.end)
    return lk_reader_fail (&reader, p, "the file is empty", error);
  if (*p == '[')
    ok = lk_reader_list (&reader, p + 1, error);
  else if (*p == '{' && (wrapped = lk_reader_wrapped_list (p, reader.end)))
    ok = lk_reader_list (&reader, wrapped, error);
  else if (*p == '{' && lk_reader_is_spread (p, reader.end))
    lk_reader_values (&reader, p);
  else if (*p == '{' || g_str_has_suffix (g_array_index (self->files, LkDataFile, index).path, ".jsonl"))
    lk_reader_lines (&reader);
  else
    ok = lk_reader_text (&reader, error);
  if (!ok)
    return FALSE;
  if (self->rows->len > rows)
    return TRUE;
  if (self->problems->len == problems)
    return lk_reader_fail (&reader, reader.begin, "there is no row in it", error);
  {
    const LkRowProblem *first = &g_array_index (self->problems, LkRowProblem, problems);

    g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: none of its %u rows can be used; line %" G_GUINT64_FORMAT ": %s",
                 g_array_index (self->files, LkDataFile, index).path, self->problems->len - problems, first->line, first->reason);
  }
  return FALSE;
}

LkDataset *
lk_dataset_load (const char *const *paths, guint n_paths, GError **error)
{
  g_autoptr (LkDataset) self = g_new0 (LkDataset, 1);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_atomic_ref_count_init (&self->ref_count);
  self->files = g_array_new (FALSE, TRUE, sizeof (LkDataFile));
  self->rows = g_array_new (FALSE, TRUE, sizeof (LkRow));
  self->problems = g_array_new (FALSE, TRUE, sizeof (LkRowProblem));
  g_array_set_clear_func (self->files, lk_data_file_clear);
  g_array_set_clear_func (self->rows, lk_row_clear);
  g_array_set_clear_func (self->problems, lk_row_problem_clear);
  for (guint i = 0; i < n_paths; i++)
    {
      g_autoptr (GBytes) bytes = lk_file_map (paths[i], error);
      LkDataFile file = { g_strdup (paths[i]), NULL };

      g_array_append_val (self->files, file);
      if (!bytes || !lk_dataset_read_file (self, i, bytes, error))
        return NULL;
      g_checksum_update (checksum, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
    }
  self->hash = g_strdup (g_checksum_get_string (checksum));
  return g_steal_pointer (&self);
}

guint
lk_dataset_get_n_rows (LkDataset *self)
{
  return self->rows->len;
}

const LkRow *
lk_dataset_get_row (LkDataset *self, guint i)
{
  return &g_array_index (self->rows, LkRow, i);
}

guint
lk_dataset_get_n_problems (LkDataset *self)
{
  return self->problems->len;
}

const LkRowProblem *
lk_dataset_get_problem (LkDataset *self, guint i)
{
  return &g_array_index (self->problems, LkRowProblem, i);
}

const char *
lk_dataset_get_path (LkDataset *self, guint file)
{
  return g_array_index (self->files, LkDataFile, file).path;
}

const char *
lk_dataset_get_form (LkDataset *self, guint file)
{
  return g_array_index (self->files, LkDataFile, file).form;
}

const char *
lk_dataset_get_hash (LkDataset *self)
{
  return self->hash;
}

/* The row's content as one text, the same for rows that teach the same. (transfer full) */
static char *
lk_row_canonical (const LkRow *row)
{
  g_autoptr (JsonNode) node = NULL;

  if (row->kind != LK_ROW_MESSAGES)
    return g_strdup_printf ("%d\n%s\n%s", row->kind, row->prompt ? row->prompt : "", row->text);
  node = json_node_init_array (json_node_alloc (), row->messages);
  return lk_json_to_string (node, FALSE);
}

/* Groups of identical rows: group_of[row], numbered by first appearance. (transfer full) */
static guint *
lk_dataset_group (LkDataset *self, guint *n_groups)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint *group_of = g_new (guint, self->rows->len + 1);

  *n_groups = 0;
  for (guint i = 0; i < self->rows->len; i++)
    {
      g_autofree char *text = lk_row_canonical (lk_dataset_get_row (self, i));
      char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA1, text, -1);
      gpointer group = g_hash_table_lookup (seen, hash);

      if (!group)
        {
          group = GUINT_TO_POINTER (++*n_groups);
          g_hash_table_insert (seen, g_steal_pointer (&hash), group);
        }
      g_free (hash);
      group_of[i] = GPOINTER_TO_UINT (group) - 1;
    }
  return group_of;
}

void
lk_dataset_split (LkDataset *self, double fraction, guint minimum, guint64 seed, GArray **train, GArray **held_out)
{
  guint n = self->rows->len, n_groups, taken = 0;
  guint wanted = (guint) ((double) n * fraction + 0.5);
  g_autofree guint *group_of = lk_dataset_group (self, &n_groups);
  g_autofree guint *size = g_new0 (guint, n_groups + 1);
  g_autofree guint32 *order = g_new (guint32, n_groups + 1);
  g_autofree gboolean *out = g_new0 (gboolean, n_groups + 1);
  LkRandom random = lk_random (seed, 0x73706c6974);

  if (fraction > 0)
    wanted = n < 4 ? 0 : MIN (MAX (wanted, minimum), MAX (1, n / (n < 2 * minimum ? 4 : 2)));
  else
    wanted = 0;
  for (guint i = 0; i < n; i++)
    size[group_of[i]]++;
  lk_random_permutation (&random, order, n_groups);
  for (guint g = 0; g < n_groups && taken < wanted; g++)
    if (taken + size[order[g]] <= MAX (wanted, 1) * 2 && taken + size[order[g]] < n)
      {
        out[order[g]] = TRUE;
        taken += size[order[g]];
      }
  *train = g_array_new (FALSE, FALSE, sizeof (guint));
  *held_out = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < n; i++)
    g_array_append_val (out[group_of[i]] ? *held_out : *train, i);
}
