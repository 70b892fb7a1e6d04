/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command.h"
#include "lk-run-chart.h"

static char *output;
static int width = 800, height = 500;
static double smoothing = 0.6;
static gboolean log_scale, dark;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to write: .svg, .png or .pdf", "FILE" },
  { "width", 0, 0, G_OPTION_ARG_INT, &width, "In points; default 800", "N" },
  { "height", 0, 0, G_OPTION_ARG_INT, &height, "In points; default 500", "N" },
  { "smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &smoothing, "From 0 (none) to 1; default 0.6", "NUMBER" },
  { "log", 0, 0, G_OPTION_ARG_NONE, &log_scale, "Logarithmic loss", NULL },
  { "dark", 0, 0, G_OPTION_ARG_NONE, &dark, "Light lines on dark", NULL },
  { NULL },
};

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "RUN -o FILE",
    .description
    = "Draws the training and held-out loss of RUN (a run folder or its events.jsonl) as the window does.\n"
      "Without -o it draws with characters; either way it says in words what the chart shows.",
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
      g_autofree char *words = lk_chart_describe (&spec);
      g_autofree char *drawn = output ? NULL : lk_chart_print (&spec, 76, 16);

      if (drawn)
        lk_cli_print ("%s", drawn);
      lk_cli_print ("%s", words);
      if (damaged > 0)
        g_printerr ("lorikeet-cli: %u damaged lines of the run's events were left out.\n", damaged);
    }
  lk_chart_spec_clear (&spec);
  return status;
}

const LkCommand lk_command_chart = { "chart", "Draw a run's loss curves", run };
