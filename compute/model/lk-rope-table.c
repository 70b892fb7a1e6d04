/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Angles of the rotary embedding, made on the CPU: a·cos then a·sin of position·θ^(−2i/r)/divisor. Variants are divisors of the
 * frequencies and a, the attention factor (formats: c.3). Powers, frequencies and angles are rounded to float32 on the way, as
 * in transformers at any precision: models are made with these angles, and an exact one differs by position·6e-8.
 */
#include "lk-model-private.h"

#include <math.h>

typedef struct
{
  gboolean windowed; /* of layers with a window, where these have their own */
  gboolean stretched; /* for sequences beyond the original context */
  LkVariable *variable;
} LkRopeTable;

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

/* The pair that turns @turns times within the original context. */
static double
lk_rope_yarn_pair (const LkRopeConfig *rope, gint64 rotated, double turns)
{
  return (double) rotated * log ((double) rope->original_context / (turns * 2.0 * G_PI)) / (2.0 * log (rope->theta));
}

/* YaRN: slow pairs are stretched, fast ones kept, those between blended by a ramp over their number. */
static double
lk_rope_yarn_divisor (const LkRopeConfig *rope, gint64 rotated, gint64 i)
{
  double low = lk_rope_yarn_pair (rope, rotated, rope->beta_fast), high = lk_rope_yarn_pair (rope, rotated, rope->beta_slow);
  double ramp;

  if (rope->truncate)
    low = floor (low), high = ceil (high);
  low = MAX (low, 0), high = MIN (high, (double) rotated - 1);
  if (low == high)
    high += 0.001;
  ramp = CLAMP (((double) i - low) / (high - low), 0, 1);
  return 1.0 / (ramp / rope->factor + 1.0 - ramp);
}

double *
lk_rope_divisors (const LkRopeConfig *rope, gint64 rotated, gboolean stretched)
{
  GArray *given = stretched ? rope->long_divisors : rope->divisors;
  double *divisors = g_new (double, rotated / 2);

  for (gint64 i = 0; i < rotated / 2; i++)
    switch (rope->type)
      {
      case LK_ROPE_LINEAR:
        divisors[i] = rope->factor;
        break;
      case LK_ROPE_LLAMA3:
        divisors[i] = lk_rope_llama3_divisor (rope, pow (rope->theta, -2.0 * (double) i / (double) rotated));
        break;
      case LK_ROPE_YARN:
        divisors[i] = lk_rope_yarn_divisor (rope, rotated, i);
        break;
      case LK_ROPE_LONGROPE:
      case LK_ROPE_DIVISORS:
        divisors[i] = g_array_index (given, double, i);
        break;
      case LK_ROPE_DEFAULT:
        divisors[i] = 1;
        break;
      }
  return divisors;
}

static LkVariable *
lk_model_make_rope_table (LkModel *self, const LkRopeConfig *rope, gboolean stretched, gint64 positions)
{
  g_autofree char *name = g_strdup_printf ("rope_table%u", self->rope_tables->len);
  gint64 d = self->config.rotary_dim, half = d / 2;
  g_autofree double *divisors = lk_rope_divisors (rope, d, stretched);
  float *table = g_new (float, (gsize) (positions * d));
  LkVariable *variable;

  for (gint64 i = 0; i < half; i++)
    {
      float power = (float) pow (rope->theta, (double) ((float) (2 * i) / (float) d));
      float frequency = (float) ((double) (1.0f / power) / divisors[i]);

      for (gint64 p = 0; p < positions; p++)
        {
          float angle = (float) p * frequency;

          table[p * d + i] = (float) (rope->attention_factor * cos ((double) angle));
          table[p * d + half + i] = (float) (rope->attention_factor * sin ((double) angle));
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
  LkRopeTable table = { .windowed = windowed && self->config.family->window_rope_theta > 0 };
  const LkRopeConfig *rope = table.windowed ? &self->config.window_rope : &self->config.rope;

  table.stretched = rope->type == LK_ROPE_LONGROPE && positions > rope->original_context;
  for (guint i = 0; i < self->rope_tables->len; i++)
    {
      const LkRopeTable *made = &g_array_index (self->rope_tables, LkRopeTable, i);

      if (made->windowed == table.windowed && made->stretched == table.stretched && made->variable->rows >= positions)
        return made->variable;
    }
  table.variable = lk_model_make_rope_table (self, rope, table.stretched, positions);
  g_array_append_val (self->rope_tables, table);
  return table.variable;
}

void
_lk_model_init_rope_tables (LkModel *self)
{
  self->rope_tables = g_array_new (FALSE, FALSE, sizeof (LkRopeTable));
}
