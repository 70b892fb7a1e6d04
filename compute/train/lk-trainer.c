/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-trainer.h"

#include <math.h>
#include <string.h>

#include "lk-checkpoint.h"
#include "lk-control.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-schedule.h"

#define LK_PROBLEMS_TOLD 100   /* problem events; all are counted */
#define LK_EVALUATIONS 12
#define LK_CHECKPOINTS 6
#define LK_BAD_STEPS 3         /* not finite in a row */

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
  LkTrainStep *step;
  LkTrainState state;
  gint64 steps, steps_per_epoch, warmup;
  guint rows_per_step;
  gint64 eval_interval, checkpoint_interval;
  gint64 saved_step;             /* step of the newest checkpoint; −1: none */
  guint problems_told, bad_steps;
  gint64 began;                  /* monotonic, of this process's first step */
  gint64 tokens_before;          /* state.tokens then */
  gint64 step_before;
  gboolean stop, stale, sampled;
} LkTrainer;

static void
lk_trainer_clear (LkTrainer *self)
{
  lk_train_step_free (self->step);
  lk_train_data_free (self->data);
  lk_adapter_unref (self->adapter);
  lk_dataset_unref (self->dataset);
  lk_model_unref (self->model);
  lk_backend_unref (self->backend);
  lk_control_free (self->control);
  lk_events_free (self->events);
  lk_recipe_free (self->recipe);
}

void
lk_trainer_adapter_config (const LkRecipe *recipe, LkAdapterConfig *config, char ***targets)
{
  const char *text = lk_recipe_get_text (recipe, LK_SETTING_TARGETS);

  *targets = g_str_equal (text, "all") ? NULL : g_strsplit (text, ",", -1);
  for (guint i = 0; *targets && (*targets)[i]; i++)
    g_strstrip ((*targets)[i]);
  *config = (LkAdapterConfig){ .rank = (guint) lk_recipe_get_int (recipe, LK_SETTING_RANK),
                               .alpha = lk_recipe_get_number (recipe, LK_SETTING_ALPHA),
                               .rslora = lk_recipe_get_boolean (recipe, LK_SETTING_RSLORA),
                               .dropout = lk_recipe_get_number (recipe, LK_SETTING_DROPOUT),
                               .targets = (const char *const *) *targets,
                               .seed = (guint64) lk_recipe_get_int (recipe, LK_SETTING_SEED) };
}

void
lk_trainer_step_options (const LkRecipe *recipe, LkModel *model, LkAdapter *adapter, LkBackend *backend, LkTrainStepOptions *options)
{
  const char *recompute = lk_recipe_get_text (recipe, LK_SETTING_RECOMPUTE);

  *options = (LkTrainStepOptions){ .model = model, .adapter = adapter, .backend = backend,
                                   .length = (guint) MIN (lk_recipe_get_int (recipe, LK_SETTING_LENGTH), lk_model_get_config (model)->context),
                                   .recompute_layers = g_str_equal (recompute, "auto")  ? -1
                                                       : g_str_equal (recompute, "all") ? G_MAXINT
                                                                                        : 0,
                                   .seed = (guint64) lk_recipe_get_int (recipe, LK_SETTING_SEED) };
}

static void
lk_trainer_problem (const char *file, guint64 line, const char *reason, gpointer data)
{
  LkTrainer *self = data;
  JsonObject *members;

  if (self->problems_told++ >= LK_PROBLEMS_TOLD)
    return;
  members = json_object_new ();
  json_object_set_string_member (members, "file", file);
  json_object_set_int_member (members, "line", (gint64) line);
  json_object_set_string_member (members, "reason", reason);
  lk_events_write (self->events, "problem", members, NULL);
}

/* The hash of what the recipe was frozen with; changed files are refused, a new recipe gets them. */
static gboolean
lk_trainer_freeze (LkTrainer *self, GError **error)
{
  const char *model = lk_model_get_hash (self->model, error), *data = lk_dataset_get_hash (self->dataset);
  const char *old_model = lk_recipe_get_model_hash (self->recipe), *old_data = lk_recipe_get_data_hash (self->recipe);

  if (!model)
    return FALSE;
  if (old_model && !g_str_equal (model, old_model))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "The model %s changed since the run was made", lk_recipe_get_model (self->recipe));
      return FALSE;
    }
  if (old_data && !g_str_equal (data, old_data))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "The dataset changed since the run was made");
      return FALSE;
    }
  if (old_model && old_data)
    return TRUE;
  lk_recipe_set_hashes (self->recipe, model, data);
  return lk_recipe_save (self->recipe, self->folder->recipe, error);
}

static gboolean
lk_trainer_load (LkTrainer *self, GError **error)
{
  const char *const *paths = lk_recipe_get_data (self->recipe);

  self->backend = lk_backend_new (lk_recipe_get_text (self->recipe, LK_SETTING_DEVICE), error);
  self->model = self->backend ? lk_model_open (lk_recipe_get_model (self->recipe), error) : NULL;
  self->dataset = self->model ? lk_dataset_load (paths, g_strv_length ((char **) paths), error) : NULL;
  if (!self->dataset || !lk_trainer_freeze (self, error))
    return FALSE;
  self->data = lk_train_data_new (self->model, self->dataset, self->recipe, lk_trainer_problem, self, error);
  return self->data != NULL;
}

/* The adapter: fresh, or where the newest checkpoint left it. */
static gboolean
lk_trainer_make_adapter (LkTrainer *self, char **checkpoint, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) targets = NULL;
  LkAdapterConfig config;

  *checkpoint = self->options->resume ? lk_checkpoint_newest (self->folder->checkpoints, warnings) : NULL;
  for (guint i = 0; i < warnings->len; i++)
    lk_events_write_warning (self->events, g_ptr_array_index (warnings, i), NULL);
  self->state = (LkTrainState){ .best_loss = INFINITY, .loss_before = NAN };
  self->saved_step = -1;
  if (*checkpoint)
    {
      if (!lk_checkpoint_load_state (*checkpoint, self->recipe, &self->state, error))
        return FALSE;
      self->saved_step = self->state.step;
      self->adapter = lk_adapter_load (self->model, "adapter", *checkpoint, TRUE, error);
      return self->adapter != NULL;
    }
  lk_trainer_adapter_config (self->recipe, &config, &targets);
  self->adapter = lk_adapter_new (self->model, "adapter", &config, error);
  return self->adapter != NULL;
}

static void
lk_trainer_count_steps (LkTrainer *self)
{
  gint64 steps = lk_recipe_get_int (self->recipe, LK_SETTING_STEPS);
  guint rows = lk_train_data_get_rows (self->data);

  self->rows_per_step = (guint) (lk_recipe_get_int (self->recipe, LK_SETTING_BATCH) * lk_recipe_get_int (self->recipe, LK_SETTING_ACCUMULATION));
  self->steps_per_epoch = (rows + self->rows_per_step - 1) / self->rows_per_step;
  self->steps = steps > 0 ? steps
                          : MAX (1, (gint64) ceil (lk_recipe_get_number (self->recipe, LK_SETTING_EPOCHS) * (double) self->steps_per_epoch));
  self->warmup = lk_schedule_warmup (lk_recipe_get_number (self->recipe, LK_SETTING_WARMUP), self->steps);
  self->eval_interval = lk_recipe_get_int (self->recipe, LK_SETTING_EVAL_INTERVAL);
  self->checkpoint_interval = lk_recipe_get_int (self->recipe, LK_SETTING_CHECKPOINT_INTERVAL);
  if (self->eval_interval == 0)
    self->eval_interval = MAX (1, self->steps / LK_EVALUATIONS);
  if (self->checkpoint_interval == 0)
    self->checkpoint_interval = MAX (1, self->steps / LK_CHECKPOINTS);
}

static gboolean
lk_trainer_write_plan (LkTrainer *self, GError **error)
{
  const LkTrainPlan *plan = lk_train_step_get_plan (self->step);
  JsonObject *members = json_object_new ();

  json_object_set_int_member (members, "steps", self->steps);
  json_object_set_double_member (members, "epochs", (double) self->steps / (double) self->steps_per_epoch);
  json_object_set_int_member (members, "train_rows", lk_train_data_get_n_train (self->data));
  json_object_set_int_member (members, "held_out_rows", lk_train_data_get_n_held_out (self->data));
  json_object_set_int_member (members, "problems", lk_train_data_get_n_problems (self->data));
  json_object_set_int_member (members, "train_tokens", lk_train_data_get_tokens (self->data));
  json_object_set_int_member (members, "target_tokens", lk_train_data_get_targets (self->data));
  json_object_set_int_member (members, "trainable_parameters", lk_adapter_get_n_parameters (self->adapter));
  json_object_set_int_member (members, "parameters", lk_model_get_config (self->model)->parameters);
  json_object_set_int_member (members, "memory_bytes",
                              (gint64) (plan->memory.activations + plan->memory.weights + plan->memory.parameters * 3 + plan->memory.state));
  json_object_set_int_member (members, "recompute_layers", plan->recompute_layers);
  json_object_set_string_member (members, "device", lk_backend_get_description (self->backend));
  json_object_set_string_member (members, "model", lk_model_get_config (self->model)->name);
  return lk_events_write (self->events, "plan", members, error);
}

static gboolean
lk_trainer_prepare (LkTrainer *self, GError **error)
{
  LkTrainStepOptions options;
  g_autofree char *checkpoint = NULL;
  JsonObject *members;

  if (!lk_events_write_state (self->events, "preparing", NULL, error) || !lk_trainer_load (self, error)
      || !lk_trainer_make_adapter (self, &checkpoint, error))
    return FALSE;
  lk_trainer_step_options (self->recipe, self->model, self->adapter, self->backend, &options);
  self->step = lk_train_step_new (&options, error);
  if (!self->step
      || (checkpoint && !lk_checkpoint_load_optimizer (checkpoint, lk_train_step_get_update (self->step), self->backend, error)))
    return FALSE;
  lk_trainer_count_steps (self);
  if (!lk_trainer_write_plan (self, error)
      || (self->options->sample_setup
          && !self->options->sample_setup (self->model, self->adapter, self->backend, self->options->sample_data, error)))
    return FALSE;
  if (!checkpoint)
    return TRUE;
  members = json_object_new ();
  json_object_set_int_member (members, "step", self->state.step);
  return lk_events_write (self->events, "resume", members, error);
}

static gboolean
lk_trainer_save_adapter (LkTrainer *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder->adapters, name, NULL);

  return lk_adapter_save (self->adapter, self->backend, path, error);
}

static gboolean
lk_trainer_checkpoint (LkTrainer *self, GError **error)
{
  JsonObject *members;
  g_autofree char *path = NULL;

  if (self->saved_step == self->state.step)
    return TRUE;
  if (!lk_checkpoint_save (self->folder->checkpoints, self->recipe, self->adapter, lk_train_step_get_update (self->step), self->backend,
                           &self->state, error)
      || !lk_trainer_save_adapter (self, "last", error))
    return FALSE;
  self->saved_step = self->state.step;
  lk_checkpoint_prune (self->folder->checkpoints, (guint) lk_recipe_get_int (self->recipe, LK_SETTING_KEEP_CHECKPOINTS));
  members = json_object_new ();
  path = g_strdup_printf ("checkpoints/step-%06" G_GINT64_FORMAT, self->state.step);
  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_string_member (members, "path", path);
  json_object_set_boolean_member (members, "best", self->state.best_step == self->state.step);
  return lk_events_write (self->events, "checkpoint", members, error);
}

static gboolean
lk_trainer_held_out_loss (LkTrainer *self, double *loss, GError **error)
{
  guint rows = lk_train_data_get_held_out_rows (self->data);
  double sum = 0;
  gint64 targets = 0;

  for (guint first = 0; first < rows; first += 8)
    {
      guint n = MIN (8, rows - first);
      guint length = lk_train_step_bucket (self->step, lk_train_data_held_out_longest (self->data, first, n));
      LkBatch *batch = lk_train_data_held_out_batch (self->data, first, n, length);
      gboolean ok = lk_train_step_evaluate (self->step, batch, n, length, &sum, &targets, error);

      lk_batch_free (batch);
      if (!ok)
        return FALSE;
    }
  *loss = sum / (double) MAX (targets, 1);
  return TRUE;
}

/* The question of a held-out conversation: all before its last answer. (transfer full) */
static JsonArray *
lk_trainer_question (const LkRow *row)
{
  JsonArray *question = json_array_new ();
  guint n = json_array_get_length (row->messages);

  while (n > 0 && g_strcmp0 (json_object_get_string_member_with_default (json_array_get_object_element (row->messages, n - 1), "role", ""),
                             "assistant")
                    != 0)
    n--;
  for (guint i = 0; i + 1 < n; i++)
    json_array_add_element (question, json_array_dup_element (row->messages, i));
  return question;
}

static gboolean
lk_trainer_sample (LkTrainer *self, GError **error)
{
  guint wanted = (guint) lk_recipe_get_int (self->recipe, LK_SETTING_SAMPLES), told = 0;

  for (guint i = 0; self->options->sample && i < lk_train_data_get_n_held_out (self->data) && told < wanted; i++)
    {
      const LkRow *row = lk_train_data_get_held_out_row (self->data, i);
      g_autoptr (JsonArray) question = row->kind == LK_ROW_MESSAGES ? lk_trainer_question (row) : NULL;
      guint n = question ? json_array_get_length (question) : 0;
      g_autofree char *text = NULL;
      JsonObject *members;

      if (n == 0)
        continue;
      text = self->options->sample (question, self->options->sample_data, error);
      if (!text)
        return FALSE;
      members = json_object_new ();
      json_object_set_int_member (members, "step", self->state.step);
      json_object_set_string_member (members, "prompt",
                                     json_object_get_string_member_with_default (json_array_get_object_element (question, n - 1), "content", ""));
      json_object_set_string_member (members, "text", text);
      if (!lk_events_write (self->events, "sample", members, error))
        return FALSE;
      told++;
    }
  return TRUE;
}

static gboolean
lk_trainer_evaluate (LkTrainer *self, GError **error)
{
  gint64 patience = lk_recipe_get_int (self->recipe, LK_SETTING_PATIENCE);
  JsonObject *members;
  gboolean best;
  double loss;

  if (lk_train_data_get_n_held_out (self->data) == 0)
    return lk_trainer_sample (self, error);
  if (!lk_trainer_held_out_loss (self, &loss, error))
    return FALSE;
  best = loss < self->state.best_loss;
  if (isnan (self->state.loss_before) && self->state.step == 0)
    self->state.loss_before = loss;
  self->state.stale = best ? 0 : self->state.stale + 1;
  if (best)
    {
      self->state.best_loss = loss;
      self->state.best_step = self->state.step;
    }
  members = json_object_new ();
  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_double_member (members, "loss", loss);
  json_object_set_int_member (members, "rows", lk_train_data_get_n_held_out (self->data));
  json_object_set_boolean_member (members, "best", best);
  self->stale = patience > 0 && self->state.stale >= patience;
  return lk_events_write (self->events, "eval", members, error) && (!best || lk_trainer_save_adapter (self, "best", error))
         && lk_trainer_sample (self, error);
}

static gboolean
lk_trainer_write_step (LkTrainer *self, const LkTrainStepResult *result, double rate, gint64 tokens, GError **error)
{
  double seconds = (double) (g_get_monotonic_time () - self->began) * 1e-6;
  gint64 done = self->state.step - self->step_before;
  JsonObject *members = json_object_new ();

  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_int_member (members, "steps", self->steps);
  json_object_set_double_member (members, "epoch", (double) self->state.step / (double) self->steps_per_epoch);
  if (isfinite (result->loss))
    json_object_set_double_member (members, "loss", result->loss);
  json_object_set_double_member (members, "learning_rate", rate);
  if (isfinite (result->norm))
    json_object_set_double_member (members, "gradient_norm", result->norm);
  json_object_set_int_member (members, "tokens", tokens);
  json_object_set_double_member (members, "tokens_per_s", (double) (self->state.tokens - self->tokens_before) / MAX (seconds, 1e-6));
  json_object_set_double_member (members, "seconds_left", seconds / (double) MAX (done, 1) * (double) (self->steps - self->state.step));
  json_object_set_int_member (members, "memory_bytes", (gint64) lk_train_step_get_plan (self->step)->memory.activations);
  return lk_events_write (self->events, "step", members, error);
}

/* Gradients that are no numbers: said, and after a few in a row the end. */
static gboolean
lk_trainer_check_finite (LkTrainer *self, const LkTrainStepResult *result, GError **error)
{
  g_autofree char *message = NULL;

  if (result->applied || result->targets == 0)
    {
      self->bad_steps = 0;
      return TRUE;
    }
  message = g_strdup_printf ("Step %" G_GINT64_FORMAT ": the loss or the gradient is not a number; nothing was learned from it",
                             self->state.step);
  if (++self->bad_steps < LK_BAD_STEPS)
    return lk_events_write_warning (self->events, message, error);
  g_set_error (error, LK_ERROR, LK_ERROR_NOT_FINITE,
               "The loss was not a number in %d steps in a row. A smaller learning rate usually helps; the last checkpoint is from before",
               LK_BAD_STEPS);
  return FALSE;
}

static gboolean
lk_trainer_one_step (LkTrainer *self, GError **error)
{
  guint epoch = (guint) (self->state.step / self->steps_per_epoch);
  guint first = (guint) (self->state.step % self->steps_per_epoch) * self->rows_per_step;
  guint n = MIN (self->rows_per_step, lk_train_data_get_rows (self->data) - first);
  guint batch_rows = (guint) lk_recipe_get_int (self->recipe, LK_SETTING_BATCH);
  double rate = lk_recipe_get_number (self->recipe, LK_SETTING_LEARNING_RATE)
                * lk_schedule_multiplier (lk_recipe_get_text (self->recipe, LK_SETTING_SCHEDULE), self->state.step, self->steps, self->warmup);
  LkUpdateInput input = { .learning_rate = rate,
                          .beta1 = lk_recipe_get_number (self->recipe, LK_SETTING_BETA1),
                          .beta2 = lk_recipe_get_number (self->recipe, LK_SETTING_BETA2),
                          .eps = lk_recipe_get_number (self->recipe, LK_SETTING_EPS),
                          .weight_decay = lk_recipe_get_number (self->recipe, LK_SETTING_WEIGHT_DECAY),
                          .max_norm = lk_recipe_get_number (self->recipe, LK_SETTING_MAX_NORM) };
  LkTrainStepResult result;
  gint64 tokens = 0;

  if (!lk_train_step_begin (self->step, self->state.step, error))
    return FALSE;
  for (guint at = 0; at < n; at += batch_rows)
    {
      guint rows = MIN (batch_rows, n - at);
      guint length = lk_train_step_bucket (self->step, lk_train_data_longest (self->data, epoch, first + at, rows));
      LkBatch *batch = lk_train_data_batch (self->data, epoch, first + at, rows, length);
      gboolean ok = lk_train_step_add (self->step, batch, rows, length, error);

      for (guint i = 0; i < batch->n; i++)
        tokens += batch->starts[i] >= 0;
      lk_batch_free (batch);
      if (!ok)
        return FALSE;
    }
  if (!lk_train_step_finish (self->step, &input, &result, error))
    return FALSE;
  self->state.step++;
  self->state.tokens += tokens;
  return lk_trainer_write_step (self, &result, rate, tokens, error) && lk_trainer_check_finite (self, &result, error);
}

/* Until somebody says resume or stop. */
static gboolean
lk_trainer_pause (LkTrainer *self, GError **error)
{
  gint64 began = g_get_monotonic_time ();

  if (!lk_trainer_checkpoint (self, error) || !lk_events_write_state (self->events, "paused", NULL, error))
    return FALSE;
  while (!self->stop)
    {
      LkRequest request = lk_control_poll (self->control, 500);

      self->stop |= (request & LK_REQUEST_STOP) != 0 || (self->options->stop && g_cancellable_is_cancelled (self->options->stop));
      if (request & LK_REQUEST_RESUME)
        break;
    }
  self->began += g_get_monotonic_time () - began;
  return self->stop || lk_events_write_state (self->events, "running", NULL, error);
}

/* What was asked between two steps. */
static gboolean
lk_trainer_serve (LkTrainer *self, GError **error)
{
  LkRequest request = lk_control_poll (self->control, 0);

  self->stop |= (request & LK_REQUEST_STOP) != 0 || (self->options->stop && g_cancellable_is_cancelled (self->options->stop));
  return (!(request & LK_REQUEST_SAVE) || lk_trainer_checkpoint (self, error))
         && (!(request & LK_REQUEST_EVALUATE) || lk_trainer_evaluate (self, error))
         && (!(request & LK_REQUEST_SAMPLE) || (request & LK_REQUEST_EVALUATE) || lk_trainer_sample (self, error))
         && (!(request & LK_REQUEST_PAUSE) || self->stop || lk_trainer_pause (self, error));
}

static gboolean
lk_trainer_loop (LkTrainer *self, GError **error)
{
  if (self->state.step == 0 && !lk_trainer_evaluate (self, error))
    return FALSE;
  self->began = g_get_monotonic_time ();
  self->tokens_before = self->state.tokens;
  self->step_before = self->state.step;
  while (self->state.step < self->steps && !self->stale)
    {
      gint64 paused;

      if (!lk_trainer_serve (self, error))
        return FALSE;
      if (self->stop)
        return lk_events_write_state (self->events, "stopping", NULL, error) && lk_trainer_checkpoint (self, error);
      if (!lk_trainer_one_step (self, error))
        return FALSE;
      paused = g_get_monotonic_time ();
      if ((self->state.step % self->eval_interval == 0 || self->state.step == self->steps) && !lk_trainer_evaluate (self, error))
        return FALSE;
      if (self->state.step % self->checkpoint_interval == 0 && !lk_trainer_checkpoint (self, error))
        return FALSE;
      self->began += g_get_monotonic_time () - paused; /* the rate is that of training alone */
    }
  return lk_trainer_checkpoint (self, error);
}

/* The words the run ends with. (transfer full) */
static char *
lk_trainer_summary (LkTrainer *self)
{
  if (!isfinite (self->state.best_loss))
    return g_strdup_printf ("Trained for %" G_GINT64_FORMAT " steps; nothing was held out to measure it by", self->state.step);
  if (isfinite (self->state.loss_before))
    return g_strdup_printf ("Held-out loss %.3f, from %.3f before; the best was %.3f at step %" G_GINT64_FORMAT "%s", self->state.best_loss,
                            self->state.loss_before, self->state.best_loss, self->state.best_step,
                            self->stale ? ", after which it stopped improving" : "");
  return g_strdup_printf ("Best held-out loss %.3f at step %" G_GINT64_FORMAT, self->state.best_loss, self->state.best_step);
}

static gboolean
lk_trainer_open (LkTrainer *self, GError **error)
{
  if (!lk_run_folder_lock (self->folder, error))
    return FALSE;
  self->events = lk_events_open (self->folder->events, error);
  if (!self->events)
    return FALSE;
  lk_events_set_listener (self->events, self->options->listener, self->options->listener_data);
  self->recipe = lk_recipe_load (self->folder->recipe, error);
  self->control = self->recipe ? lk_control_new (self->folder->socket, error) : NULL;
  return self->control != NULL;
}

/* A run that has begun goes on only when told to: its events must not be mixed with a new beginning. */
static gboolean
lk_trainer_check_begun (LkTrainer *self, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *newest = lk_checkpoint_newest (self->folder->checkpoints, warnings);

  if (newest && !self->options->resume)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” has already been trained; use --resume to go on", self->folder->path);
      return FALSE;
    }
  return TRUE;
}

gboolean
lk_trainer_run (LkRunFolder *folder, const LkTrainerOptions *options, LkOutcome *outcome, GError **error)
{
  LkTrainer self = { .folder = folder, .options = options };
  g_autoptr (GError) local_error = NULL;
  g_autofree char *summary = NULL;
  gboolean ok = lk_trainer_open (&self, &local_error) && lk_trainer_check_begun (&self, &local_error)
                && lk_trainer_prepare (&self, &local_error) && lk_events_write_state (self.events, "running", NULL, &local_error)
                && lk_trainer_loop (&self, &local_error);

  if (ok)
    {
      *outcome = self.stop && self.state.step < self.steps ? LK_OUTCOME_STOPPED : LK_OUTCOME_FINISHED;
      summary = lk_trainer_summary (&self);
      ok = lk_events_write_state (self.events, *outcome == LK_OUTCOME_STOPPED ? "stopped" : "finished", summary, &local_error);
    }
  if (!ok && self.events)
    lk_events_write_state (self.events, "failed", local_error->message, NULL);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local_error));
  lk_trainer_clear (&self);
  return ok;
}
