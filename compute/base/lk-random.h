/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
 * A number is a pure function of (key, counter), so that dropout replays exactly on recompute and resume, and the
 * GPU draws the same numbers as the CPU. There is no state to save.
 */
#pragma once

#include <glib.h>

static inline void
lk_philox (guint64 key, const guint32 counter[4], guint32 out[4])
{
  guint32 k0 = (guint32) key, k1 = (guint32) (key >> 32);
  guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

  for (guint round = 0; round < 10; round++)
    {
      guint64 p0 = (guint64) 0xD2511F53u * c0;
      guint64 p1 = (guint64) 0xCD9E8D57u * c2;
      guint32 n0 = (guint32) (p1 >> 32) ^ c1 ^ k0;
      guint32 n2 = (guint32) (p0 >> 32) ^ c3 ^ k1;
      c1 = (guint32) p1;
      c3 = (guint32) p0;
      c0 = n0;
      c2 = n2;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* A sequence of draws for CPU-only uses (initialisation, shuffles, sampling). Copyable; its whole state is
 * (key, index). Thread-safety: one thread a value. */
typedef struct
{
  guint64 key;
  guint64 stream;
  guint64 index;
} LkRandom;

static inline LkRandom
lk_random (guint64 seed, guint64 stream)
{
  return (LkRandom){ seed, stream, 0 };
}

static inline guint32
lk_random_u32 (LkRandom *self)
{
  guint32 out[4];
  guint32 counter[4] = { (guint32) (self->index >> 2), (guint32) (self->index >> 34), (guint32) self->stream,
                         (guint32) (self->stream >> 32) };
  lk_philox (self->key, counter, out);
  return out[self->index++ & 3];
}

/* Uniform in [0, 1), 24 bits. */
static inline float
lk_random_uniform (LkRandom *self)
{
  return (float) (lk_random_u32 (self) >> 8) * 0x1p-24f;
}

/* Uniform integer in [0, n), n > 0, without modulo bias. */
guint32 lk_random_below (LkRandom *self, guint32 n);

/* Standard normal by Box–Muller. */
float lk_random_normal (LkRandom *self);

/* Fisher–Yates: fills @order with a permutation of 0…n-1. */
void lk_random_permutation (LkRandom *self, guint32 *order, guint32 n);
