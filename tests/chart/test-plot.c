/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How curves are looked at: zooming, panning, the read-out; and the curves of a run as charts and as numbers.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>

#include "lk-plot.h"
#include "lk-random.h"
#include "lk-run-chart.h"

static void
assert_range (LkPlot *plot, double begin, double end)
{
  double b, e;

  lk_plot_get_range (plot, &b, &e);
  g_assert_cmpfloat_with_epsilon (b, begin, 1e-9);
  g_assert_cmpfloat_with_epsilon (e, end, 1e-9);
}

static void
count_cb (guint *count)
{
  (*count)++;
}

/* What is under the pointer stays there; the ends hold; all in view is no zoom. */
static void
test_zoom (void)
{
  g_autoptr (LkPlot) plot = lk_plot_new ();
  guint changes = 0;

  g_signal_connect_swapped (plot, "changed", G_CALLBACK (count_cb), &changes);
  lk_plot_set_extent (plot, 0, 1000);
  assert_range (plot, 0, 1000);
  g_assert_false (lk_plot_is_zoomed (plot));
  g_assert_cmpuint (changes, ==, 1);

  lk_plot_zoom (plot, 250, 0.5);
  assert_range (plot, 125, 625);
  g_assert_true (lk_plot_is_zoomed (plot));
  lk_plot_pan (plot, 0.1);
  assert_range (plot, 175, 675);
  lk_plot_pan (plot, 100);
  assert_range (plot, 500, 1000);
  lk_plot_pan (plot, -100);
  assert_range (plot, 0, 500);
  for (guint i = 0; i < 100; i++)
    lk_plot_zoom (plot, 40, 0.5);
  assert_range (plot, 39.84, 41.84); /* 40 stood at 8 % of what was shown */
  lk_plot_zoom (plot, 40, 1e6);
  assert_range (plot, 0, 1000);
  g_assert_false (lk_plot_is_zoomed (plot));

  changes = 0;
  lk_plot_pan (plot, 0.5);
  lk_plot_reset (plot);
  g_assert_cmpuint (changes, ==, 0);
}

/* A run that goes on does not move what somebody looks at; another one, which is shorter, shows all of itself. */
static void
test_grow (void)
{
  g_autoptr (LkPlot) plot = lk_plot_new ();
  LkChartSpec spec;

  lk_plot_set_extent (plot, 0, 100);
  lk_plot_zoom (plot, 50, 0.2);
  assert_range (plot, 40, 60);
  lk_plot_set_extent (plot, 0, 200);
  assert_range (plot, 40, 60);
  lk_chart_spec_init (&spec);
  lk_plot_apply (plot, &spec);
  g_assert_true (spec.has_range);
  g_assert_cmpfloat (spec.range_begin, ==, 40);
  g_assert_cmpfloat (spec.smoothing, ==, 0.75); /* over 4 of 200 steps */
  g_assert_false (spec.has_cursor);
  lk_chart_spec_clear (&spec);

  lk_plot_set_extent (plot, 0, 30);
  assert_range (plot, 0, 30);
  g_object_set (plot, "smooth", FALSE, "log-scale", TRUE, "clip-outliers", TRUE, NULL);
  lk_plot_set_cursor (plot, 7);
  lk_chart_spec_init (&spec);
  lk_plot_apply (plot, &spec);
  g_assert_true (!spec.has_range && spec.log_scale && spec.clip_outliers && spec.has_cursor && spec.cursor_x == 7);
  g_assert_cmpfloat (spec.smoothing, ==, 0);
  lk_chart_spec_clear (&spec);
}

/* Whatever is done, what is shown lies within the ends, and is never turned round or empty. */
static void
test_any (void)
{
  g_autoptr (LkPlot) plot = lk_plot_new ();
  LkRandom random = lk_random (11, 3);

  lk_plot_set_extent (plot, 10, 5000);
  for (guint i = 0; i < 5000; i++)
    {
      double begin, end, x = lk_random_below (&random, 8000) - 1000.0;

      switch (lk_random_below (&random, 3))
        {
        case 0: lk_plot_zoom (plot, x, 0.1 + lk_random_below (&random, 30) / 10.0); break;
        case 1: lk_plot_pan (plot, lk_random_below (&random, 60) / 10.0 - 3); break;
        default: lk_plot_set_cursor (plot, x);
        }
      lk_plot_get_range (plot, &begin, &end);
      g_assert_cmpfloat (begin, >=, 10);
      g_assert_cmpfloat (end, <=, 5000 + 1e-6);
      g_assert_cmpfloat (end - begin, >=, 2 - 1e-6);
    }
}

/* The read-out alone does not make the curves be drawn anew. */
static void
test_cursor (void)
{
  g_autoptr (LkPlot) plot = lk_plot_new ();
  guint changes = 0, moves = 0;

  g_signal_connect_swapped (plot, "changed", G_CALLBACK (count_cb), &changes);
  g_signal_connect_swapped (plot, "cursor-moved", G_CALLBACK (count_cb), &moves);
  lk_plot_set_cursor (plot, NAN);
  g_assert_cmpuint (moves, ==, 0);
  lk_plot_set_cursor (plot, 3);
  lk_plot_set_cursor (plot, 3);
  lk_plot_set_cursor (plot, NAN);
  g_assert_cmpuint (moves, ==, 2);
  g_assert_cmpuint (changes, ==, 0);
}

static LkRunCurves
make_curves (const char *events)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("lorikeet-curves-XXXXXX", &path, &error);
  LkRunCurves curves;

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, events, -1, NULL));
  lk_run_curves_load (&curves, path, &error);
  g_assert_no_error (error);
  g_unlink (path);
  return curves;
}

static const char events[]
    = "{\"event\":\"eval\",\"step\":0,\"loss\":4}\n"
      "{\"event\":\"step\",\"step\":1,\"loss\":3.25,\"learning_rate\":0.1,\"gradient_norm\":2,\"tokens_per_s\":100}\n"
      "{\"event\":\"step\",\"step\":2,\"learning_rate\":0.05,\"gradient_norm\":null,\"tokens_per_s\":110}\n"
      "{\"event\":\"eval\",\"step\":2,\"loss\":2}\n"
      "{\"event\":\"step\",\"step\":3,\"loss\":1,\"learning_rate\":0.01,\"gradient_norm\":1,\"tokens_per_s\":120}\n"
      "{\"event\":\"eval\",\"step\":3,\"loss\":2}\n";

static void
test_charts (void)
{
  static const struct
  {
    const char *name, *words;
    guint lines;
  } wanted[] = { { "loss", "Training 1 at step 3, held out 2 at step 3", 2 },
                 { "learning-rate", "Learning rate 0.01 at step 3, down from 0.1", 1 },
                 { "gradient-norm", "Gradient norm 1 at step 3, down from 2, 1 value is not a number", 1 },
                 { "speed", "Tokens per second 120 at step 3, up from 100", 1 } };
  LkRunCurves curves = make_curves (events);
  LkRunChart chart;

  g_assert_false (lk_run_chart_from_name ("mood", &chart));
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    {
      g_autofree char *words = NULL;
      LkChartSpec spec;

      g_assert_true (lk_run_chart_from_name (wanted[i].name, &chart));
      g_assert_cmpstr (lk_run_chart_get_name (chart), ==, wanted[i].name);
      lk_chart_spec_init (&spec);
      lk_chart_spec_set_run (&spec, chart, &curves);
      g_assert_cmpuint (spec.lines->len, ==, wanted[i].lines);
      words = i == 0 ? lk_chart_describe_at (&spec, 3) : lk_chart_describe (&spec);
      g_assert_cmpstr (words, ==, i == 0 ? "Training 1, held out 2 at step 3" : wanted[i].words);
      /* the first of equal best values */
      if (i == 0)
        g_assert_cmpfloat (spec.best_x, ==, 2);
      lk_chart_spec_clear (&spec);
    }
  lk_run_curves_clear (&curves);
}

static void
test_csv (void)
{
  LkRunCurves curves = make_curves (events);
  g_autofree char *folder = g_dir_make_tmp ("lorikeet-csv-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "values.csv", NULL);
  g_autofree char *nowhere = g_build_filename (folder, "missing", "values.csv", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_run_curves_write_csv (&curves, path, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "step,loss,held_out_loss,learning_rate,gradient_norm,tokens_per_s\r\n"
                             "0,,4,,,\r\n"
                             "1,3.25,,0.1,2,100\r\n"
                             "2,,2,0.05,,110\r\n"
                             "3,1,2,0.01,1,120\r\n");
  g_assert_false (lk_run_curves_write_csv (&curves, nowhere, &error));
  g_assert_nonnull (error);
  g_unlink (path);
  g_rmdir (folder);
  lk_run_curves_clear (&curves);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plot/zoom", test_zoom);
  g_test_add_func ("/plot/grow", test_grow);
  g_test_add_func ("/plot/any", test_any);
  g_test_add_func ("/plot/cursor", test_cursor);
  g_test_add_func ("/plot/charts", test_charts);
  g_test_add_func ("/plot/csv", test_csv);
  return g_test_run ();
}
