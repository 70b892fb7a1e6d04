/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sampler.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"

/* Tokens less likely than e^-40 of the best one cannot come out of a 32-bit draw: they are not sorted. */
#define LK_SAMPLER_NEVER 40.0

const LkSamplerConfig lk_sampler_defaults = { 0.7, 40, 0.95, 0.05, 1.0, 0 };

typedef struct
{
  gint32 id;
  double weight; /* logit, then e^(logit − best) */
} LkCandidate;

struct _LkSampler
{
  LkSamplerConfig config;
  LkRandom random;
  GArray *logits;     /* float: a copy the penalty works on */
  GArray *candidates; /* LkCandidate */
};

static gboolean
check (gboolean ok, const char *name, double value, const char *range, GError **error)
{
  if (!ok)
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The %s must be %s; %g is not", name, range,
                 value);
  return ok;
}

LkSampler *
lk_sampler_new (const LkSamplerConfig *config, GError **error)
{
  LkSampler *self;

  if (!check (config->temperature >= 0 && config->temperature <= 100, "temperature", config->temperature,
              "between 0 and 100", error)
      || !check (config->top_p > 0 && config->top_p <= 1, "top-p", config->top_p, "above 0 and at most 1",
                 error)
      || !check (config->min_p >= 0 && config->min_p <= 1, "min-p", config->min_p, "between 0 and 1", error)
      || !check (config->repetition_penalty > 0 && config->repetition_penalty <= 100, "repetition penalty",
                 config->repetition_penalty, "above 0 and at most 100", error))
    return NULL;
  self = g_new0 (LkSampler, 1);
  self->config = *config;
  self->random = lk_random (config->seed, 0);
  self->logits = g_array_new (FALSE, FALSE, sizeof (float));
  self->candidates = g_array_new (FALSE, FALSE, sizeof (LkCandidate));
  return self;
}

void
lk_sampler_free (LkSampler *self)
{
  if (!self)
    return;
  g_array_unref (self->logits);
  g_array_unref (self->candidates);
  g_free (self);
}

/* Each token seen once, however often it was seen. */
static const float *
penalise (LkSampler *self, const float *logits, guint n, const gint32 *seen, guint n_seen)
{
  float penalty = (float) self->config.repetition_penalty;
  float *copy;

  if (penalty == 1.0f || n_seen == 0)
    return logits;
  g_array_set_size (self->logits, n);
  copy = (float *) (void *) self->logits->data;
  memcpy (copy, logits, n * sizeof (float));
  for (guint i = 0; i < n_seen; i++)
    if (seen[i] >= 0 && (guint) seen[i] < n)
      {
        float v = logits[seen[i]];

        copy[seen[i]] = v > 0 ? v / penalty : v * penalty;
      }
  return copy;
}

static gint32
largest (const float *logits, guint n, float *gap)
{
  gint32 best = -1;
  float second = -INFINITY;

  for (guint i = 0; i < n; i++)
    if (isnan (logits[i]))
      continue;
    else if (best < 0 || logits[i] > logits[best])
      {
        second = best < 0 ? second : logits[best];
        best = (gint32) i;
      }
    else if (logits[i] > second)
      second = logits[i];
  if (gap)
    *gap = best < 0 ? 0 : logits[best] - second;
  return best;
}

/* Larger first, lower id first among equals. */
static int
compare (gconstpointer a, gconstpointer b)
{
  const LkCandidate *x = a, *y = b;

  if (x->weight != y->weight)
    return x->weight > y->weight ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

/* Candidates with their weights relative to the best one, sorted. */
static void
collect (LkSampler *self, const float *logits, guint n, float best)
{
  double floor = (double) best - LK_SAMPLER_NEVER * self->config.temperature;

  g_array_set_size (self->candidates, 0);
  for (guint i = 0; i < n; i++)
    if ((double) logits[i] >= floor)
      {
        LkCandidate candidate
            = { (gint32) i, exp (((double) logits[i] - (double) best) / self->config.temperature) };

        g_array_append_val (self->candidates, candidate);
      }
  g_array_sort (self->candidates, compare);
}

/* How many of the sorted candidates stay, and the sum of their weights. */
static guint
cut (LkSampler *self, double *sum)
{
  const LkCandidate *c = (const LkCandidate *) (void *) self->candidates->data;
  guint n = self->candidates->len, kept;
  double all = 0, goal;

  if (self->config.top_k > 0)
    n = MIN (n, self->config.top_k);
  for (guint i = 0; i < n; i++)
    all += c[i].weight;
  goal = self->config.top_p * all;
  *sum = 0;
  for (kept = 0; kept < n; kept++)
    {
      if (kept > 0 && (*sum >= goal || c[kept].weight < self->config.min_p * c[0].weight))
        break;
      *sum += c[kept].weight;
    }
  return kept;
}

gint32
lk_sampler_next (LkSampler *self, const float *logits, guint n, const gint32 *seen, guint n_seen, float *gap)
{
  const float *penalised = penalise (self, logits, n, seen, n_seen);
  gint32 best = largest (penalised, n, gap);
  const LkCandidate *candidates;
  double sum, draw;
  guint kept;

  if (best < 0 || self->config.temperature == 0 || !isfinite (penalised[best]))
    return best;
  collect (self, penalised, n, penalised[best]);
  kept = cut (self, &sum);
  candidates = (const LkCandidate *) (void *) self->candidates->data;
  draw = (double) lk_random_u32 (&self->random) * 0x1p-32 * sum;
  for (guint i = 0; i + 1 < kept; i++)
    {
      if (draw < candidates[i].weight)
        return candidates[i].id;
      draw -= candidates[i].weight;
    }
  return candidates[kept - 1].id;
}
