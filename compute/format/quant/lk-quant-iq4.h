/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What IQ4_NL and IQ4_XS share: sixteen unevenly spaced levels, and the search for a scale.
 */
#pragma once

#include "lk-quant-private.h"
#include "lk-quant-search.h"

G_BEGIN_DECLS

#define lk_quant_iq4_values LK_QUANT (iq4_values)
#define lk_quant_iq4_nearest LK_QUANT (iq4_nearest)
#define lk_quant_iq4_search LK_QUANT (iq4_search)

extern const gint8 lk_quant_iq4_values[16];

/* Index of the nearest value to @x; the upper one of two equally near. */
int lk_quant_iq4_nearest (float x);

/* A scale for 32 elements, weights x²; @tries further scales are tried on each side, 0 for the first guess only.
 * 0 when all are tiny. @levels (may be NULL) gets the indices of the first guess. */
float lk_quant_iq4_search (const float *x, int tries, guint8 *levels);

G_END_DECLS
