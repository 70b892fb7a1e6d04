/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of LkRun, shared by its three files: lk-run.c (object and properties), lk-run-events.c (what
 * each event changes) and lk-run-worker.c (starting, asking, and finding out that a worker died).
 */
#pragma once

#include "lk-run-reader.h"
#include "lk-run.h"
#include "lk-worker.h"

struct _LkRun
{
  GObject parent_instance;

  /* recipe.json */
  char *folder;
  char *name;
  char *model;
  GStrv data; /* where it came from: a dataset rather than the run's own copy of it; never NULL */
  JsonObject *recipe;
  JsonObject *settings; /* the recipe's */
  gint64 created;

  /* events.jsonl */
  LkRunReader *reader;
  LkRunState state; /* as the events say it; INTERRUPTED is set here when the lock says otherwise */
  char *message;
  char *detail;
  char *warning;       /* all of them as one text */
  GPtrArray *warnings; /* char*, each once */
  char *device;
  GString *problems;
  gint64 problem_count;
  gint64 step, steps;
  gint64 train_rows, held_out_rows, trainable, parameters;
  gint64 checkpoint_step; /* -1 without any */
  gint64 best_step;
  double loss, held_out_loss, best_loss, learning_rate, gradient_norm, speed, seconds_left;
  double active_seconds; /* at work, without pauses and the time between a stop and a resume */
  double trained_tokens; /* in these seconds, those of steps that were done again as well */
  double since;          /* the last event's time while running; 0 while not */
  double last_heard;     /* the last event's time; 0 without any */
  gint64 memory_bytes;
  LkSeries *training;
  LkSeries *held_out;
  LkSeries *rates, *norms, *speeds;
  GListStore *samples;

  /* the worker */
  LkWorker *worker; /* ours, when this window started it */
  GCancellable *cancellable;
  guint missed;     /* looks in a row that found nobody holding the lock */
  gboolean seen_active;
  gboolean has_adapter;
  char *exit_text;
};

/* One event of the file. Unknown events are passed over: a newer engine may write more. */
void _lk_run_apply_event (LkRun *self, JsonObject *event);
/* Back to before the first event. */
void _lk_run_reset (LkRun *self);
/* Every property may have changed. */
void _lk_run_notify_all (LkRun *self);
/* After events or a look at the lock: is anybody at work, has somebody ended? */
void _lk_run_check_worker (LkRun *self);
/* Folder, name and so on from recipe.json. */
gboolean _lk_run_load_recipe (LkRun *self, GError **error);
