/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-axis.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HUGE_RANGE 1e300 /* beyond it differences overflow */

/* The largest of 1, 2, 5 times a power of ten that gives at most @n steps over @range. */
static double
nice_step (double range, guint n, gboolean whole)
{
  static const double factors[] = { 1, 2, 5, 10 };
  double raw = range / MAX (n, 1);
  double power = pow (10, floor (log10 (raw)));
  double step = 10 * power;

  for (guint i = 0; i < G_N_ELEMENTS (factors); i++)
    if (factors[i] * power >= raw * (1 - 1e-9))
      {
        step = factors[i] * power;
        break;
      }
  return whole ? MAX (1, round (step)) : step;
}

static void
trim_zeros (char *text)
{
  char *e = strpbrk (text, "eE");
  char *dot = strchr (text, '.');
  char *end = e != NULL ? e : text + strlen (text);
  char *last = end;

  if (dot == NULL || dot > end)
    return;
  while (last > dot + 1 && last[-1] == '0')
    last--;
  if (last == dot + 1)
    last = dot;
  memmove (last, end, strlen (end) + 1);
}

/* "1.73e-04" as people write it: "1.73×10⁻⁴". */
static void
write_power (const char *number, char out[LK_AXIS_LABEL])
{
  static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
  const char *e = strchr (number, 'e');
  char exponent[8];
  gsize length = (gsize) (e - number);

  g_snprintf (exponent, sizeof exponent, "%d", abs (atoi (e + 1)));
  g_snprintf (out, LK_AXIS_LABEL, "%.*s×10%s", (int) length, number, e[1] == '-' ? "⁻" : "");
  for (const char *c = exponent; *c != 0; c++)
    g_strlcat (out, raised[*c - '0'], LK_AXIS_LABEL);
}

/* "0.000" and "-0.00" are a zero with too much about it. */
static gboolean
is_all_zeros (const char *number)
{
  return number[strspn (number, "-0.")] == 0;
}

static void
format_number (double value, double step, char out[LK_AXIS_LABEL])
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  double absolute = fabs (value);

  if (value == 0 || absolute < step * 1e-6)
    g_strlcpy (out, "0", LK_AXIS_LABEL);
  else if (absolute >= 1e7 || step < 1e-5)
    {
      gint digits = (gint) CLAMP (floor (log10 (absolute)) - floor (log10 (step)), 0, 15);
      char format[8];

      g_snprintf (format, sizeof format, "%%.%de", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      trim_zeros (buffer);
      write_power (buffer, out);
    }
  else
    {
      gint digits = (gint) CLAMP (-floor (log10 (step) + 1e-9), 0, 8);
      char format[8];

      g_snprintf (format, sizeof format, "%%.%df", digits);
      g_ascii_formatd (buffer, sizeof buffer, format, value);
      g_strlcpy (out, is_all_zeros (buffer) ? "0" : buffer, LK_AXIS_LABEL);
    }
  /* a true minus sign is as wide as a figure */
  if (out[0] == '-')
    {
      char *rest = g_strdup (out + 1);
      g_snprintf (out, LK_AXIS_LABEL, "\u2212%s", rest);
      g_free (rest);
    }
}

static void
add_tick (LkAxis *self, double value, double step)
{
  if (self->n_ticks == LK_AXIS_MAX_TICKS)
    return;
  self->ticks[self->n_ticks] = value;
  format_number (value, step, self->labels[self->n_ticks]);
  self->n_ticks++;
}

static void
widen (double *min, double *max, gboolean whole)
{
  if (!isfinite (*min) || !isfinite (*max) || fabs (*min) > HUGE_RANGE || fabs (*max) > HUGE_RANGE)
    {
      *min = isfinite (*min) ? CLAMP (*min, -HUGE_RANGE, HUGE_RANGE) : 0;
      *max = isfinite (*max) ? CLAMP (*max, -HUGE_RANGE, HUGE_RANGE) : *min;
    }
  if (*min > *max)
    {
      double swap = *min;
      *min = *max;
      *max = swap;
    }
  /* less than the digits of a double can tell apart is a point too */
  if (*max - *min <= fmax (fabs (*min), fabs (*max)) * 1e-9)
    {
      double around = fmax (fabs (*min) * 0.1, whole ? 1 : 1e-3);

      if (*min == 0 && *max == 0)
        around = 1;
      if (whole && *min >= 0)
        *max += around;
      else
        *min -= around, *max += around;
    }
}

static void
init_linear (LkAxis *self, guint n_ticks, LkAxisFlags flags)
{
  double step = nice_step (self->max - self->min, n_ticks, (flags & LK_AXIS_WHOLE) != 0);
  double first;

  /* a range between two round numbers may hold fewer than two of them: finer steps then */
  while (!(flags & (LK_AXIS_ROUND_OUT | LK_AXIS_WHOLE)) && floor (self->max / step) - ceil (self->min / step) < 1)
    step = nice_step (self->max - self->min, n_ticks *= 2, FALSE);
  if (flags & LK_AXIS_WHOLE)
    {
      self->min = floor (self->min);
      self->max = ceil (self->max);
    }
  if (flags & LK_AXIS_ROUND_OUT)
    {
      self->min = floor (self->min / step + 1e-9) * step;
      self->max = ceil (self->max / step - 1e-9) * step;
    }
  first = ceil (self->min / step - 1e-9);
  for (guint i = 0; i < LK_AXIS_MAX_TICKS; i++)
    {
      double value = (first + i) * step;

      if (value > self->max + step * 1e-9)
        break;
      add_tick (self, CLAMP (value, self->min, self->max), step);
    }
}

static void
init_log (LkAxis *self, guint n_ticks, LkAxisFlags flags)
{
  static const double few[] = { 1 }, some[] = { 1, 2, 5 };
  double decades = log10 (self->max) - log10 (self->min); /* the quotient could overflow */
  const double *factors = decades > n_ticks / 2.0 ? few : some;
  guint n_factors = factors == few ? 1 : 3;
  gint stride = factors == few ? MAX (1, (gint) ceil (decades / n_ticks)) : 1;
  gint first = (gint) floor (log10 (self->min) - 1e-9), last = (gint) ceil (log10 (self->max) + 1e-9);

  if (decades < 0.7) /* less than a factor of five: even steps are easier to read */
    {
      init_linear (self, n_ticks, flags & ~LK_AXIS_ROUND_OUT);
      return;
    }
  for (gint p = first; p <= last; p++)
    for (guint f = 0; f < n_factors; f++)
      {
        double value = factors[f] * pow (10, p);

        if ((p - first) % stride == 0 && value >= self->min * (1 - 1e-9) && value <= self->max * (1 + 1e-9))
          add_tick (self, CLAMP (value, self->min, self->max), value);
      }
}

void
lk_axis_init (LkAxis *self, double min, double max, double smallest_positive, guint n_ticks, LkAxisFlags flags)
{
  memset (self, 0, sizeof *self);
  n_ticks = CLAMP (n_ticks, 2, 12);
  self->log = (flags & LK_AXIS_LOG) != 0 && isfinite (smallest_positive) && smallest_positive > 0 && max > 0;
  if (self->log)
    {
      self->min = min > 0 && isfinite (min) ? min : smallest_positive;
      self->max = MIN (max, HUGE_RANGE);
      if (self->max < self->min * (1 + 1e-6))
        {
          self->min = MIN (self->min, self->max) / 2;
          self->max *= 2;
        }
      init_log (self, n_ticks, flags);
      return;
    }
  self->min = min;
  self->max = max;
  widen (&self->min, &self->max, (flags & LK_AXIS_WHOLE) != 0);
  init_linear (self, n_ticks, flags);
}

double
lk_axis_map (const LkAxis *self, double value)
{
  if (!self->log)
    return (value - self->min) / (self->max - self->min);
  if (!(value > 0))
    return NAN;
  return (log (value) - log (self->min)) / (log (self->max) - log (self->min));
}

double
lk_axis_unmap (const LkAxis *self, double place)
{
  if (!self->log)
    return self->min + place * (self->max - self->min);
  return exp (log (self->min) + place * (log (self->max) - log (self->min)));
}

void
lk_axis_format (const LkAxis *self, double value, char out[LK_AXIS_LABEL])
{
  double range = self->log ? fabs (value) : self->max - self->min;

  if (isnan (value))
    g_strlcpy (out, _ ("not a number"), LK_AXIS_LABEL);
  else if (isinf (value))
    g_strlcpy (out, value > 0 ? "infinite" : "\u2212infinite", LK_AXIS_LABEL);
  else
    format_number (value, MIN (pow (10, floor (log10 (range > 0 ? range : 1)) - 2), 1), out);
}
