/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What it costs to draw the charts of a run with a million steps: anew, after each new step, zoomed, and the read-out alone.
 * Prints the median and the worst of many frames in milliseconds of processor time, which other work on the machine does not
 * stretch, for the four charts of a run's page together. 60 frames a second leave 16.7.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lk-plot.h"
#include "lk-random.h"
#include "lk-run-chart.h"

#define STEPS 1000000
#define FRAMES 60

static const struct
{
  double width, height;
} sizes[LK_RUN_N_CHARTS] = { { 980, 260 }, { 320, 150 }, { 320, 150 }, { 320, 150 } };

static void
append_step (LkRunCurves *curves, LkRandom *random, guint step)
{
  lk_series_append (curves->training, step, 1 + exp (-1e-5 * step) + 0.2 * lk_random_normal (random));
  lk_series_append (curves->learning_rate, step, 1e-4 * (1 + cos (3e-6 * step)));
  lk_series_append (curves->gradient_norm, step, fabs (lk_random_normal (random)));
  lk_series_append (curves->speed, step, 2000 + 50 * lk_random_normal (random));
  if (step % 100 == 0)
    lk_series_append (curves->held_out, step, 1.1 + exp (-1e-5 * step));
}

static LkChartGeometry places[LK_RUN_N_CHARTS]; /* of the last drawing, as a window keeps them */

static void
draw (const LkRunCurves *curves, LkPlot *plot, gboolean cursor_only)
{
  for (guint chart = 0; chart < LK_RUN_N_CHARTS; chart++)
    {
      cairo_surface_t *surface
          = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) sizes[chart].width, (int) sizes[chart].height);
      cairo_t *cr = cairo_create (surface);
      LkChartSpec spec;

      lk_chart_spec_init (&spec);
      lk_chart_spec_set_run (&spec, chart, curves);
      lk_plot_apply (plot, &spec);
      if (cursor_only)
        lk_chart_draw_cursor (cr, &spec, &places[chart]);
      else
        {
          lk_chart_get_geometry (cr, &spec, sizes[chart].width, sizes[chart].height, &places[chart]);
          lk_chart_draw_within (cr, &spec, &places[chart], sizes[chart].width, sizes[chart].height);
        }
      lk_chart_spec_clear (&spec);
      cairo_destroy (cr);
      cairo_surface_destroy (surface);
    }
}

static double
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

int
main (void)
{
  static const char *const what[] = { "all of it", "after a new step", "zoomed to a tenth", "logarithmic, peaks clipped",
                                      "the read-out alone" };
  LkRunCurves curves = { lk_series_new (), lk_series_new (), lk_series_new (), lk_series_new (), lk_series_new (), 0 };
  g_autoptr (LkPlot) plot = lk_plot_new ();
  LkRandom random = lk_random (1, 1);
  guint step = 0;

  for (; step < STEPS; step++)
    append_step (&curves, &random, step);
  lk_plot_set_extent (plot, 0, STEPS);
  draw (&curves, plot, FALSE); /* the averages are made once and kept */
  printf ("%d steps, the four charts of a page, %d frames each\n", STEPS, FRAMES);
  for (guint k = 0; k < G_N_ELEMENTS (what); k++)
    {
      double times[FRAMES];

      if (k == 2)
        lk_plot_zoom (plot, STEPS / 2, 0.1);
      if (k == 3)
        {
          lk_plot_reset (plot);
          g_object_set (plot, "log-scale", TRUE, "clip-outliers", TRUE, NULL);
        }
      for (guint i = 0; i < FRAMES; i++)
        {
          double began = now_ms ();

          if (k == 1)
            append_step (&curves, &random, step++);
          if (k == 4)
            lk_plot_set_cursor (plot, i * 1000);
          draw (&curves, plot, k == 4);
          times[i] = now_ms () - began;
        }
      qsort (times, FRAMES, sizeof *times, compare);
      printf ("%-28s %6.2f ms median, %6.2f ms worst\n", what[k], times[FRAMES / 2], times[FRAMES - 1]);
    }
  lk_run_curves_clear (&curves);
  return 0;
}
