/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Takes an HTTP/1.1 answer apart as its bytes arrive: status line, headers, a body by length, by chunks or
 * until the end. And, on top, server-sent events: each "data:" line is handed on as it completes. Pure: no
 * sockets here. Thread-safety: one thread a reader.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _LkHttpReader LkHttpReader;

/* @data is the text after "data: ", without the line's end. */
typedef void (*LkHttpDataFunc) (const char *data, gpointer user_data);

LkHttpReader *lk_http_reader_new (LkHttpDataFunc on_data, gpointer user_data);
void lk_http_reader_free (LkHttpReader *self);

/* FALSE and @error when the bytes are no HTTP/1 answer or larger than this reader takes. */
gboolean lk_http_reader_feed (LkHttpReader *self, const char *bytes, gsize size, GError **error);
/* 0 until the status line was read. */
guint lk_http_reader_get_status (LkHttpReader *self);
/* TRUE once the body is complete by its length or its last chunk. */
gboolean lk_http_reader_is_done (LkHttpReader *self);
/* The body so far when the status is not 200 (an error's text); at most 64 kB. (transfer none) */
const char *lk_http_reader_get_error_body (LkHttpReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkHttpReader, lk_http_reader_free)

G_END_DECLS
