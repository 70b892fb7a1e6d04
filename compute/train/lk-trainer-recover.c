/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A graphics card that is lost (a driver's time limit, a suspend) or that has less memory than was planned with does not end a run: all
 * that was made is given back, and it goes on from its newest checkpoint, or its beginning, with a device opened anew. What was done since
 * is done again and gives the same numbers.
 */
#include "lk-trainer-private.h"

#include <math.h>

#include "lk-error.h"

#define LK_FAILURES 4 /* losses of the device without a step further; the next ends the run */
#define LK_POLL_MS 250

void
_lk_trainer_reset (LkTrainer *self)
{
  self->state = (LkTrainState){ .best_loss = INFINITY, .loss_before = NAN, .evaluated_step = -1, .best_step = -1 };
  self->saved_step = self->saved_evaluation = self->last_step = -1;
  self->problems_told = 0;
}

/* A driver that resets a card needs a while. Not for who wants the run to stop. */
static void
lk_trainer_wait (LkTrainer *self, double seconds)
{
  gint64 until = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);

  while (!_lk_trainer_should_stop (self) && g_get_monotonic_time () < until)
    {
      if (self->control)
        {
          self->asked |= lk_control_poll (self->control, LK_POLL_MS);
          self->stop |= (self->asked & LK_REQUEST_STOP) != 0;
        }
      else
        g_usleep (LK_POLL_MS * 1000);
    }
}

/* Lost, or, when it is opened again, not there yet. */
static gboolean
lk_trainer_is_lost (LkTrainer *self, const GError *failure)
{
  return g_error_matches (failure, LK_ERROR, LK_ERROR_DEVICE_LOST)
         || (self->failures > 0 && g_error_matches (failure, LK_ERROR, LK_ERROR_DEVICE));
}

/* What is refused by the plan was not allocated: a new device changes nothing. */
static gboolean
lk_trainer_ran_out (LkTrainer *self, const GError *failure)
{
  return self->planned && g_error_matches (failure, LK_ERROR, LK_ERROR_OUT_OF_MEMORY);
}

static gboolean
lk_trainer_tell_recovery (LkTrainer *self, const GError *failure, GError **error)
{
  const char *how = self->short_of_memory ? ", in a way that needs less memory" : "";

  if (self->saved_step < 0) /* there is no checkpoint, or it was not yet read */
    return _lk_trainer_warn (self, error, "%s. The run %s%s", failure->message,
                             self->options->resume || self->again ? "goes on from its newest checkpoint, where there is one" : "begins again",
                             how);
  return _lk_trainer_warn (self, error, "%s. The run goes on from step %" G_GINT64_FORMAT "%s", failure->message, self->saved_step, how);
}

gboolean
_lk_trainer_recover (LkTrainer *self, GError *failure, GError **error)
{
  g_autoptr (GError) owned = failure;
  gboolean lost = lk_trainer_is_lost (self, owned);

  self->furthest = MAX (self->furthest, self->state.step);
  if (lost && self->furthest > self->failed_at)
    self->failures = 0;
  if (lost ? self->failures++ >= LK_FAILURES : !lk_trainer_ran_out (self, owned))
    {
      g_propagate_error (error, g_steal_pointer (&owned));
      return FALSE;
    }
  self->failed_at = lost ? self->furthest : self->failed_at;
  self->short_of_memory = !lost;
  if (!lk_trainer_tell_recovery (self, owned, error))
    return FALSE;
  _lk_trainer_release (self);
  _lk_trainer_reset (self);
  self->again = TRUE;
  self->planned = FALSE; /* memory that runs out before the next plan is made ends the run: nothing would be less the time after */
  if (lost)
    lk_trainer_wait (self, (self->failures - 1.0) * (self->failures - 1.0)); /* at once, then after 1, 4 and 9 seconds */
  return TRUE;
}
