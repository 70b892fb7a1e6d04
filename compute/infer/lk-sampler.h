/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The choice of the next token from its logits. Order, as in transformers: repetition penalty, temperature,
 * top-k, top-p, min-p, then one draw. With temperature 0 the largest logit wins, the lowest id among equals.
 * The same seed and logits give the same tokens. Thread-safety: one thread a value.
 */
#pragma once

#include <glib.h>

#include "lk-random.h"

G_BEGIN_DECLS

typedef struct
{
  double temperature;        /* 0: greedy */
  guint top_k;               /* the k largest; 0: off */
  double top_p;              /* the fewest largest whose sum reaches it; 1: off */
  double min_p;              /* those at least that share of the largest; 0: off */
  double repetition_penalty; /* > 0; logits of tokens seen are divided by it, or multiplied when negative; 1:
                                off */
  guint64 seed;
} LkSamplerConfig;

/* 0.7, 40, 0.95, 0.05, 1, 0 */
extern const LkSamplerConfig lk_sampler_defaults;

typedef struct _LkSampler LkSampler;

/* A value out of its range: NULL and an error naming it. */
LkSampler *lk_sampler_new (const LkSamplerConfig *config, GError **error);
void lk_sampler_free (LkSampler *self);

/* The token chosen of @logits[0…n), n > 0, after the tokens @seen. Logits that are not numbers are never
 * chosen; −1 when no logit is a number. *gap (may be NULL) becomes the distance of the two largest logits. */
gint32 lk_sampler_next (LkSampler *self, const float *logits, guint n, const gint32 *seen, guint n_seen,
                        float *gap);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkSampler, lk_sampler_free)

G_END_DECLS
