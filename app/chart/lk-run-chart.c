/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-chart.h"

#include <glib/gi18n-lib.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

#define MAX_LINE (16 * 1024 * 1024) /* a sample event holds an answer; nothing near this is one of ours */

static const struct
{
  const char *name;
  const char *label;
  gboolean smooth; /* jumps from step to step, so that its trend is what people look for */
} charts[LK_RUN_N_CHARTS] = {
  [LK_RUN_CHART_LOSS] = { "loss", N_ ("loss"), TRUE },
  [LK_RUN_CHART_LEARNING_RATE] = { "learning-rate", N_ ("learning rate"), FALSE },
  [LK_RUN_CHART_GRADIENT_NORM] = { "gradient-norm", N_ ("gradient norm"), TRUE },
  [LK_RUN_CHART_SPEED] = { "speed", N_ ("tokens per second"), TRUE },
};

const char *
lk_run_chart_get_name (LkRunChart chart)
{
  return charts[chart].name;
}

gboolean
lk_run_chart_from_name (const char *name, LkRunChart *chart)
{
  for (guint i = 0; i < LK_RUN_N_CHARTS; i++)
    if (g_strcmp0 (charts[i].name, name) == 0)
      {
        *chart = i;
        return TRUE;
      }
  return FALSE;
}

static double
get_number (JsonObject *event, const char *member)
{
  double number = NAN;

  lk_json_get_double (event, member, "events.jsonl", &number, NULL);
  return number;
}

static void
apply_resume (LkRunCurves *self, JsonObject *event, double step)
{
  LkSeries *const all[] = { self->training, self->held_out, self->learning_rate, self->gradient_norm, self->speed };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    lk_series_truncate_after (all[i], step);
}

static void
apply_step (LkRunCurves *self, JsonObject *event, double step)
{
  lk_series_append (self->training, step, get_number (event, "loss"));
  lk_series_append (self->learning_rate, step, get_number (event, "learning_rate"));
  lk_series_append (self->gradient_norm, step, get_number (event, "gradient_norm"));
  lk_series_append (self->speed, step, get_number (event, "tokens_per_s"));
}

static void
apply_eval (LkRunCurves *self, JsonObject *event, double step)
{
  lk_series_append (self->held_out, step, get_number (event, "loss"));
}

static const struct
{
  const char *name;
  void (*apply) (LkRunCurves *self, JsonObject *event, double step);
} handlers[] = {
  { "step", apply_step },
  { "eval", apply_eval },
  { "resume", apply_resume },
};

static void
read_line (LkRunCurves *self, const char *line, gsize length, const char *path)
{
  g_autoptr (JsonNode) node = lk_json_parse (line, length, path, NULL);
  JsonObject *event;
  const char *name = NULL;
  double step = NAN;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      self->damaged_lines++;
      return;
    }
  event = json_node_get_object (node);
  if (!lk_json_get_string (event, "event", path, &name, NULL) || !lk_json_get_double (event, "step", path, &step, NULL))
    {
      self->damaged_lines++;
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (isfinite (step) && g_strcmp0 (handlers[i].name, name) == 0)
      handlers[i].apply (self, event, step);
}

gboolean
lk_run_curves_load (LkRunCurves *self, const char *path, GError **error)
{
  FILE *file = fopen (path, "re");
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  gboolean failed;

  *self = (LkRunCurves){ lk_series_new (), lk_series_new (), lk_series_new (), lk_series_new (), lk_series_new (), 0 };
  if (file == NULL)
    {
      lk_error_set_errno (error, errno, _ ("Could not open the run's events “%s”"), path);
      lk_run_curves_clear (self);
      return FALSE;
    }
  while ((length = getline (&line, &room, file)) > 0)
    {
      if (line[length - 1] != '\n')
        break;
      if (length > MAX_LINE)
        self->damaged_lines++;
      else if (length > 1)
        read_line (self, line, (gsize) length - 1, path);
    }
  failed = ferror (file) != 0;
  if (failed)
    lk_error_set_errno (error, errno, _ ("Could not read the run's events “%s”"), path);
  free (line);
  fclose (file);
  if (failed)
    lk_run_curves_clear (self);
  return !failed;
}

void
lk_run_curves_clear (LkRunCurves *self)
{
  g_clear_object (&self->training);
  g_clear_object (&self->held_out);
  g_clear_object (&self->learning_rate);
  g_clear_object (&self->gradient_norm);
  g_clear_object (&self->speed);
}

/* The first of the least values. Halves are asked by their extent, so that a long curve costs no walk. */
static void
set_best (LkChartSpec *spec, LkSeries *held_out)
{
  guint begin = 0, end = lk_series_get_n_points (held_out);
  double least = lk_series_extent (held_out, begin, end).min;

  if (!isfinite (least))
    return;
  while (end - begin > 1)
    {
      guint middle = begin + (end - begin) / 2;

      if (lk_series_extent (held_out, begin, middle).min == least)
        end = middle;
      else
        begin = middle;
    }
  lk_chart_spec_set_best (spec, lk_series_get_x (held_out, begin), least, NULL);
}

void
lk_chart_spec_set_curves (LkChartSpec *spec, LkSeries *training, LkSeries *held_out)
{
  g_free (spec->x_label);
  g_free (spec->y_label);
  spec->x_label = g_strdup (_ ("step"));
  spec->y_label = g_strdup (_ ("loss"));
  if (training != NULL)
    lk_chart_spec_add (spec, training, _ ("training"))->smooth = TRUE;
  if (held_out != NULL)
    {
      LkChartLine *line = lk_chart_spec_add (spec, held_out, _ ("held out"));

      line->colour = 1;
      line->width = 2.25;
      line->dashed = TRUE;
      line->dots = TRUE;
      set_best (spec, held_out);
    }
}

void
lk_chart_spec_set_curve (LkChartSpec *spec, LkRunChart chart, LkSeries *series)
{
  LkChartLine *line;

  g_free (spec->x_label);
  g_free (spec->y_label);
  spec->x_label = g_strdup (_ ("step"));
  spec->y_label = g_strdup (_ (charts[chart].label));
  if (series == NULL)
    return;
  line = lk_chart_spec_add (spec, series, spec->y_label);
  line->smooth = charts[chart].smooth;
  line->plain = TRUE;
}

void
lk_chart_spec_set_run (LkChartSpec *spec, LkRunChart chart, const LkRunCurves *curves)
{
  LkSeries *const others[] = { NULL, curves->learning_rate, curves->gradient_norm, curves->speed };

  if (chart == LK_RUN_CHART_LOSS)
    lk_chart_spec_set_curves (spec, curves->training, curves->held_out);
  else
    lk_chart_spec_set_curve (spec, chart, others[chart]);
}

char *
lk_run_chart_find_events (const char *path, char **name)
{
  g_autofree char *events = g_file_test (path, G_FILE_TEST_IS_DIR) ? g_build_filename (path, "events.jsonl", NULL)
                                                                   : g_strdup (path);
  g_autofree char *folder = g_path_get_dirname (events);
  g_autofree char *recipe_path = g_build_filename (folder, "recipe.json", NULL);
  g_autoptr (JsonObject) recipe = lk_json_load_object (recipe_path, 16 * 1024 * 1024, NULL);
  const char *called = NULL;

  if (recipe != NULL)
    lk_json_get_string (recipe, "name", recipe_path, &called, NULL);
  if (name != NULL)
    *name = called != NULL ? g_strdup (called) : g_path_get_basename (folder);
  return g_steal_pointer (&events);
}

gboolean
lk_chart_spec_from_events (LkChartSpec *spec, const char *path, LkRunChart chart, guint *damaged_lines,
                           GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *events = lk_run_chart_find_events (path, &name);
  LkRunCurves curves;

  if (!lk_run_curves_load (&curves, events, error))
    return FALSE;
  if (damaged_lines != NULL)
    *damaged_lines = curves.damaged_lines;
  if (lk_series_get_n_points (curves.training) + lk_series_get_n_points (curves.held_out) == 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, _ ("“%s” holds no training steps yet, so there is no curve to draw."), events);
      lk_run_curves_clear (&curves);
      return FALSE;
    }
  g_free (spec->title);
  spec->title = g_steal_pointer (&name);
  lk_chart_spec_set_run (spec, chart, &curves);
  lk_run_curves_clear (&curves);
  return TRUE;
}
