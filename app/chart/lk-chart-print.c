/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The chart in characters, for a terminal: each line has a mark of its own, a column shows the mean of its points.
 */
#include "lk-chart-private.h"

#include <math.h>
#include <string.h>

#define LABEL_WIDTH 8

static const gunichar marks[] = { 0x00b7, 0x25cf, 0x25b2, 0x25a0, 0x25c6, 0x002b }; /* · ● ▲ ■ ◆ + */

typedef struct
{
  guint columns, rows;
  gunichar *cells; /* rows × columns, 0 is empty */
  LkAxis x, y;
} Grid;

static void
put (Grid *grid, guint column, double value, gunichar mark)
{
  double place = lk_axis_map (&grid->y, value);
  guint row;

  if (!isfinite (value) || isnan (place))
    return;
  row = (guint) lround ((1 - CLAMP (place, 0, 1)) * (grid->rows - 1));
  grid->cells[row * grid->columns + column] = mark;
}

static void
put_line (Grid *grid, const LkChartSpec *spec, guint index)
{
  const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, index);
  LkSeries *series = _lk_chart_strong_series (spec, line);
  g_autofree LkColumn *columns = g_new (LkColumn, grid->columns);

  lk_series_decimate (series, grid->x.min, grid->x.max, grid->columns, columns);
  for (guint c = 0; c < grid->columns; c++)
    {
      double sum = 0;
      guint n = 0;

      for (gint64 i = columns[c].first; i <= columns[c].last; i++)
        if (isfinite (lk_series_get_y (series, (guint) i)))
          {
            sum += lk_series_get_y (series, (guint) i);
            n++;
          }
      if (n > 0)
        put (grid, c, sum / n, marks[index % G_N_ELEMENTS (marks)]);
    }
}

/* The labels of the ticks, each where it belongs, none over another. */
static void
append_x_axis (GString *text, const Grid *grid)
{
  g_autofree char *line = g_strnfill (grid->columns + LK_AXIS_LABEL, ' ');
  guint free_from = 0;

  for (guint i = 0; i < grid->x.n_ticks; i++)
    {
      const char *label = grid->x.labels[i];
      gsize length = strlen (label);
      guint at = (guint) lround (lk_axis_map (&grid->x, grid->x.ticks[i]) * (grid->columns - 1));

      at = at > length / 2 ? at - (guint) length / 2 : 0;
      if (at < free_from || at + length > grid->columns + LK_AXIS_LABEL)
        continue;
      memcpy (line + at, label, length);
      free_from = at + (guint) length + 1;
    }
  g_strchomp (line);
  g_string_append_printf (text, "%*s %s\n", LABEL_WIDTH, "", line);
}

static void
append_rows (GString *text, const Grid *grid)
{
  for (guint row = 0; row < grid->rows; row++)
    {
      const char *label = "";
      glong width;

      for (guint i = 0; i < grid->y.n_ticks; i++)
        if ((guint) lround ((1 - lk_axis_map (&grid->y, grid->y.ticks[i])) * (grid->rows - 1)) == row)
          label = grid->y.labels[i];
      width = g_utf8_strlen (label, -1);
      g_string_append_printf (text, "%*s%s %s", (int) MAX (0, LABEL_WIDTH - 1 - width), "", label, label[0] != '\0' ? "┤" : "│");
      for (guint c = 0; c < grid->columns; c++)
        g_string_append_unichar (text, grid->cells[row * grid->columns + c] != 0 ? grid->cells[row * grid->columns + c] : ' ');
      while (text->str[text->len - 1] == ' ')
        g_string_truncate (text, text->len - 1);
      g_string_append_c (text, '\n');
    }
}

static void
append_legend (GString *text, const LkChartSpec *spec)
{
  g_string_append_printf (text, "%*s ", LABEL_WIDTH, "");
  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);

      if (lk_series_get_n_points (line->series) == 0)
        continue;
      g_string_append_unichar (text, marks[l % G_N_ELEMENTS (marks)]);
      g_string_append_printf (text, " %s   ", line->label != NULL ? line->label : "");
    }
  g_strchomp (text->str);
  text->len = strlen (text->str);
  g_string_append_c (text, '\n');
}

char *
lk_chart_print (const LkChartSpec *spec, guint columns, guint rows)
{
  GString *text = g_string_new (NULL);
  Grid grid = { .columns = CLAMP (columns, 24, 400) - LABEL_WIDTH - 1, .rows = CLAMP (rows, 4, 100) };
  g_autofree gunichar *cells = g_new0 (gunichar, (gsize) grid.columns * grid.rows);
  double x0 = INFINITY, x1 = -INFINITY;
  LkExtent all = { INFINITY, -INFINITY, 0 };

  grid.cells = cells;
  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      guint n = lk_series_get_n_points (line->series);
      LkExtent extent = lk_series_extent (_lk_chart_strong_series (spec, line), 0, n);

      if (n == 0)
        continue;
      x0 = MIN (x0, lk_series_get_x (line->series, 0));
      x1 = MAX (x1, lk_series_get_x (line->series, n - 1));
      all.min = MIN (all.min, extent.min);
      all.max = MAX (all.max, extent.max);
    }
  lk_axis_init (&grid.x, x0, x1, NAN, grid.columns / 12, LK_AXIS_WHOLE);
  lk_axis_init (&grid.y, all.min, all.max, all.min, grid.rows / 3, spec->log_scale ? LK_AXIS_LOG : 0);
  for (guint l = 0; l < spec->lines->len; l++)
    put_line (&grid, spec, l);
  append_rows (text, &grid);
  append_x_axis (text, &grid);
  append_legend (text, spec);
  return g_string_free (text, FALSE);
}
