/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-trainer-private.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-schedule.h"

#define LK_BAD_STEPS 3            /* not finite in a row */
#define LK_CHECKPOINT_SECONDS 600 /* never more than this much work to lose */
#define LK_RECENT 0.9             /* weight of what was before in tokens a second */

static void
lk_trainer_clear (LkTrainer *self)
{
  _lk_trainer_release (self);
  lk_control_free (self->control);
  g_free (self->plan_device);
  lk_events_free (self->events);
  lk_recipe_free (self->recipe);
}

gboolean
_lk_trainer_should_stop (LkTrainer *self)
{
  if (self->options->stop && g_cancellable_is_cancelled (self->options->stop))
    self->stop = TRUE;
  return self->stop;
}

gboolean
_lk_trainer_warn (LkTrainer *self, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return lk_events_write_warning (self->events, message, error);
}

gboolean
_lk_trainer_forgive (LkTrainer *self, GError *local_error, const char *what, GError **error)
{
  g_autoptr (GError) owned = local_error;

  if (g_error_matches (owned, LK_ERROR, LK_ERROR_DEVICE)
      || g_error_matches (owned, LK_ERROR, LK_ERROR_DEVICE_LOST))
    {
      g_propagate_error (error, g_steal_pointer (&owned));
      return FALSE;
    }
  return _lk_trainer_warn (self, error, "%s: %s", what, owned->message);
}

/* A worker killed behind its checkpoint has not come to adapter/last: who goes on from there makes up for it. */
static gboolean
lk_trainer_save_last (LkTrainer *self, GError **error)
{
  if (self->last_step == self->state.step)
    return TRUE;
  if (!_lk_trainer_save_adapter (self, "last", error))
    return FALSE;
  self->last_step = self->state.step;
  return TRUE;
}

static gboolean
lk_trainer_checkpoint (LkTrainer *self, GError **error)
{
  JsonObject *members;
  g_autofree char *path = NULL;

  if (self->saved_step == self->state.step && self->saved_evaluation == self->state.evaluated_step)
    return lk_trainer_save_last (self, error);
  if (!lk_checkpoint_save (self->folder->checkpoints, self->recipe, self->adapter,
                           lk_train_step_get_update (self->step), self->backend, &self->state, error)
      || !lk_trainer_save_last (self, error))
    return FALSE;
  self->saved_step = self->state.step;
  self->saved_evaluation = self->state.evaluated_step;
  self->saved_at = g_get_monotonic_time ();
  lk_checkpoint_prune (self->folder->checkpoints,
                       (guint) lk_recipe_get_int (self->recipe, LK_SETTING_KEEP_CHECKPOINTS),
                       self->state.best_step);
  members = json_object_new ();
  path = g_strdup_printf ("checkpoints/step-%06" G_GINT64_FORMAT, self->state.step);
  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_string_member (members, "path", path);
  json_object_set_boolean_member (members, "best", self->state.best_step == self->state.step);
  return lk_events_write (self->events, "checkpoint", members, error);
}

/* While training goes on, a full disk costs the checkpoint, not the run: the one before is still there. Said
 * once, until there is room again. */
static gboolean
lk_trainer_try_checkpoint (LkTrainer *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (lk_trainer_checkpoint (self, &local_error))
    {
      self->unsaved_told = FALSE;
      return TRUE;
    }
  self->saved_at = g_get_monotonic_time ();
  if (self->unsaved_told && g_error_matches (local_error, LK_ERROR, LK_ERROR_NO_SPACE))
    return TRUE;
  self->unsaved_told = TRUE;
  return _lk_trainer_forgive (self, g_steal_pointer (&local_error),
                              "A checkpoint could not be written, training goes on", error);
}

/* What this process holds on a CPU; what the plan takes of a GPU. */
static gint64
lk_trainer_memory (LkTrainer *self)
{
  g_autofree char *text = NULL;
  long all, resident;

  if (!lk_backend_is_gpu (self->backend) && g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)
      && sscanf (text, "%ld %ld", &all, &resident) == 2)
    return (gint64) resident * sysconf (_SC_PAGESIZE);
  return (gint64) lk_train_plan_total (lk_train_step_get_plan (self->step));
}

static double
lk_trainer_seconds_left (LkTrainer *self)
{
  gint64 steps = self->steps - self->state.step;
  gint64 evals = self->steps / self->eval_interval - self->state.step / self->eval_interval;

  return self->seconds / (double) MAX (self->steps_done, 1) * (double) steps
         + self->eval_seconds / (double) MAX (self->evals_done, 1) * (double) evals;
}

static gboolean
lk_trainer_write_step (LkTrainer *self, const LkTrainStepResult *result, double rate, gint64 tokens,
                       GError **error)
{
  JsonObject *members = json_object_new ();

  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_int_member (members, "steps", self->steps);
  json_object_set_double_member (members, "epoch",
                                 (double) self->state.step / (double) self->steps_per_epoch);
  if (isfinite (result->loss))
    json_object_set_double_member (members, "loss", result->loss);
  json_object_set_double_member (members, "learning_rate", rate);
  if (isfinite (result->norm))
    json_object_set_double_member (members, "gradient_norm", result->norm);
  json_object_set_int_member (members, "tokens", tokens);
  json_object_set_double_member (members, "tokens_per_s",
                                 self->recent_tokens / MAX (self->recent_seconds, 1e-6));
  json_object_set_double_member (members, "seconds_left", lk_trainer_seconds_left (self));
  json_object_set_int_member (members, "memory_bytes", lk_trainer_memory (self));
  return lk_events_write (self->events, "step", members, error);
}

/* Gradients that are no numbers: said, and after a few in a row the end. */
static gboolean
lk_trainer_check_finite (LkTrainer *self, const LkTrainStepResult *result, GError **error)
{
  if (result->applied || result->targets == 0)
    {
      self->state.bad_steps = 0;
      return TRUE;
    }
  if (++self->state.bad_steps < LK_BAD_STEPS)
    return _lk_trainer_warn (self, error,
                             "Step %" G_GINT64_FORMAT
                             ": the loss or the gradient is not a number; nothing was learned from it",
                             self->state.step);
  g_set_error (error, LK_ERROR, LK_ERROR_NOT_FINITE,
               "The loss or the gradient was not a number in %d steps in a row, up to step %" G_GINT64_FORMAT
               "; a smaller learning rate usually helps",
               LK_BAD_STEPS, self->state.step);
  return FALSE;
}

static gboolean
lk_trainer_add_batches (LkTrainer *self, gint64 *tokens, GError **error)
{
  g_autoptr (GArray) batches
      = lk_train_data_step (self->data, self->state.step, lk_train_step_get_capacity (self->step));

  if (!lk_train_step_begin (self->step, self->state.step, error))
    return FALSE;
  for (guint i = 0; i < batches->len; i++)
    {
      const LkTrainBatch *batch = &g_array_index (batches, LkTrainBatch, i);

      if (!lk_train_step_add (self->step, batch->batch, batch->rows, batch->length, error))
        return FALSE;
      *tokens += batch->tokens;
    }
  return TRUE;
}

static gboolean
lk_trainer_one_step (LkTrainer *self, GError **error)
{
  const LkRecipe *r = self->recipe;
  double multiplier = lk_schedule_multiplier (lk_recipe_get_text (r, LK_SETTING_SCHEDULE), self->state.step,
                                              self->steps, self->warmup);
  LkUpdateInput input = { .learning_rate = lk_recipe_get_number (r, LK_SETTING_LEARNING_RATE) * multiplier,
                          .beta1 = lk_recipe_get_number (r, LK_SETTING_BETA1),
                          .beta2 = lk_recipe_get_number (r, LK_SETTING_BETA2),
                          .eps = lk_recipe_get_number (r, LK_SETTING_EPS),
                          .weight_decay = lk_recipe_get_number (r, LK_SETTING_WEIGHT_DECAY),
                          .max_norm = lk_recipe_get_number (r, LK_SETTING_MAX_NORM) };
  gint64 began = g_get_monotonic_time (), tokens = 0;
  LkTrainStepResult result;
  double seconds;

  if (!lk_trainer_add_batches (self, &tokens, error)
      || !lk_train_step_finish (self->step, &input, &result, error))
    return FALSE;
  seconds = (double) (g_get_monotonic_time () - began) * 1e-6;
  self->state.step++;
  self->state.tokens += tokens;
  self->steps_done++;
  self->seconds += seconds;
  self->recent_seconds = LK_RECENT * self->recent_seconds + seconds;
  self->recent_tokens = LK_RECENT * self->recent_tokens + (double) tokens;
  return lk_trainer_write_step (self, &result, input.learning_rate, tokens, error)
         && lk_trainer_check_finite (self, &result, error);
}

static gboolean
lk_trainer_is_saved (LkTrainer *self)
{
  return self->saved_step == self->state.step && self->saved_evaluation == self->state.evaluated_step
         && self->last_step == self->state.step;
}

/* Model, adapter and programs again, from the checkpoint the pause began with. Where another program took the memory
 * meanwhile, the run stays paused and says why. */
static gboolean
lk_trainer_come_back (LkTrainer *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  self->problems_told = 0;
  self->again = TRUE;
  if (_lk_trainer_prepare (self, &local_error))
    return TRUE;
  if (!g_error_matches (local_error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  _lk_trainer_release (self);
  return _lk_trainer_warn (self, error, "The run stays paused: %s", local_error->message)
         && lk_events_write_state (self->events, "paused", NULL, error);
}

/* Until somebody says resume or stop. All memory is given back meanwhile, unless the disk has no room for what was
 * learned: then it stays where it is. */
static gboolean
lk_trainer_pause (LkTrainer *self, GError **error)
{
  if (!lk_trainer_try_checkpoint (self, error))
    return FALSE;
  if (lk_trainer_is_saved (self))
    _lk_trainer_release (self);
  if (!lk_events_write_state (self->events, "paused", NULL, error))
    return FALSE;
  while (!_lk_trainer_should_stop (self))
    {
      LkRequest request = lk_control_poll (self->control, 250);

      self->stop |= (request & LK_REQUEST_STOP) != 0;
      if (!(request & LK_REQUEST_RESUME) || self->stop)
        continue;
      if (!self->model && !lk_trainer_come_back (self, error))
        return FALSE;
      if (self->model)
        return lk_events_write_state (self->events, "running", NULL, error);
    }
  return TRUE;
}

/* What was asked between two steps. */
static gboolean
lk_trainer_serve (LkTrainer *self, GError **error)
{
  LkRequest request = self->asked | lk_control_poll (self->control, 0);

  self->asked = 0;
  self->stop |= (request & LK_REQUEST_STOP) != 0;
  if (_lk_trainer_should_stop (self))
    return TRUE;
  return (!(request & LK_REQUEST_SAVE) || lk_trainer_try_checkpoint (self, error))
         && (!(request & LK_REQUEST_EVALUATE) || _lk_trainer_evaluate (self, FALSE, error))
         && (!(request & LK_REQUEST_SAMPLE) || (request & LK_REQUEST_EVALUATE)
             || _lk_trainer_sample (self, error))
         && (!(request & LK_REQUEST_PAUSE) || (request & LK_REQUEST_RESUME)
             || lk_trainer_pause (self, error));
}

static gboolean
lk_trainer_is_stale (LkTrainer *self)
{
  return self->patience > 0 && self->state.stale >= self->patience;
}

/* All steps done and measured, or no longer improving. */
static gboolean
lk_trainer_is_over (LkTrainer *self)
{
  return (self->state.step >= self->steps && self->state.evaluated_step == self->state.step)
         || lk_trainer_is_stale (self);
}

/* Measurement and checkpoint that belong to the step just done; a run that goes on makes up for what it
 * missed. */
static gboolean
lk_trainer_mark (LkTrainer *self, GError **error)
{
  gint64 step = self->state.step;
  gboolean last = step >= self->steps;
  gboolean evaluate = last || step % self->eval_interval == 0;
  gboolean save = step > 0 && (last || step % self->checkpoint_interval == 0);

  if (evaluate && self->state.evaluated_step != step && !_lk_trainer_evaluate (self, TRUE, error))
    return FALSE;
  save |= (g_get_monotonic_time () - self->saved_at) / G_USEC_PER_SEC >= LK_CHECKPOINT_SECONDS;
  return !save || last || self->stop || lk_trainer_try_checkpoint (self, error);
}

/* TRUE with self->stop: somebody ended it; else all steps are done or the loss no longer falls. */
static gboolean
lk_trainer_loop (LkTrainer *self, GError **error)
{
  self->saved_at = g_get_monotonic_time ();
  for (;;)
    {
      if (!lk_trainer_mark (self, error))
        return FALSE;
      if (lk_trainer_is_over (self))
        {
          self->stop = FALSE;
          break;
        }
      if (self->stop)
        break;
      if (!lk_trainer_serve (self, error))
        return FALSE;
      if (self->stop)
        break;
      if (!lk_trainer_one_step (self, error))
        return FALSE;
    }
  return (!self->stop || lk_events_write_state (self->events, "stopping", NULL, error))
         && lk_trainer_checkpoint (self, error);
}

/* To the end, past failures of the device. */
static gboolean
lk_trainer_work (LkTrainer *self, GError **error)
{
  GError *failure = NULL;

  while (!_lk_trainer_prepare (self, &failure) || !lk_events_write_state (self->events, "running", NULL, &failure)
         || !lk_trainer_loop (self, &failure))
    if (!_lk_trainer_recover (self, g_steal_pointer (&failure), error))
      return FALSE;
  return TRUE;
}

/* The words the run ends with. (transfer full) */
static char *
lk_trainer_summary (LkTrainer *self)
{
  const char *why = lk_trainer_is_stale (self) ? ", after which it stopped improving" : "";

  if (self->stop)
    return g_strdup_printf ("Stopped after step %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, self->state.step,
                            self->steps);
  if (!isfinite (self->state.best_loss))
    return g_strdup_printf ("Trained for %" G_GINT64_FORMAT " step%s; nothing was held out to measure it by",
                            self->state.step, self->state.step == 1 ? "" : "s");
  if (self->state.best_step == 0)
    return g_strdup_printf ("The held-out loss never got below the %.3f it began with",
                            self->state.best_loss);
  return g_strdup_printf ("The held-out loss fell from %.3f to %.3f at step %" G_GINT64_FORMAT "%s",
                          self->state.loss_before, self->state.best_loss, self->state.best_step, why);
}

/* Not every file system has sockets; a run without one goes on, but nobody can talk to it. */
static gboolean
lk_trainer_open_control (LkTrainer *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  self->control = lk_control_new (self->folder->socket, &local_error);
  return self->control
         || _lk_trainer_warn (self, error, "Only Ctrl-C stops this run, nothing can be asked of it while it goes on: %s", local_error->message);
}

static gboolean
lk_trainer_open (LkTrainer *self, GError **error)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);

  self->recipe = lk_recipe_load (self->folder->recipe, error);
  if (!self->recipe || !lk_run_folder_lock (self->folder, error))
    return FALSE;
  if (self->options->longer && !lk_recipe_set (self->recipe, self->options->longer_setting, self->options->longer, error))
    return FALSE;
  self->events = lk_events_open (self->folder->events, error);
  if (!self->events)
    return FALSE;
  lk_events_set_listener (self->events, self->options->listener, self->options->listener_data);
  lk_run_folder_tidy (self->folder, notes);
  for (guint i = 0; i < notes->len; i++)
    if (!lk_events_write_warning (self->events, g_ptr_array_index (notes, i), error))
      return FALSE;
  return lk_trainer_open_control (self, error);
}

/* A run with a checkpoint goes on only when told to: nobody loses one by calling twice. */
static gboolean
lk_trainer_check_begun (LkTrainer *self, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *newest
      = self->options->resume ? NULL : lk_checkpoint_newest (self->folder->checkpoints, warnings);

  if (!newest && warnings->len == 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               newest ? "“%s” has already been trained; --resume goes on with it"
                      : "“%s” has already been trained, but its checkpoints are damaged; --resume begins it again",
               self->folder->path);
  return FALSE;
}

/* What helps, by kind of failure; NULL: the message says it. */
static const char *
lk_trainer_advice (const GError *error)
{
  static const struct
  {
    LkError code;
    const char *advice;
  } table[] = {
    { LK_ERROR_DEVICE_LOST,
      "The graphics card or its driver stopped answering. The run can go on from its last checkpoint." },
    { LK_ERROR_NO_SPACE, "Make room on the disk, then go on from the last checkpoint." },
    { LK_ERROR_OUT_OF_MEMORY, "A shorter length limit, a lower rank or a smaller model needs less memory." },
    { LK_ERROR_NOT_FINITE, "Start again with a learning rate a third of this one." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_error_matches (error, LK_ERROR, (int) table[i].code))
      return table[i].advice;
  return NULL;
}

static void
lk_trainer_write_failed (LkTrainer *self, const GError *error)
{
  const char *advice = lk_trainer_advice (error);
  JsonObject *members = json_object_new ();

  json_object_set_string_member (members, "state", "failed");
  json_object_set_string_member (members, "message", error->message);
  if (advice)
    json_object_set_string_member (members, "detail", advice);
  lk_events_write (self->events, "state", members, NULL);
}

gboolean
lk_trainer_run (LkRunFolder *folder, const LkTrainerOptions *options, LkOutcome *outcome, GError **error)
{
  LkTrainer self = { .folder = folder, .options = options, .failed_at = -1 };
  g_autoptr (GError) local_error = NULL;
  g_autofree char *summary = NULL;
  gboolean begun = lk_trainer_open (&self, &local_error) && lk_trainer_check_begun (&self, &local_error), ok;

  _lk_trainer_reset (&self);
  ok = begun && lk_trainer_work (&self, &local_error);
  if (ok)
    {
      *outcome = self.stop ? LK_OUTCOME_STOPPED : LK_OUTCOME_FINISHED;
      summary = lk_trainer_summary (&self);
      ok = lk_events_write_state (self.events, self.stop ? "stopped" : "finished", summary, &local_error);
    }
  else if (begun)
    lk_trainer_write_failed (&self, local_error);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local_error));
  lk_trainer_clear (&self);
  return ok;
}
