/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * control.sock: what others may ask of a worker. Looked at between steps, on the training thread; nothing
 * runs beside it.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  LK_REQUEST_STOP = 1 << 0,
  LK_REQUEST_PAUSE = 1 << 1,
  LK_REQUEST_RESUME = 1 << 2,
  LK_REQUEST_SAVE = 1 << 3,
  LK_REQUEST_SAMPLE = 1 << 4,
  LK_REQUEST_EVALUATE = 1 << 5,
} LkRequest;

typedef struct _LkControl LkControl;
/* Listens at @path; a socket left by a dead worker is replaced (the run's lock must be held). */
LkControl *lk_control_new (const char *path, GError **error);
void lk_control_free (LkControl *self);
/* Requests that came since the last call, answered. @wait_ms: how long to wait for one. @self NULL: nobody asks. */
LkRequest lk_control_poll (LkControl *self, guint wait_ms);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkControl, lk_control_free)

G_END_DECLS
