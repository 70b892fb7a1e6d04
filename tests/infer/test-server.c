/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The chat server as a client on its socket sees it.
 */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lk-chat-server.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-test-model.h"

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter;
  LkChatServer *server;
  GCancellable *cancellable;
  GThread *thread;
  char *folder, *socket;
} Fixture;

static gpointer
serve (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;

  lk_chat_server_run (f->server, f->socket, f->cancellable, &error);
  g_assert_no_error (error);
  return NULL;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->model = lk_test_model_open ();
  if (!f->model)
    return;
  f->backend = lk_backend_new_cpu (2);
  f->adapter = lk_test_adapter_new (f->model, f->backend, 3);
  f->folder = g_dir_make_tmp ("lorikeet-serve-XXXXXX", NULL);
  f->socket = g_build_filename (f->folder, "s", NULL);
  f->cancellable = g_cancellable_new ();
  f->server = lk_chat_server_new (f->model, f->backend, 256);
  lk_chat_server_add_adapter (f->server, "parrot", f->adapter, &error);
  g_assert_no_error (error);
  g_assert_false (lk_chat_server_add_adapter (f->server, "parrot", f->adapter, NULL));
  g_assert_false (lk_chat_server_add_adapter (f->server, "base", f->adapter, NULL));
  f->thread = g_thread_new ("server", serve, f);
  for (guint i = 0; i < 500 && !g_file_test (f->socket, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (!f->model)
    return;
  g_cancellable_cancel (f->cancellable);
  g_thread_join (f->thread);
  g_assert_false (g_file_test (f->socket, G_FILE_TEST_EXISTS));
  g_rmdir (f->folder);
  lk_chat_server_free (f->server);
  g_object_unref (f->cancellable);
  lk_adapter_unref (f->adapter);
  lk_backend_unref (f->backend);
  lk_model_unref (f->model);
  g_free (f->folder);
  g_free (f->socket);
}

static GSocketConnection *
connect_to (Fixture *f)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (f->socket);
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection
      = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);

  g_assert_no_error (error);
  return connection;
}

/* Sends bytes, reads all that comes back. */
static char *
exchange (Fixture *f, const char *bytes, gssize size)
{
  g_autoptr (GSocketConnection) connection = connect_to (f);
  GString *answer = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  /* what the server refuses it need not have read */
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), bytes,
                             size < 0 ? strlen (bytes) : (gsize) size, NULL, NULL, NULL);
  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, NULL);
  while ((n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer,
                                   sizeof buffer, NULL, NULL))
         > 0)
    g_string_append_len (answer, buffer, n);
  return g_string_free (answer, FALSE);
}

static char *
post (Fixture *f, const char *body)
{
  g_autofree char *request
      = g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n%s",
                         (guint) strlen (body), body);

  return exchange (f, request, -1);
}

static JsonObject *
body_of (const char *answer, const char *status)
{
  const char *body = strstr (answer, "\r\n\r\n");
  g_autofree char *head = g_strconcat ("HTTP/1.1 ", status, " ", NULL);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_str_has_prefix (answer, head))
    g_test_message ("%s", answer);
  g_assert_true (g_str_has_prefix (answer, head));
  g_assert_nonnull (body);
  node = lk_json_parse (body + 4, strlen (body + 4), "answer", &error);
  g_assert_no_error (error);
  return json_node_dup_object (node);
}

#define QUESTION                                                                                             \
  "\"temperature\":0,\"max_tokens\":12,\"messages\":[{\"role\":\"user\",\"content\":\"Who are you?\"}]"

/* The content of the whole answer. */
static char *
ask (Fixture *f, const char *model)
{
  g_autofree char *request = g_strdup_printf ("{\"model\":\"%s\"," QUESTION "}", model);
  g_autofree char *answer = post (f, request);
  g_autoptr (JsonObject) object = body_of (answer, "200");
  JsonObject *choice = json_array_get_object_element (json_object_get_array_member (object, "choices"), 0);

  g_assert_true (g_str_has_prefix (model, json_object_get_string_member (object, "model")));
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (object, "usage"), "context_tokens"), >=,
                   json_object_get_int_member (json_object_get_object_member (object, "usage"), "total_tokens"));
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (object, "usage"), "completion_tokens"), <=,
      12);
  return g_strdup (
      json_object_get_string_member (json_object_get_object_member (choice, "message"), "content"));
}

static void
test_whole (Fixture *f, gconstpointer data)
{
  g_autofree char *base = NULL;
  g_autofree char *tuned = NULL;
  g_autofree char *again = NULL;

  if (!f->model)
    return;
  base = ask (f, "base");
  tuned = ask (f, "parrot");
  again = ask (f, "base");
  g_assert_cmpstr (base, ==, again);
  g_assert_cmpstr (base, !=, tuned);
}

/* An adapter at strength 0 answers as the base, and at 1 as if nothing had been. */
static void
test_strength (Fixture *f, gconstpointer data)
{
  g_autofree char *base = NULL, *without = NULL, *tuned = NULL, *again = NULL;

  if (!f->model)
    return;
  base = ask (f, "base");
  tuned = ask (f, "parrot");
  without = ask (f, "parrot\",\"adapter_strength\":0,\"user\":\"x");
  again = ask (f, "parrot");
  g_assert_cmpstr (base, ==, without);
  g_assert_cmpstr (tuned, ==, again);
}

static void
test_stream (Fixture *f, gconstpointer data)
{
  g_autofree char *whole = NULL;
  g_autofree char *answer = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;
  guint done = 0, finished = 0;

  if (!f->model)
    return;
  whole = ask (f, "parrot");
  answer = post (f, "{\"model\":\"parrot\",\"stream\":true," QUESTION "}");
  g_assert_nonnull (strstr (answer, "text/event-stream"));
  lines = g_strsplit (strstr (answer, "\r\n\r\n") + 4, "\n\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_autoptr (JsonNode) node = NULL;
      JsonObject *choice;

      if (!lines[i][0])
        continue;
      g_assert_true (g_str_has_prefix (lines[i], "data: "));
      done += g_str_equal (lines[i], "data: [DONE]");
      if (done)
        continue;
      node = lk_json_parse (lines[i] + 6, strlen (lines[i] + 6), "event", NULL);
      g_assert_nonnull (node);
      choice = json_array_get_object_element (
          json_object_get_array_member (json_node_get_object (node), "choices"), 0);
      g_string_append (text, json_object_get_string_member_with_default (
                                 json_object_get_object_member (choice, "delta"), "content", ""));
      finished += !json_object_get_null_member (choice, "finish_reason");
    }
  g_assert_cmpuint (done, ==, 1);
  g_assert_cmpuint (finished, ==, 1);
  g_assert_cmpstr (text->str, ==, whole);
}

static void
test_models (Fixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;
  g_autoptr (JsonObject) object = NULL;
  JsonArray *models;

  if (!f->model)
    return;
  answer = exchange (f, "GET /v1/models HTTP/1.1\r\n\r\n", -1);
  object = body_of (answer, "200");
  models = json_object_get_array_member (object, "data");
  g_assert_cmpuint (json_array_get_length (models), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (models, 1), "id"), ==,
                   "parrot");
}

static void
test_bad (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *request, *status;
  } cases[] = {
    { "GARBAGE\r\n\r\n", "400" },
    { "GET nowhere HTTP/1.1\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\nno colon\r\n\r\n", "400" },
    { "GET /v1/other HTTP/1.1\r\n\r\n", "404" },
    { "DELETE /v1/models HTTP/1.1\r\n\r\n", "404" },
    { "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "411" },
    { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "413" },
    { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400" },
    { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400" },
  };
  static const struct
  {
    const char *body, *status;
  } bodies[] = {
    { "", "400" },
    { "[]", "400" },
    { "{\"messages\":[]}", "400" },
    { "{\"messages\":[1]}", "400" },
    { "{\"messages\":\"x\"}", "400" },
    { "{\"model\":\"nobody\"," QUESTION "}", "404" },
    { "{\"model\":\"base\",\"temperature\":-1,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "400" },
    { "{\"model\":\"base\",\"stop\":7," QUESTION "}", "400" },
    { "{\"model\":\"parrot\",\"adapter_strength\":-1," QUESTION "}", "400" },
    { "{\"model\":\"parrot\",\"adapter_strength\":\"much\"," QUESTION "}", "400" },
    { "{\"model\":\"base\",\"max_tokens\":-5,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "400" },
  };
  g_autofree char *long_head = g_strnfill (20000, 'a');
  g_autofree char *answer = NULL;

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = exchange (f, cases[i].request, -1);
      g_autoptr (JsonObject) object = body_of (text, cases[i].status);

      g_assert_true (json_object_has_member (object, "error"));
    }
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autofree char *text = post (f, bodies[i].body);
      g_autoptr (JsonObject) object = body_of (text, bodies[i].status);

      g_assert_true (json_object_has_member (object, "error"));
    }
  answer = exchange (f, long_head, -1);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 431"));
  g_clear_pointer (&answer, g_free);
  answer
      = exchange (f, "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 50\r\n\r\n{", -1); /* and gone */
  g_assert_cmpstr (answer, ==, "");
  g_clear_pointer (&answer, g_free);
  answer = ask (f, "base"); /* it still answers */
  g_assert_nonnull (answer);
}

/* A client that leaves in the middle frees the way for the next. */
static void
test_disconnect (Fixture *f, gconstpointer data)
{
  static const char body[] = "{\"model\":\"base\",\"stream\":true,\"messages\":[{\"role\":\"user\","
                             "\"content\":\"Tell me a story\"}]}";
  g_autofree char *request = g_strdup_printf (
      "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %u\r\n\r\n%s", (guint) strlen (body), body);
  g_autofree char *answer = NULL;

  if (!f->model)
    return;
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GSocketConnection) connection = connect_to (f);
      char byte;

      g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                                                request, strlen (request), NULL, NULL, NULL));
      if (i % 2)
        g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, NULL);
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    }
  answer = ask (f, "base");
  g_assert_nonnull (answer);
}

static void
test_busy (Fixture *f, gconstpointer data)
{
  g_autoptr (LkChatServer) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *file = NULL;
  GStatBuf info;

  if (!f->model)
    return;
  second = lk_chat_server_new (f->model, f->backend, 64);
  g_assert_false (lk_chat_server_run (second, f->socket, f->cancellable, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_cmpint (g_stat (f->socket, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 077, ==, 0); /* for this user only */
  file = g_build_filename (f->folder, "file", NULL);
  g_assert_true (g_file_set_contents (file, "x", -1, NULL));
  g_assert_false (lk_chat_server_run (second, file, f->cancellable, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (g_unlink (file), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/server/whole", Fixture, NULL, set_up, test_whole, tear_down);
  g_test_add ("/server/strength", Fixture, NULL, set_up, test_strength, tear_down);
  g_test_add ("/server/stream", Fixture, NULL, set_up, test_stream, tear_down);
  g_test_add ("/server/models", Fixture, NULL, set_up, test_models, tear_down);
  g_test_add ("/server/bad", Fixture, NULL, set_up, test_bad, tear_down);
  g_test_add ("/server/disconnect", Fixture, NULL, set_up, test_disconnect, tear_down);
  g_test_add ("/server/busy", Fixture, NULL, set_up, test_busy, tear_down);
  return g_test_run ();
}
