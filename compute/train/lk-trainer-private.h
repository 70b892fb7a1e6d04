/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the parts of the trainer share: getting ready (lk-trainer-prepare.c), measuring (lk-trainer-measure.c),
 * going on after a failure of the device (lk-trainer-recover.c) and the loop (lk-trainer.c).
 */
#pragma once

#include "lk-checkpoint.h"
#include "lk-control.h"
#include "lk-trainer.h"

typedef struct
{
  LkRunFolder *folder;
  const LkTrainerOptions *options;
  LkRecipe *recipe;
  LkEvents *events;
  LkControl *control;
  LkBackend *backend;
  LkModel *model;
  LkDataset *dataset;
  LkAdapter *adapter;
  LkTrainData *data;
  GArray *held_out; /* of LkTrainBatch */
  LkTrainStep *step;
  LkTrainState state;
  gint64 steps, steps_per_epoch, warmup;
  gint64 eval_interval, checkpoint_interval, patience;
  gint64 saved_step, saved_evaluation; /* what the newest checkpoint knows; −1: there is none */
  gint64 last_step;                    /* of adapter/last as this process wrote it; −1: it did not */
  gint64 saved_at;                     /* monotonic time */
  guint problems_told;
  double seconds, recent_seconds, recent_tokens; /* of this process's steps */
  gint64 steps_done;
  double eval_seconds;
  gint64 evals_done;
  LkRequest asked; /* what came while nothing but an end could be served */
  gboolean stop, samples_off, unsaved_told;
  gboolean lengthened; /* the recipe says how long the run is now */
  gboolean again; /* got ready before in this process: the newest checkpoint is its own */

  LkTrainPlan plan;     /* the last one made; rows 0: none */
  char *plan_device;    /* it was made for */
  gboolean planned;     /* it was made since the trainer last got ready */
  gboolean short_of_memory; /* it was too large: the next must be behind it on the ladder */
  gint64 failed_at;     /* the furthest step when the device was lost last; −1: it never was */
  gint64 furthest;      /* step this process has come to, done again or not */
  guint failures;       /* losses of the device since a step further than any before was done */
} LkTrainer;

/* The adapter, fresh or as the newest checkpoint left it, data, step and plan. */
gboolean _lk_trainer_prepare (LkTrainer *self, GError **error);
/* Gives back all that prepare made, the device's memory with it. */
void _lk_trainer_release (LkTrainer *self);

/* Held-out loss, best adapter, samples. A look somebody asked for (@counts FALSE) changes nothing about the
 * run. Asked to stop, it returns early and state.evaluated_step tells that it did not happen. */
gboolean _lk_trainer_evaluate (LkTrainer *self, gboolean counts, GError **error);
gboolean _lk_trainer_sample (LkTrainer *self, GError **error);
gboolean _lk_trainer_save_adapter (LkTrainer *self, const char *name, GError **error);

/* What a run is at before its first step. */
void _lk_trainer_reset (LkTrainer *self);
/* After @failure (transfer full) of getting ready or of the loop. TRUE: all is given back, and the run goes on from its newest checkpoint
 * when it gets ready again: as it was after a loss of the device, with a plan that needs less after memory ran out. FALSE: *error says why
 * not. */
gboolean _lk_trainer_recover (LkTrainer *self, GError *failure, GError **error);

/* Looks whether somebody wants the run to stop. */
gboolean _lk_trainer_should_stop (LkTrainer *self);
gboolean _lk_trainer_warn (LkTrainer *self, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* For what went wrong beside the training itself: a warning, and TRUE; but FALSE when it is the device. Takes
 * @local_error. */
gboolean _lk_trainer_forgive (LkTrainer *self, GError *local_error, const char *what, GError **error);
