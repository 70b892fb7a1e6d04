/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tiles of attention: a pure function of the width of its heads. Each fits what every device that is used at all has
 * (lk-device-plan.h).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ATTENTION_FORWARD, /* shaders/attention.comp */
  LK_ATTENTION_ROW,     /* shaders/attention_row.comp: few queries, a work group each */
  LK_ATTENTION_DKV,     /* shaders/attention_dkv.comp */
  LK_ATTENTION_DQ,      /* shaders/attention_dq.comp */
  LK_N_ATTENTION_KERNELS
} LkAttentionKernel;

#define LK_ATTENTION_WIDEST 256 /* channels of a head */

typedef struct
{
  guint block; /* queries and keys a tile */
  guint threads, shared_bytes; /* of a work group */
} LkAttentionPlan;

/* @d: channels of a head, 1 … LK_ATTENTION_WIDEST. */
void lk_attention_plan (LkAttentionKernel kernel, gint64 d, LkAttentionPlan *out);

G_END_DECLS
