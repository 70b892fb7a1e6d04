/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A chart as data, and the one function that draws it with Cairo: the window, SVG, PDF and PNG show the same drawing.
 * A faint grid, each line labelled at its end, figures of equal width. Lines differ in dash and width as well as in
 * colour; colours are those of Okabe and Ito, told apart with every kind of colour vision ("Color Universal Design",
 * 2008). Thread-safety: a spec belongs to one thread at a time.
 */
#pragma once

#include <cairo.h>
#include <gio/gio.h>

#include "lk-axis.h"
#include "lk-series.h"

G_BEGIN_DECLS

#define LK_CHART_N_COLOURS 6

typedef struct
{
  LkSeries *series;  /* owned */
  char *label;       /* at the line's end; owned, may be NULL */
  guint colour;      /* index in the palette, taken modulo LK_CHART_N_COLOURS */
  gboolean dashed;
  gboolean dots;     /* a dot on each point, where there is room */
  gboolean smooth;   /* LkChartSpec.smoothing applies: the points faint, the average strong */
  gboolean plain;    /* only the value stands at its end: the y label says what it is */
  double width;      /* of the line; 1.5 by default */
} LkChartLine;

typedef struct
{
  char *title, *x_label, *y_label; /* owned, may be NULL */
  GArray *lines;                   /* LkChartLine */
  double smoothing;                /* 0: none; else the weight of what came before, < 1 */
  gboolean log_scale;              /* of y; points ≤ 0 get the mark of points that are not finite */
  gboolean clip_outliers;          /* y ends at the 98th percentile of its values; what lies above gets a mark at the edge */
  gboolean dark;
  gboolean background;             /* paint one; the window has its own */
  gboolean has_best;
  double best_x, best_y;           /* a ring around that point */
  char *best_label;                /* owned, may be NULL */
  gboolean has_range;              /* only this part of x is shown */
  double range_begin, range_end;
  gboolean has_cursor;             /* a vertical line, and rings on the points it meets */
  double cursor_x;
} LkChartSpec;

void lk_chart_spec_init (LkChartSpec *self);
void lk_chart_spec_clear (LkChartSpec *self);
/* Takes a reference to @series. The line is the spec's, valid until the next add; colour is the line's number. */
LkChartLine *lk_chart_spec_add (LkChartSpec *self, LkSeries *series, const char *label);
/* Sets the best point; @label NULL makes "best 1.31 at step 300". */
void lk_chart_spec_set_best (LkChartSpec *self, double x, double y, const char *label);

/* The weight that shows the trend of a curve over @steps: an average over about a thirtieth of it. A fixed one would lag
 * behind a young curve that falls fast, and show nothing of a long one. */
double lk_chart_get_smoothing (double steps);

/* Where things stand in a drawing of that size. */
typedef struct
{
  double x, y, width, height; /* the rectangle of the plot */
  LkAxis x_axis, y_axis;
} LkChartGeometry;
void lk_chart_get_geometry (cairo_t *cr, const LkChartSpec *spec, double width, double height, LkChartGeometry *geometry);

/* Draws within (0, 0, width, height). Too small a size draws what fits. */
void lk_chart_draw (cairo_t *cr, const LkChartSpec *spec, double width, double height);
/* The same with the geometry of that size at hand. */
void lk_chart_draw_within (cairo_t *cr, const LkChartSpec *spec, const LkChartGeometry *geometry, double width,
                           double height);

/* The vertical line at the cursor and its rings alone, over a drawing of the same spec without cursor. */
void lk_chart_draw_cursor (cairo_t *cr, const LkChartSpec *spec, const LkChartGeometry *geometry);

/* One curve without axes, for lists: the line of @series over the whole rectangle. */
void lk_chart_draw_sparkline (cairo_t *cr, LkSeries *series, gboolean dark, double width, double height);

/* "Held out 1.31, training 1.20 at step 300": the points nearest to @x. (transfer full) */
char *lk_chart_describe_at (const LkChartSpec *spec, double x);
/* "Training 0.94 at step 420, down from 3.1. …": the whole curve for those who do not see it. (transfer full) */
char *lk_chart_describe (const LkChartSpec *spec);

/* The chart in characters (UTF-8), @columns wide, @rows high without its axis, for a terminal. (transfer full) */
char *lk_chart_print (const LkChartSpec *spec, guint columns, guint rows);

/* Writes .png (at twice the size), .svg or .pdf, by the name's ending; whole or not at all. 64 to 8192 wide and high. */
gboolean lk_chart_export (const LkChartSpec *spec, const char *path, double width, double height, GError **error);

G_END_DECLS
