/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lk-chart.h"
#include "lk-error.h"
#include "lk-random.h"
#include "lk-run-chart.h"

static LkExtent
brute_extent (LkSeries *series, guint begin, guint end)
{
  LkExtent result = { INFINITY, -INFINITY, 0 };

  for (guint i = begin; i < end; i++)
    {
      double y = lk_series_get_y (series, i);

      if (!isfinite (y))
        result.bad++;
      else
        {
          result.min = MIN (result.min, y);
          result.max = MAX (result.max, y);
        }
    }
  return result;
}

static void
assert_extent (LkSeries *series, guint begin, guint end)
{
  LkExtent got = lk_series_extent (series, begin, end), wanted = brute_extent (series, begin, end);

  g_assert_cmpfloat (got.min, ==, wanted.min);
  g_assert_cmpfloat (got.max, ==, wanted.max);
  g_assert_cmpuint (got.bad, ==, wanted.bad);
}

static void
append_random (LkSeries *series, LkRandom *random, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      guint p = lk_series_get_n_points (series);
      double y = lk_random_below (random, 50) == 0 ? NAN : lk_random_normal (random);

      g_assert_true (lk_series_append (series, p, y));
    }
}

/* Every length near the pyramid's borders, then random ranges; the same after points were taken away and others came. */
static void
test_extent (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkRandom random = lk_random (7, 1);

  for (guint n = 0; n < 70; n++)
    {
      assert_extent (series, 0, n);
      assert_extent (series, n / 3, n);
      append_random (series, &random, 1);
    }
  for (guint round = 0; round < 6; round++)
    {
      append_random (series, &random, 5000);
      for (guint k = 0; k < 200; k++)
        {
          guint n = lk_series_get_n_points (series), begin = lk_random_below (&random, n);

          assert_extent (series, begin, begin + lk_random_below (&random, n - begin + 1));
        }
      lk_series_truncate_after (series, lk_random_below (&random, lk_series_get_n_points (series)));
      assert_extent (series, 0, lk_series_get_n_points (series));
    }
  lk_series_truncate_after (series, -INFINITY);
  g_assert_cmpuint (lk_series_get_n_points (series), ==, 0);
  append_random (series, &random, 600);
  assert_extent (series, 0, 600);
}

static void
test_decimate (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkRandom random = lk_random (8, 1);
  LkColumn columns[37];
  gint64 next = 100;

  append_random (series, &random, 4000);
  lk_series_decimate (series, 100, 3900, G_N_ELEMENTS (columns), columns);
  for (guint c = 0; c < G_N_ELEMENTS (columns); c++)
    {
      LkExtent wanted = brute_extent (series, (guint) columns[c].first, (guint) columns[c].last + 1);

      g_assert_cmpint (columns[c].first, ==, next); /* none missing, none twice */
      next = columns[c].last + 1;
      g_assert_cmpfloat (columns[c].extent.min, ==, wanted.min);
      g_assert_cmpfloat (columns[c].extent.max, ==, wanted.max);
      g_assert_cmpuint (columns[c].extent.bad, ==, wanted.bad);
    }
  g_assert_cmpint (next, ==, 3901);
}

static void
test_series (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();

  g_assert_cmpint (lk_series_nearest (series, 3), ==, -1);
  g_assert_false (lk_series_append (series, NAN, 1));
  g_assert_true (lk_series_append (series, 1, 5));
  g_assert_true (lk_series_append (series, 4, 6));
  g_assert_true (lk_series_append (series, 4, INFINITY));
  g_assert_false (lk_series_append (series, 3, 1));
  g_assert_cmpuint (lk_series_get_n_points (series), ==, 3);
  g_assert_cmpint (lk_series_nearest (series, 2), ==, 0);
  g_assert_cmpint (lk_series_nearest (series, 3), ==, 1);
  g_assert_cmpint (lk_series_nearest (series, 99), ==, 2);
  g_assert_cmpint (lk_series_last_finite (series), ==, 1);
  lk_series_truncate_after (series, 4);
  g_assert_cmpuint (lk_series_get_n_points (series), ==, 3);
  lk_series_truncate_after (series, 3.5);
  g_assert_cmpuint (lk_series_get_n_points (series), ==, 1);
}

static void
test_smooth (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkSeries *smooth;

  lk_series_append (series, 0, 2);
  lk_series_append (series, 1, 4);
  smooth = lk_series_get_smoothed (series, 0.5);
  g_assert_cmpfloat_with_epsilon (lk_series_get_y (smooth, 0), 2, 1e-12);
  g_assert_cmpfloat_with_epsilon (lk_series_get_y (smooth, 1), (0.25 * 2 + 0.5 * 4) / 0.75, 1e-12);
  lk_series_append (series, 2, NAN);
  lk_series_append (series, 3, 4);
  smooth = lk_series_get_smoothed (series, 0.5);
  g_assert_true (isnan (lk_series_get_y (smooth, 2)));
  g_assert_cmpfloat_with_epsilon (lk_series_get_y (smooth, 3), (0.125 * 2 + 0.25 * 4 + 0.5 * 4) / 0.875, 1e-12);
  /* another weight, and points taken away: nothing of the old average is left */
  g_assert_cmpfloat (lk_series_get_y (lk_series_get_smoothed (series, 0), 1), ==, 4);
  lk_series_truncate_after (series, 0);
  g_assert_cmpuint (lk_series_get_n_points (lk_series_get_smoothed (series, 0)), ==, 1);
}

static void
check_axis (double min, double max, double positive, LkAxisFlags flags)
{
  for (guint n = 0; n < 14; n++)
    {
      LkAxis axis;

      lk_axis_init (&axis, min, max, positive, n, flags);
      g_assert_true (isfinite (axis.min) && isfinite (axis.max));
      g_assert_cmpfloat (axis.min, <, axis.max);
      g_assert_cmpuint (axis.n_ticks, >=, 1);
      g_assert_cmpuint (axis.n_ticks, <=, LK_AXIS_MAX_TICKS);
      for (guint i = 0; i < axis.n_ticks; i++)
        {
          double place = lk_axis_map (&axis, axis.ticks[i]);

          g_assert_cmpfloat (place, >=, -1e-9);
          g_assert_cmpfloat (place, <=, 1 + 1e-9);
          g_assert_true (i == 0 || axis.ticks[i] > axis.ticks[i - 1]);
          g_assert_cmpuint (strlen (axis.labels[i]), >, 0);
          g_assert_true (g_utf8_validate (axis.labels[i], -1, NULL));
          g_assert_true (i == 0 || strcmp (axis.labels[i], axis.labels[i - 1]) != 0);
        }
      for (double place = 0; place <= 1; place += 0.125)
        g_assert_cmpfloat_with_epsilon (lk_axis_map (&axis, lk_axis_unmap (&axis, place)), place, 1e-6);
    }
}

static void
test_axis_any (void)
{
  static const double ends[] = { 0, 1, -1, 1e-9, 1.3, 2.1, 100, 99.5, 1e6, 123456789, -1e30, 1e200, 1e301, INFINITY, -INFINITY, NAN };
  LkRandom random = lk_random (9, 1);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    for (guint k = 0; k < G_N_ELEMENTS (ends); k++)
      {
        check_axis (ends[i], ends[k], NAN, 0);
        check_axis (ends[i], ends[k], NAN, LK_AXIS_ROUND_OUT);
        if (fabs (ends[i]) < 1e15 && fabs (ends[k]) < 1e15)
          check_axis (ends[i], ends[k], NAN, LK_AXIS_WHOLE);
        if (ends[i] <= ends[k] && ends[k] > 0)
          check_axis (ends[i], ends[k], ends[i] > 0 ? ends[i] : ends[k] / 3, LK_AXIS_LOG | LK_AXIS_ROUND_OUT);
      }
  for (guint i = 0; i < 500; i++)
    {
      double min = lk_random_normal (&random) * pow (10, lk_random_normal (&random) * 4);
      double max = min + fabs (lk_random_normal (&random)) * pow (10, lk_random_normal (&random) * 4);

      check_axis (min, max, NAN, 0);
      check_axis (min, max, NAN, LK_AXIS_ROUND_OUT);
      check_axis (fabs (min), fabs (min) + max - min, fabs (min), LK_AXIS_LOG);
    }
}

static void
test_axis_known (void)
{
  LkAxis axis;
  char text[LK_AXIS_LABEL];

  lk_axis_init (&axis, 1.3, 2.07, NAN, 5, LK_AXIS_ROUND_OUT);
  g_assert_cmpfloat_with_epsilon (axis.min, 1.2, 1e-12);
  g_assert_cmpfloat_with_epsilon (axis.max, 2.2, 1e-12);
  g_assert_cmpstr (axis.labels[0], ==, "1.2");
  lk_axis_format (&axis, 1.3149, text);
  g_assert_cmpstr (text, ==, "1.31");
  lk_axis_format (&axis, NAN, text);
  g_assert_cmpstr (text, ==, "not a number");

  lk_axis_format (&axis, 0.0004, text);
  g_assert_cmpstr (text, ==, "0");
  lk_axis_init (&axis, 0.00016, 0.0002, NAN, 5, LK_AXIS_ROUND_OUT);
  lk_axis_format (&axis, 0.000173, text);
  g_assert_cmpstr (text, ==, "1.73×10⁻⁴");
  lk_axis_init (&axis, 0, 3e10, NAN, 5, LK_AXIS_ROUND_OUT);
  lk_axis_format (&axis, -2e10, text);
  g_assert_cmpstr (text, ==, "−2×10¹⁰");

  lk_axis_init (&axis, 0.01, 10, 0.01, 6, LK_AXIS_LOG);
  g_assert_true (axis.log);
  g_assert_cmpfloat_with_epsilon (lk_axis_map (&axis, 0.1), 1 / 3.0, 1e-12);
  g_assert_true (isnan (lk_axis_map (&axis, 0)));

  lk_axis_init (&axis, -3, -1, INFINITY, 6, LK_AXIS_LOG); /* nothing positive: linear, and it says so */
  g_assert_false (axis.log);

  lk_axis_init (&axis, 5, 5, NAN, 6, LK_AXIS_WHOLE);
  g_assert_cmpfloat (lk_axis_map (&axis, 5), >=, 0);
  g_assert_cmpfloat (lk_axis_map (&axis, 5), <=, 1);
}

/* Pixels in [x0, x1) × [y0, y1) that are not the background. */
static guint
count_ink (cairo_surface_t *surface, int x0, int y0, int x1, int y1)
{
  const guchar *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  guint ink = 0;

  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++)
      {
        guint32 pixel;

        memcpy (&pixel, data + y * stride + x * 4, 4);
        ink += (pixel & 0xffffff) != 0xffffff;
      }
  return ink;
}

static cairo_surface_t *
draw (const LkChartSpec *spec, int width, int height, LkChartGeometry *geometry)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);

  lk_chart_draw (cr, spec, width, height);
  lk_chart_get_geometry (cr, spec, width, height, geometry);
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

/* The line passes where its values say, and a single peak among a million points is there in the picture. */
static void
test_draw_peak (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkChartGeometry g;
  LkChartSpec spec;
  cairo_surface_t *surface;
  gint64 began;
  int x, y;

  for (guint i = 0; i < 1000000; i++)
    lk_series_append (series, i, i == 700000 ? 10 : 1);
  lk_chart_spec_init (&spec);
  spec.background = TRUE;
  lk_chart_spec_add (&spec, series, "loss");
  began = g_get_monotonic_time ();
  surface = draw (&spec, 800, 400, &g);
  g_test_message ("a million points: %.1f ms", (g_get_monotonic_time () - began) / 1e3);
  x = (int) (g.x + lk_axis_map (&g.x_axis, 700000) * g.width);
  y = (int) (g.y + (1 - lk_axis_map (&g.y_axis, 9.3)) * g.height);
  g_assert_cmpuint (count_ink (surface, x - 2, y - 1, x + 3, y + 2), >, 0);
  g_assert_cmpuint (count_ink (surface, x - 40, y - 1, x - 20, y + 2), ==, 0);
  cairo_surface_destroy (surface);
  lk_chart_spec_clear (&spec);
}

/* Values that are no numbers leave a gap, and a mark in red. */
static void
test_draw_gap (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkChartGeometry g;
  LkChartSpec spec;
  cairo_surface_t *surface;
  int x, y;

  for (guint i = 0; i <= 20; i++)
    lk_series_append (series, i, i >= 9 && i <= 11 ? NAN : 1.5 + (i == 0) * 0.5 - (i == 20) * 0.5);
  lk_chart_spec_init (&spec);
  spec.background = TRUE;
  lk_chart_spec_add (&spec, series, NULL);
  surface = draw (&spec, 600, 300, &g);
  x = (int) (g.x + lk_axis_map (&g.x_axis, 10) * g.width);
  y = (int) (g.y + (1 - lk_axis_map (&g.y_axis, 1.5)) * g.height);
  g_assert_cmpuint (count_ink (surface, x - 10, y - 2, x + 10, y + 2), ==, 0);
  x = (int) (g.x + lk_axis_map (&g.x_axis, 5) * g.width);
  g_assert_cmpuint (count_ink (surface, x - 10, y - 2, x + 10, y + 2), >, 10);
  x = (int) (g.x + lk_axis_map (&g.x_axis, 10) * g.width);
  g_assert_cmpuint (count_ink (surface, x - 5, (int) (g.y + g.height) - 8, x + 5, (int) (g.y + g.height) - 1), >, 5);
  /* the column of the mark is red */
  {
    const guchar *data = cairo_image_surface_get_data (surface);
    int stride = cairo_image_surface_get_stride (surface);
    guint red = 0;

    for (int row = (int) (g.y + g.height) - 9; row < (int) (g.y + g.height) - 1; row++)
      for (int column = x - 4; column < x + 5; column++)
        {
          const guchar *pixel = data + row * stride + column * 4;
          red += pixel[2] > 150 && pixel[1] < 110 && pixel[0] < 120;
        }
    g_assert_cmpuint (red, >, 3);
  }
  cairo_surface_destroy (surface);
  lk_chart_spec_clear (&spec);
}

static void
test_draw_any_size (void)
{
  g_autoptr (LkSeries) training = lk_series_new (), held_out = lk_series_new (), empty = lk_series_new ();
  static const int sizes[][2] = { { 1, 1 }, { 10, 400 }, { 400, 10 }, { 90, 60 }, { 640, 400 }, { 2000, 1200 } };
  LkSeries *sets[][2] = { { empty, empty }, { training, empty }, { training, held_out } };

  for (guint i = 0; i < 300; i++)
    lk_series_append (training, i, i == 5 ? 1e9 : i == 7 ? -INFINITY : i == 8 ? 0 : 3.0 / (1 + i));
  lk_series_append (held_out, 3, 1);
  for (guint s = 0; s < G_N_ELEMENTS (sets); s++)
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      for (guint flags = 0; flags < 16; flags++)
        {
          LkChartGeometry g;
          LkChartSpec spec;

          lk_chart_spec_init (&spec);
          lk_chart_spec_set_curves (&spec, sets[s][0], sets[s][1]);
          spec.title = g_strdup ("A title");
          spec.log_scale = flags & 1;
          spec.clip_outliers = (flags & 2) != 0;
          spec.dark = (flags & 4) != 0;
          spec.smoothing = (flags & 8) != 0 ? 0.9 : 0;
          spec.has_cursor = TRUE;
          spec.cursor_x = 4;
          cairo_surface_destroy (draw (&spec, sizes[k][0], sizes[k][1], &g));
          lk_chart_spec_clear (&spec);
        }
}

static void
test_clip (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  LkChartGeometry g;
  LkChartSpec spec;

  for (guint i = 0; i < 1000; i++)
    lk_series_append (series, i, i == 500 ? 1000 : 1 + i * 1e-3);
  lk_chart_spec_init (&spec);
  lk_chart_spec_add (&spec, series, NULL);
  cairo_surface_destroy (draw (&spec, 600, 300, &g));
  g_assert_cmpfloat (g.y_axis.max, >=, 1000);
  spec.clip_outliers = TRUE;
  cairo_surface_destroy (draw (&spec, 600, 300, &g));
  g_assert_cmpfloat (g.y_axis.max, <, 3);
  lk_chart_spec_clear (&spec);
}

static void
test_words (void)
{
  g_autoptr (LkSeries) training = lk_series_new (), held_out = lk_series_new ();
  g_autofree char *at = NULL, *all = NULL;
  LkChartSpec spec;

  lk_series_append (training, 1, 3.1);
  lk_series_append (training, 300, 1.2);
  lk_series_append (training, 420, 0.94);
  lk_series_append (held_out, 300, 1.31);
  lk_chart_spec_init (&spec);
  lk_chart_spec_set_curves (&spec, training, held_out);
  at = lk_chart_describe_at (&spec, 299);
  g_assert_cmpstr (at, ==, "Training 1.2, held out 1.31 at step 300");
  all = lk_chart_describe (&spec);
  g_assert_cmpstr (all, ==, "Training 0.94 at step 420, down from 3.1. Held out 1.31 at step 300");
  g_assert_cmpstr (spec.best_label, ==, "best 1.31 at step 300");
  lk_chart_spec_clear (&spec);
}

/* A change is told with as many digits as it takes to see one. */
static void
test_small_change (void)
{
  static const struct
  {
    double first, last;
    const char *words;
  } cases[] = { { 0.70044, 0.69999, "Training 0.7 at step 9, down from 0.7004" },
                { 1.25, 1.2500001, "Training 1.25 at step 9, as at the start, 1.25" },
                { 2, 2.5, "Training 2.5 at step 9, up from 2" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LkSeries) training = lk_series_new ();
      g_autofree char *words = NULL;
      LkChartSpec spec;

      lk_series_append (training, 1, cases[i].first);
      lk_series_append (training, 9, cases[i].last);
      lk_chart_spec_init (&spec);
      lk_chart_spec_set_curves (&spec, training, NULL);
      words = lk_chart_describe (&spec);
      g_assert_cmpstr (words, ==, cases[i].words);
      lk_chart_spec_clear (&spec);
    }
}

/* A falling line: its mark stands at the upper left and the lower right, and nowhere else in those columns. */
static void
test_print (void)
{
  g_autoptr (LkSeries) series = lk_series_new ();
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  LkChartSpec spec;

  for (guint i = 0; i <= 100; i++)
    lk_series_append (series, i, 3 - i * 0.02);
  lk_chart_spec_init (&spec);
  lk_chart_spec_add (&spec, series, "loss");
  text = lk_chart_print (&spec, 60, 10);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 13);
  g_assert_true (g_str_has_suffix (lines[9], "·"));
  g_assert_cmpint (g_utf8_strlen (lines[9], -1), ==, 60);
  g_assert_true (g_utf8_get_char (g_utf8_offset_to_pointer (lines[0], 9)) == 0xb7);
  g_assert_cmpint (g_utf8_strlen (lines[0], -1), <, 20);
  g_assert_nonnull (strstr (lines[11], "loss"));
  lk_chart_spec_clear (&spec);
}

static char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("lk-chart-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_unlink (path);
    }
  g_rmdir (folder);
}

/* A run that was killed in the middle of a line, resumed at step 2, and is writing its last line. */
static const char events[] = "{\"event\":\"state\",\"state\":\"running\",\"time\":1.5}\n"
                             "{\"event\":\"step\",\"step\":1,\"loss\":3.0}\n"
                             "{\"event\":\"step\",\"step\":2,\"loss\":2.5}\n"
                             "{\"event\":\"eval\",\"step\":2,\"loss\":2.6,\"best\":true}\n"
                             "{\"event\":\"step\",\"step\":3,\"loss\":9.0}\n"
                             "{\"event\":\"step\",\"st\n"
                             "{\"event\":\"resume\",\"step\":2}\n"
                             "{\"event\":\"step\",\"step\":3,\"loss\":null}\n"
                             "{\"event\":\"step\",\"step\":4,\"loss\":2.0}\n"
                             "{\"event\":\"eval\",\"step\":4,\"loss\":2.1,\"best\":true}\n"
                             "{\"event\":\"step\",\"step\":5,\"loss\":1.0}";

static void
test_run_folder (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "events.jsonl", NULL);
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);
  g_autoptr (GError) error = NULL;
  LkRunCurves curves;
  LkChartSpec spec;
  guint damaged = 99;

  lk_chart_spec_init (&spec);
  g_assert_false (lk_chart_spec_from_events (&spec, folder, LK_RUN_CHART_LOSS, NULL, &error));
  g_assert_nonnull (strstr (error->message, "events.jsonl"));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, events, -1, NULL));
  g_assert_true (g_file_set_contents (recipe, "{\"version\":1,\"name\":\"Support mails\"}", -1, NULL));

  g_assert_true (lk_run_curves_load (&curves, path, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (curves.damaged_lines, ==, 1);
  g_assert_cmpuint (lk_series_get_n_points (curves.training), ==, 4);
  g_assert_true (isnan (lk_series_get_y (curves.training, 2)));
  g_assert_cmpfloat (lk_series_get_y (curves.training, 3), ==, 2.0);
  g_assert_cmpuint (lk_series_get_n_points (curves.held_out), ==, 2);
  lk_run_curves_clear (&curves);

  g_assert_true (lk_chart_spec_from_events (&spec, folder, LK_RUN_CHART_LOSS, &damaged, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (damaged, ==, 1);
  g_assert_cmpstr (spec.title, ==, "Support mails");
  g_assert_cmpfloat (spec.best_y, ==, 2.1);
  lk_chart_spec_clear (&spec);
  remove_folder (folder);
}

static void
assert_export (const LkChartSpec *spec, const char *folder, const char *name, const char *magic, const char *inside)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  lk_chart_export (spec, path, 640, 400, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpuint (size, >, 2000);
  g_assert_cmpint (memcmp (data, magic, strlen (magic)), ==, 0);
  g_assert_true (inside == NULL || memmem (data, size, inside, strlen (inside)) != NULL);
}

static void
test_export (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *png = g_build_filename (folder, "a.png", NULL);
  g_autofree char *other = g_build_filename (folder, "a.gif", NULL);
  g_autoptr (LkSeries) training = lk_series_new ();
  g_autoptr (GError) error = NULL;
  cairo_surface_t *surface;
  LkChartSpec spec;

  for (guint i = 0; i < 100; i++)
    lk_series_append (training, i, 2 + 1.0 / (i + 1));
  lk_chart_spec_init (&spec);
  spec.background = TRUE;
  lk_chart_spec_set_curves (&spec, training, NULL);
  assert_export (&spec, folder, "a.png", "\x89PNG", "IEND");
  assert_export (&spec, folder, "a.SVG", "<?xml", "</svg>");
  assert_export (&spec, folder, "a.pdf", "%PDF", "%%EOF");
  surface = cairo_image_surface_create_from_png (png);
  g_assert_cmpint (cairo_image_surface_get_width (surface), ==, 1280);
  g_assert_cmpuint (count_ink (surface, 100, 100, 1000, 700), >, 500);
  cairo_surface_destroy (surface);

  g_assert_false (lk_chart_export (&spec, other, 640, 400, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_false (lk_chart_export (&spec, png, 640, 1e9, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  lk_chart_spec_clear (&spec);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chart/series", test_series);
  g_test_add_func ("/chart/series/extent", test_extent);
  g_test_add_func ("/chart/series/decimate", test_decimate);
  g_test_add_func ("/chart/series/smooth", test_smooth);
  g_test_add_func ("/chart/axis/any", test_axis_any);
  g_test_add_func ("/chart/axis/known", test_axis_known);
  g_test_add_func ("/chart/draw/peak", test_draw_peak);
  g_test_add_func ("/chart/draw/gap", test_draw_gap);
  g_test_add_func ("/chart/draw/any-size", test_draw_any_size);
  g_test_add_func ("/chart/draw/clip", test_clip);
  g_test_add_func ("/chart/words", test_words);
  g_test_add_func ("/chart/small-change", test_small_change);
  g_test_add_func ("/chart/print", test_print);
  g_test_add_func ("/chart/run-folder", test_run_folder);
  g_test_add_func ("/chart/export", test_export);
  return g_test_run ();
}
