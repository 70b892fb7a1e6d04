/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-packing.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  guint length, index;
} LkItem;

static int
lk_item_compare (const void *a, const void *b)
{
  const LkItem *x = a, *y = b;

  if (x->length != y->length)
    return x->length > y->length ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* Rows by remaining space: space[s] is a list of row numbers, the earliest opened first. */
typedef struct
{
  GQueue *rows; /* capacity + 1 */
  guint8 *filled; /* a summary, one a space, so that the search for the next larger space is quick */
  guint capacity;
} LkSpaces;

static gint
lk_spaces_take (LkSpaces *self, guint wanted)
{
  for (guint s = wanted; s <= self->capacity; s++)
    {
      const guint8 *next = memchr (self->filled + s, 1, self->capacity - s + 1);
      gint row;

      if (!next)
        return -1;
      s = (guint) (next - self->filled);
      row = GPOINTER_TO_INT (g_queue_pop_head (&self->rows[s])) - 1;
      self->filled[s] = !g_queue_is_empty (&self->rows[s]);
      return row;
    }
  return -1;
}

static void
lk_spaces_put (LkSpaces *self, guint space, guint row)
{
  g_queue_push_tail (&self->rows[space], GINT_TO_POINTER (row + 1));
  self->filled[space] = 1;
}

/* @row_of: the row each example went to. Returns the number of rows. */
static guint
lk_packing_assign (const guint *lengths, guint n, guint capacity, guint *row_of)
{
  LkSpaces spaces = { g_new0 (GQueue, capacity + 1), g_malloc0 (capacity + 1), capacity };
  g_autofree LkItem *items = g_new (LkItem, n + 1);
  g_autofree guint *used = g_new0 (guint, n + 1);
  guint rows = 0;

  for (guint i = 0; i < n; i++)
    items[i] = (LkItem){ MIN (lengths[i], capacity), i };
  qsort (items, n, sizeof *items, lk_item_compare);
  for (guint i = 0; i < n; i++)
    {
      gint row = lk_spaces_take (&spaces, MAX (1, items[i].length));

      if (row < 0)
        row = (gint) rows++;
      used[row] += items[i].length;
      row_of[items[i].index] = (guint) row;
      if (used[row] < capacity)
        lk_spaces_put (&spaces, capacity - used[row], (guint) row);
    }
  for (guint s = 0; s <= capacity; s++)
    g_queue_clear (&spaces.rows[s]);
  g_free (spaces.rows);
  g_free (spaces.filled);
  return rows;
}

LkPacking *
lk_packing_new (const guint *lengths, guint n, guint capacity, gboolean pack)
{
  LkPacking *self = g_new0 (LkPacking, 1);
  g_autofree guint *row_of = g_new (guint, n + 1);
  g_autofree guint *at = NULL;

  for (guint i = 0; i < n; i++)
    row_of[i] = i;
  self->n_rows = pack ? lk_packing_assign (lengths, n, capacity, row_of) : n;
  self->first = g_new0 (guint, self->n_rows + 1);
  self->members = g_new (guint, n + 1);
  for (guint i = 0; i < n; i++)
    self->first[row_of[i] + 1]++;
  for (guint r = 0; r < self->n_rows; r++)
    self->first[r + 1] += self->first[r];
  at = g_memdup2 (self->first, (self->n_rows + 1) * sizeof *at);
  for (guint i = 0; i < n; i++)
    self->members[at[row_of[i]]++] = i;
  return self;
}

void
lk_packing_free (LkPacking *self)
{
  if (!self)
    return;
  g_free (self->first);
  g_free (self->members);
  g_free (self);
}

LkBatch *
lk_batch_new (guint n_rows, guint length)
{
  LkBatch *self = g_new0 (LkBatch, 1);

  self->n = n_rows * length;
  self->ids = g_new (gint32, self->n);
  self->positions = g_new (gint32, self->n);
  self->starts = g_new (gint32, self->n);
  self->targets = g_new (gint32, self->n);
  lk_batch_clear (self);
  return self;
}

void
lk_batch_clear (LkBatch *self)
{
  self->n_targets = 0;
  for (guint i = 0; i < self->n; i++)
    {
      self->ids[i] = self->positions[i] = 0;
      self->starts[i] = self->targets[i] = -1;
    }
}

void
lk_batch_free (LkBatch *self)
{
  if (!self)
    return;
  g_free (self->ids);
  g_free (self->positions);
  g_free (self->starts);
  g_free (self->targets);
  g_free (self);
}

void
lk_batch_place (LkBatch *self, guint row, guint length, guint offset, const LkExample *example)
{
  guint begin = row * length + offset;
  guint n = MIN (example->n, length - offset);

  for (guint i = 0; i < n; i++)
    {
      self->ids[begin + i] = example->ids[i];
      self->positions[begin + i] = (gint32) i;
      self->starts[begin + i] = (gint32) begin;
      if (i + 1 < n && example->targets[i + 1])
        {
          self->targets[begin + i] = example->ids[i + 1];
          self->n_targets++;
        }
    }
}
