/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chart-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

static void
append_value (GString *text, double y)
{
  if (isfinite (y))
    g_string_append_printf (text, "%.3g", y);
  else
    g_string_append (text, _ ("not a number"));
}

static const char *
line_name (const LkChartLine *line)
{
  return line->label != NULL ? line->label : _ ("value");
}

/* A capital where the sentence that begins at @from does not have one, in any language. */
static void
capitalise (GString *text, gsize from)
{
  const char *first = text->str + from;
  char capital[6];
  gsize n;

  if (*first == '\0')
    return;
  n = (gsize) (g_utf8_next_char (first) - first);
  g_string_insert_len (text, (gssize) (from + n), capital,
                       g_unichar_to_utf8 (g_unichar_toupper (g_utf8_get_char (first)), capital));
  g_string_erase (text, (gssize) from, (gssize) n);
}

static char *
finish (GString *text)
{
  capitalise (text, 0);
  return g_string_free (text, FALSE);
}

char *
lk_chart_describe_at (const LkChartSpec *spec, double x)
{
  GString *text = g_string_new (NULL);
  const char *unit = spec->x_label != NULL ? spec->x_label : _ ("step");
  double nearest = NAN;

  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *series = _lk_chart_strong_series (spec, line);
      gint64 i = lk_series_nearest (series, x);

      if (i < 0)
        continue;
      if (isnan (nearest) || fabs (lk_series_get_x (series, (guint) i) - x) < fabs (nearest - x))
        nearest = lk_series_get_x (series, (guint) i);
    }
  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *series = _lk_chart_strong_series (spec, line);
      gint64 i = lk_series_nearest (series, x);

      if (i < 0)
        continue;
      g_string_append_printf (text, "%s%s ", text->len > 0 ? ", " : "", line_name (line));
      append_value (text, lk_series_get_y (series, (guint) i));
      /* a curve that is measured more rarely says where its point is */
      if (lk_series_get_x (series, (guint) i) != nearest)
        g_string_append_printf (text, _ (" (at %.10g)"), lk_series_get_x (series, (guint) i));
    }
  if (text->len > 0)
    g_string_append_printf (text, _ (" at %s %.10g"), unit, nearest);
  return finish (text);
}

/* As many significant digits as it takes to tell @a from @b; 0: they are the same for whoever reads them. */
static int
digits_for (double a, double b)
{
  for (int digits = 3; digits <= 6; digits++)
    {
      g_autofree char *one = g_strdup_printf ("%.*g", digits, a);
      g_autofree char *other = g_strdup_printf ("%.*g", digits, b);

      if (!g_str_equal (one, other))
        return digits;
    }
  return 0;
}

char *
lk_chart_describe (const LkChartSpec *spec)
{
  GString *text = g_string_new (NULL);

  for (guint l = 0; l < spec->lines->len; l++)
    {
      const LkChartLine *line = &g_array_index (spec->lines, LkChartLine, l);
      LkSeries *series = _lk_chart_strong_series (spec, line);
      gint64 last = lk_series_last_finite (series);
      LkExtent all = lk_series_extent (line->series, 0, G_MAXUINT);
      double y, first;
      gsize sentence;
      guint i = 0;
      int digits;

      if (last < 0)
        continue;
      while (!isfinite (lk_series_get_y (series, i)))
        i++;
      first = lk_series_get_y (series, i);
      y = lk_series_get_y (series, (guint) last);
      g_string_append (text, text->len > 0 ? ". " : "");
      sentence = text->len;
      digits = digits_for (y, first);
      g_string_append_printf (text, _ ("%s %.*g at %s %.10g"), line_name (line), MAX (digits, 3), y,
                              spec->x_label != NULL ? spec->x_label : _ ("step"),
                              lk_series_get_x (series, (guint) last));
      capitalise (text, sentence);
      if (last > i)
        g_string_append_printf (text, digits == 0 ? _ (", as at the start, %.*g")
                                      : y < first ? _ (", down from %.*g")
                                                  : _ (", up from %.*g"),
                                MAX (digits, 3), first);
      if (all.bad > 0)
        g_string_append_printf (text, g_dngettext (GETTEXT_PACKAGE, ", %u value is not a number",
                                                   ", %u values are not a number", all.bad),
                                all.bad);
    }
  if (text->len == 0)
    g_string_append (text, _ ("No values yet"));
  return finish (text);
}
