/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-client.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-http-reader.h"
#include "lk-json.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

typedef struct
{
  char *request;
  LkHttpReader *reader;
  LkChatPieceFunc on_piece;
  LkChatUsageFunc on_usage;
  gpointer piece_data;
  GCancellable *cancellable;
  GSocketConnection *connection;
  gboolean done;   /* "[DONE]" was seen */
  gboolean cut;    /* its finish_reason is "length" */
  char *complaint; /* an error that came as an event */
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_free (asking->request);
  g_free (asking->complaint);
  lk_http_reader_free (asking->reader);
  g_clear_object (&asking->connection);
  g_clear_object (&asking->cancellable);
  g_free (asking);
}

/* {"error": {"message": …}} or {"error": …}. (transfer full) */
static char *
error_message (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "error");
  const char *message = NULL;

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (node))
    lk_json_get_string (json_node_get_object (node), "message", "answer", &message, NULL);
  else
    lk_json_get_string (object, "error", "answer", &message, NULL);
  return g_strdup (message != NULL ? message : _ ("The engine could not answer."));
}

static JsonObject *
choice_of (JsonObject *object)
{
  JsonArray *choices = NULL;

  lk_json_get_array (object, "choices", "answer", &choices, NULL);
  if (choices == NULL || json_array_get_length (choices) == 0
      || !JSON_NODE_HOLDS_OBJECT (json_array_get_element (choices, 0)))
    return NULL;
  return json_array_get_object_element (choices, 0);
}

static const char *
piece_of (JsonObject *choice)
{
  JsonObject *delta = NULL;
  const char *content = NULL;

  lk_json_get_object (choice, "delta", "answer", &delta, NULL);
  if (delta != NULL)
    lk_json_get_string (delta, "content", "answer", &content, NULL);
  return content;
}

/* The last event tells what the answer took. */
static void
tell_usage (Asking *asking, JsonObject *object)
{
  JsonObject *usage = NULL;
  double speed = 0;
  gint64 total = 0, context = 0;

  lk_json_get_object (object, "usage", "answer", &usage, NULL);
  if (usage == NULL)
    return;
  speed = lk_json_peek_double (usage, "tokens_per_second", 0);
  total = lk_json_peek_int (usage, "total_tokens", 0);
  context = lk_json_peek_int (usage, "context_tokens", 0);
  if (speed > 0 && total > 0 && total <= context && context <= G_MAXINT32)
    asking->on_usage (speed, (guint) total, (guint) context, asking->piece_data);
}

static void
data_cb (const char *data, gpointer user_data)
{
  Asking *asking = user_data;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *choice;
  const char *piece;

  if (g_str_equal (data, "[DONE]"))
    {
      asking->done = TRUE;
      return;
    }
  node = lk_json_parse (data, strlen (data), _ ("the engine's answer"), NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  if (asking->complaint == NULL)
    asking->complaint = error_message (json_node_get_object (node));
  tell_usage (asking, json_node_get_object (node));
  choice = choice_of (json_node_get_object (node));
  if (choice == NULL)
    return;
  asking->cut = asking->cut || g_str_equal (lk_json_peek_string (choice, "finish_reason", ""), "length");
  piece = piece_of (choice);
  if (piece != NULL && piece[0] != 0 && !g_cancellable_is_cancelled (asking->cancellable))
    asking->on_piece (piece, asking->piece_data);
}

static void
finish (GTask *task)
{
  Asking *asking = g_task_get_task_data (task);
  guint status = lk_http_reader_get_status (asking->reader);

  if (status != 200 && status != 0)
    {
      const char *body = lk_http_reader_get_error_body (asking->reader);
      g_autoptr (JsonNode) node = lk_json_parse (body, strlen (body), _ ("the engine's answer"), NULL);

      if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
        asking->complaint = error_message (json_node_get_object (node));
      if (asking->complaint == NULL)
        asking->complaint = g_strdup_printf (_ ("The engine refused the question (code %u)."), status);
    }
  if (asking->complaint == NULL && !asking->done)
    asking->complaint = g_strdup (_ ("The engine ended in the middle of its answer."));
  if (asking->complaint != NULL)
    g_task_return_new_error (task, LK_ERROR, LK_ERROR_FAILED, "%s", asking->complaint);
  else
    g_task_return_boolean (task, TRUE);
}

static void read_more (GTask *task);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  Asking *asking = g_task_get_task_data (task);

  if (bytes == NULL
      || !lk_http_reader_feed (asking->reader, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                               &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  if (g_bytes_get_size (bytes) == 0 || asking->done || lk_http_reader_is_done (asking->reader))
    finish (task);
  else
    read_more (task);
}

static void
read_more (GTask *task)
{
  Asking *asking = g_task_get_task_data (task);

  g_input_stream_read_bytes_async (g_io_stream_get_input_stream (G_IO_STREAM (asking->connection)), 16384,
                                   G_PRIORITY_DEFAULT, asking->cancellable, read_cb, g_object_ref (task));
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    read_more (task);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Asking *asking = g_task_get_task_data (task);

  asking->connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);
  if (asking->connection == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (asking->connection)),
                                   asking->request, strlen (asking->request), G_PRIORITY_DEFAULT,
                                   asking->cancellable, written_cb, g_object_ref (task));
}

static char *
make_request (JsonObject *request)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *body = NULL;

  json_object_set_boolean_member (request, "stream", TRUE);
  json_node_set_object (node, request);
  body = lk_json_to_string (node, FALSE);
  return g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\n"
                          "Host: localhost\r\n"
                          "Content-Type: application/json\r\n"
                          "Accept: text/event-stream\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n"
                          "Connection: close\r\n\r\n%s",
                          strlen (body), body);
}

void
lk_chat_client_ask_async (const char *socket_path, JsonObject *request, LkChatPieceFunc on_piece,
                          LkChatUsageFunc on_usage, gpointer piece_data, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (socket_path);
  Asking *asking = g_new0 (Asking, 1);

  g_task_set_source_tag (task, lk_chat_client_ask_async);
  g_task_set_task_data (task, asking, asking_free);
  asking->request = make_request (request);
  asking->reader = lk_http_reader_new (data_cb, asking);
  asking->on_piece = on_piece;
  asking->on_usage = on_usage;
  asking->piece_data = piece_data;
  asking->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (address), cancellable, connected_cb, task);
}

gboolean
lk_chat_client_ask_finish (GAsyncResult *result, gboolean *cut, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  *cut = ((Asking *) g_task_get_task_data (G_TASK (result)))->cut;
  return g_task_propagate_boolean (G_TASK (result), error);
}
