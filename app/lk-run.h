/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One fine-tune: a folder with recipe.json and events.jsonl, seen as properties. The folder is the only truth:
 * the object reads it, starts workers on it and talks to them; itself it writes only what a person changes: name and notes.
 *
 * All properties are read-only and notify together after each batch of events:
 *   folder, name, model-name, data-name (strings), created (Unix seconds), created-text
 *   state (LkRunState), state-text, active (a worker is at it), paused
 *   step, steps, checkpoint-step (-1 without any), fraction (0…1), summary (for the sidebar),
 *   progress-text ("Step 320 of 500 · about 12 minutes left")
 *   loss, held-out-loss, best-loss (NaN when unknown), and as words: loss-text, held-out-text, best-text,
 *   learning-rate-text, gradient-norm-text, speed-text, memory-text, data-text, device-text, warning
 *   can-stop, can-pause, can-continue, can-resume, has-adapter (booleans)
 *   trouble, trouble-text: what went wrong, a title and a sentence; NULL when nothing did
 *   problems-title, problems-text: the rows that could not be used, a line each; no title without any
 *   training, held-out, learning-rate, gradient-norm, speed (LkSeries over the step), samples (GListModel of LkSample)
 *
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "lk-run-chart.h"

G_BEGIN_DECLS

typedef enum
{
  LK_RUN_PREPARING,
  LK_RUN_RUNNING,
  LK_RUN_PAUSED,
  LK_RUN_STOPPING,
  LK_RUN_STOPPED,
  LK_RUN_FINISHED,
  LK_RUN_FAILED,
  LK_RUN_INTERRUPTED, /* the worker is gone without having said an end: killed, crashed, power lost */
} LkRunState;

#define LK_TYPE_RUN_STATE (lk_run_state_get_type ())
GType lk_run_state_get_type (void);

#define LK_TYPE_RUN (lk_run_get_type ())
G_DECLARE_FINAL_TYPE (LkRun, lk_run, LK, RUN, GObject)

/* NULL and @error when @folder holds no readable recipe.json.
 *
 * Signals:
 *   ::ended                  a worker that was seen at work came to an end, good or bad; read `state`
 *   ::complaint (sentence)   something the user asked for did not work */
LkRun *lk_run_new (const char *folder, GError **error);

const char *lk_run_get_folder (LkRun *self);
const char *lk_run_get_name (LkRun *self);
LkRunState lk_run_get_state (LkRun *self);
gboolean lk_run_is_active (LkRun *self);
gint64 lk_run_get_created (LkRun *self);
/* When it was last at work, from its folder: Unix seconds, known before its events are read. */
gint64 lk_run_get_changed (LkRun *self);
gint64 lk_run_get_step (LkRun *self);
gint64 lk_run_get_steps (LkRun *self);
gboolean lk_run_get_has_adapter (LkRun *self);
double lk_run_get_best_loss (LkRun *self);
/* Bytes of the adapter and parameters of it as the plan said; 0 when unknown. */
gint64 lk_run_get_trainable_parameters (LkRun *self);
/* What it computes on, as the engine says it; NULL before its plan. (transfer none) */
const char *lk_run_get_device (LkRun *self);
/* How long it took for a token it learned from, evaluations, samples and checkpoints included; NaN before there were a few steps. */
double lk_run_get_seconds_per_token (LkRun *self);
/* The model's path; the path of what it learns from (the first where a command line named several; NULL without any) and of all of it,
 * which is the imported dataset where the run has a copy of one; every setting of the recipe. (transfer none) */
const char *lk_run_get_model (LkRun *self);
const char *lk_run_get_data (LkRun *self);
const char *const *lk_run_get_all_data (LkRun *self);
JsonObject *lk_run_get_settings (LkRun *self);
/* A text of recipe.json: "model_sha256", "data_sha256", "adapter", "engine"; NULL when it has none. (transfer none) */
const char *lk_run_get_fact (LkRun *self, const char *member);
GListModel *lk_run_get_samples (LkRun *self);
/* All curves of the run; the series are the run's. */
LkRunCurves lk_run_get_curves (LkRun *self);
LkSeries *lk_run_get_training (LkRun *self);
LkSeries *lk_run_get_held_out (LkRun *self);
/* The adapter to talk to: the best one once something was learned, else the last. NULL when there is none
 * yet. (transfer full) */
char *lk_run_find_adapter (LkRun *self);
/* The end of log.txt, at most 64 kB, valid UTF-8. (transfer full) */
char *lk_run_read_log (LkRun *self);

/* Reads what is new and looks whether the worker lives. The run list calls it regularly. */
void lk_run_poll (LkRun *self);

/* Starts a worker: from the last checkpoint when there is one, else from the beginning. */
gboolean lk_run_start (LkRun *self, GError **error);
/* Goes on with a run for longer than it was made for: @length epochs in all, or steps where it was made for a number of steps
 * (see lk_run_get_length). */
gboolean lk_run_extend (LkRun *self, double length, GError **error);
/* How long it was made for, in epochs; *in_steps: in steps. */
double lk_run_get_length (LkRun *self, gboolean *in_steps);

/* Writes the name into recipe.json; an empty one is refused. */
gboolean lk_run_rename (LkRun *self, const char *name, GError **error);
/* What people wrote down about it, notes.txt in its folder; empty without any. (transfer full) */
char *lk_run_read_notes (LkRun *self);
gboolean lk_run_write_notes (LkRun *self, const char *notes, GError **error);
/* "stop", "pause", "resume", "save", "sample", "evaluate"; failures come as ::complaint. */
void lk_run_command (LkRun *self, const char *command);

G_END_DECLS
