/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes what a run learned for other programs: `lorikeet-cli export RUN`, followed by its JSON lines. The
 * engine opens the result again and compares its answers before it says that it is done. Properties
 * (read-only): running, done (booleans), fraction (0…1), message, time-left (words; NULL when nothing can be said), path, size-text,
 * verdict, command (strings; see lk_export_make_command), error (a sentence; NULL when well). Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_EXPORT_JOB (lk_export_job_get_type ())
G_DECLARE_FINAL_TYPE (LkExportJob, lk_export_job, LK, EXPORT_JOB, GObject)

LkExportJob *lk_export_job_new (void);

typedef struct
{
  const char *run; /* its folder */
  const char *base; /* the model it was trained on, for the command; may be NULL */
  guint rank; /* of the adapter, for the command; 0: not known */
  const char *format, *type; /* as the engine calls them; type NULL: no choice */
  const char *path;
  gboolean modelfile; /* write one for Ollama beside it */
} LkExportWish;

/* Does nothing while one is running. */
void lk_export_job_start (LkExportJob *self, const LkExportWish *wish);
/* Ends it; the engine leaves nothing half-written. */
void lk_export_job_cancel (LkExportJob *self);
const char *lk_export_job_get_path (LkExportJob *self);

G_END_DECLS
