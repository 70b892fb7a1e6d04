/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-reader.h"

#include "lk-json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A slice is about 1000 events, some 10 ms of parsing. A longer line than LINE_LIMIT is no event of ours. */
#define SLICE_BYTES (256 * 1024)
#define LINE_LIMIT (1024 * 1024)

struct _LkRunReader
{
  GObject parent_instance;

  char *path;
  guint64 offset;      /* bytes taken from the file so far */
  guint64 inode;
  GString *half;       /* the last line's beginning */
  gboolean skipping;   /* inside a line that was longer than LINE_LIMIT */
  gboolean caught_up;
  guint bad_lines;
  guint idle;
};

enum
{
  EVENTS,
  RESTARTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LkRunReader, lk_run_reader, G_TYPE_OBJECT)

static void
lk_run_reader_dispose (GObject *object)
{
  LkRunReader *self = LK_RUN_READER (object);

  g_clear_handle_id (&self->idle, g_source_remove);
  G_OBJECT_CLASS (lk_run_reader_parent_class)->dispose (object);
}

static void
lk_run_reader_finalize (GObject *object)
{
  LkRunReader *self = LK_RUN_READER (object);

  g_clear_pointer (&self->path, g_free);
  g_string_free (self->half, TRUE);
  G_OBJECT_CLASS (lk_run_reader_parent_class)->finalize (object);
}

static void
lk_run_reader_class_init (LkRunReaderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = lk_run_reader_dispose;
  object_class->finalize = lk_run_reader_finalize;
  signals[EVENTS] = g_signal_new ("events", LK_TYPE_RUN_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_PTR_ARRAY);
  signals[RESTARTED] = g_signal_new ("restarted", LK_TYPE_RUN_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 0);
}

static void
lk_run_reader_init (LkRunReader *self)
{
  self->half = g_string_new (NULL);
}

LkRunReader *
lk_run_reader_new (const char *path)
{
  LkRunReader *self = g_object_new (LK_TYPE_RUN_READER, NULL);

  self->path = g_strdup (path);
  return self;
}

static void
take_line (LkRunReader *self, const char *line, gsize size, GPtrArray *events)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
    size--;
  if (size == 0)
    return;
  node = lk_json_parse (line, size, self->path, &error);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    {
      g_ptr_array_add (events, json_node_dup_object (node));
      return;
    }
  if (self->bad_lines++ == 0)
    g_message ("A line of “%s” could not be read and was passed over: %s", self->path,
               error != NULL ? error->message : "it is no JSON object");
}

static void
take_bytes (LkRunReader *self, const char *data, gsize size, GPtrArray *events)
{
  const char *end = data + size;

  while (data < end)
    {
      const char *newline = memchr (data, '\n', (gsize) (end - data));
      gsize length = (gsize) ((newline != NULL ? newline : end) - data);

      if (!self->skipping && self->half->len + length > LINE_LIMIT)
        {
          self->skipping = TRUE;
          self->bad_lines++;
          g_string_truncate (self->half, 0);
        }
      if (!self->skipping)
        g_string_append_len (self->half, data, (gssize) length);
      if (newline == NULL)
        return;
      if (!self->skipping)
        take_line (self, self->half->str, self->half->len, events);
      g_string_truncate (self->half, 0);
      self->skipping = FALSE;
      data = newline + 1;
    }
}

static void
restart (LkRunReader *self)
{
  self->offset = 0;
  self->skipping = FALSE;
  g_string_truncate (self->half, 0);
  g_signal_emit (self, signals[RESTARTED], 0);
}

/* Reads one slice. TRUE when the file holds more. */
static gboolean
read_slice (LkRunReader *self)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autofree char *buffer = NULL;
  struct stat info;
  ssize_t got;
  int fd = open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  self->caught_up = TRUE;
  if (fd < 0)
    return FALSE;
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    {
      close (fd);
      return FALSE;
    }
  if (self->inode != 0 && (self->inode != info.st_ino || (guint64) info.st_size < self->offset))
    restart (self);
  self->inode = info.st_ino;
  if ((guint64) info.st_size == self->offset)
    {
      close (fd);
      return FALSE;
    }
  buffer = g_malloc (SLICE_BYTES);
  do
    got = pread (fd, buffer, SLICE_BYTES, (off_t) self->offset);
  while (got < 0 && errno == EINTR);
  close (fd);
  if (got <= 0)
    return FALSE;
  self->offset += (guint64) got;
  self->caught_up = self->offset >= (guint64) info.st_size;
  take_bytes (self, buffer, (gsize) got, events);
  if (events->len > 0)
    g_signal_emit (self, signals[EVENTS], 0, events);
  return !self->caught_up;
}

static gboolean
idle_cb (gpointer data)
{
  LkRunReader *self = data;
  G_GNUC_UNUSED g_autoptr (LkRunReader) keep = g_object_ref (self);

  if (read_slice (self))
    return G_SOURCE_CONTINUE;
  self->idle = 0;
  return G_SOURCE_REMOVE;
}

void
lk_run_reader_poll (LkRunReader *self)
{
  g_autoptr (LkRunReader) keep = NULL;

  g_return_if_fail (LK_IS_RUN_READER (self));

  keep = g_object_ref (self);
  if (self->idle == 0 && read_slice (self))
    self->idle = g_idle_add (idle_cb, self);
}

gboolean
lk_run_reader_is_caught_up (LkRunReader *self)
{
  return self->caught_up;
}

guint
lk_run_reader_get_bad_lines (LkRunReader *self)
{
  return self->bad_lines;
}
