/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-bpe.h"

typedef struct
{
  guint64 pair; /* left << 32 | right; G_MAXUINT64: empty */
  guint32 rank;
  gint32 id;
} LkMerge;

struct _LkBpe
{
  LkMerge *slots; /* open addressing */
  guint64 mask;
  guint32 n;
};

LkBpe *
lk_bpe_new (guint n_merges)
{
  LkBpe *self = g_new0 (LkBpe, 1);
  guint64 size = 16;

  while (size < 2 * (guint64) n_merges)
    size *= 2;
  self->mask = size - 1;
  self->slots = g_new (LkMerge, size);
  for (guint64 i = 0; i < size; i++)
    self->slots[i].pair = G_MAXUINT64;
  return self;
}

void
lk_bpe_free (LkBpe *self)
{
  if (!self)
    return;
  g_free (self->slots);
  g_free (self);
}

static guint64
lk_bpe_hash (guint64 pair)
{
  pair *= 0x9E3779B97F4A7C15u;
  return pair ^ pair >> 29;
}

static LkMerge *
lk_bpe_slot (const LkBpe *self, gint32 left, gint32 right)
{
  guint64 pair = (guint64) (guint32) left << 32 | (guint32) right;
  guint64 i = lk_bpe_hash (pair) & self->mask;

  while (self->slots[i].pair != pair && self->slots[i].pair != G_MAXUINT64)
    i = (i + 1) & self->mask;
  return &self->slots[i];
}

void
lk_bpe_add_merge (LkBpe *self, gint32 left, gint32 right, gint32 id)
{
  LkMerge *slot = lk_bpe_slot (self, left, right);

  g_return_if_fail (self->n <= self->mask / 2);
  if (slot->pair == G_MAXUINT64)
    *slot = (LkMerge){ (guint64) (guint32) left << 32 | (guint32) right, self->n, id };
  self->n++;
}

static const LkMerge *
lk_bpe_find (const LkBpe *self, gint32 left, gint32 right)
{
  const LkMerge *slot = lk_bpe_slot (self, left, right);

  return slot->pair == G_MAXUINT64 ? NULL : slot;
}

#define LK_BPE_SHORT 24

/* Few symbols: look at all pairs each time. */
static gsize
lk_bpe_merge_short (const LkBpe *self, gint32 *ids, gsize n)
{
  while (n > 1)
    {
      const LkMerge *best = NULL;
      gsize at = 0;

      for (gsize i = 0; i + 1 < n; i++)
        {
          const LkMerge *m = lk_bpe_find (self, ids[i], ids[i + 1]);
          if (m && (!best || m->rank < best->rank))
            best = m, at = i;
        }
      if (!best)
        break;
      ids[at] = best->id;
      n--;
      for (gsize i = at + 1; i < n; i++)
        ids[i] = ids[i + 1];
    }
  return n;
}

/* A pair waiting in the heap; stale when its symbols have changed. */
typedef struct
{
  guint32 rank;
  guint32 at;
  gint32 left, right, id;
} LkPair;

static gboolean
lk_pair_less (const LkPair *a, const LkPair *b)
{
  return a->rank < b->rank || (a->rank == b->rank && a->at < b->at);
}

static void
lk_heap_push (GArray *heap, LkPair pair)
{
  guint i = heap->len;
  LkPair *items;

  g_array_append_val (heap, pair);
  items = (LkPair *) (void *) heap->data;
  while (i > 0 && lk_pair_less (&pair, &items[(i - 1) / 2]))
    {
      items[i] = items[(i - 1) / 2];
      i = (i - 1) / 2;
    }
  items[i] = pair;
}

static LkPair
lk_heap_pop (GArray *heap)
{
  LkPair *items = (LkPair *) (void *) heap->data;
  LkPair top = items[0], last = items[heap->len - 1];
  guint n = heap->len - 1, i = 0;

  g_array_set_size (heap, n);
  for (guint child = 1; child < n; child = 2 * i + 1)
    {
      if (child + 1 < n && lk_pair_less (&items[child + 1], &items[child]))
        child++;
      if (!lk_pair_less (&items[child], &last))
        break;
      items[i] = items[child];
      i = child;
    }
  if (n > 0)
    items[i] = last;
  return top;
}

static void
lk_bpe_consider (const LkBpe *self, GArray *heap, const gint32 *ids, gsize at, gsize next)
{
  const LkMerge *m = lk_bpe_find (self, ids[at], ids[next]);

  if (m)
    lk_heap_push (heap, (LkPair){ m->rank, (guint32) at, ids[at], ids[next], m->id });
}

static gsize
lk_bpe_merge_long (const LkBpe *self, gint32 *ids, gsize n)
{
  g_autoptr (GArray) heap = g_array_sized_new (FALSE, FALSE, sizeof (LkPair), (guint) n);
  g_autofree guint32 *next = g_new (guint32, n);
  g_autofree guint32 *previous = g_new (guint32, n);
  gsize out = 0;

  for (gsize i = 0; i < n; i++)
    {
      next[i] = (guint32) (i + 1);
      previous[i] = (guint32) (i - 1);
    }
  for (gsize i = 0; i + 1 < n; i++)
    lk_bpe_consider (self, heap, ids, i, i + 1);
  while (heap->len > 0)
    {
      LkPair pair = lk_heap_pop (heap);
      gsize right = next[pair.at];

      if (ids[pair.at] != pair.left || right >= n || ids[right] != pair.right)
        continue;
      ids[pair.at] = pair.id;
      ids[right] = -1;
      next[pair.at] = next[right];
      if (next[right] < n)
        {
          previous[next[right]] = pair.at;
          lk_bpe_consider (self, heap, ids, pair.at, next[right]);
        }
      if (pair.at > 0)
        lk_bpe_consider (self, heap, ids, previous[pair.at], pair.at);
    }
  for (gsize i = 0; i < n; i++)
    if (ids[i] >= 0)
      ids[out++] = ids[i];
  return out;
}

gsize
lk_bpe_merge (const LkBpe *self, gint32 *ids, gsize n)
{
  return n <= LK_BPE_SHORT ? lk_bpe_merge_short (self, ids, n) : lk_bpe_merge_long (self, ids, n);
}
