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
  gint sleepers;    /* under lock */
  gboolean waiting; /* under lock: the caller sleeps until left is 0 */
  gint quit;        /* atomic */

  /* The loop at hand. A chunk is claimed by counting the ticket down; whoever holds a claim keeps the loop from ending, so only
   * then may the other fields be read. A worker that is late finds nothing to claim, and nobody waits for it. */
  guint64 ticket; /* atomic; number of the loop << 32 | chunks not yet claimed */
  gint left;      /* atomic; chunks not yet done */
  gint64 n, grain;
  LkParallelFunc func;
  gpointer data;
};

typedef struct
{
  LkParallel *self;
  guint worker;
} LkWorkerStart;

static gboolean
lk_parallel_has_work (LkParallel *self)
{
  return (guint32) __atomic_load_n (&self->ticket, __ATOMIC_ACQUIRE) != 0;
}

/* The number of a chunk that is now ours; −1: all are taken. */
static gint64
lk_parallel_claim (LkParallel *self)
{
  guint64 ticket = __atomic_load_n (&self->ticket, __ATOMIC_ACQUIRE);

  while ((guint32) ticket != 0)
    if (__atomic_compare_exchange_n (&self->ticket, &ticket, ticket - 1, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return (gint64) (guint32) ticket - 1;
  return -1;
}

static void
lk_parallel_work (LkParallel *self, guint worker)
{
  gint64 chunk;

  while ((chunk = lk_parallel_claim (self)) >= 0)
    {
      gint64 begin = chunk * self->grain;

      self->func (begin, MIN (begin + self->grain, self->n), worker, self->data);
      if (g_atomic_int_dec_and_test (&self->left))
        {
          g_mutex_lock (&self->lock);
          if (self->waiting)
            g_cond_signal (&self->done);
          g_mutex_unlock (&self->lock);
        }
    }
}

/* Until there is something to claim; FALSE: no more will come. */
static gboolean
lk_parallel_await (LkParallel *self)
{
  for (guint spin = 0; spin < LK_PARALLEL_SPINS; spin++)
    {
      if (lk_parallel_has_work (self))
        return TRUE;
      lk_pause ();
    }
  g_mutex_lock (&self->lock);
  self->sleepers++;
  while (!lk_parallel_has_work (self) && !g_atomic_int_get (&self->quit))
    g_cond_wait (&self->wake, &self->lock);
  self->sleepers--;
  g_mutex_unlock (&self->lock);
  return !g_atomic_int_get (&self->quit);
}

static gpointer
lk_parallel_thread (gpointer data)
{
  g_autofree LkWorkerStart *start = data;

  while (lk_parallel_await (start->self))
    lk_parallel_work (start->self, start->worker);
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
  gint64 chunks;

  if (n <= 0)
    return;
  grain = MAX (grain, 1);
  if (n / grain >= G_MAXINT / 2)
    grain = n / (G_MAXINT / 4);
  if (self->workers == 1 || n <= grain)
    {
      /* no more than a chunk at once here either: callers have working memory for that much */
      for (gint64 begin = 0; begin < n; begin += grain)
        func (begin, MIN (begin + grain, n), 0, data);
      return;
    }
  self->n = n, self->grain = grain, self->func = func, self->data = data;
  chunks = (n + grain - 1) / grain;
  g_atomic_int_set (&self->left, (gint) chunks);
  g_mutex_lock (&self->lock);
  __atomic_store_n (&self->ticket, ((self->ticket >> 32) + 1) << 32 | (guint64) chunks, __ATOMIC_RELEASE);
  if (self->sleepers > 0)
    g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  lk_parallel_work (self, 0);
  for (guint spin = 0; spin < LK_PARALLEL_SPINS && g_atomic_int_get (&self->left) > 0; spin++)
    lk_pause ();
  g_mutex_lock (&self->lock);
  self->waiting = TRUE;
  while (g_atomic_int_get (&self->left) > 0)
    g_cond_wait (&self->done, &self->lock);
  self->waiting = FALSE;
  g_mutex_unlock (&self->lock);
}
