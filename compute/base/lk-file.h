/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files we write are never half there: a temporary name in the same folder, fsync, rename, fsync of the folder.
 * Everything is removed again when not finished.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _LkFileWriter LkFileWriter;

/* Opens ".<name>.tmp-XXXXXX" beside @path. NULL and @error when that fails. */
LkFileWriter *lk_file_writer_new (const char *path, GError **error);
gboolean lk_file_writer_write (LkFileWriter *self, const void *data, gsize size, GError **error);
/* Zero bytes up to the next multiple of @alignment (a power of two). */
gboolean lk_file_writer_pad (LkFileWriter *self, guint alignment, GError **error);
guint64 lk_file_writer_get_position (LkFileWriter *self);
/* Overwrites bytes already written (headers whose content is known last). */
gboolean lk_file_writer_rewrite (LkFileWriter *self, guint64 offset, const void *data, gsize size, GError **error);
/* fsync, rename over @path, fsync of the folder. Afterwards only free is allowed. */
gboolean lk_file_writer_finish (LkFileWriter *self, GError **error);
/* Removes the temporary file unless finished. */
void lk_file_writer_free (LkFileWriter *self);

/* All of @data at once by the same steps; @size -1 for a string. */
gboolean lk_file_write (const char *path, const void *data, gssize size, GError **error);
/* @line and a newline behind what @path holds, which is made when it is not there. A last line without a newline gets one first. Whole, or the
 * file is as it was. */
gboolean lk_file_append_line (const char *path, const char *line, GError **error);

/* The same for a file that another library writes: an empty file with a temporary name beside @path (transfer full), and, when it is
 * written and closed, fsync, rename over @path, fsync of the folder. */
char *lk_file_reserve (const char *path, GError **error);
gboolean lk_file_publish (const char *temporary, const char *path, GError **error);

/* A folder that appears whole or not at all. lk_stage_new makes ".<name>.tmp-XXXXXX" beside @path; put files in
 * lk_stage_get_path; lk_stage_finish syncs every file and folder in it and renames it to @path, which must not
 * exist unless @replace (then the two change places in one step where the file system can do that, and the old one is
 * deleted last). */
typedef struct _LkStage LkStage;
LkStage *lk_stage_new (const char *path, GError **error);
const char *lk_stage_get_path (LkStage *self);
gboolean lk_stage_finish (LkStage *self, gboolean replace, GError **error);
void lk_stage_free (LkStage *self);

/* Deletes a file or a folder and all in it; symbolic links are removed, not followed. */
gboolean lk_remove_recursively (const char *path, GError **error);

/* Free bytes of the file system that holds @path (or its nearest existing parent). */
gboolean lk_free_space (const char *path, guint64 *bytes, GError **error);

/* Reads a regular file whole, refusing more than @limit bytes. (transfer full) */
GBytes *lk_file_read (const char *path, guint64 limit, GError **error);

/* Maps a regular file for reading; refuses devices, FIFOs and folders. An empty file gives an empty GBytes. Where the file is made shorter
 * meanwhile, reading what is gone raises SIGBUS: the program is to install a handler that asks lk_file_map_find. */
GBytes *lk_file_map (const char *path, GError **error);
/* The name (UTF-8, for people) of the file that is mapped at @address; NULL: none is. May be called by a signal handler. Valid as long
 * as the mapping. */
const char *lk_file_map_find (const void *address);
/* What is said of such a file, whose name takes the place of %s. */
#define LK_FILE_CHANGED_FORMAT "“%s” changed while it was read: a part of it is gone"
/* Gives the pages of such a mapping that hold [data, data + size) back to the system; they are read again when they are needed.
 * A page at either end may be shared with others' bytes, and is given back too. */
void lk_file_release (const void *data, gsize size);

/* sha256 of a file's bytes, in hexadecimal. (transfer full) */
char *lk_file_sha256 (const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkFileWriter, lk_file_writer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkStage, lk_stage_free)

G_END_DECLS
