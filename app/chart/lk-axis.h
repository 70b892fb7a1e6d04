/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An axis: where a value stands between 0 and 1, and which values get a tick. Plain values, no allocation.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LK_AXIS_MAX_TICKS 24
#define LK_AXIS_LABEL 32

typedef struct
{
  double min, max; /* min < max always; with log both > 0 */
  gboolean log;
  guint n_ticks;
  double ticks[LK_AXIS_MAX_TICKS]; /* rising, all within [min, max] */
  char labels[LK_AXIS_MAX_TICKS][LK_AXIS_LABEL];
} LkAxis;

typedef enum
{
  LK_AXIS_ROUND_OUT = 1 << 0, /* min and max move outwards to ticks */
  LK_AXIS_LOG = 1 << 1,       /* logarithmic; falls back to linear (see LkAxis.log) when no value is positive */
  LK_AXIS_WHOLE = 1 << 2,     /* whole numbers only: steps */
} LkAxisFlags;

/* Values from @min to @max, about @n_ticks of them labelled (2 … 12). A range that is empty, a point, reversed or not
 * finite is widened to something that can be drawn. A logarithmic axis over values of which some are not positive
 * begins at the smallest positive one, @smallest_positive (not finite: none is). */
void lk_axis_init (LkAxis *self, double min, double max, double smallest_positive, guint n_ticks, LkAxisFlags flags);

/* 0 at min, 1 at max, beyond outside; NaN for what has no place (a value ≤ 0 on a logarithmic axis). */
double lk_axis_map (const LkAxis *self, double value);
/* The inverse. */
double lk_axis_unmap (const LkAxis *self, double place);

/* A value as people write it, with as many digits as tell it apart at this axis' scale. */
void lk_axis_format (const LkAxis *self, double value, char out[LK_AXIS_LABEL]);

G_END_DECLS
