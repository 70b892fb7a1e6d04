/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is at work on a run: starting a worker, asking it for something, finding out that it is gone.
 * A worker that this window started is known by its exit status; another one by the lock on the folder.
 */
#include "lk-run-private.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-error.h"
#include "lk-worker-control.h"

#include <time.h>

/* Looks without a lock before a run without an end counts as interrupted. A worker takes its lock within the
 * first moments of its life; two looks a second apart cannot fall into that gap by chance. */
#define LOOKS_UNTIL_GONE 2

static gboolean
is_open_state (LkRunState state)
{
  return state == LK_RUN_PREPARING || state == LK_RUN_RUNNING || state == LK_RUN_PAUSED
         || state == LK_RUN_STOPPING;
}

static void
say_interrupted (LkRun *self, const char *how)
{
  self->state = LK_RUN_INTERRUPTED;
  g_free (self->exit_text);
  self->exit_text = g_strdup (how);
}

/* Nobody was there to see it end: what the clock tells. */
static char *
describe_unseen_end (LkRun *self)
{
  struct timespec up;
  double now = (double) g_get_real_time () / G_USEC_PER_SEC;

  if (self->last_heard <= 0 || clock_gettime (CLOCK_BOOTTIME, &up) != 0)
    return g_strdup (_ ("nobody knows why; the computer may have been switched off"));
  return g_strdup (self->last_heard < now - (double) up.tv_sec
                       ? _ ("the computer was switched off or started anew after that")
                       : _ ("it was killed or crashed without a word, perhaps because memory ran out"));
}

static void
ended (LkRun *self)
{
  if (!self->seen_active)
    return;
  self->seen_active = FALSE;
  g_signal_emit_by_name (self, "ended");
}

void
_lk_run_check_worker (LkRun *self)
{
  if (!lk_run_reader_is_caught_up (self->reader))
    return;
  if (self->state == LK_RUN_INTERRUPTED && lk_worker_control_is_locked (self->folder))
    {
      /* somebody else went on with it */
      self->state = LK_RUN_PREPARING;
      _lk_run_notify_all (self);
    }
  if (!is_open_state (self->state))
    {
      self->missed = 0;
      ended (self);
      return;
    }
  if (self->worker != NULL && lk_worker_is_running (self->worker))
    {
      self->seen_active = TRUE;
      return;
    }
  if (lk_worker_control_is_locked (self->folder))
    {
      self->missed = 0;
      self->seen_active = TRUE;
      return;
    }
  if (self->worker == NULL && ++self->missed < LOOKS_UNTIL_GONE)
    return;
  if (self->worker == NULL)
    {
      g_autofree char *how = describe_unseen_end (self);

      say_interrupted (self, how);
    }
  else
    {
      g_autofree char *how = lk_engine_describe_exit (lk_worker_get_wait_status (self->worker));

      say_interrupted (self, how);
    }
  _lk_run_notify_all (self);
  ended (self);
}

static void
worker_exited_cb (LkWorker *worker, int wait_status, gpointer user_data)
{
  LkRun *self = LK_RUN (user_data);

  /* Its last events may not have been read yet: an end it has said itself wins over its exit status. */
  lk_run_poll (self);
}

static gboolean
start (LkRun *self, const char *const *arguments, GError **error)
{
  g_autoptr (LkWorker) worker = lk_worker_start (self->folder, arguments, error);

  if (worker == NULL)
    return FALSE;
  if (self->worker != NULL)
    g_signal_handlers_disconnect_by_data (self->worker, self);
  g_set_object (&self->worker, worker);
  g_signal_connect_object (worker, "exited", G_CALLBACK (worker_exited_cb), self, 0);
  self->state = LK_RUN_PREPARING;
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->detail, g_free);
  g_clear_pointer (&self->exit_text, g_free);
  self->missed = 0;
  self->seen_active = TRUE;
  _lk_run_notify_all (self);
  return TRUE;
}

gboolean
lk_run_start (LkRun *self, GError **error)
{
  static const char *const arguments[] = { "--resume", NULL };

  g_return_val_if_fail (LK_IS_RUN (self), FALSE);

  lk_run_poll (self);
  return start (self, self->checkpoint_step >= 0 ? arguments : NULL, error);
}

double
lk_run_get_length (LkRun *self, gboolean *in_steps)
{
  double steps = json_object_get_double_member_with_default (self->settings, "steps", 0);

  *in_steps = steps > 0;
  return steps > 0 ? steps : json_object_get_double_member_with_default (self->settings, "epochs", 0);
}

gboolean
lk_run_extend (LkRun *self, double length, GError **error)
{
  g_autofree char *argument = NULL;
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean in_steps;
  double before;

  g_return_val_if_fail (LK_IS_RUN (self), FALSE);

  lk_run_poll (self);
  before = lk_run_get_length (self, &in_steps);
  if (lk_run_is_active (self) || self->checkpoint_step < 0 || !(length > before))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                           lk_run_is_active (self)      ? _ ("It is still training. Stop it first.")
                           : self->checkpoint_step < 0 ? _ ("Nothing is saved that it could go on from.")
                                                       : _ ("That is not longer than it was made for."));
      return FALSE;
    }
  g_ascii_formatd (number, sizeof number, in_steps ? "%.0f" : "%.10g", length);
  argument = g_strdup_printf ("--%s=%s", in_steps ? "steps" : "epochs", number);
  return start (self, (const char *const[]){ "--resume", argument, NULL }, error);
}

static void
commanded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkRun) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!lk_worker_control_send_finish (result, &error)
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_signal_emit_by_name (self, "complaint", error->message);
  lk_run_poll (self);
}

void
lk_run_command (LkRun *self, const char *command)
{
  g_return_if_fail (LK_IS_RUN (self));

  lk_worker_control_send_async (self->folder, command, self->cancellable, commanded_cb, g_object_ref (self));
}
