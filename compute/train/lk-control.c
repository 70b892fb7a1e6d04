/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-control.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_CONTROL_LINE 4096
#define LK_CONTROL_TIMEOUT 1 /* seconds for a client to say what it wants */

struct _LkControl
{
  char *path, *alias; /* alias: a short name where the path is too long for a socket */
  GSocket *socket;
};

/* Socket addresses hold about 100 bytes; a longer path is reached through a link in a temporary folder. */
static char *
lk_control_bind_path (LkControl *self, GError **error)
{
  g_autofree char *folder = NULL, *parent = NULL, *link = NULL;

  if (strlen (self->path) < 100)
    return g_strdup (self->path);
  folder = g_dir_make_tmp ("lorikeet-XXXXXX", error);
  if (!folder)
    return NULL;
  parent = g_path_get_dirname (self->path);
  link = g_build_filename (folder, "run", NULL);
  if (symlink (parent, link) != 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "Could not make a short name for “%s”", self->path);
      return NULL;
    }
  self->alias = g_steal_pointer (&folder);
  return g_build_filename (link, "control.sock", NULL);
}

LkControl *
lk_control_new (const char *path, GError **error)
{
  g_autoptr (LkControl) self = g_new0 (LkControl, 1);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *bind = NULL;

  self->path = g_strdup (path);
  unlink (path);
  bind = lk_control_bind_path (self, error);
  if (!bind)
    return NULL;
  address = g_unix_socket_address_new (bind);
  self->socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  if (!self->socket || !g_socket_bind (self->socket, address, FALSE, error)
      || !g_socket_listen (self->socket, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
lk_control_free (LkControl *self)
{
  if (!self)
    return;
  g_clear_object (&self->socket);
  unlink (self->path);
  if (self->alias)
    {
      g_autofree char *link = g_build_filename (self->alias, "run", NULL);

      unlink (link);
      rmdir (self->alias);
    }
  g_free (self->alias);
  g_free (self->path);
  g_free (self);
}

static const struct
{
  const char *name;
  LkRequest request;
} commands[] = {
  { "stop", LK_REQUEST_STOP }, { "pause", LK_REQUEST_PAUSE },   { "resume", LK_REQUEST_RESUME },
  { "save", LK_REQUEST_SAVE }, { "sample", LK_REQUEST_SAMPLE }, { "evaluate", LK_REQUEST_EVALUATE },
};

static LkRequest
lk_control_parse (const char *line, gsize n)
{
  g_autoptr (JsonNode) node = lk_json_parse (line, n, "request", NULL);
  const char *name = NULL;

  if (!node || !JSON_NODE_HOLDS_OBJECT (node)
      || !lk_json_get_string (json_node_get_object (node), "command", "request", &name, NULL) || !name)
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i].name, name))
      return commands[i].request;
  return 0;
}

/* One line and its answer; a client that says nothing is dropped. */
static LkRequest
lk_control_serve (GSocket *client)
{
  char buffer[LK_CONTROL_LINE];
  gsize n = 0;
  LkRequest request;
  const char *answer;

  g_socket_set_timeout (client, LK_CONTROL_TIMEOUT);
  while (n < sizeof buffer && !memchr (buffer, '\n', n))
    {
      gssize got = g_socket_receive (client, buffer + n, sizeof buffer - n, NULL, NULL);

      if (got <= 0)
        break;
      n += (gsize) got;
    }
  request = lk_control_parse (buffer, n);
  answer = request ? "{\"ok\": true}\n" : "{\"ok\": false, \"error\": \"This is no command a run knows\"}\n";
  g_socket_send (client, answer, strlen (answer), NULL, NULL);
  return request;
}

LkRequest
lk_control_poll (LkControl *self, guint wait_ms)
{
  LkRequest all = 0;

  while (self && g_socket_condition_timed_wait (self->socket, G_IO_IN, all ? 0 : (gint64) wait_ms * 1000, NULL, NULL))
    {
      g_autoptr (GSocket) client = g_socket_accept (self->socket, NULL, NULL);

      if (!client)
        break;
      all |= lk_control_serve (client);
    }
  return all;
}
