/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * As much of HTTP/1.1 as a server on a private socket needs: one request a connection, bodies with a length,
 * answers whole or as server-sent events. Requests are hostile: everything has a limit. Blocking; one thread
 * a value.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_HTTP_MAX_HEAD (16 << 10)
#define LK_HTTP_MAX_BODY (16 << 20)

typedef struct
{
  char *method, *path; /* "POST", "/v1/models"; without a query */
  GByteArray *body;
} LkHttpRequest;

/* Reads one request. On failure *status is what to answer with (0: nobody is there to answer). */
gboolean lk_http_read (GIOStream *stream, LkHttpRequest *request, guint *status, GCancellable *cancellable,
                       GError **error);
void lk_http_request_clear (LkHttpRequest *self);

/* A whole answer of JSON. */
gboolean lk_http_answer (GIOStream *stream, guint status, const char *json, GError **error);
/* The head of a stream of events, then each event. */
gboolean lk_http_begin_events (GIOStream *stream, GError **error);
gboolean lk_http_send_event (GIOStream *stream, const char *data, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkHttpRequest, lk_http_request_clear)

G_END_DECLS
