/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-json.h"

struct _LkEvents
{
  char *path;
  int fd;
  gboolean fresh;
  guint lost; /* since the last that was written */
  LkEventFunc func;
  gpointer data;
};

static gint open_file; /* one more than the descriptor of the newest that is open; 0: none is */

/* A line the last worker could not finish is ended, so that ours stands alone. */
static gboolean
lk_events_end_line (LkEvents *self, GError **error)
{
  char last;
  off_t end = lseek (self->fd, 0, SEEK_END);

  if (end <= 0 || pread (self->fd, &last, 1, end - 1) != 1 || last == '\n')
    return TRUE;
  return write (self->fd, "\n", 1) == 1
         || lk_error_set_errno (error, errno, "Could not write “%s”", self->path);
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
  self->fresh = lseek (self->fd, 0, SEEK_END) <= 0;
  if (!lk_events_end_line (self, error))
    return NULL;
  g_atomic_int_set (&open_file, self->fd + 1);
  return g_steal_pointer (&self);
}

void
lk_events_free (LkEvents *self)
{
  if (!self)
    return;
  g_atomic_int_compare_and_exchange (&open_file, self->fd + 1, 0);
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
lk_events_is_fresh (LkEvents *self)
{
  return self->fresh;
}

/* {"event": …, "time": …, members}; a line with its newline. (transfer full) */
static char *
lk_events_make_line (const char *event, JsonObject *members)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_take_object (node, members);
  json_object_set_string_member (members, "event", event);
  json_object_set_double_member (members, "time", (double) g_get_real_time () * 1e-6);
  text = lk_json_to_string (node, FALSE);
  return g_strconcat (text, "\n", NULL);
}

/* Part of a line is no line: it is taken back. */
static gboolean
lk_events_append (LkEvents *self, const char *line, GError **error)
{
  gsize size = strlen (line);
  off_t end = lseek (self->fd, 0, SEEK_END);
  gssize written = write (self->fd, line, size);
  int saved = written < 0 ? errno : ENOSPC;

  if (written == (gssize) size)
    return TRUE;
  if (written > 0 && ftruncate (self->fd, end) != 0)
    saved = errno;
  return lk_error_set_errno (error, saved, "Could not write “%s”", self->path);
}

static gboolean
lk_events_tell_lost (LkEvents *self, GError **error)
{
  g_autofree char *message = NULL;
  g_autofree char *line = NULL;
  JsonObject *members;

  if (self->lost == 0)
    return TRUE;
  members = json_object_new ();
  message = g_strdup_printf ("The disk was full: %u events could not be written", self->lost);
  json_object_set_string_member (members, "message", message);
  line = lk_events_make_line ("warning", members);
  if (!lk_events_append (self, line, error))
    return FALSE;
  self->lost = 0;
  return TRUE;
}

gboolean
lk_events_write (LkEvents *self, const char *event, JsonObject *members, GError **error)
{
  g_autofree char *line = lk_events_make_line (event, members);
  g_autoptr (GError) local_error = NULL;

  if (self->func)
    {
      g_autofree char *text = g_strndup (line, strlen (line) - 1);

      self->func (text, self->data);
    }
  if (lk_events_tell_lost (self, &local_error) && lk_events_append (self, line, &local_error))
    return TRUE;
  self->lost++;
  if (g_error_matches (local_error, LK_ERROR, LK_ERROR_NO_SPACE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
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

/* What of a line fits, built without allocating. */
typedef struct
{
  char text[8192];
  gsize size;
} LkLastLine;

static void
add (LkLastLine *line, const char *text)
{
  for (; *text && line->size < sizeof line->text; text++)
    line->text[line->size++] = *text;
}

static void
add_number (LkLastLine *line, guint64 n)
{
  char digits[24];
  guint at = sizeof digits - 1;

  digits[at] = 0;
  do
    digits[--at] = (char) ('0' + n % 10);
  while (n /= 10);
  add (line, digits + at);
}

/* In quotes; control characters, which a name of a file may hold, as question marks. */
static void
add_string (LkLastLine *line, const char *text)
{
  add (line, "\"");
  for (; *text; text++)
    {
      char c[2] = { (guchar) *text < 0x20 ? '?' : *text, 0 };

      if (c[0] == '"' || c[0] == '\\')
        add (line, "\\");
      add (line, c);
    }
  add (line, "\"");
}

void
lk_events_write_last (const char *message, const char *detail)
{
  LkLastLine line = { .size = 0 };
  int fd = g_atomic_int_get (&open_file) - 1;
  struct timespec now;

  if (fd < 0 || clock_gettime (CLOCK_REALTIME, &now) != 0)
    return;
  add (&line, "{\"event\":\"state\",\"time\":");
  add_number (&line, (guint64) now.tv_sec);
  add (&line, ",\"state\":\"failed\",\"message\":");
  add_string (&line, message);
  add (&line, ",\"detail\":");
  add_string (&line, detail);
  add (&line, "}\n");
  if (line.size < sizeof line.text && write (fd, line.text, line.size) < 0)
    return; /* there is nobody left to tell */
}
