/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* renameat2 */
#include "lk-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lk-error.h"

#define LK_FILE_BUFFER (1 << 20)

struct _LkFileWriter
{
  char *path, *temporary;
  int fd;
  guint64 position; /* bytes taken, buffered ones included */
  guint8 *buffer;
  gsize buffered;
  gboolean finished;
};

/* ".<name>.tmp-XXXXXX" beside @path. (transfer full) */
static char *
lk_temporary_name (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *hidden = g_strdup_printf (".%s.tmp-XXXXXX", name);

  return g_build_filename (folder, hidden, NULL);
}

static gboolean
lk_sync_folder (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok;

  if (fd < 0)
    return lk_error_set_errno (error, errno, "Could not open the folder “%s”", path);
  /* some file systems cannot sync folders; that is not an error of the data */
  ok = fsync (fd) == 0 || errno == EINVAL || errno == EROFS || lk_error_set_errno (error, errno, "Could not write the folder “%s”", path);
  close (fd);
  return ok;
}

static gboolean
lk_write_all (int fd, const char *path, const guint8 *data, gsize size, goffset offset, GError **error)
{
  const char *source;

  while (size > 0)
    {
      gssize n = offset < 0 ? write (fd, data, size) : pwrite (fd, data, size, offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EFAULT && (source = lk_file_map_find (data)))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, LK_FILE_CHANGED_FORMAT, source);
          return FALSE;
        }
      if (n <= 0)
        return lk_error_set_errno (error, n < 0 ? errno : EIO, "Could not write “%s”", path);
      data += n;
      size -= (gsize) n;
      if (offset >= 0)
        offset += n;
    }
  return TRUE;
}

char *
lk_file_reserve (const char *path, GError **error)
{
  g_autofree char *temporary = lk_temporary_name (path);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0644);

  if (fd < 0)
    {
      lk_error_set_errno (error, errno, "Could not create “%s”", path);
      return NULL;
    }
  close (fd);
  return g_steal_pointer (&temporary);
}

gboolean
lk_file_publish (const char *temporary, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (temporary, O_RDONLY | O_CLOEXEC);
  gboolean synced = fd >= 0 && fsync (fd) == 0;
  int saved = errno;

  if (fd >= 0)
    close (fd);
  if (!synced)
    return lk_error_set_errno (error, saved, "Could not write “%s”", path);
  if (g_rename (temporary, path) != 0)
    return lk_error_set_errno (error, errno, "Could not write “%s”", path);
  return lk_sync_folder (folder, error);
}

LkFileWriter *
lk_file_writer_new (const char *path, GError **error)
{
  g_autofree char *temporary = lk_temporary_name (path);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0644);
  LkFileWriter *self;

  if (fd < 0)
    {
      lk_error_set_errno (error, errno, "Could not create “%s”", path);
      return NULL;
    }
  self = g_new0 (LkFileWriter, 1);
  self->path = g_strdup (path);
  self->temporary = g_steal_pointer (&temporary);
  self->fd = fd;
  self->buffer = g_malloc (LK_FILE_BUFFER);
  return self;
}

static gboolean
lk_file_writer_flush (LkFileWriter *self, GError **error)
{
  gsize n = self->buffered;

  self->buffered = 0;
  return lk_write_all (self->fd, self->path, self->buffer, n, -1, error);
}

gboolean
lk_file_writer_write (LkFileWriter *self, const void *data, gsize size, GError **error)
{
  if (self->buffered + size > LK_FILE_BUFFER && !lk_file_writer_flush (self, error))
    return FALSE;
  self->position += size;
  if (size >= LK_FILE_BUFFER)
    return lk_write_all (self->fd, self->path, data, size, -1, error);
  if (size > 0)
    memcpy (self->buffer + self->buffered, data, size);
  self->buffered += size;
  return TRUE;
}

gboolean
lk_file_writer_pad (LkFileWriter *self, guint alignment, GError **error)
{
  static const guint8 zeros[256];
  guint64 left = -self->position & (guint64) (alignment - 1);

  for (; left > 0; left -= MIN (left, sizeof zeros))
    if (!lk_file_writer_write (self, zeros, MIN (left, sizeof zeros), error))
      return FALSE;
  return TRUE;
}

guint64
lk_file_writer_get_position (LkFileWriter *self)
{
  return self->position;
}

gboolean
lk_file_writer_rewrite (LkFileWriter *self, guint64 offset, const void *data, gsize size, GError **error)
{
  g_return_val_if_fail (offset + size <= self->position, FALSE);
  return lk_file_writer_flush (self, error) && lk_write_all (self->fd, self->path, data, size, (goffset) offset, error);
}

gboolean
lk_file_writer_finish (LkFileWriter *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  struct stat st;

  if (!lk_file_writer_flush (self, error))
    return FALSE;
  if (fstat (self->fd, &st) != 0 || (guint64) st.st_size != self->position)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "“%s” was not written whole", self->path);
      return FALSE;
    }
  if (fsync (self->fd) != 0)
    return lk_error_set_errno (error, errno, "Could not write “%s”", self->path);
  if (rename (self->temporary, self->path) != 0)
    return lk_error_set_errno (error, errno, "Could not rename to “%s”", self->path);
  self->finished = TRUE;
  return lk_sync_folder (folder, error);
}

void
lk_file_writer_free (LkFileWriter *self)
{
  if (!self)
    return;
  close (self->fd);
  if (!self->finished)
    unlink (self->temporary);
  g_free (self->path);
  g_free (self->temporary);
  g_free (self->buffer);
  g_free (self);
}

gboolean
lk_file_write (const char *path, const void *data, gssize size, GError **error)
{
  g_autoptr (LkFileWriter) writer = lk_file_writer_new (path, error);

  return writer && lk_file_writer_write (writer, data, size < 0 ? strlen (data) : (gsize) size, error)
         && lk_file_writer_finish (writer, error);
}

gboolean
lk_file_append_line (const char *path, const char *line, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
  g_autofree char *text = NULL;
  struct stat st;
  char last = '\n';
  gboolean ok;

  if (fd < 0)
    return lk_error_set_errno (error, errno, "Could not open “%s”", path);
  ok = fstat (fd, &st) == 0 && (st.st_size == 0 || pread (fd, &last, 1, st.st_size - 1) == 1);
  if (!ok)
    lk_error_set_errno (error, errno, "Could not read “%s”", path);
  text = g_strconcat (last == '\n' ? "" : "\n", line, "\n", NULL);
  if (ok && !(ok = lk_write_all (fd, path, (const guint8 *) text, strlen (text), st.st_size, error)) && ftruncate (fd, st.st_size) != 0)
    g_warning ("%s: what was written of a line could not be taken back", path);
  if (ok && fsync (fd) != 0 && errno != EINVAL)
    ok = lk_error_set_errno (error, errno, "Could not write “%s”", path);
  close (fd);
  return ok;
}

struct _LkStage
{
  char *path, *temporary;
  gboolean finished;
};

LkStage *
lk_stage_new (const char *path, GError **error)
{
  g_autofree char *temporary = lk_temporary_name (path);
  LkStage *self;

  if (!g_mkdtemp_full (temporary, 0755))
    {
      lk_error_set_errno (error, errno, "Could not create the folder “%s”", path);
      return NULL;
    }
  self = g_new0 (LkStage, 1);
  self->path = g_strdup (path);
  self->temporary = g_steal_pointer (&temporary);
  return self;
}

const char *
lk_stage_get_path (LkStage *self)
{
  return self->temporary;
}

static gboolean
lk_sync_tree (const char *path, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  const char *name;

  if (!dir)
    return FALSE;
  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      struct stat st;
      int fd;

      if (lstat (child, &st) != 0)
        return lk_error_set_errno (error, errno, "Could not look at “%s”", child);
      if (S_ISDIR (st.st_mode))
        {
          if (!lk_sync_tree (child, error))
            return FALSE;
          continue;
        }
      if (!S_ISREG (st.st_mode))
        continue;
      fd = open (child, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
      if (fd < 0 || fsync (fd) != 0)
        {
          int saved = errno;
          if (fd >= 0)
            close (fd);
          return lk_error_set_errno (error, saved, "Could not write “%s”", child);
        }
      close (fd);
    }
  return lk_sync_folder (path, error);
}

/* Where two names cannot be exchanged in one step: the old folder is moved aside first, and back when that fails. */
static gboolean
lk_stage_replace (LkStage *self, char **aside, GError **error)
{
  g_autofree char *old = g_strconcat (self->temporary, ".old", NULL);

  if (rename (self->path, old) != 0)
    return lk_error_set_errno (error, errno, "Could not replace “%s”", self->path);
  if (rename (self->temporary, self->path) != 0)
    {
      int saved = errno;

      (void) rename (old, self->path);
      return lk_error_set_errno (error, saved, "Could not write “%s”", self->path);
    }
  *aside = g_steal_pointer (&old);
  return TRUE;
}

gboolean
lk_stage_finish (LkStage *self, gboolean replace, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *aside = NULL;

  if (!lk_sync_tree (self->temporary, error))
    return FALSE;
  if (!g_file_test (self->path, G_FILE_TEST_EXISTS))
    {
      if (rename (self->temporary, self->path) != 0)
        return lk_error_set_errno (error, errno, "Could not write “%s”", self->path);
    }
  else if (!replace)
    return lk_error_set_errno (error, EEXIST, "Could not write “%s”", self->path);
  else if (renameat2 (AT_FDCWD, self->temporary, AT_FDCWD, self->path, RENAME_EXCHANGE) == 0)
    aside = g_strdup (self->temporary);
  else if (!lk_stage_replace (self, &aside, error))
    return FALSE;
  self->finished = TRUE;
  return lk_sync_folder (folder, error) && (!aside || lk_remove_recursively (aside, error));
}

void
lk_stage_free (LkStage *self)
{
  if (!self)
    return;
  if (!self->finished)
    lk_remove_recursively (self->temporary, NULL);
  g_free (self->path);
  g_free (self->temporary);
  g_free (self);
}

gboolean
lk_remove_recursively (const char *path, GError **error)
{
  struct stat st;

  if (lstat (path, &st) != 0)
    return errno == ENOENT || lk_error_set_errno (error, errno, "Could not remove “%s”", path);
  if (S_ISDIR (st.st_mode))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, error);
      const char *name;

      if (!dir)
        return FALSE;
      while ((name = g_dir_read_name (dir)))
        {
          g_autofree char *child = g_build_filename (path, name, NULL);
          if (!lk_remove_recursively (child, error))
            return FALSE;
        }
    }
  if (remove (path) != 0)
    return lk_error_set_errno (error, errno, "Could not remove “%s”", path);
  return TRUE;
}

gboolean
lk_free_space (const char *path, guint64 *bytes, GError **error)
{
  g_autofree char *at = g_strdup (path);
  struct statvfs st;

  while (statvfs (at, &st) != 0)
    {
      char *parent = g_path_get_dirname (at);

      if (errno != ENOENT || g_str_equal (parent, at))
        {
          g_free (parent);
          return lk_error_set_errno (error, errno, "Could not look at “%s”", path);
        }
      g_free (at);
      at = parent;
    }
  *bytes = (guint64) st.f_bavail * st.f_frsize;
  return TRUE;
}

int
_lk_file_open_regular (const char *path, struct stat *st, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    {
      lk_error_set_errno (error, errno, "Could not open “%s”", path);
      return -1;
    }
  if (fstat (fd, st) != 0 || !S_ISREG (st->st_mode))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s” is not a regular file", path);
      close (fd);
      return -1;
    }
  return fd;
}

GBytes *
lk_file_read (const char *path, guint64 limit, GError **error)
{
  struct stat st;
  int fd = _lk_file_open_regular (path, &st, error);
  g_autofree guint8 *data = NULL;
  gsize size, done = 0;

  if (fd < 0)
    return NULL;
  if ((guint64) st.st_size > limit)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s” is too large: %" G_GUINT64_FORMAT " bytes, at most %" G_GUINT64_FORMAT, path,
                   (guint64) st.st_size, limit);
      close (fd);
      return NULL;
    }
  size = (gsize) st.st_size;
  data = g_malloc (size + 1);
  while (done < size)
    {
      gssize n = read (fd, data + done, size - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          lk_error_set_errno (error, errno, "Could not read “%s”", path);
          close (fd);
          return NULL;
        }
      if (n == 0)
        break;
      done += (gsize) n;
    }
  close (fd);
  return g_bytes_new_take (g_steal_pointer (&data), done);
}

char *
lk_file_sha256 (const char *path, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (LK_FILE_BUFFER);
  struct stat st;
  int fd = _lk_file_open_regular (path, &st, error);

  if (fd < 0)
    return NULL;
  for (;;)
    {
      gssize n = read (fd, buffer, LK_FILE_BUFFER);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          lk_error_set_errno (error, errno, "Could not read “%s”", path);
          close (fd);
          return NULL;
        }
      if (n == 0)
        break;
      g_checksum_update (checksum, buffer, n);
    }
  close (fd);
  return g_strdup (g_checksum_get_string (checksum));
}
