/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-file-private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lk-error.h"

/* A place for what is mapped. Places are used again and never freed, so that a signal handler can walk them at any moment. */
typedef struct _LkMapping LkMapping;
struct _LkMapping
{
  LkMapping *next;
  guintptr begin; /* atomic; 0: free */
  gsize size;
  char *name;
  GMappedFile *file;
};

static LkMapping *mappings; /* atomic */
static GMutex mappings_lock;

static LkMapping *
take_place (void)
{
  LkMapping *place;

  for (place = g_atomic_pointer_get (&mappings); place; place = place->next)
    if (!place->name)
      return place;
  place = g_new0 (LkMapping, 1);
  place->next = mappings;
  g_atomic_pointer_set (&mappings, place);
  return place;
}

/* Takes @file. */
static LkMapping *
note (GMappedFile *file, const char *path)
{
  LkMapping *place;

  g_mutex_lock (&mappings_lock);
  place = take_place ();
  place->file = file;
  place->name = g_filename_display_name (path);
  place->size = g_mapped_file_get_length (file);
  __atomic_store_n (&place->begin, (guintptr) g_mapped_file_get_contents (file), __ATOMIC_RELEASE);
  g_mutex_unlock (&mappings_lock);
  return place;
}

static void
unmap (gpointer data)
{
  LkMapping *place = data;

  g_mutex_lock (&mappings_lock);
  __atomic_store_n (&place->begin, 0, __ATOMIC_RELEASE);
  g_clear_pointer (&place->file, g_mapped_file_unref);
  g_clear_pointer (&place->name, g_free);
  g_mutex_unlock (&mappings_lock);
}

const char *
lk_file_map_find (const void *address)
{
  for (LkMapping *place = __atomic_load_n (&mappings, __ATOMIC_ACQUIRE); place; place = place->next)
    {
      guintptr begin = __atomic_load_n (&place->begin, __ATOMIC_ACQUIRE);

      if (begin && (guintptr) address >= begin && (guintptr) address - begin < place->size)
        return place->name;
    }
  return NULL;
}

GBytes *
lk_file_map (const char *path, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  struct stat st;
  int fd = _lk_file_open_regular (path, &st, error);
  GMappedFile *mapped;
  LkMapping *place;

  if (fd < 0)
    return NULL;
  mapped = g_mapped_file_new_from_fd (fd, FALSE, &local_error);
  close (fd);
  if (!mapped)
    {
      g_set_error (error, LK_ERROR,
                   g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOMEM) ? LK_ERROR_OUT_OF_MEMORY : LK_ERROR_FAILED,
                   "Could not map “%s”: %s", path, local_error->message);
      return NULL;
    }
  place = note (mapped, path);
  return g_bytes_new_with_free_func (g_mapped_file_get_contents (mapped), place->size, unmap, place);
}

void
lk_file_release (const void *data, gsize size)
{
  guintptr page = (guintptr) sysconf (_SC_PAGESIZE), begin = (guintptr) data & ~(page - 1);
  guintptr end = ((guintptr) data + size + page - 1) & ~(page - 1);

  if (size > 0)
    madvise ((void *) begin, end - begin, MADV_DONTNEED); /* memory is all that is lost when it fails */
}
