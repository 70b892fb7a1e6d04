/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * 54 bytes for 256 elements of −1, 0 and 1 times a scale: 52 bytes of digits to base 3 (value + 1), d (half). A byte
 * is the fraction of 256 that five digits make of 3⁵, rounded up: taking it times 3ⁿ modulo 256 leaves digit n in
 * front. Byte m of the first 32 holds elements m + 32n, of the next 16 elements 160 + m + 16n; the last four hold
 * four digits, elements 240 + m + 4n.
 */
#include "lk-quant-ternary.h"

/* Runs of bytes whose digits are elements @first + byte + bytes·digit. */
static const struct
{
  int at, bytes, digits, first;
} runs[] = { { 0, 32, 5, 0 }, { 32, 16, 5, 160 }, { 48, 4, 4, 240 } };

static const guint8 powers[] = { 1, 3, 9, 27, 81 };

/* One digit of each of 32 bytes. */
static inline void
take_digit (const guint8 *packed, guint8 power, gint8 *restrict q)
{
  for (int m = 0; m < 32; m++)
    q[m] = (gint8) (((guint8) (packed[m] * power) * 3 >> 8) - 1);
}

void
LK_QUANT (tq1_0_dequantise) (const void *blocks, float *restrict out, gint64 n)
{
  const guint8 *block = blocks;
  guint8 rest[32] = { 0 };
  gint8 q[LK_K_BLOCK], short_runs[32];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 54, out += LK_K_BLOCK)
    {
      memcpy (rest, block + 32, 20);
      for (int k = 0; k < 5; k++)
        {
          take_digit (block, powers[k], q + 32 * k);
          take_digit (rest, powers[k], short_runs);
          memcpy (q + 160 + 16 * k, short_runs, 16);
          if (k < 4)
            memcpy (q + 240 + 4 * k, short_runs + 16, 4);
        }
      lk_quant_widen (q, LK_K_BLOCK, lk_quant_load_half (block + 52), out);
    }
}

void
LK_QUANT (tq1_0_quantise) (const float *in, void *restrict blocks, gint64 n)
{
  guint8 *block = blocks, digits[LK_K_BLOCK];

  for (gint64 b = 0; b < n / LK_K_BLOCK; b++, block += 54, in += LK_K_BLOCK)
    {
      lk_quant_store_half (block + 52, lk_quant_ternary (in, digits));
      for (guint r = 0; r < G_N_ELEMENTS (runs); r++)
        for (int m = 0; m < runs[r].bytes; m++)
          {
            int number = 0;

            for (int k = 0; k < runs[r].digits; k++)
              number += digits[runs[r].first + m + runs[r].bytes * k] * powers[4 - k];
            block[runs[r].at + m] = (guint8) ((number * 256 + 242) / 243);
          }
    }
}
