/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A run from recipe to adapter: one call that works until the run is finished, stopped or failed, and tells
 * events.jsonl what happens.
 */
#pragma once

#include "lk-events.h"
#include "lk-run-folder.h"
#include "lk-train-data.h"
#include "lk-train-step.h"

G_BEGIN_DECLS

/* The model of a run under way answers @messages; made by who knows how to generate. LK_ERROR_CANCELLED:
 * somebody wants the run to stop; other errors end the samples, not the run. (transfer full) */
typedef char *(*LkSampleFunc) (JsonArray *messages, gpointer data, GError **error);
/* Called once when model and adapter stand, before the first sample is asked for; not where the recipe wants
 * none. */
typedef gboolean (*LkSampleSetupFunc) (LkModel *model, LkAdapter *adapter, LkBackend *backend, gpointer data,
                                       GError **error);
/* A pause gives the device's memory back: drop all that setup made of model, adapter and backend. Setup is called again
 * when the run goes on. */
typedef void (*LkSampleReleaseFunc) (gpointer data);

typedef struct
{
  gboolean resume;      /* go on from the newest whole checkpoint, from the beginning when there is none */
  GCancellable *stop;   /* stop after the step and save; may be NULL */
  LkEventFunc listener; /* each event's line; may be NULL */
  gpointer listener_data;
  LkSampleSetupFunc sample_setup; /* may be NULL with sample */
  LkSampleReleaseFunc sample_release; /* as sample_setup */
  LkSampleFunc sample;            /* NULL: no samples */
  gpointer sample_data;
  char *longer; /* goes on until this value of longer_setting, which the recipe says from now on; NULL: as it says */
  LkSettingId longer_setting;
} LkTrainerOptions;

typedef enum
{
  LK_OUTCOME_FINISHED, /* all steps done, or the held-out loss no longer improved */
  LK_OUTCOME_STOPPED,  /* somebody asked; a checkpoint was written */
} LkOutcome;

/* The folder's lock is taken here. FALSE: the run failed; the event says the same as @error. */
gboolean lk_trainer_run (LkRunFolder *folder, const LkTrainerOptions *options, LkOutcome *outcome,
                         GError **error);

/* The adapter's configuration a recipe asks for; *targets is a (transfer full) vector the configuration
 * points into. */
void lk_trainer_adapter_config (const LkRecipe *recipe, LkAdapterConfig *config, char ***targets);
/* The step a recipe asks for. Rows are as long as the longest example of @data needs; without @data (NULL) as
 * long as the recipe and the model allow. Also for estimates. */
void lk_trainer_step_options (const LkRecipe *recipe, LkModel *model, LkAdapter *adapter, LkBackend *backend,
                              LkTrainData *data, LkTrainStepOptions *options);
/* Optimizer steps a recipe asks for with @data. */
gint64 lk_trainer_count_steps (const LkRecipe *recipe, LkTrainData *data);

G_END_DECLS
