/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Points of a curve, appended as they come, with a pyramid of minima and maxima above them, so that a picture of a
 * million points costs what a picture of a thousand does. A y that is not finite is kept: it is a gap in the line
 * and a mark on it, never hidden. x never decreases.
 *
 * Signal "changed": points were appended or taken away. Thread-safety: one thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define LK_TYPE_SERIES (lk_series_get_type ())
G_DECLARE_FINAL_TYPE (LkSeries, lk_series, LK, SERIES, GObject)

/* What a range of points spans. Empty or without a finite y: min is +inf, max is -inf. */
typedef struct
{
  double min, max;
  guint bad; /* points whose y is not finite */
} LkExtent;

/* The points that fall in one column of pixels. first and last are point indices; last < first: none. */
typedef struct
{
  gint64 first, last;
  LkExtent extent;
} LkColumn;

LkSeries *lk_series_new (void);

/* FALSE, and nothing appended, when @x is not finite or less than the last one. */
gboolean lk_series_append (LkSeries *self, double x, double y);
/* Drops the points with x > @x; -INFINITY drops all. */
void lk_series_truncate_after (LkSeries *self, double x);

guint lk_series_get_n_points (LkSeries *self);
double lk_series_get_x (LkSeries *self, guint i);
double lk_series_get_y (LkSeries *self, guint i);
/* The first index whose x is not less than @x; n_points when there is none. */
guint lk_series_find (LkSeries *self, double x);
/* The point whose x is nearest to @x; -1 when there are none. */
gint64 lk_series_nearest (LkSeries *self, double x);
/* The last point with a finite y; -1 when there is none. */
gint64 lk_series_last_finite (LkSeries *self);

/* Of the points [begin, end); end is cut to n_points. */
LkExtent lk_series_extent (LkSeries *self, guint begin, guint end);
/* Cuts [x0, x1] in @n columns and fills @columns, n of them. x1 itself belongs to the last column. */
void lk_series_decimate (LkSeries *self, double x0, double x1, guint n, LkColumn *columns);

/* The exponential moving average with @weight (0 ≤ weight < 1) of what came before, corrected for its start, so that
 * the first value is the first point: s = w·s + (1−w)·y, shown s / (1 − wⁿ). Points that are not finite stay so and leave the
 * average as it was. Kept and extended with the series; a new weight computes it anew. (transfer none) */
LkSeries *lk_series_get_smoothed (LkSeries *self, double weight);

G_END_DECLS
