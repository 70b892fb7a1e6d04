/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All cores for one loop. A fixed set of workers, created once, waits between loops.
 * Ranges are a pure function of (n, grain, workers), so results that depend on the partition are the same
 * in each run on one machine.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LkParallel LkParallel;

/* Works on [begin, end). @worker is 0 … workers-1 and distinct among those at work at one time. */
typedef void (*LkParallelFunc) (gint64 begin, gint64 end, guint worker, gpointer data);

/* @workers 0 means one a core. */
LkParallel *lk_parallel_new (guint workers);
void lk_parallel_free (LkParallel *self);
guint lk_parallel_get_workers (LkParallel *self);

/* Calls @func over [0, n) cut in chunks of @grain, one chunk a call; the chunk c goes to whichever worker is free, returns when
 * all are done. Not reentrant: call it from one thread, and never from inside @func. */
void lk_parallel_for (LkParallel *self, gint64 n, gint64 grain, LkParallelFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkParallel, lk_parallel_free)

G_END_DECLS
