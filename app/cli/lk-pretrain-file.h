/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The file of a model made from scratch: Llama architecture, tied head, byte-level vocabulary, chat template.
 */
#pragma once

#include "lk-backend.h"
#include "lk-model.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 hidden, intermediate, layers, heads, kv_heads, context;
  guint64 seed;
  const char *name, *description; /* general.name and general.description */
  char *const *tokens;            /* NULL-terminated; the first three are <|endoftext|>, <|im_start|>, <|im_end|> */
  char *const *merges;
} LkPretrainShape;

/* Writes @path as F32 with random weights: normal with deviation 0.02, the projections that end a residual branch
 * 0.02 / √(2·layers) (Radford et al., 2019), norms 1. */
gboolean lk_pretrain_write_start (const LkPretrainShape *shape, const char *path, GError **error);

/* Writes @path with the weights as @backend holds them, matrices as @type, norms as F32; q and k in GGUF's order of rows. */
gboolean lk_pretrain_write_trained (const LkPretrainShape *shape, LkModel *model, LkBackend *backend, LkType type, const char *path,
                                    GError **error);

G_END_DECLS
