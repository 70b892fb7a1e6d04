/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work of the engine on a dataset that takes a while: `lorikeet-cli data import`, `data count`. Properties (read-only): running,
 * fraction (0…1), message, error (a sentence; NULL when well). Signal ::ended (gboolean well) once, not after a cancel.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_DATA_JOB (lk_data_job_get_type ())
G_DECLARE_FINAL_TYPE (LkDataJob, lk_data_job, LK, DATA_JOB, GObject)

LkDataJob *lk_data_job_new (void);
/* Starts "lorikeet-cli @arguments --json"; a job does one thing at a time, and a new one ends the old. */
void lk_data_job_start (LkDataJob *self, const char *const *arguments);
void lk_data_job_cancel (LkDataJob *self);
gboolean lk_data_job_is_running (LkDataJob *self);
double lk_data_job_get_fraction (LkDataJob *self);
const char *lk_data_job_get_error (LkDataJob *self);
/* The file that was written, when the engine said so. */
const char *lk_data_job_get_path (LkDataJob *self);

G_END_DECLS
