/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The JSON text that stands beside a weight in an NF4 checkpoint of bitsandbytes (formats: g.4):
 *   {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [rows, columns], "nested_blocksize": 256, …, "nested_offset": 0.05}
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 block, nested_block; /* elements, and blocks, that share a scale; nested_block: 256 where it is not said */
  gint64 shape[2];            /* rows and columns; 0 where it is not said */
  double nested_offset;       /* mean of the scales; 0 where it is not said */
} LkNf4State;

/* @source names it in errors. FALSE for what is no JSON object, or has members of another kind. Numbers are as they are written: whoever uses
 * them compares them with the weight. */
gboolean lk_nf4_state_parse (const char *text, gsize size, const char *source, LkNf4State *out, GError **error);

G_END_DECLS
