/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-json.h"

struct _LkEvents
{
  char *path;
  int fd;
  LkEventFunc func;
  gpointer data;
};

/* A line the last worker could not finish is ended, so that ours stands alone. */
static gboolean
lk_events_end_line (LkEvents *self, GError **error)
{
  char last;
  off_t end = lseek (self->fd, 0, SEEK_END);

  if (end <= 0 || pread (self->fd, &last, 1, end - 1) != 1 || last == '\n')
    return TRUE;
  return write (self->fd, "\n", 1) == 1 || lk_error_set_errno (error, errno, "Could not write “%s”", self->path);
}

LkEvents *
lk_events_open (const char *path, GError **error)
{
  g_autoptr (LkEvents) self = g_new0 (LkEvents, 1);

  self->path = g_strdup (path);
  self->fd = open (path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (self->fd < 0)
    {
      lk_error_set_errno (error, errno, "Could not open “%s”", path);
      return NULL;
    }
  if (!lk_events_end_line (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
lk_events_free (LkEvents *self)
{
  if (!self)
    return;
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self);
}

void
lk_events_set_listener (LkEvents *self, LkEventFunc func, gpointer data)
{
  self->func = func;
  self->data = data;
}

gboolean
lk_events_write (LkEvents *self, const char *event, JsonObject *members, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  json_node_take_object (node, members);
  json_object_set_string_member (members, "event", event);
  json_object_set_double_member (members, "time", (double) g_get_real_time () * 1e-6);
  text = lk_json_to_string (node, FALSE);
  line = g_strconcat (text, "\n", NULL);
  if (self->func)
    self->func (text, self->data);
  if (write (self->fd, line, strlen (line)) != (gssize) strlen (line))
    return lk_error_set_errno (error, errno, "Could not write “%s”", self->path);
  return TRUE;
}

gboolean
lk_events_write_state (LkEvents *self, const char *state, const char *message, GError **error)
{
  JsonObject *members = json_object_new ();

  json_object_set_string_member (members, "state", state);
  if (message)
    json_object_set_string_member (members, "message", message);
  return lk_events_write (self, "state", members, error);
}

gboolean
lk_events_write_warning (LkEvents *self, const char *message, GError **error)
{
  JsonObject *members = json_object_new ();

  json_object_set_string_member (members, "message", message);
  return lk_events_write (self, "warning", members, error);
}
