/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-parallel.h"

#if defined(__x86_64__)
#define lk_pause() __builtin_ia32_pause ()
#else
#define lk_pause() ((void) 0)
#endif

/* Looks at the flag this often before going to sleep: decoding runs hundreds of loops a token, each a few microseconds, and waking
 * a sleeper costs more than that. */
#define LK_PARALLEL_SPINS 4000

struct _LkParallel
{
  GThread **threads;
  guint workers; /* the calling thread is worker 0 */

  GMutex lock;
  GCond wake, done;
  gint generation; /* atomic; grows with each loop */
  gint busy;       /* atomic; workers that have not finished the loop */
  gint sleepers;   /* under lock */
  gboolean waiting; /* under lock: the caller sleeps until busy is 0 */
  gint quit;       /* atomic */

  /* the loop at hand */
  gint64 n, grain;
  gint next_chunk; /* atomic */
  LkParallelFunc func;
  gpointer data;
};

typedef struct
{
  LkParallel *self;
  guint worker;
} LkWorkerStart;

static void
lk_parallel_work (LkParallel *self, guint worker)
{
  for (;;)
    {
      gint64 begin = (gint64) g_atomic_int_add (&self->next_chunk, 1) * self->grain;
      if (begin >= self->n)
        return;
      self->func (begin, MIN (begin + self->grain, self->n), worker, self->data);
    }
}

/* Until there is a loop newer than @seen; FALSE: no more will come. */
static gboolean
lk_parallel_await (LkParallel *self, gint seen)
{
  for (guint spin = 0; spin < LK_PARALLEL_SPINS; spin++)
    {
      if (g_atomic_int_get (&self->generation) != seen)
        return TRUE;
      lk_pause ();
    }
  g_mutex_lock (&self->lock);
  self->sleepers++;
  while (g_atomic_int_get (&self->generation) == seen && !g_atomic_int_get (&self->quit))
    g_cond_wait (&self->wake, &self->lock);
  self->sleepers--;
  g_mutex_unlock (&self->lock);
  return g_atomic_int_get (&self->generation) != seen;
}

static gpointer
lk_parallel_thread (gpointer data)
{
  g_autofree LkWorkerStart *start = data;
  LkParallel *self = start->self;
  gint seen = 0;

  while (lk_parallel_await (self, seen))
    {
      seen = g_atomic_int_get (&self->generation);
      lk_parallel_work (self, start->worker);
      if (g_atomic_int_dec_and_test (&self->busy))
        {
          g_mutex_lock (&self->lock);
          if (self->waiting)
            g_cond_signal (&self->done);
          g_mutex_unlock (&self->lock);
        }
    }
  return NULL;
}

LkParallel *
lk_parallel_new (guint workers)
{
  LkParallel *self = g_new0 (LkParallel, 1);

  self->workers = workers ? workers : MAX (1, g_get_num_processors ());
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->done);
  self->threads = g_new0 (GThread *, self->workers);
  for (guint i = 1; i < self->workers; i++)
    {
      LkWorkerStart *start = g_new (LkWorkerStart, 1);
      *start = (LkWorkerStart){ self, i };
      self->threads[i] = g_thread_new ("lk-parallel", lk_parallel_thread, start);
    }
  return self;
}

void
lk_parallel_free (LkParallel *self)
{
  if (!self)
    return;
  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->quit, TRUE);
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  for (guint i = 1; i < self->workers; i++)
    g_thread_join (self->threads[i]);
  g_free (self->threads);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->done);
  g_free (self);
}

guint
lk_parallel_get_workers (LkParallel *self)
{
  return self->workers;
}

void
lk_parallel_for (LkParallel *self, gint64 n, gint64 grain, LkParallelFunc func, gpointer data)
{
  if (n <= 0)
    return;
  grain = MAX (grain, 1);
  if (n / grain >= G_MAXINT / 2)
    grain = n / (G_MAXINT / 4);
  if (self->workers == 1 || n <= grain)
    {
      func (0, n, 0, data);
      return;
    }
  self->n = n, self->grain = grain, self->func = func, self->data = data;
  g_atomic_int_set (&self->next_chunk, 0);
  g_atomic_int_set (&self->busy, (gint) self->workers - 1);
  g_mutex_lock (&self->lock);
  g_atomic_int_inc (&self->generation);
  if (self->sleepers > 0)
    g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  lk_parallel_work (self, 0);
  for (guint spin = 0; spin < LK_PARALLEL_SPINS && g_atomic_int_get (&self->busy) > 0; spin++)
    lk_pause ();
  g_mutex_lock (&self->lock);
  self->waiting = TRUE;
  while (g_atomic_int_get (&self->busy) > 0)
    g_cond_wait (&self->done, &self->lock);
  self->waiting = FALSE;
  g_mutex_unlock (&self->lock);
}
