/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-http.h"

#include <string.h>

#include "lk-error.h"

static gboolean
refuse (guint *status, guint code, const char *message, GError **error)
{
  *status = code;
  g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, message);
  return FALSE;
}

/* Appends what comes. FALSE at the end of the stream or on an error. */
static gboolean
read_some (GIOStream *stream, GByteArray *bytes, GCancellable *cancellable, GError **error)
{
  guint8 buffer[16384];
  gssize n = g_input_stream_read (g_io_stream_get_input_stream (stream), buffer, sizeof buffer, cancellable,
                                  error);

  if (n > 0)
    g_byte_array_append (bytes, buffer, (guint) n);
  else if (n == 0)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED,
                         "The connection was closed in the middle of a request");
  return n > 0;
}

/* Up to and with the empty line; what came behind it stays in @bytes behind *head. */
static gboolean
read_head (GIOStream *stream, GByteArray *bytes, gsize *head, guint *status, GCancellable *cancellable,
           GError **error)
{
  for (;;)
    {
      const char *end = bytes->len > 0
                            ? g_strstr_len ((const char *) bytes->data, (gssize) bytes->len, "\r\n\r\n")
                            : NULL;

      if (end)
        {
          *head = (gsize) (end - (const char *) bytes->data) + 4;
          if (*head <= LK_HTTP_MAX_HEAD)
            return TRUE;
        }
      if (bytes->len > LK_HTTP_MAX_HEAD)
        return refuse (status, 431, "The request's head is too long", error);
      if (bytes->len > 0 && memchr (bytes->data, 0, bytes->len))
        return refuse (status, 400, "The request's head is not text", error);
      if (!read_some (stream, bytes, cancellable, error))
        return FALSE;
    }
}

static gboolean
parse_request_line (const char *line, LkHttpRequest *request, guint *status, GError **error)
{
  g_auto (GStrv) words = line ? g_strsplit (line, " ", 4) : NULL;

  if (!words || g_strv_length (words) != 3 || !g_str_has_prefix (words[2], "HTTP/1.") || words[1][0] != '/')
    return refuse (status, 400, "The request line is wrong", error);
  request->method = g_strdup (words[0]);
  request->path = g_strndup (words[1], strcspn (words[1], "?"));
  return TRUE;
}

typedef struct
{
  guint64 length;
  gboolean has_length, expects;
} LkHttpHeaders;

static gboolean
parse_header (const char *line, LkHttpHeaders *headers, guint *status, GError **error)
{
  const char *colon = strchr (line, ':');
  g_autofree char *name = colon ? g_strndup (line, (gsize) (colon - line)) : NULL;
  g_autofree char *value = colon ? g_strstrip (g_strdup (colon + 1)) : NULL;

  if (!colon || colon == line)
    return refuse (status, 400, "A header line is wrong", error);
  if (g_ascii_strcasecmp (name, "Transfer-Encoding") == 0)
    return refuse (status, 411, "A body needs a Content-Length", error);
  if (g_ascii_strcasecmp (name, "Expect") == 0)
    headers->expects = g_ascii_strcasecmp (value, "100-continue") == 0;
  if (g_ascii_strcasecmp (name, "Content-Length") != 0)
    return TRUE;
  if (headers->has_length || !g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, &headers->length, NULL))
    return refuse (status, 400, "The Content-Length is wrong", error);
  headers->has_length = TRUE;
  if (headers->length > LK_HTTP_MAX_BODY)
    return refuse (status, 413, "The request's body is too long", error);
  return TRUE;
}

gboolean
lk_http_read (GIOStream *stream, LkHttpRequest *request, guint *status, GCancellable *cancellable,
              GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  LkHttpHeaders headers = { 0 };
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize head = 0;

  *status = 0;
  *request = (LkHttpRequest){ .body = g_byte_array_new () };
  if (!read_head (stream, bytes, &head, status, cancellable, error))
    return FALSE;
  text = g_strndup ((const char *) bytes->data, head - 4);
  lines = g_strsplit (text, "\r\n", -1);
  if (!parse_request_line (lines[0], request, status, error))
    return FALSE;
  for (guint i = 1; lines[i]; i++)
    if (!parse_header (lines[i], &headers, status, error))
      return FALSE;
  g_byte_array_append (request->body, bytes->data + head, bytes->len - (guint) head);
  if (headers.expects && request->body->len < headers.length)
    {
      static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

      if (!g_output_stream_write_all (g_io_stream_get_output_stream (stream), go_on, strlen (go_on), NULL,
                                      cancellable, error))
        return FALSE;
    }
  while (request->body->len < headers.length)
    if (!read_some (stream, request->body, cancellable, error))
      return FALSE;
  g_byte_array_set_size (request->body, (guint) headers.length);
  return TRUE;
}

void
lk_http_request_clear (LkHttpRequest *self)
{
  g_clear_pointer (&self->method, g_free);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->body, g_byte_array_unref);
}

static const char *
reason_of (guint status)
{
  static const struct
  {
    guint status;
    const char *reason;
  } reasons[] = {
    { 200, "OK" },
    { 400, "Bad Request" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 411, "Length Required" },
    { 413, "Content Too Large" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  return "Error";
}

static gboolean
send_text (GIOStream *stream, const char *text, GError **error)
{
  return g_output_stream_write_all (g_io_stream_get_output_stream (stream), text, strlen (text), NULL, NULL,
                                    error);
}

gboolean
lk_http_answer (GIOStream *stream, guint status, const char *json, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %" G_GSIZE_FORMAT
      "\r\nConnection: close\r\n\r\n%s",
      status, reason_of (status), strlen (json), json);

  return send_text (stream, text, error);
}

gboolean
lk_http_begin_events (GIOStream *stream, GError **error)
{
  return send_text (stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: "
                    "no-cache\r\nConnection: close\r\n\r\n",
                    error);
}

gboolean
lk_http_send_event (GIOStream *stream, const char *data, GError **error)
{
  g_autofree char *text = g_strconcat ("data: ", data, "\n\n", NULL);

  return send_text (stream, text, error);
}
