/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Model families as data. One decoder serves them all; a row says how files of the family are spelled.
 */
#pragma once

#include "lk-model.h"

G_BEGIN_DECLS

struct _LkFamily
{
  const char *name;                /* for people */
  const char *gguf_architecture;   /* general.architecture */
  const char *hf_architecture;     /* config.json, architectures[0] */
  const char *hf_model_type;       /* config.json, model_type */
  gboolean gguf_permuted;          /* q and k rows are stored in adjacent pairs (formats: a.8) */
  double default_norm_eps;
  double default_rope_theta;
};

/* NULL when the table has none. */
const LkFamily *lk_family_from_gguf (const char *architecture);
const LkFamily *lk_family_from_hf (const char *model_type);
/* "llama, mistral": for the error that refuses an unknown one. (transfer full) */
char *lk_family_list (void);

/* How files spell a tensor; "%d" stands for the layer. */
typedef struct
{
  const char *hf, *gguf;
} LkTensorNames;
extern const LkTensorNames lk_linear_names[LK_N_LINEAR];
extern const LkTensorNames lk_embedding_names, lk_head_names, lk_final_norm_names, lk_input_norm_names, lk_post_norm_names;

G_END_DECLS
