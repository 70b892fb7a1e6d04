/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* O_PATH */
#include "lk-worker-control.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-json.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SECONDS 30

typedef struct
{
  char *line;
  int folder_fd; /* keeps the short name of a long path alive; -1 when it was not needed */
  GSocketConnection *connection;
  GDataInputStream *input;
} Exchange;

static void
exchange_free (gpointer data)
{
  Exchange *exchange = data;

  g_free (exchange->line);
  if (exchange->folder_fd >= 0)
    close (exchange->folder_fd);
  g_clear_object (&exchange->input);
  g_clear_object (&exchange->connection);
  g_free (exchange);
}

gboolean
lk_worker_control_is_locked (const char *run_folder)
{
  g_autofree char *path = g_build_filename (run_folder, "lock", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  gboolean locked;

  if (fd < 0)
    return FALSE;
  locked = flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  return locked;
}

static void
answer_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *line = NULL;
  const char *sentence = _ ("The training process did not say why.");
  gboolean ok = FALSE;
  gsize size = 0;

  line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, &size, &error);
  if (line == NULL)
    {
      if (error == NULL)
        g_set_error_literal (&error, LK_ERROR, LK_ERROR_FAILED,
                             _ ("The training process ended without an answer."));
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  node = lk_json_parse (line, size, _ ("the training process’s answer"), &error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_task_return_new_error (task, LK_ERROR, LK_ERROR_FAILED,
                               _ ("The training process gave an answer that is no JSON."));
      return;
    }
  lk_json_get_boolean (json_node_get_object (node), "ok", "answer", &ok, NULL);
  lk_json_get_string (json_node_get_object (node), "error", "answer", &sentence, NULL);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, LK_ERROR, LK_ERROR_FAILED, "%s", sentence);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Exchange *exchange = g_task_get_task_data (task);

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  exchange->input
      = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (exchange->connection)));
  g_data_input_stream_read_line_async (exchange->input, G_PRIORITY_DEFAULT, g_task_get_cancellable (task),
                                       answer_cb, g_object_ref (task));
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Exchange *exchange = g_task_get_task_data (task);

  exchange->connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);
  if (exchange->connection == NULL)
    {
      g_task_return_new_error (task, LK_ERROR, LK_ERROR_NOT_FOUND,
                               _ ("The training process cannot be reached: %s"), error->message);
      return;
    }
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (exchange->connection)),
                                   exchange->line, strlen (exchange->line), G_PRIORITY_DEFAULT,
                                   g_task_get_cancellable (task), written_cb, g_object_ref (task));
}

/* A socket's name holds 108 bytes; a longer one is reached through the folder's descriptor. */
static GSocketAddress *
socket_address (const char *run_folder, int *folder_fd)
{
  g_autofree char *path = g_build_filename (run_folder, "control.sock", NULL);

  *folder_fd = -1;
  if (strlen (path) >= sizeof ((struct sockaddr_un *) NULL)->sun_path)
    {
      *folder_fd = open (run_folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
      g_free (path);
      path = g_strdup_printf ("/proc/self/fd/%d/control.sock", *folder_fd);
    }
  return g_unix_socket_address_new (path);
}

void
lk_worker_control_send_async (const char *run_folder, const char *command, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = NULL;
  Exchange *exchange = g_new0 (Exchange, 1);

  g_task_set_source_tag (task, lk_worker_control_send_async);
  g_task_set_task_data (task, exchange, exchange_free);
  exchange->line = g_strdup_printf ("{\"command\":\"%s\"}\n", command);
  address = socket_address (run_folder, &exchange->folder_fd);
  g_socket_client_set_timeout (client, ANSWER_SECONDS);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (address), cancellable, connected_cb,
                                 g_object_ref (task));
}

gboolean
lk_worker_control_send_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
