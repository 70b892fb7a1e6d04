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

/* What config.json may leave out: the defaults of the family's class in transformers. */
typedef struct
{
  gint64 vocab, hidden, intermediate, layers, heads;
  gint64 kv_heads; /* 0: as many as heads */
  gint64 head_dim; /* 0: hidden / heads */
  gint64 context;
  gint64 window;       /* sliding_window */
  gint64 full_layers;  /* max_window_layers: so many first ones see all */
  gboolean window_off; /* use_sliding_window is false */
  gboolean tied;
} LkConfigDefaults;

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
  gboolean windows;                /* layers may have a window */
  gboolean norm_plus_one;          /* norms multiply by 1 + w; GGUF files hold the sum */
  gboolean scaled_embedding;       /* by √hidden */
  LkActivation activation;
  double default_norm_eps;
  double default_rope_theta;
  double window_rope_theta; /* of layers with a window; 0: that of the others */
  gint64 full_every;        /* with a window: every so manieth layer sees all; 0: none does */
  gint64 scaled_by_hidden; /* a GGUF of so many layers scales q·k by hidden/heads instead of the head's size;
                              0: none */
  gint64 gguf_window;      /* of GGUF files that do not say; 0: none */
  double query_scalar; /* default of query_pre_attn_scalar, q·k is divided by its root; 0: the head's size,
                        * and config.json has no such member */
  double default_attention_cap, default_final_cap; /* of files that do not say; 0: none */
  LkConfigDefaults defaults;
};

/* NULL when the table has none. */
const LkFamily *lk_family_from_gguf (const char *architecture);
const LkFamily *lk_family_from_hf (const char *model_type);
/* "llama, mistral": for the error that refuses an unknown one. (transfer full) */
char *lk_family_list (void);

/* In a model with a window: does layer @layer have it? All but each @full_every'th do; 0: all. */
gboolean lk_family_is_windowed (gint64 layer, gint64 full_every);
/* What q·k is multiplied by, as a GGUF file of these sizes is understood. */
double lk_family_gguf_scale (const LkFamily *family, gint64 layers, gint64 hidden, gint64 heads, gint64 head_dim);

extern const LkTensorNames lk_linear_names[LK_N_LINEAR];
extern const LkTensorNames lk_bias_names[LK_N_LINEAR];
extern const LkTensorNames lk_embedding_names, lk_head_names, lk_final_norm_names;
/* Norms before attention and before the feed-forward part, as in Llama. */
extern const LkTensorNames lk_plain_norms[LK_N_NORM];
/* Has a layer of @family a matrix of @role? */
gboolean lk_family_has_linear (const LkFamily *family, LkLinearRole role);

G_END_DECLS
