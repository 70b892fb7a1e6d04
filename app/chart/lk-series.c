/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-series.h"

#include <math.h>

/* Points of a bucket of the lowest level, and buckets of a bucket above. 8 keeps a query below 16 steps a level. */
#define FAN 8
#define MAX_LEVELS 8 /* 8^8 points; above, the top level is walked through */

struct _LkSeries
{
  GObject parent_instance;
  GArray *x, *y;               /* double */
  GArray *levels[MAX_LEVELS];  /* LkExtent: bucket b of level l spans points [b·8^(l+1), (b+1)·8^(l+1)) */
  LkSeries *smoothed;
  double weight;               /* of smoothed */
  double average;              /* uncorrected */
  double decay;                /* weight^n over the finite points so far */
};

G_DEFINE_FINAL_TYPE (LkSeries, lk_series, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static const LkExtent nothing = { INFINITY, -INFINITY, 0 };

static void
extent_add (LkExtent *self, double y)
{
  if (!isfinite (y))
    self->bad++;
  else
    {
      self->min = MIN (self->min, y);
      self->max = MAX (self->max, y);
    }
}

static void
extent_join (LkExtent *self, const LkExtent *other)
{
  self->min = MIN (self->min, other->min);
  self->max = MAX (self->max, other->max);
  self->bad += other->bad;
}

static inline double
get (GArray *array, guint i)
{
  return g_array_index (array, double, i);
}

static void
pyramid_add (LkSeries *self, guint point, double y)
{
  guint bucket = point / FAN;

  for (guint l = 0; l < MAX_LEVELS; l++, bucket /= FAN)
    {
      if (self->levels[l]->len <= bucket)
        g_array_append_val (self->levels[l], nothing);
      extent_add (&g_array_index (self->levels[l], LkExtent, bucket), y);
    }
}

gboolean
lk_series_append (LkSeries *self, double x, double y)
{
  guint n;

  g_return_val_if_fail (LK_IS_SERIES (self), FALSE);
  n = self->x->len;
  if (!isfinite (x) || n == G_MAXUINT || (n > 0 && x < get (self->x, n - 1)))
    return FALSE;
  g_array_append_val (self->x, x);
  g_array_append_val (self->y, y);
  pyramid_add (self, n, y);
  g_signal_emit (self, signals[CHANGED], 0);
  return TRUE;
}

/* The last bucket of each level again, from the level below. */
static void
pyramid_cut (LkSeries *self)
{
  guint n = self->y->len;

  for (guint l = 0; l < MAX_LEVELS; l++)
    {
      guint below = n;
      LkExtent last = nothing;

      n = below / FAN + (below % FAN != 0);
      if (n < self->levels[l]->len)
        g_array_set_size (self->levels[l], n);
      if (n == 0 || self->levels[l]->len < n)
        continue;
      for (guint i = (n - 1) * FAN; i < below; i++)
        if (l == 0)
          extent_add (&last, get (self->y, i));
        else
          extent_join (&last, &g_array_index (self->levels[l - 1], LkExtent, i));
      g_array_index (self->levels[l], LkExtent, n - 1) = last;
    }
}

void
lk_series_truncate_after (LkSeries *self, double x)
{
  guint keep;

  g_return_if_fail (LK_IS_SERIES (self));
  keep = lk_series_find (self, x);
  while (keep < self->x->len && get (self->x, keep) == x)
    keep++;
  if (keep == self->x->len)
    return;
  g_array_set_size (self->x, keep);
  g_array_set_size (self->y, keep);
  pyramid_cut (self);
  g_clear_object (&self->smoothed);
  g_signal_emit (self, signals[CHANGED], 0);
}

guint
lk_series_get_n_points (LkSeries *self)
{
  g_return_val_if_fail (LK_IS_SERIES (self), 0);
  return self->x->len;
}

double
lk_series_get_x (LkSeries *self, guint i)
{
  g_return_val_if_fail (i < self->x->len, NAN);
  return get (self->x, i);
}

double
lk_series_get_y (LkSeries *self, guint i)
{
  g_return_val_if_fail (i < self->y->len, NAN);
  return get (self->y, i);
}

guint
lk_series_find (LkSeries *self, double x)
{
  guint low = 0, high = self->x->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (get (self->x, middle) < x)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

gint64
lk_series_nearest (LkSeries *self, double x)
{
  guint i = lk_series_find (self, x);

  if (self->x->len == 0)
    return -1;
  if (i == self->x->len)
    return (gint64) i - 1;
  if (i > 0 && x - get (self->x, i - 1) < get (self->x, i) - x)
    return (gint64) i - 1;
  return i;
}

gint64
lk_series_last_finite (LkSeries *self)
{
  gint64 i = (gint64) self->y->len - 1;

  while (i >= 0 && !isfinite (get (self->y, (guint) i)))
    i--;
  return i;
}

LkExtent
lk_series_extent (LkSeries *self, guint begin, guint end)
{
  LkExtent result = nothing;

  end = MIN (end, self->y->len);
  while (begin < end)
    {
      guint64 size = 1;
      gint level = -1;

      /* the largest bucket that begins here and ends before the end */
      while (level + 1 < MAX_LEVELS && begin % (size * FAN) == 0 && begin + size * FAN <= end
             && begin / (size * FAN) < self->levels[level + 1]->len)
        level++, size *= FAN;
      if (level < 0)
        extent_add (&result, get (self->y, begin));
      else
        extent_join (&result, &g_array_index (self->levels[level], LkExtent, begin / size));
      begin += (guint) size;
    }
  return result;
}

void
lk_series_decimate (LkSeries *self, double x0, double x1, guint n, LkColumn *columns)
{
  guint begin = lk_series_find (self, x0);

  for (guint c = 0; c < n; c++)
    {
      guint end;

      if (c + 1 < n)
        end = lk_series_find (self, x0 + (x1 - x0) * ((double) (c + 1) / n));
      else
        for (end = lk_series_find (self, x1); end < self->x->len && get (self->x, end) <= x1;)
          end++;
      end = MAX (end, begin);
      columns[c] = (LkColumn){ begin, (gint64) end - 1, lk_series_extent (self, begin, end) };
      begin = end;
    }
}

LkSeries *
lk_series_get_smoothed (LkSeries *self, double weight)
{
  g_return_val_if_fail (weight >= 0 && weight < 1, NULL);
  if (self->smoothed == NULL || self->weight != weight)
    {
      g_clear_object (&self->smoothed);
      self->smoothed = lk_series_new ();
      self->weight = weight;
      self->average = 0;
      self->decay = 1;
    }
  for (guint i = self->smoothed->x->len; i < self->x->len; i++)
    {
      double y = get (self->y, i);

      if (isfinite (y))
        {
          self->average = weight * self->average + (1 - weight) * y;
          self->decay *= weight;
          y = self->average / (1 - self->decay);
        }
      lk_series_append (self->smoothed, get (self->x, i), y);
    }
  return self->smoothed;
}

static void
lk_series_finalize (GObject *object)
{
  LkSeries *self = LK_SERIES (object);

  g_clear_object (&self->smoothed);
  for (guint l = 0; l < MAX_LEVELS; l++)
    g_array_unref (self->levels[l]);
  g_array_unref (self->x);
  g_array_unref (self->y);
  G_OBJECT_CLASS (lk_series_parent_class)->finalize (object);
}

static void
lk_series_class_init (LkSeriesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_series_finalize;
  signals[CHANGED] = g_signal_new ("changed", LK_TYPE_SERIES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_series_init (LkSeries *self)
{
  self->x = g_array_new (FALSE, FALSE, sizeof (double));
  self->y = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint l = 0; l < MAX_LEVELS; l++)
    self->levels[l] = g_array_new (FALSE, FALSE, sizeof (LkExtent));
}

LkSeries *
lk_series_new (void)
{
  return g_object_new (LK_TYPE_SERIES, NULL);
}
