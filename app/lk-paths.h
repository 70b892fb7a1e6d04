/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where things lie: the user's runs, the engine's executable, the data that comes with the program.
 * Thread-safety: main thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where runs go and where the user's own models are, from now on; NULL or "": the usual place. Any thread. */
void lk_paths_set_runs_dir (const char *path);
void lk_paths_set_models_dir (const char *path);
/* Runs lie there as well. Any thread. */
void lk_paths_know_runs_dir (const char *path);
/* All folders where runs lie, the usual one first. Any thread. (transfer full) */
char **lk_paths_list_runs_dirs (void);

/* What was set, or the usual place; not made. Any thread. (transfer full) */
char *lk_paths_get_runs_dir (void);
/* Whether runs can go to @path. The usual place is made when missing; a folder that was chosen may be on a drive that is not connected now,
 * and is never made. */
gboolean lk_paths_prepare_runs_dir (const char *path, GError **error);
/* $LORIKEET_DATA_HOME or $XDG_DATA_HOME/lorikeet, then "/runs"; not made. (transfer full) */
char *lk_paths_get_usual_runs_dir (void);
/* What was set, or the usual place; not made. Any thread. (transfer full) */
char *lk_paths_get_models_dir (void);
/* $XDG_DATA_HOME/lorikeet/models; not made. (transfer full) */
char *lk_paths_get_usual_models_dir (void);
/* Beside the usual places, "datasets": what the engine imported; not made. (transfer full) */
char *lk_paths_get_datasets_dir (void);
/* Beside them, "conversations"; not made. (transfer full) */
char *lk_paths_get_conversations_dir (void);
/* Beside them, "queue": fine-tunes that wait; not made. (transfer full) */
char *lk_paths_get_queue_dir (void);
/* The engine: $LORIKEET_CLI, beside our own executable, in the build tree (../app/cli), then PATH.
 * NULL and @error when there is none. (transfer full) */
char *lk_paths_find_cli (GError **error);
/* A file that comes with the program, "model/lorikeet-tiny.gguf": looked for in $LK_DATA_DIR, the installed
 * folder, then the source tree. NULL when it is nowhere. (transfer full) */
char *lk_paths_find_data (const char *name);
/* The embedded model and the sample dataset of Try It Now; NULL when this build has none. (transfer full) */
char *lk_paths_find_tiny_model (void);
char *lk_paths_find_sample (void);
/* Settings that suit the embedded model on that sample; NULL when there are none. (transfer full) */
char *lk_paths_find_sample_preset (void);
/* Downloads folder, or home: where exports go unless the user says otherwise. (transfer full) */
char *lk_paths_get_export_dir (void);

G_END_DECLS
