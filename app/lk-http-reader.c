/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-http-reader.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"

#include <string.h>

#define LINE_LIMIT (1024 * 1024)
#define ERROR_BODY_LIMIT (64 * 1024)

typedef enum
{
  STATUS_LINE,
  HEADERS,
  BODY,       /* `left` bytes, or until the end when left is G_MAXUINT64 */
  CHUNK_SIZE,
  CHUNK,      /* `left` bytes */
  CHUNK_END,
  TRAILERS,
  DONE,
} Place;

struct _LkHttpReader
{
  LkHttpDataFunc on_data;
  gpointer user_data;
  Place place;
  guint status;
  gboolean chunked;
  guint64 left;
  GString *line;  /* of the protocol */
  GString *event; /* of the body */
  GString *error_body;
};

LkHttpReader *
lk_http_reader_new (LkHttpDataFunc on_data, gpointer user_data)
{
  LkHttpReader *self = g_new0 (LkHttpReader, 1);

  self->on_data = on_data;
  self->user_data = user_data;
  self->left = G_MAXUINT64;
  self->line = g_string_new (NULL);
  self->event = g_string_new (NULL);
  self->error_body = g_string_new (NULL);
  return self;
}

void
lk_http_reader_free (LkHttpReader *self)
{
  g_string_free (self->line, TRUE);
  g_string_free (self->event, TRUE);
  g_string_free (self->error_body, TRUE);
  g_free (self);
}

static void
take_event_line (LkHttpReader *self)
{
  const char *data = self->event->str;

  if (self->event->len > 0 && data[self->event->len - 1] == '\r')
    g_string_truncate (self->event, self->event->len - 1);
  if (!g_str_has_prefix (data, "data:"))
    return;
  data += strlen ("data:");
  if (*data == ' ')
    data++;
  self->on_data (data, self->user_data);
}

static gboolean
take_body (LkHttpReader *self, const char *bytes, gsize size, GError **error)
{
  if (self->status != 200)
    {
      g_string_append_len (
          self->error_body, bytes,
          (gssize)MIN (size, ERROR_BODY_LIMIT - MIN (self->error_body->len, ERROR_BODY_LIMIT)));
      return TRUE;
    }
  while (size > 0)
    {
      const char *newline = memchr (bytes, '\n', size);
      gsize length = newline != NULL ? (gsize) (newline - bytes) : size;

      if (self->event->len + length > LINE_LIMIT)
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED,
                               _ ("The engine's answer has a line without end."));
          return FALSE;
        }
      g_string_append_len (self->event, bytes, (gssize) length);
      if (newline == NULL)
        return TRUE;
      take_event_line (self);
      g_string_truncate (self->event, 0);
      bytes += length + 1;
      size -= length + 1;
    }
  return TRUE;
}

static gboolean
take_status_line (LkHttpReader *self, GError **error)
{
  guint64 status = 0;
  const char *line = self->line->str;

  if (g_str_has_prefix (line, "HTTP/1.") && strlen (line) >= 12)
    {
      g_autofree char *digits = g_strndup (line + 9, 3);

      if (g_ascii_string_to_unsigned (digits, 10, 100, 599, &status, NULL))
        {
          self->status = (guint) status;
          self->place = HEADERS;
          return TRUE;
        }
    }
  g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED, _ ("The engine's answer is no HTTP."));
  return FALSE;
}

static void
take_header (LkHttpReader *self)
{
  char *colon = strchr (self->line->str, ':');
  g_autofree char *value = NULL;

  if (self->line->len == 0)
    {
      self->place = self->chunked ? CHUNK_SIZE : self->left == 0 ? DONE : BODY;
      return;
    }
  if (colon == NULL)
    return;
  *colon = 0;
  value = g_strstrip (g_strdup (colon + 1));
  if (g_ascii_strcasecmp (self->line->str, "transfer-encoding") == 0)
    self->chunked = g_ascii_strcasecmp (value, "chunked") == 0;
  else if (g_ascii_strcasecmp (self->line->str, "content-length") == 0)
    g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, &self->left, NULL);
}

static gboolean
take_line (LkHttpReader *self, GError **error)
{
  char *end = NULL;

  switch (self->place)
    {
    case STATUS_LINE:
      return take_status_line (self, error);
    case HEADERS:
      take_header (self);
      return TRUE;
    case CHUNK_SIZE:
      self->left = g_ascii_strtoull (self->line->str, &end, 16);
      if (end == self->line->str || (*end != 0 && *end != ';' && *end != ' ') || self->left > G_MAXINT64)
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED,
                               _ ("The engine's answer has a chunk of no known size."));
          return FALSE;
        }
      self->place = self->left > 0 ? CHUNK : TRAILERS;
      return TRUE;
    case CHUNK_END:
      self->place = CHUNK_SIZE;
      return TRUE;
    case TRAILERS:
      if (self->line->len == 0)
        self->place = DONE;
      return TRUE;
    case BODY:
    case CHUNK:
    case DONE:
    default:
      return TRUE;
    }
}

gboolean
lk_http_reader_feed (LkHttpReader *self, const char *bytes, gsize size, GError **error)
{
  while (size > 0 && self->place != DONE)
    {
      const char *newline;
      gsize length;

      if (self->place == BODY || self->place == CHUNK)
        {
          length = (gsize) MIN (self->left, size);
          if (!take_body (self, bytes, length, error))
            return FALSE;
          if (self->left != G_MAXUINT64)
            self->left -= length;
          if (self->left == 0)
            self->place = self->place == CHUNK ? CHUNK_END : DONE;
          bytes += length;
          size -= length;
          continue;
        }
      newline = memchr (bytes, '\n', size);
      length = newline != NULL ? (gsize) (newline - bytes) : size;
      if (self->line->len + length > LINE_LIMIT)
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED,
                               _ ("The engine's answer has a header without end."));
          return FALSE;
        }
      g_string_append_len (self->line, bytes, (gssize) length);
      if (newline == NULL)
        return TRUE;
      if (self->line->len > 0 && self->line->str[self->line->len - 1] == '\r')
        g_string_truncate (self->line, self->line->len - 1);
      if (!take_line (self, error))
        return FALSE;
      g_string_truncate (self->line, 0);
      bytes += length + 1;
      size -= length + 1;
    }
  return TRUE;
}

guint
lk_http_reader_get_status (LkHttpReader *self)
{
  return self->status;
}

gboolean
lk_http_reader_is_done (LkHttpReader *self)
{
  return self->place == DONE;
}

const char *
lk_http_reader_get_error_body (LkHttpReader *self)
{
  return self->error_body->str;
}
