/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What each line of events.jsonl changes in an LkRun. A table of events; a new one is a function and a line.
 */
#include "lk-run-private.h"

#include <glib/gi18n-lib.h>

#include "lk-json.h"
#include "lk-sample.h"

#include <math.h>

#define SHOWN_WARNINGS 5

/* An event's member of the wrong kind is as good as missing: the file may come from a newer engine. */
static double
number (JsonObject *event, const char *member, double otherwise)
{
  lk_json_get_double (event, member, "events.jsonl", &otherwise, NULL);
  return otherwise;
}

static gint64
integer (JsonObject *event, const char *member, gint64 otherwise)
{
  lk_json_get_int (event, member, "events.jsonl", &otherwise, NULL);
  return otherwise;
}

static const char *
string (JsonObject *event, const char *member)
{
  const char *text = NULL;

  lk_json_get_string (event, member, "events.jsonl", &text, NULL);
  return text;
}

static void
replace (char **slot, const char *text)
{
  g_free (*slot);
  *slot = text != NULL && text[0] != 0 ? g_strdup (text) : NULL;
}

static void
apply_state (LkRun *self, JsonObject *event)
{
  static const struct
  {
    const char *name;
    LkRunState state;
  } states[] = {
    { "preparing", LK_RUN_PREPARING }, { "running", LK_RUN_RUNNING }, { "paused", LK_RUN_PAUSED },
    { "stopping", LK_RUN_STOPPING },   { "stopped", LK_RUN_STOPPED }, { "finished", LK_RUN_FINISHED },
    { "failed", LK_RUN_FAILED },
  };
  const char *name = string (event, "state");

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_strcmp0 (states[i].name, name) == 0)
      self->state = states[i].state;
  replace (&self->message, string (event, "message"));
  replace (&self->detail, string (event, "detail"));
  g_clear_pointer (&self->exit_text, g_free);
  /* who gets ready reads the data again and says again what cannot be used */
  if (self->state == LK_RUN_PREPARING)
    g_string_truncate (self->problems, 0);
  self->since = self->state == LK_RUN_RUNNING ? number (event, "time", 0) : 0;
}

static void
apply_plan (LkRun *self, JsonObject *event)
{
  self->steps = integer (event, "steps", self->steps);
  self->train_rows = integer (event, "train_rows", self->train_rows);
  self->held_out_rows = integer (event, "held_out_rows", self->held_out_rows);
  self->trainable = integer (event, "trainable_parameters", self->trainable);
  self->parameters = integer (event, "parameters", self->parameters);
  self->memory_bytes = integer (event, "memory_bytes", self->memory_bytes);
  /* "problem" lines come before or after; the plan's count is the whole, theirs the first hundred */
  self->problem_count = integer (event, "problems", self->problem_count);
  replace (&self->device, string (event, "device"));
  /* a run that is made longer says so in its recipe */
  _lk_run_load_recipe (self, NULL);
}

static void
apply_problem (LkRun *self, JsonObject *event)
{
  const char *file = string (event, "file");
  const char *reason = string (event, "reason");
  g_autofree char *number_text = NULL;
  g_autofree char *base = g_path_get_basename (file != NULL ? file : _ ("the data"));

  if (self->problems->len > 0)
    g_string_append_c (self->problems, '\n');
  number_text = g_strdup_printf ("%" G_GINT64_FORMAT, integer (event, "line", 0));
  g_string_append_printf (self->problems, _ ("%s, line %s: %s"), base, number_text, reason != NULL ? reason : _ ("cannot be used"));
}

/* A step that is done again, by a run that was started anew or resumed, replaces what stood there. */
static void
put_point (LkSeries *series, gint64 step, double value)
{
  guint n = lk_series_get_n_points (series);

  if (n > 0 && lk_series_get_x (series, n - 1) >= (double) step)
    lk_series_truncate_after (series, (double) step - 0.5);
  lk_series_append (series, (double) step, value);
}

static void
apply_step (LkRun *self, JsonObject *event)
{
  self->step = integer (event, "step", self->step);
  self->steps = integer (event, "steps", self->steps);
  self->loss = number (event, "loss", NAN);
  self->learning_rate = number (event, "learning_rate", NAN);
  self->gradient_norm = number (event, "gradient_norm", NAN);
  self->speed = number (event, "tokens_per_s", NAN);
  self->seconds_left = number (event, "seconds_left", NAN);
  self->memory_bytes = integer (event, "memory_bytes", self->memory_bytes);
  self->trained_tokens += MAX (0, number (event, "tokens", 0));
  /* a loss that is no number stays in the series: the chart marks it */
  put_point (self->training, self->step, self->loss);
  put_point (self->rates, self->step, self->learning_rate);
  put_point (self->norms, self->step, self->gradient_norm);
  put_point (self->speeds, self->step, self->speed);
}

static void
cut_series (LkRun *self, double step)
{
  LkSeries *const all[] = { self->training, self->held_out, self->rates, self->norms, self->speeds };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_series_truncate_after (all[i], step);
}

static void
apply_eval (LkRun *self, JsonObject *event)
{
  gint64 step = integer (event, "step", self->step);
  gboolean best = FALSE;
  double loss = number (event, "loss", NAN);

  if (!isfinite (loss))
    return;
  lk_json_get_boolean (event, "best", "events.jsonl", &best, NULL);
  self->held_out_loss = loss;
  if (best || !isfinite (self->best_loss) || loss < self->best_loss)
    {
      self->best_loss = loss;
      self->best_step = step;
    }
  put_point (self->held_out, step, loss);
}

static void
apply_sample (LkRun *self, JsonObject *event)
{
  const char *prompt = string (event, "prompt");
  const char *text = string (event, "text");
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->samples));
  g_autoptr (LkSample) sample = NULL;

  if (prompt == NULL || text == NULL)
    return;
  for (guint i = 0; i < n && sample == NULL; i++)
    {
      g_autoptr (LkSample) known = g_list_model_get_item (G_LIST_MODEL (self->samples), i);

      if (g_strcmp0 (lk_sample_get_prompt (known), prompt) == 0)
        sample = g_steal_pointer (&known);
    }
  if (sample == NULL)
    {
      sample = lk_sample_new (prompt);
      lk_sample_add (sample, integer (event, "step", 0), text);
      g_list_store_append (self->samples, sample);
    }
  else
    lk_sample_add (sample, integer (event, "step", 0), text);
}

static void
apply_checkpoint (LkRun *self, JsonObject *event)
{
  self->checkpoint_step = integer (event, "step", self->step);
}

/* Each warning once, a line each; of many the newest, and how many there are. */
static void
apply_warning (LkRun *self, JsonObject *event)
{
  const char *message = string (event, "message");
  g_autoptr (GString) text = g_string_new (NULL);
  guint n;

  if (!message || g_ptr_array_find_with_equal_func (self->warnings, message, g_str_equal, NULL))
    return;
  g_ptr_array_add (self->warnings, g_strdup (message));
  n = self->warnings->len;
  if (n > SHOWN_WARNINGS)
    g_string_append_printf (text, g_dngettext (GETTEXT_PACKAGE, "%u warning, the newest last:", "%u warnings, the newest last:", n), n);
  for (guint i = n - MIN (n, SHOWN_WARNINGS); i < n; i++)
    g_string_append_printf (text, "%s%s", text->len ? "\n" : "", (char *) g_ptr_array_index (self->warnings, i));
  replace (&self->warning, text->str);
}

static void
apply_resume (LkRun *self, JsonObject *event)
{
  self->step = integer (event, "step", self->step);
  /* What was learned after the checkpoint is gone; its points would draw a line back in time. */
  cut_series (self, (double) self->step);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->samples)); i++)
    {
      g_autoptr (LkSample) sample = g_list_model_get_item (G_LIST_MODEL (self->samples), i);

      lk_sample_truncate_after (sample, self->step);
    }
}

static gboolean
is_preparing (JsonObject *event, const char *name)
{
  return g_strcmp0 (name, "state") == 0 && g_strcmp0 (string (event, "state"), "preparing") == 0;
}

void
_lk_run_apply_event (LkRun *self, JsonObject *event)
{
  static const struct
  {
    const char *name;
    void (*apply) (LkRun *self, JsonObject *event);
  } events[] = {
    { "step", apply_step },       { "eval", apply_eval },       { "state", apply_state },
    { "plan", apply_plan },       { "problem", apply_problem }, { "sample", apply_sample },
    { "checkpoint", apply_checkpoint }, { "warning", apply_warning }, { "resume", apply_resume },
  };
  const char *name = string (event, "event");
  double time = number (event, "time", 0);

  if (time > 0)
    self->last_heard = time;
  /* a worker that was killed said no end: until the next one gets ready nobody was at work */
  if (self->since > 0 && time > self->since && !is_preparing (event, name))
    {
      self->active_seconds += time - self->since;
      self->since = time;
    }
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    if (g_strcmp0 (events[i].name, name) == 0)
      {
        events[i].apply (self, event);
        return;
      }
}

void
_lk_run_reset (LkRun *self)
{
  self->state = LK_RUN_PREPARING;
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->detail, g_free);
  g_ptr_array_set_size (self->warnings, 0);
  g_clear_pointer (&self->warning, g_free);
  g_clear_pointer (&self->exit_text, g_free);
  g_string_truncate (self->problems, 0);
  self->step = self->steps = 0;
  self->problem_count = 0;
  self->checkpoint_step = -1;
  self->best_step = -1;
  self->active_seconds = self->trained_tokens = self->since = self->last_heard = 0;
  self->memory_bytes = 0;
  self->loss = self->held_out_loss = self->best_loss = NAN;
  self->learning_rate = self->gradient_norm = self->speed = self->seconds_left = NAN;
  cut_series (self, -INFINITY);
  g_list_store_remove_all (self->samples);
}
