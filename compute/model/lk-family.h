/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Model families as data. One decoder serves them all; a row says how files of the family are spelled and which of the
 * decoder's parts it has.
 */
#pragma once

#include "lk-cpu-kernels.h"
#include "lk-model.h"

G_BEGIN_DECLS

/* How files spell a tensor; "%d" stands for the layer. NULL: the family has none. */
typedef struct
{
  const char *hf, *gguf;
} LkTensorNames;

struct _LkFamily
{
  const char *name;                /* for people */
  const char *gguf_architecture;   /* general.architecture */
  const char *hf_architecture;     /* config.json, architectures[0] */
  const char *hf_model_type;       /* config.json, model_type */
  const LkTensorNames *norms;      /* [LK_N_NORM] */
  gboolean gguf_permuted;          /* q and k rows are stored in adjacent pairs (formats: a.8) */
  gboolean fused;                  /* q, k and v are one matrix, gate and up another */
  gboolean qkv_bias;
  gboolean norm_plus_one;          /* norms multiply by 1 + w; GGUF files hold the sum */
  gboolean scaled_embedding;       /* by √hidden */
  LkActivation activation;
  double default_norm_eps;
  double default_rope_theta;
  double window_rope_theta;        /* of layers with a window; 0: that of the others */
  gint64 full_every;               /* with a window: every so manieth layer sees all; 0: none does */
  gint64 scaled_by_hidden;         /* a GGUF of so many layers scales q·k by hidden/heads instead of the head's size; 0: none */
  double default_attention_cap, default_final_cap; /* of GGUF files that do not say; 0: none */
};

/* NULL when the table has none. */
const LkFamily *lk_family_from_gguf (const char *architecture);
const LkFamily *lk_family_from_hf (const char *model_type);
/* "llama, mistral": for the error that refuses an unknown one. (transfer full) */
char *lk_family_list (void);

extern const LkTensorNames lk_linear_names[LK_N_LINEAR];
extern const LkTensorNames lk_bias_names[LK_N_LINEAR];
extern const LkTensorNames lk_embedding_names, lk_head_names, lk_final_norm_names;
/* Norms before attention and before the feed-forward part, as in Llama. */
extern const LkTensorNames lk_plain_norms[LK_N_NORM];
/* Has a layer of @family a matrix of @role? */
gboolean lk_family_has_linear (const LkFamily *family, LkLinearRole role);

G_END_DECLS
