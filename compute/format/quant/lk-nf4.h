/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bitsandbytes' NF4 (Dettmers et al., "QLoRA", 2023; formats: g). A matrix is written row by row and cut into blocks of 64
 * elements, which may cross rows: 4-bit codes, the first of two in the high nibble, and a scale, the largest magnitude. With
 * double quantisation the scales less their mean are 8-bit codes in blocks of 256.
 *
 * What stands on the side (lk-type.h), all little-endian:
 *   NF4        F32 [16] the codes' values · F32 [256] the scales' values · F32 the mean · for each 256 blocks: F32 the scale of
 *              their scales, U8 [256] codes
 *   NF4_PLAIN  F32 [16] the codes' values · F32 a scale for each block
 * 4 + 8/64 + 32/(64·256) = 4.127 and 4.5 bits an element. Values are those bitsandbytes reads, bit for bit.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LK_NF4_BLOCK 64
#define LK_NF4_NESTED 256 /* blocks whose scales share one */

typedef enum
{
  LK_NF4_CODES = 0,          /* floats on the side before … */
  LK_NF4_MAP = 16,           /* … the scales' values */
  LK_NF4_MEAN = 16 + 256,    /* … the mean */
  LK_NF4_NESTS = 16 + 256 + 1, /* … 65 words for each 256 blocks */
} LkNf4Place;

extern const float lk_nf4_values[16];
/* The signed dynamic map: 256 values, made on first use. */
const float *lk_nf4_map (void);

/* A block of @n elements, 64 or, at the end of a matrix, fewer, as codes of two a byte; returns the scale. */
float lk_nf4_quantise_block (const float *in, guint n, guint8 *codes);
/* All of the side from the scales of @n blocks, whose content is lost. */
void lk_nf4_quantise_scales (float *scales, guint64 n, guint8 *side);
/* Scale of block @block. */
float lk_nf4_scale (const guint8 *side, guint64 block);

/* See LkDequantSideFunc. */
void lk_nf4_dequantise (const guint8 *codes, const guint8 *side, guint64 first, float *out, gint64 n);
void lk_nf4_plain_dequantise (const guint8 *codes, const guint8 *side, guint64 first, float *out, gint64 n);

G_END_DECLS
