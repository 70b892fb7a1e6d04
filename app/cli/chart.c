/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "lk-command.h"
#include "lk-error.h"
#include "lk-run-chart.h"

static char *output, *chart_name;
static int width = 800, height = 500;
static double smoothing = NAN;
static double begin_step = NAN, end_step = NAN;
static gboolean log_scale, clip, dark, as_json;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
    "The file to write: .svg, .png or .pdf, or .csv with the values of all curves; default: none, it is drawn with characters",
    "FILE" },
  { "curve", 'c', 0, G_OPTION_ARG_STRING, &chart_name, "loss (default), learning-rate, gradient-norm or speed", "NAME" },
  { "width", 0, 0, G_OPTION_ARG_INT, &width, "With -o: in points; default 800", "N" },
  { "height", 0, 0, G_OPTION_ARG_INT, &height, "With -o: in points; default 500", "N" },
  { "smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &smoothing,
    "From 0 (none) to below 1; default: over about a thirtieth of the run, as the window does", "NUMBER" },
  { "log", 0, 0, G_OPTION_ARG_NONE, &log_scale, "Logarithmic scale", NULL },
  { "clip", 0, 0, G_OPTION_ARG_NONE, &clip, "Cut off the highest fiftieth of the values", NULL },
  { "from", 0, 0, G_OPTION_ARG_DOUBLE, &begin_step, "The first step to show", "STEP" },
  { "to", 0, 0, G_OPTION_ARG_DOUBLE, &end_step, "The last step to show", "STEP" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Say what the chart shows as one line of JSON", NULL },
  { "dark", 0, 0, G_OPTION_ARG_NONE, &dark, "With -o: light lines on dark", NULL },
  { NULL },
};

static void
draw (const LkChartSpec *spec)
{
  g_autofree char *words = lk_chart_describe (spec);
  g_autofree char *drawn = output ? NULL : lk_chart_print (spec, 76, 16);

  if (drawn)
    lk_cli_print ("%s", drawn);
  lk_cli_print ("%s", words);
}

static JsonObject *
line_to_json (const LkChartLine *line)
{
  JsonObject *object = json_object_new ();
  JsonArray *points = json_array_new ();

  for (guint i = 0; i < lk_series_get_n_points (line->series); i++)
    {
      JsonArray *point = json_array_new ();

      json_array_add_double_element (point, lk_series_get_x (line->series, i));
      json_array_add_double_element (point, lk_series_get_y (line->series, i));
      json_array_add_array_element (points, point);
    }
  json_object_set_string_member (object, "name", line->label ? line->label : "");
  json_object_set_array_member (object, "points", points);
  return object;
}

/* {"words", "damaged_lines", "output"?, "curves": [{"name", "points": [[step, loss], …]}, …]} */
static void
answer (const LkChartSpec *spec, guint damaged)
{
  g_autofree char *words = lk_chart_describe (spec);
  JsonObject *object = json_object_new ();
  JsonArray *curves = json_array_new ();

  json_object_set_string_member (object, "words", words);
  json_object_set_int_member (object, "damaged_lines", damaged);
  if (output)
    json_object_set_string_member (object, "output", output);
  for (guint i = 0; i < spec->lines->len; i++)
    json_array_add_object_element (curves, line_to_json (&g_array_index (spec->lines, LkChartLine, i)));
  json_object_set_array_member (object, "curves", curves);
  lk_cli_take_json (object);
}

/* What --from and --to leave open ends where the curves end. */
static gboolean
set_range (LkChartSpec *spec, GError **error)
{
  double begin = INFINITY, end = -INFINITY;

  for (guint i = 0; i < spec->lines->len; i++)
    {
      LkSeries *series = g_array_index (spec->lines, LkChartLine, i).series;
      guint n = lk_series_get_n_points (series);

      if (n == 0)
        continue;
      begin = MIN (begin, lk_series_get_x (series, 0));
      end = MAX (end, lk_series_get_x (series, n - 1));
    }
  spec->smoothing = isnan (smoothing) ? lk_chart_get_smoothing (end - begin) : smoothing;
  if (isnan (begin_step) && isnan (end_step))
    return TRUE;
  spec->has_range = TRUE;
  spec->range_begin = isnan (begin_step) ? begin : begin_step;
  spec->range_end = isnan (end_step) ? end : end_step;
  if (spec->range_begin < spec->range_end)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The run has steps %g to %g, so there is nothing to show", begin,
               end);
  return FALSE;
}

static gboolean
write_output (const LkChartSpec *spec, const char *run, GError **error)
{
  g_autofree char *events = lk_run_chart_find_events (run, NULL);
  LkRunCurves curves;
  gboolean ok;

  if (!g_str_has_suffix (output, ".csv"))
    return lk_chart_export (spec, output, width, height, error);
  if (!lk_run_curves_load (&curves, events, error))
    return FALSE;
  ok = lk_run_curves_write_csv (&curves, output, error);
  lk_run_curves_clear (&curves);
  return ok;
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "RUN",
    .description
    = "Draws a curve of RUN (a run folder or its events.jsonl) as the window does: its losses, or what --curve says.\n"
      "Without -o it draws with characters; either way it says in words what the chart shows. With --json: “words”, “curves” (each\n"
      "“name” and “points”, [step, value]), “damaged_lines” of the events that were left out, and the “output” written.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (GError) error = NULL;
  LkRunChart chart = LK_RUN_CHART_LOSS;
  LkChartSpec spec;
  guint damaged = 0;
  int status = LK_EXIT_OK;

  if (!lk_cli_parse (&lk_command_chart, &usage, &argc, &argv, &status))
    return status;
  if (!isnan (smoothing) && !(smoothing >= 0 && smoothing < 1))
    return lk_cli_fail_usage ("The smoothing must be at least 0 and below 1; %g is not", smoothing);
  if (!lk_cli_check_idle (!output, "width height dark", "no file is written without --output", &error))
    return lk_cli_fail (error);
  if (chart_name && !lk_run_chart_from_name (chart_name, &chart))
    return lk_cli_fail_usage ("“%s” is no curve of a run: loss, learning-rate, gradient-norm or speed", chart_name);
  if (begin_step >= end_step)
    return lk_cli_fail_usage ("There is nothing between step %g and step %g", begin_step, end_step);
  lk_chart_spec_init (&spec);
  spec.clip_outliers = clip;
  spec.log_scale = log_scale;
  spec.dark = dark;
  spec.background = TRUE;
  if (!lk_chart_spec_from_events (&spec, argv[1], chart, &damaged, &error) || !set_range (&spec, &error)
      || (output && !write_output (&spec, argv[1], &error)))
    status = lk_cli_fail (error);
  else
    {
      if (as_json)
        answer (&spec, damaged);
      else
        draw (&spec);
      if (damaged > 0)
        lk_cli_note ("%u damaged lines of the run's events were left out", damaged);
    }
  lk_chart_spec_clear (&spec);
  return status;
}

const LkCommand lk_command_chart = { "chart", "Draw a run's curves", run };
