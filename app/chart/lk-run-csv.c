/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-chart.h"

#include <math.h>

#include "lk-file.h"

/* As few digits as give the same number back. */
static void
append_field (GString *text, double value)
{
  static const char *const formats[] = { "%.6g", "%.9g", "%.15g", "%.17g" };
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (text, ',');
  if (!isfinite (value))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_ascii_formatd (buffer, sizeof buffer, formats[i], value);
      if (g_ascii_strtod (buffer, NULL) == value)
        break;
    }
  g_string_append (text, buffer);
}

/* Every series runs through the steps once: *i is where it stands. */
static double
take (LkSeries *series, guint *i, double step)
{
  if (series == NULL)
    return NAN;
  while (*i < lk_series_get_n_points (series) && lk_series_get_x (series, *i) < step)
    (*i)++;
  return *i < lk_series_get_n_points (series) && lk_series_get_x (series, *i) == step ? lk_series_get_y (series, *i)
                                                                                      : NAN;
}

static double
next_step (LkSeries *const *all, const guint *at, guint n)
{
  double step = INFINITY;

  for (guint k = 0; k < n; k++)
    if (all[k] != NULL && at[k] < lk_series_get_n_points (all[k]))
      step = MIN (step, lk_series_get_x (all[k], at[k]));
  return step;
}

gboolean
lk_run_curves_write_csv (const LkRunCurves *self, const char *path, GError **error)
{
  LkSeries *const all[] = { self->training, self->held_out, self->learning_rate, self->gradient_norm, self->speed };
  guint at[G_N_ELEMENTS (all)] = { 0 };
  g_autoptr (GString) text = g_string_new ("step,loss,held_out_loss,learning_rate,gradient_norm,tokens_per_s\r\n");
  double step;

  while (isfinite (step = next_step (all, at, G_N_ELEMENTS (all))))
    {
      g_string_append_printf (text, "%.0f", step);
      for (guint k = 0; k < G_N_ELEMENTS (all); k++)
        {
          double value = take (all[k], &at[k], step);

          append_field (text, value);
          /* past this step, however often it was measured there */
          while (all[k] != NULL && at[k] < lk_series_get_n_points (all[k]) && lk_series_get_x (all[k], at[k]) == step)
            at[k]++;
        }
      g_string_append (text, "\r\n");
    }
  return lk_file_write (path, text->str, text->len, error);
}
