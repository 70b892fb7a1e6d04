/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which kernel makes attention and with which tiles: a pure function of the device's plan and the width of heads. Kernels for
 * matrix units are taken where products are made on them and a row of a table of tiles fits; the others fit what every device
 * that is used at all has (lk-device-plan.h).
 */
#pragma once

#include "lk-device-plan.h"
#include "lk-gpu-kernel.h"

G_BEGIN_DECLS

typedef enum
{
  LK_ATTENTION_FORWARD, /* shaders/attention.comp, attention_matrix.glsl */
  LK_ATTENTION_ROW,     /* shaders/attention_row.comp: few queries, a work group each */
  LK_ATTENTION_DKV,     /* shaders/attention_dkv.comp, attention_dkv_matrix.glsl */
  LK_ATTENTION_DQ,      /* shaders/attention_dq.comp, attention_dq_matrix.glsl */
  LK_N_ATTENTION_PASSES
} LkAttentionPass;

#define LK_ATTENTION_WIDEST 256 /* channels of a head */

typedef struct
{
  LkKernel kernel;
  guint block; /* rows a work group owns: queries, or keys for dK and dV */
  guint step;  /* rows of the other kind at a time */
  /* On matrix units, else 0. */
  guint subgroups, split; /* of a work group; how many of them share the same rows */
  guint subgroup_size;
  guint threads, shared_bytes; /* of a work group */
} LkAttentionPlan;

/* @d: channels of a head, 1 … LK_ATTENTION_WIDEST. */
void lk_attention_plan (const LkDevicePlan *device, LkAttentionPass pass, gint64 d, LkAttentionPlan *out);

/* Rounds of all loops of the kernel in one step of its walk, at most: see LK_SOFTWARE_ROUNDS in lk-attention-private.h. @repeats: times a
 * step is made, once for each head of queries on a head of keys. */
double lk_attention_plan_rounds (const LkAttentionPlan *self, const LkDevicePlan *device, LkAttentionPass pass, gint64 d, guint repeats);

G_END_DECLS
