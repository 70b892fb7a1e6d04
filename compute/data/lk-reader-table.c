/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CSV as RFC 4180 has it, and its kin with tabs or semicolons: the first record names the columns, each other one is a row. A field in
 * quotation marks may hold delimiters, line ends and, doubled, quotation marks. Line ends within a field become one newline: what a
 * file's lines end with is nothing to learn. A record that is not well-formed is a problem with its line and spoils no other, except
 * that a quotation mark that is never closed swallows the rest of the file, so that is an error of the file.
 */
#include "lk-dataset-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-form.h"

#define LK_MAX_TABLE_COLUMNS 4096

typedef struct
{
  LkReader *reader;
  char delimiter;
  const char *p, *end;
  guint64 line;      /* of @p */
  GPtrArray *fields; /* of the record, owned */
  GString *field;
} LkTable;

gboolean
_lk_reader_is_table (LkReader *reader, char *delimiter)
{
  g_autofree char *name = g_ascii_strdown (reader->path, -1);
  guint counts[256] = { 0 };
  gboolean quoted = FALSE;

  if (g_str_has_suffix (name, ".tsv") || g_str_has_suffix (name, ".tab"))
    {
      *delimiter = '\t';
      return TRUE;
    }
  if (!g_str_has_suffix (name, ".csv"))
    return FALSE;
  for (const char *p = reader->begin; p < reader->end && (quoted || (*p != '\n' && *p != '\r')); p++)
    if (*p == '"')
      quoted = !quoted;
    else if (!quoted)
      counts[(guchar) *p]++;
  *delimiter = counts[';'] > counts[','] && counts[';'] >= counts['\t'] ? ';' : counts['\t'] > counts[','] ? '\t' : ',';
  return TRUE;
}

static gboolean
lk_table_at_line_end (const LkTable *self)
{
  return self->p >= self->end || *self->p == '\n' || *self->p == '\r';
}

static void
lk_table_skip_line_end (LkTable *self)
{
  if (self->p < self->end && *self->p == '\r')
    self->p++;
  if (self->p < self->end && *self->p == '\n')
    self->p++;
  self->line++;
}

/* Behind the opening quotation mark, up to behind the closing one. FALSE: there is none. */
static gboolean
lk_table_quoted (LkTable *self)
{
  for (; self->p < self->end; self->p++)
    {
      char c = *self->p;

      if (c == '"' && (self->p + 1 >= self->end || self->p[1] != '"'))
        {
          self->p++;
          return TRUE;
        }
      if (c == '"')
        self->p++;
      if (c == '\r' && self->p + 1 < self->end && self->p[1] == '\n')
        continue;
      if (c == '\r')
        c = '\n';
      self->line += c == '\n';
      g_string_append_c (self->field, c);
    }
  return FALSE;
}

/* One field; *reason is set when it is not well-formed, and the rest up to the delimiter belongs to it all the same. */
static gboolean
lk_table_field (LkTable *self, char **reason, GError **error)
{
  const char *begin = self->p;

  g_string_truncate (self->field, 0);
  if (self->p < self->end && *self->p == '"')
    {
      self->p++;
      if (!lk_table_quoted (self))
        return _lk_reader_fail (self->reader, begin, "a quotation mark that opens here is never closed", error);
    }
  if (self->p > begin && !lk_table_at_line_end (self) && *self->p != self->delimiter && !*reason)
    *reason = g_strdup_printf ("field %u goes on behind its closing quotation mark", self->fields->len + 1);
  for (; !lk_table_at_line_end (self) && *self->p != self->delimiter; self->p++)
    {
      if (*self->p == '"' && *begin != '"' && !*reason)
        *reason = g_strdup_printf ("field %u has a quotation mark in the middle, but none around it", self->fields->len + 1);
      g_string_append_c (self->field, *self->p);
    }
  if (!*reason && memchr (self->field->str, 0, self->field->len))
    *reason = g_strdup_printf ("field %u holds the character U+0000, which no text can hold", self->fields->len + 1);
  if (!*reason && !g_utf8_validate (self->field->str, (gssize) self->field->len, NULL))
    *reason = g_strdup_printf ("field %u is not UTF-8", self->fields->len + 1);
  g_ptr_array_add (self->fields, g_strndup (self->field->str, self->field->len));
  return TRUE;
}

/* The fields of the next record that is no empty line; FALSE without error at the end. */
static gboolean
lk_table_record (LkTable *self, guint64 *line, const char **begin, char **reason, GError **error)
{
  g_ptr_array_set_size (self->fields, 0);
  while (self->p < self->end && lk_table_at_line_end (self))
    lk_table_skip_line_end (self);
  if (self->p >= self->end)
    return FALSE;
  *line = self->line;
  *begin = self->p;
  while (TRUE)
    {
      if (!lk_table_field (self, reason, error))
        return FALSE;
      if (lk_table_at_line_end (self))
        return TRUE;
      self->p++; /* the delimiter */
    }
}

/* The names of the columns, each once. NULL and @error when the first record is none. */
static GPtrArray *
lk_table_header (LkTable *self, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *reason = NULL;
  const char *begin = self->p;
  guint64 line = 1;

  if (!lk_table_record (self, &line, &begin, &reason, error))
    {
      if (error && !*error)
        _lk_reader_fail (self->reader, self->reader->begin, "the file is empty", error);
      return NULL;
    }
  if (!reason && self->fields->len > LK_MAX_TABLE_COLUMNS)
    reason = g_strdup_printf ("%u columns are more than %u", self->fields->len, LK_MAX_TABLE_COLUMNS);
  for (guint i = 0; i < self->fields->len && !reason; i++)
    {
      char *name = g_strstrip (g_strdup (g_ptr_array_index (self->fields, i)));

      if (!*name)
        {
          g_free (name);
          name = g_strdup_printf ("column %u", i + 1);
        }
      g_ptr_array_add (names, name);
      if (!g_hash_table_add (seen, name))
        reason = g_strdup_printf ("two columns are called “%s”", name);
    }
  if (!reason)
    return g_steal_pointer (&names);
  _lk_reader_fail (self->reader, begin, reason, error);
  return NULL;
}

static void
lk_table_row (LkTable *self, GPtrArray *names, const char *begin, guint64 line, char *reason)
{
  gsize n = (gsize) (self->p - begin);
  g_autoptr (JsonObject) object = NULL;

  if (!reason && self->fields->len != names->len)
    reason = g_strdup_printf ("the row has %u fields, and there are %u columns", self->fields->len, names->len);
  if (reason)
    {
      _lk_reader_problem (self->reader, line, reason, begin, n);
      return;
    }
  object = json_object_new ();
  for (guint i = 0; i < names->len; i++)
    json_object_set_string_member (object, g_ptr_array_index (names, i), g_ptr_array_index (self->fields, i));
  _lk_reader_add_object (self->reader, object, begin, n, line);
}

gboolean
_lk_reader_table (LkReader *reader, char delimiter, GError **error)
{
  LkTable self = { .reader = reader, .delimiter = delimiter, .p = reader->begin, .end = reader->end, .line = 1 };
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (g_free), names = NULL;
  g_autoptr (GString) field = g_string_new (NULL);
  g_autoptr (GError) local_error = NULL;
  const char *begin = NULL;
  guint64 line = 1;

  self.fields = fields;
  self.field = field;
  names = lk_table_header (&self, error);
  if (!names)
    return FALSE;
  while (TRUE)
    {
      char *reason = NULL;

      if (!lk_table_record (&self, &line, &begin, &reason, &local_error))
        {
          g_free (reason);
          break;
        }
      lk_table_row (&self, names, begin, line, reason);
      if (!_lk_reader_go_on (reader, self.p, error))
        return FALSE;
    }
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}
