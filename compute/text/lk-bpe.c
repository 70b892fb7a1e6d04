/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-bpe.h"

#include <string.h>

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
  guint32 n, n_ranks;
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
lk_bpe_add_merge (LkBpe *self, gint32 left, gint32 right, gint32 id, guint32 rank)
{
  LkMerge *slot = lk_bpe_slot (self, left, right);

  g_return_if_fail (self->n <= self->mask / 2);
  if (slot->pair == G_MAXUINT64)
    *slot = (LkMerge){ (guint64) (guint32) left << 32 | (guint32) right, rank, id };
  self->n++;
  self->n_ranks = MAX (self->n_ranks, rank + 1);
}

static const LkMerge *
lk_bpe_find (const LkBpe *self, gint32 left, gint32 right)
{
  const LkMerge *slot = lk_bpe_slot (self, left, right);

  return slot->pair == G_MAXUINT64 ? NULL : slot;
}

#define LK_BPE_SHORT 48

/* Few symbols: the rank of each pair is kept, and the lowest looked for each time. */
static gsize
lk_bpe_merge_short (const LkBpe *self, gint32 *ids, gsize n)
{
  const LkMerge *pairs[LK_BPE_SHORT];

  for (gsize i = 0; i + 1 < n; i++)
    pairs[i] = lk_bpe_find (self, ids[i], ids[i + 1]);
  while (n > 1)
    {
      const LkMerge *best = NULL;
      gsize at = 0;

      for (gsize i = 0; i + 1 < n; i++)
        if (pairs[i] && (!best || pairs[i]->rank < best->rank))
          best = pairs[i], at = i;
      if (!best)
        break;
      ids[at] = best->id;
      n--;
      for (gsize i = at + 1; i < n; i++)
        ids[i] = ids[i + 1];
      for (gsize i = at; i + 1 < n; i++)
        pairs[i] = pairs[i + 1];
      if (at + 1 < n)
        pairs[at] = lk_bpe_find (self, ids[at], ids[at + 1]);
      if (at > 0)
        pairs[at - 1] = lk_bpe_find (self, ids[at - 1], ids[at]);
    }
  return n;
}

/* A pair waiting in the heap; stale when its symbols have changed. */
void
lk_bpe_foreach (const LkBpe *self, LkBpeFunc func, gpointer user_data)
{
  for (guint64 i = 0; i <= self->mask; i++)
    if (self->slots[i].pair != G_MAXUINT64)
      func ((gint32) (self->slots[i].pair >> 32), (gint32) (guint32) self->slots[i].pair, self->slots[i].id, self->slots[i].rank, user_data);
}

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
lk_bpe_merge_middle (const LkBpe *self, gint32 *ids, gsize n)
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

#define LK_BPE_LONG 4096

/* Pairs by rank: a list of places a rank, and a heap of the ranks that have one. Where what a merge makes has a higher rank than the
 * merge, as training gives it, each rank is gone through once, from the left; at the first that has not, the heap of pairs goes on. */
typedef struct
{
  guint32 at, next; /* next: number of the place after it + 1 */
} LkPlace;

typedef struct
{
  const LkBpe *bpe;
  gint32 *ids;
  guint32 *next, *previous; /* symbols */
  gsize n;
  guint32 *heads;           /* a rank: first place + 1 */
  GArray *places;           /* LkPlace */
  guint32 free;             /* places that can be used again */
  GArray *heap;             /* LkPair, of which only the rank counts */
} LkBuckets;

static void
lk_buckets_put (LkBuckets *self, guint32 rank, guint32 at)
{
  guint32 number = self->free;
  LkPlace place = { at, self->heads[rank] };

  if (number)
    {
      self->free = g_array_index (self->places, LkPlace, number - 1).next;
      g_array_index (self->places, LkPlace, number - 1) = place;
    }
  else
    {
      g_array_append_val (self->places, place);
      number = self->places->len;
    }
  if (!self->heads[rank])
    lk_heap_push (self->heap, (LkPair){ .rank = rank });
  self->heads[rank] = number;
}

/* The pair that begins at @at, if it is one; its rank, or G_MAXUINT32. */
static guint32
lk_buckets_consider (LkBuckets *self, guint32 at)
{
  guint32 right = self->next[at];
  const LkMerge *m = right < self->n ? lk_bpe_find (self->bpe, self->ids[at], self->ids[right]) : NULL;

  if (m)
    lk_buckets_put (self, m->rank, at);
  return m ? m->rank : G_MAXUINT32;
}

/* The places of @rank into @out, from the left. */
static void
lk_buckets_take (LkBuckets *self, guint32 rank, GArray *out, GArray *spare)
{
  gboolean sorted = TRUE;

  g_array_set_size (out, 0);
  for (guint32 number = self->heads[rank]; number;)
    {
      LkPlace *place = &g_array_index (self->places, LkPlace, number - 1);
      guint32 next = place->next;

      g_array_append_val (out, place->at);
      place->next = self->free;
      self->free = number;
      number = next;
    }
  self->heads[rank] = 0;
  for (guint i = 0; i < out->len / 2; i++) /* the last put in came out first */
    {
      guint32 x = g_array_index (out, guint32, i);
      g_array_index (out, guint32, i) = g_array_index (out, guint32, out->len - 1 - i);
      g_array_index (out, guint32, out->len - 1 - i) = x;
    }
  for (guint i = 1; i < out->len && sorted; i++)
    sorted = g_array_index (out, guint32, i - 1) <= g_array_index (out, guint32, i);
  for (guint shift = 0; !sorted && shift < 32; shift += 8) /* by digits of a byte */
    {
      guint32 begin[257] = { 0 };

      g_array_set_size (spare, out->len);
      for (guint i = 0; i < out->len; i++)
        begin[(g_array_index (out, guint32, i) >> shift & 255) + 1]++;
      for (guint i = 0; i < 256; i++)
        begin[i + 1] += begin[i];
      for (guint i = 0; i < out->len; i++)
        g_array_index (spare, guint32, begin[g_array_index (out, guint32, i) >> shift & 255]++) = g_array_index (out, guint32, i);
      memcpy (out->data, spare->data, out->len * sizeof (guint32));
    }
}

/* Joins the pair at @at if it still has @rank; returns the lowest rank of what that makes. */
static guint32
lk_buckets_join (LkBuckets *self, guint32 at, guint32 rank)
{
  guint32 right = self->next[at], lowest = G_MAXUINT32;
  const LkMerge *m = self->ids[at] >= 0 && right < self->n ? lk_bpe_find (self->bpe, self->ids[at], self->ids[right]) : NULL;

  if (!m || m->rank != rank)
    return G_MAXUINT32;
  self->ids[at] = m->id;
  self->ids[right] = -1;
  self->next[at] = self->next[right];
  if (self->next[at] < self->n)
    {
      self->previous[self->next[at]] = at;
      lowest = lk_buckets_consider (self, at);
    }
  if (at > 0)
    lowest = MIN (lowest, lk_buckets_consider (self, self->previous[at]));
  return lowest;
}

/* FALSE: a lower rank came up under way, and there may be more to do. */
static gboolean
lk_buckets_run (LkBuckets *self)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) spare = g_array_new (FALSE, FALSE, sizeof (guint32));

  while (self->heap->len > 0)
    {
      guint32 rank = lk_heap_pop (self->heap).rank;

      lk_buckets_take (self, rank, places, spare);
      for (guint i = 0; i < places->len; i++)
        if (lk_buckets_join (self, g_array_index (places, guint32, i), rank) < rank)
          return FALSE;
    }
  return TRUE;
}

static gsize
lk_bpe_merge_long (const LkBpe *self, gint32 *ids, gsize n)
{
  LkBuckets b = { self, ids, g_new (guint32, n), g_new (guint32, n), n, g_new0 (guint32, self->n_ranks + 1),
                  g_array_sized_new (FALSE, FALSE, sizeof (LkPlace), (guint) n), 0, g_array_new (FALSE, FALSE, sizeof (LkPair)) };
  gsize out = 0;
  gboolean done;

  for (gsize i = 0; i < n; i++)
    {
      b.next[i] = (guint32) (i + 1);
      b.previous[i] = (guint32) (i - 1);
    }
  for (gsize i = 0; i + 1 < n; i++)
    lk_buckets_consider (&b, (guint32) i);
  done = lk_buckets_run (&b);
  for (gsize i = 0; i < n; i++)
    if (ids[i] >= 0)
      ids[out++] = ids[i];
  g_free (b.next);
  g_free (b.previous);
  g_free (b.heads);
  g_array_unref (b.places);
  g_array_unref (b.heap);
  return done ? out : lk_bpe_merge_middle (self, ids, out);
}

gsize
lk_bpe_merge (const LkBpe *self, gint32 *ids, gsize n)
{
  return (n <= LK_BPE_SHORT ? lk_bpe_merge_short : n <= LK_BPE_LONG ? lk_bpe_merge_middle : lk_bpe_merge_long) (self, ids, n);
}
