/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which type each tensor of a GGUF file gets, by the name people know the mixture by; llama-quantize's rules
 * without an importance matrix (formats: a.6).
 */
#pragma once

#include "lk-model.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name; /* "Q4_K_M" */
  guint file_type;  /* general.file_type */
  LkType base;
  LkType head; /* of the output head, or of the embedding where that is the head */
  LkType more; /* of some layers' v (also fused with q and k) and down projections, chosen by @rule */
  guint rule;  /* 0: none; 1: first and last eighth and each third between (_M); 2: first ones only (_S) */
} LkGgufRecipe;

/* Case-insensitive; NULL when unknown. */
const LkGgufRecipe *lk_gguf_recipe_find (const char *name);
/* NULL-terminated, F16 first. */
const char *const *lk_gguf_recipe_names (void);
LkType lk_gguf_recipe_type (const LkGgufRecipe *self, const LkModelConfig *config,
                            const LkModelTensor *tensor);

G_END_DECLS
