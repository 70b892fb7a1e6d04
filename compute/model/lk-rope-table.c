/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Angles of the rotary embedding, made in double on the CPU: cos then sin of position·θ^(−2i/d)/divisor. Variants are
 * divisors of the frequencies (formats: c.3).
 */
#include "lk-model-private.h"

#include <math.h>

/* Llama 3: long wavelengths are stretched by factor, short ones kept, those between blended. */
static double
lk_rope_llama3_divisor (const LkRopeConfig *rope, double frequency)
{
  double wavelength = 2.0 * G_PI / frequency;
  double original = (double) rope->original_context;
  double smooth;

  if (wavelength < original / rope->high_freq_factor)
    return 1.0;
  if (wavelength > original / rope->low_freq_factor)
    return rope->factor;
  smooth = (original / wavelength - rope->low_freq_factor) / (rope->high_freq_factor - rope->low_freq_factor);
  return 1.0 / ((1.0 - smooth) / rope->factor + smooth);
}

double
lk_rope_divisor (const LkRopeConfig *rope, double frequency)
{
  switch (rope->type)
    {
    case LK_ROPE_LINEAR:
      return rope->factor;
    case LK_ROPE_LLAMA3:
      return lk_rope_llama3_divisor (rope, frequency);
    case LK_ROPE_DEFAULT:
      break;
    }
  return 1.0;
}

const double *
lk_model_get_rope_divisors (LkModel *self)
{
  return self->rope_divisors;
}

void
_lk_model_make_divisors (LkModel *self)
{
  const LkRopeConfig *rope = &self->config.rope;
  gint64 half = self->config.head_dim / 2;

  if (rope->type == LK_ROPE_DEFAULT || self->rope_divisors)
    return;
  self->rope_divisors = g_new (double, half);
  for (gint64 i = 0; i < half; i++)
    {
      double frequency = pow (rope->theta, -2.0 * (double) i / (double) self->config.head_dim);

      self->rope_divisors[i] = lk_rope_divisor (rope, frequency);
    }
}

static LkVariable *
lk_model_make_rope_table (LkModel *self, const char *name, double theta, const double *divisors, gint64 positions)
{
  gint64 d = self->config.head_dim, half = d / 2;
  float *table = g_new (float, (gsize) (positions * d));
  LkVariable *variable;

  for (gint64 i = 0; i < half; i++)
    {
      double frequency = pow (theta, -2.0 * (double) i / (double) d) / (divisors ? divisors[i] : 1.0);

      for (gint64 p = 0; p < positions; p++)
        {
          table[p * d + i] = (float) cos ((double) p * frequency);
          table[p * d + half + i] = (float) sin ((double) p * frequency);
        }
    }
  variable = lk_variables_add_f32 (self->variables, name, LK_VARIABLE_WEIGHT, positions, d);
  variable->data = (const guint8 *) table;
  lk_variables_keep (self->variables, table, g_free);
  return variable;
}

LkVariable *
lk_model_get_rope_table (LkModel *self, gboolean windowed, gint64 positions)
{
  gboolean own = windowed && self->config.family->window_rope_theta > 0;
  LkVariable **table = &self->rope_tables[own];

  if (!*table)
    *table = own ? lk_model_make_rope_table (self, "window_rope_table", self->config.window_rope.theta, NULL, positions)
                 : lk_model_make_rope_table (self, "rope_table", self->config.rope.theta, self->rope_divisors, positions);
  return *table;
}
