/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command.h"
#include "lk-run-chart.h"

static char *output;
static int width = 800, height = 500;
static double smoothing = 0.6;
static gboolean log_scale, dark, as_json;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to write: .svg, .png or .pdf; default: none, it is drawn with characters", "FILE" },
  { "width", 0, 0, G_OPTION_ARG_INT, &width, "With -o: in points; default 800", "N" },
  { "height", 0, 0, G_OPTION_ARG_INT, &height, "With -o: in points; default 500", "N" },
  { "smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &smoothing, "From 0 (none) to below 1; default 0.6", "NUMBER" },
  { "log", 0, 0, G_OPTION_ARG_NONE, &log_scale, "Logarithmic loss", NULL },
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

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "RUN",
    .description
    = "Draws the training and held-out loss of RUN (a run folder or its events.jsonl) as the window does.\n"
      "Without -o it draws with characters; either way it says in words what the chart shows. With --json: “words”, “curves” (each\n"
      "“name” and “points”, [step, loss]), “damaged_lines” of the events that were left out, and the “output” written.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (GError) error = NULL;
  LkChartSpec spec;
  guint damaged = 0;
  int status = LK_EXIT_OK;

  if (!lk_cli_parse (&lk_command_chart, &usage, &argc, &argv, &status))
    return status;
  if (!(smoothing >= 0 && smoothing < 1))
    return lk_cli_fail_usage ("The smoothing must be at least 0 and below 1; %g is not", smoothing);
  if (!lk_cli_check_idle (!output, "width height dark", "no file is written without --output", &error))
    return lk_cli_fail (error);
  lk_chart_spec_init (&spec);
  spec.smoothing = smoothing;
  spec.log_scale = log_scale;
  spec.dark = dark;
  spec.background = TRUE;
  if (!lk_chart_spec_from_events (&spec, argv[1], &damaged, &error)
      || (output && !lk_chart_export (&spec, output, width, height, &error)))
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

const LkCommand lk_command_chart = { "chart", "Draw a run's loss curves", run };
