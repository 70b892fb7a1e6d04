/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The process of the window: the list of runs, actions of the whole application, notifications, keeping the
 * computer awake while something trains.
 */
#pragma once

#include <adwaita.h>

#include "lk-queue.h"
#include "lk-run-list.h"

G_BEGIN_DECLS

#define LK_TYPE_APPLICATION (lk_application_get_type ())
G_DECLARE_FINAL_TYPE (LkApplication, lk_application, LK, APPLICATION, AdwApplication)

LkApplication *lk_application_new (void);
/* Tells who closes the last window that closing stops nothing, or that some still wait; nothing to say while nothing trains or waits. */
void lk_application_say_it_goes_on (LkApplication *self);
/* (transfer none) */
LkRunList *lk_application_get_runs (LkApplication *self);
/* (transfer none) */
LkQueue *lk_application_get_queue (LkApplication *self);

G_END_DECLS
