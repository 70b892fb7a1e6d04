/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-server.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "lk-chat-request.h"
#include "lk-error.h"
#include "lk-http.h"
#include "lk-json.h"
#include "lk-prompt.h"

#define MAX_CONNECTIONS 16
#define PATIENCE_SECONDS 60 /* for a client that says nothing */

/* The base, or the base with one adapter. */
typedef struct
{
  char *name;
  LkAdapter *adapter;     /* NULL: the base alone */
  LkGenerator *generator; /* made by the first request */
} LkVoice;

struct _LkChatServer
{
  LkModel *model;
  LkBackend *backend;
  guint context;
  GPtrArray *voices; /* [0] is the base */
  GMutex mutex;      /* of the two tickets */
  GCond turn;
  guint64 next_ticket, now_served;
  GCancellable *cancellable;
};

static void
lk_voice_free (gpointer data)
{
  LkVoice *voice = data;

  g_clear_pointer (&voice->generator, lk_generator_free);
  g_clear_pointer (&voice->adapter, lk_adapter_unref);
  g_free (voice->name);
  g_free (voice);
}

static void
lk_chat_server_add_voice (LkChatServer *self, const char *name, LkAdapter *adapter)
{
  LkVoice *voice = g_new0 (LkVoice, 1);

  voice->name = g_strdup (name);
  voice->adapter = adapter ? lk_adapter_ref (adapter) : NULL;
  g_ptr_array_add (self->voices, voice);
}

LkChatServer *
lk_chat_server_new (LkModel *model, LkBackend *backend, guint context)
{
  LkChatServer *self = g_new0 (LkChatServer, 1);

  self->model = lk_model_ref (model);
  self->backend = lk_backend_ref (backend);
  self->context = context;
  self->voices = g_ptr_array_new_with_free_func (lk_voice_free);
  lk_chat_server_add_voice (self, "base", NULL);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->turn);
  return self;
}

void
lk_chat_server_free (LkChatServer *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->voices);
  lk_backend_unref (self->backend);
  lk_model_unref (self->model);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->turn);
  g_free (self);
}

static LkVoice *
lk_chat_server_find (LkChatServer *self, const char *name)
{
  if (!name)
    return g_ptr_array_index (self->voices, self->voices->len > 1 ? 1 : 0);
  for (guint i = 0; i < self->voices->len; i++)
    {
      LkVoice *voice = g_ptr_array_index (self->voices, i);

      if (g_str_equal (voice->name, name))
        return voice;
    }
  return NULL;
}

gboolean
lk_chat_server_add_adapter (LkChatServer *self, const char *name, LkAdapter *adapter, GError **error)
{
  if (name[0] == 0 || lk_chat_server_find (self, name))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There is already a model called “%s”", name);
      return FALSE;
    }
  lk_chat_server_add_voice (self, name, adapter);
  return TRUE;
}

/* Waits until it is this request's turn. */
static void
lk_chat_server_enter (LkChatServer *self)
{
  guint64 ticket;

  g_mutex_lock (&self->mutex);
  ticket = self->next_ticket++;
  while (self->now_served != ticket)
    g_cond_wait (&self->turn, &self->mutex);
  g_mutex_unlock (&self->mutex);
}

static void
lk_chat_server_leave (LkChatServer *self)
{
  g_mutex_lock (&self->mutex);
  self->now_served++;
  g_cond_broadcast (&self->turn);
  g_mutex_unlock (&self->mutex);
}

/* One answer on its way. */
typedef struct
{
  GSocketConnection *connection;
  GCancellable *cancellable; /* ends the answer */
  const char *id, *model;
  gboolean stream, begun;
} LkReply;

static gboolean
lk_reply_is_wanted (LkReply *self)
{
  return !(g_socket_condition_check (g_socket_connection_get_socket (self->connection), G_IO_HUP | G_IO_ERR)
           & (G_IO_HUP | G_IO_ERR));
}

static gboolean
lk_reply_send_chunk (LkReply *self, const char *text, const LkGenerated *finished)
{
  g_autofree char *json = lk_chat_chunk_to_json (self->id, self->model, text, finished);

  return lk_http_send_event (G_IO_STREAM (self->connection), json, NULL);
}

/* The head goes out with the first text, so that an error before it can still be answered as one. */
static gboolean
lk_reply_begin (LkReply *self)
{
  if (self->begun)
    return TRUE;
  self->begun = TRUE;
  return lk_http_begin_events (G_IO_STREAM (self->connection), NULL) && lk_reply_send_chunk (self, "", NULL);
}

static gboolean
piece_cb (const char *text, gpointer data)
{
  LkReply *self = data;

  if (!self->stream)
    return lk_reply_is_wanted (self);
  return lk_reply_begin (self) && lk_reply_send_chunk (self, text, NULL);
}

static void
lk_reply_fail (LkReply *self, const GError *error, guint status)
{
  g_autofree char *json = lk_chat_error_to_json (error->message, status);

  if (self->begun)
    lk_http_send_event (G_IO_STREAM (self->connection), json, NULL);
  else
    lk_http_answer (G_IO_STREAM (self->connection), status, json, NULL);
}

static void
lk_reply_finish (LkReply *self, const LkGenerated *out)
{
  g_autofree char *json = NULL;

  if (out->finish == LK_FINISH_CANCELLED)
    return;
  if (!self->stream)
    {
      json = lk_chat_answer_to_json (self->id, self->model, out);
      lk_http_answer (G_IO_STREAM (self->connection), 200, json, NULL);
    }
  else if (lk_reply_begin (self) && lk_reply_send_chunk (self, NULL, out))
    lk_http_send_event (G_IO_STREAM (self->connection), "[DONE]", NULL);
}

static gboolean
lk_chat_server_make_generator (LkChatServer *self, LkVoice *voice, GError **error)
{
  LkGeneratorOptions options
      = { self->model, self->backend, &voice->adapter, voice->adapter != NULL, self->context };

  if (!voice->generator)
    voice->generator = lk_generator_new (&options, error);
  return voice->generator != NULL;
}

static void
lk_chat_server_complete (LkChatServer *self, LkVoice *voice, const LkChatRequest *request, LkReply *reply)
{
  LkGenerateOptions options = { .sampler = request->sampler,
                                .max_tokens = request->max_tokens,
                                .stops = (const char *const *) request->stops,
                                .func = piece_cb,
                                .data = reply,
                                .cancellable = self->cancellable };
  g_auto (LkGenerated) out = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = NULL;

  if (!lk_reply_is_wanted (reply) || g_cancellable_is_cancelled (self->cancellable))
    return;
  ids = lk_prompt_from_messages (self->model, request->messages, request->tools, &error);
  if (ids && lk_chat_server_make_generator (self, voice, &error)
      && (!voice->adapter || lk_generator_set_strength (voice->generator, 0, request->strength, &error))
      && lk_generator_run (voice->generator, (const gint32 *) (void *) ids->data, ids->len, &options, &out,
                           &error))
    lk_reply_finish (reply, &out);
  else
    lk_reply_fail (reply, error,
                   g_error_matches (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY) ? 503
                   : g_error_matches (error, LK_ERROR, LK_ERROR_DEVICE_LOST) ? 500
                                                                             : 400);
}

static void
lk_chat_server_chat (LkChatServer *self, GSocketConnection *connection, const LkHttpRequest *http)
{
  g_auto (LkChatRequest) request = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *id = g_strconcat ("chatcmpl-", uuid, NULL);
  LkReply reply = { .connection = connection, .id = id };
  LkVoice *voice;

  if (!lk_chat_request_parse (&request, http->body->len > 0 ? (const char *) http->body->data : "",
                              http->body->len, &error))
    {
      lk_reply_fail (&reply, error, 400);
      return;
    }
  voice = lk_chat_server_find (self, request.model);
  if (!voice)
    {
      g_set_error (&error, LK_ERROR, LK_ERROR_NOT_FOUND, "There is no model “%s” here", request.model);
      lk_reply_fail (&reply, error, 404);
      return;
    }
  reply.model = voice->name;
  reply.stream = request.stream;
  lk_chat_server_enter (self);
  lk_chat_server_complete (self, voice, &request, &reply);
  lk_chat_server_leave (self);
}

static void
lk_chat_server_list (LkChatServer *self, GSocketConnection *connection)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonArray *data = json_array_new ();
  g_autofree char *json = NULL;

  for (guint i = 0; i < self->voices->len; i++)
    {
      LkVoice *voice = g_ptr_array_index (self->voices, i);
      JsonObject *model = json_object_new ();

      json_object_set_string_member (model, "id", voice->name);
      json_object_set_string_member (model, "object", "model");
      json_object_set_string_member (model, "owned_by", lk_model_get_config (self->model)->name);
      json_array_add_object_element (data, model);
    }
  json_object_set_string_member (object, "object", "list");
  json_object_set_array_member (object, "data", data);
  json_node_take_object (node, object);
  json = lk_json_to_string (node, FALSE);
  lk_http_answer (G_IO_STREAM (connection), 200, json, NULL);
}

/* A thread of the pool: one connection, one request. */
static void
serve_cb (gpointer data, gpointer user_data)
{
  g_autoptr (GSocketConnection) connection = data;
  LkChatServer *self = user_data;
  g_auto (LkHttpRequest) request = { 0 };
  g_autoptr (GError) error = NULL;
  LkReply reply = { .connection = connection };
  guint status = 0;

  g_socket_set_timeout (g_socket_connection_get_socket (connection), PATIENCE_SECONDS);
  if (!lk_http_read (G_IO_STREAM (connection), &request, &status, self->cancellable, &error))
    {
      if (status)
        lk_reply_fail (&reply, error, status);
    }
  else if (g_str_equal (request.path, "/v1/chat/completions") && g_str_equal (request.method, "POST"))
    lk_chat_server_chat (self, connection, &request);
  else if (g_str_equal (request.path, "/v1/models") && g_str_equal (request.method, "GET"))
    lk_chat_server_list (self, connection);
  else
    {
      g_set_error (&error, LK_ERROR, LK_ERROR_NOT_FOUND, "%s %s is nothing this server answers",
                   request.method, request.path);
      lk_reply_fail (&reply, error, 404);
    }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
}

/* Removes a socket nobody listens at. */
static gboolean
clear_path (const char *path, GSocketAddress *address, GError **error)
{
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  GStatBuf info;

  if (g_lstat (path, &info) != 0)
    return TRUE;
  if (!S_ISSOCK (info.st_mode))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” is there already and is no socket",
                   path);
      return FALSE;
    }
  client = g_socket_client_new ();
  connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);
  if (connection)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BUSY, "Somebody already listens at “%s”", path);
      return FALSE;
    }
  g_unlink (path);
  return TRUE;
}

static GSocketListener *
listen_at (const char *path, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  mode_t mask;
  gboolean ok;

  if (!clear_path (path, address, error))
    return NULL;
  mask = umask (0077);
  ok = g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                      NULL, NULL, error);
  umask (mask);
  if (!ok)
    {
      g_prefix_error (error, "Could not listen at “%s”: ", path);
      return NULL;
    }
  return g_steal_pointer (&listener);
}

gboolean
lk_chat_server_run (LkChatServer *self, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketListener) listener = listen_at (path, error);
  g_autoptr (GError) local = NULL;
  GThreadPool *pool;

  if (!listener)
    return FALSE;
  self->cancellable = cancellable;
  pool = g_thread_pool_new (serve_cb, self, MAX_CONNECTIONS, FALSE, NULL);
  while (!local)
    {
      GSocketConnection *connection = g_socket_listener_accept (listener, NULL, cancellable, &local);

      if (connection)
        g_thread_pool_push (pool, connection, NULL);
    }
  g_socket_listener_close (listener);
  g_unlink (path);
  g_thread_pool_free (pool, FALSE, TRUE);
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
