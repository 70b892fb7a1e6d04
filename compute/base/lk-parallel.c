/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-parallel.h"

struct _LkParallel
{
  GThread **threads;
  guint workers; /* the calling thread is worker 0 */

  GMutex lock;
  GCond wake, done;
  guint64 generation;
  guint busy;
  gboolean quit;

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

static gpointer
lk_parallel_thread (gpointer data)
{
  g_autofree LkWorkerStart *start = data;
  LkParallel *self = start->self;
  guint64 seen = 0;

  g_mutex_lock (&self->lock);
  for (;;)
    {
      while (!self->quit && self->generation == seen)
        g_cond_wait (&self->wake, &self->lock);
      if (self->quit)
        break;
      seen = self->generation;
      g_mutex_unlock (&self->lock);
      lk_parallel_work (self, start->worker);
      g_mutex_lock (&self->lock);
      if (--self->busy == 0)
        g_cond_signal (&self->done);
    }
  g_mutex_unlock (&self->lock);
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
  self->quit = TRUE;
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
  g_mutex_lock (&self->lock);
  self->n = n, self->grain = grain, self->func = func, self->data = data;
  g_atomic_int_set (&self->next_chunk, 0);
  self->busy = self->workers - 1;
  self->generation++;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  lk_parallel_work (self, 0);
  g_mutex_lock (&self->lock);
  while (self->busy)
    g_cond_wait (&self->done, &self->lock);
  g_mutex_unlock (&self->lock);
}
