/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-json.h"
#include "lk-trainer-private.h"

#include <math.h>

#include "lk-error.h"

gboolean
_lk_trainer_save_adapter (LkTrainer *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder->adapters, name, NULL);

  return lk_adapter_save (self->adapter, self->backend, path, error);
}

/* *done FALSE: somebody wants the run to stop, and *loss is nothing. */
static gboolean
lk_trainer_held_out_loss (LkTrainer *self, double *loss, gboolean *done, GError **error)
{
  double sum = 0;
  gint64 targets = 0;

  *done = FALSE;
  for (guint i = 0; i < self->held_out->len; i++)
    {
      const LkTrainBatch *batch = &g_array_index (self->held_out, LkTrainBatch, i);

      if (_lk_trainer_should_stop (self))
        return TRUE;
      if (!lk_train_step_evaluate (self->step, batch->batch, batch->rows, batch->length, &sum, &targets,
                                   error))
        return FALSE;
    }
  *done = TRUE;
  *loss = sum / (double) MAX (targets, 1);
  return TRUE;
}

/* The question of a held-out conversation: all before its last answer. (transfer full) */
static JsonArray *
lk_trainer_question (const LkRow *row)
{
  JsonArray *question = json_array_new ();
  guint n = json_array_get_length (row->messages);

  while (n > 0
         && g_strcmp0 (lk_json_peek_string (
                           json_array_get_object_element (row->messages, n - 1), "role", ""),
                       "assistant")
                != 0)
    n--;
  for (guint i = 0; i + 1 < n; i++)
    json_array_add_element (question, json_array_dup_element (row->messages, i));
  return question;
}

static gboolean
lk_trainer_write_sample (LkTrainer *self, JsonArray *question, const char *text, GError **error)
{
  JsonObject *last = json_array_get_object_element (question, json_array_get_length (question) - 1);
  JsonObject *members = json_object_new ();

  json_object_set_int_member (members, "step", self->state.step);
  json_object_set_string_member (members, "prompt",
                                 lk_json_peek_string (last, "content", ""));
  json_object_set_string_member (members, "text", text);
  return lk_events_write (self->events, "sample", members, error);
}

gboolean
_lk_trainer_sample (LkTrainer *self, GError **error)
{
  guint wanted = (guint) lk_recipe_get_int (self->recipe, LK_SETTING_SAMPLES), told = 0;

  for (guint i = 0; self->options->sample && !self->samples_off
                    && i < lk_train_data_get_n_held_out (self->data) && told < wanted;
       i++)
    {
      const LkRow *row = lk_train_data_get_held_out_row (self->data, i);
      g_autoptr (JsonArray) question = lk_row_is_conversation (row, lk_model_get_template (self->model) != NULL) ? lk_trainer_question (row) : NULL;
      g_autoptr (GError) local_error = NULL;
      g_autofree char *text = NULL;

      if (!question || json_array_get_length (question) == 0)
        continue;
      if (_lk_trainer_should_stop (self))
        return TRUE;
      text = self->options->sample (question, self->options->sample_data, &local_error);
      if (g_error_matches (local_error, LK_ERROR, LK_ERROR_CANCELLED))
        return TRUE;
      if (!text)
        {
          self->samples_off = TRUE;
          return _lk_trainer_forgive (self, g_steal_pointer (&local_error), "There are no samples", error);
        }
      if (!lk_trainer_write_sample (self, question, text, error))
        return FALSE;
      told++;
    }
  return TRUE;
}

/* What the measurement means for the run. Returns whether it is the best so far. */
static gboolean
lk_trainer_count_loss (LkTrainer *self, double loss)
{
  gboolean best = loss < self->state.best_loss;

  self->state.evaluated_step = self->state.step;
  if (self->state.step == 0)
    self->state.loss_before = loss;
  self->state.stale = best ? 0 : self->state.stale + 1;
  if (best)
    {
      self->state.best_loss = loss;
      self->state.best_step = self->state.step;
    }
  return best;
}

/* What could not be kept is not the best: the next that beats the one that was is kept instead. */
static gboolean
lk_trainer_keep_best (LkTrainer *self, const LkTrainState *before, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (_lk_trainer_save_adapter (self, "best", &local_error))
    return TRUE;
  self->state.best_loss = before->best_loss;
  self->state.best_step = before->best_step;
  return _lk_trainer_forgive (self, g_steal_pointer (&local_error),
                              "The best adapter so far could not be kept", error);
}

gboolean
_lk_trainer_evaluate (LkTrainer *self, gboolean counts, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  LkTrainState before = self->state;
  JsonObject *members;
  gboolean best, done;
  double loss;

  if (lk_train_data_get_n_held_out (self->data) == 0)
    {
      self->state.evaluated_step = counts ? self->state.step : self->state.evaluated_step;
      return _lk_trainer_sample (self, error);
    }
  if (!lk_trainer_held_out_loss (self, &loss, &done, error))
    return FALSE;
  if (!done)
    return TRUE;
  best = counts && lk_trainer_count_loss (self, loss);
  members = json_object_new ();
  json_object_set_int_member (members, "step", self->state.step);
  if (isfinite (loss))
    json_object_set_double_member (members, "loss", loss);
  json_object_set_int_member (members, "rows", lk_train_data_get_n_held_out (self->data));
  json_object_set_boolean_member (members, "best", best);
  if (!lk_events_write (self->events, "eval", members, error)
      || (best && !lk_trainer_keep_best (self, &before, error)) || !_lk_trainer_sample (self, error))
    return FALSE;
  self->eval_seconds += (double) (g_get_monotonic_time () - began) * 1e-6;
  self->evals_done++;
  return TRUE;
}
