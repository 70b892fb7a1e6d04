/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builders of operations. Each lives in a file of its own with its shapes, cost, gradient, CPU function and GPU recorder;
 * adding one touches no other. T: rows of the flattened batch. All activations are F32 [T, features].
 */
#pragma once

#include "lk-cpu-kernels.h"
#include "lk-program.h"

G_BEGIN_DECLS

/* to = from, or to += from. lk-copy.c */
void lk_op_copy (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add);

/* out = a + b: the residual stream. lk-add.c */
LkTensorId lk_op_add (LkProgram *program, const char *name, LkTensorId a, LkTensorId b);

/* out[t] = scale · table[ids[t]]; table [V, h] of any type. lk-embedding.c, lk-embedding-dw.c */
LkTensorId lk_op_embedding (LkProgram *program, const char *name, LkTensorId ids, LkTensorId table, float scale);

/* out = x/√(mean x² + eps) · (plus + w), by rows; w F32 [1, h]. Where w is narrower than x, each part of a row of w's width is
 * normed on its own: heads. lk-rms-norm.c, -dx.c, -dw.c */
LkTensorId lk_op_rms_norm (LkProgram *program, const char *name, LkTensorId x, LkTensorId w, float eps, float plus);

/* y = x·Wᵀ + Σ strength·scale·(drop(x)·Aᵀ)·Bᵀ. W [out, in] of any type. lk-linear.c, -dx.c, -dw.c, lk-lora-gradient.c */
typedef struct
{
  LkTensorId a, b;       /* F32 [r, in], [out, r] */
  LkTensorId strength;   /* F32 [1, 1] */
  float scale;
} LkLinearAdapter;
#define LK_LINEAR_MAX_ADAPTERS 4
typedef struct
{
  const LkLinearAdapter *adapters;
  guint n_adapters;
  float dropout;         /* of the adapters' input; 0: none */
  LkTensorId random;     /* I32 [1, 4]: key low, key high, step, first row; needed with dropout */
  guint site;            /* tells this place's draws from others' */
} LkLinearOptions;
LkTensorId lk_op_linear (LkProgram *program, const char *name, LkTensorId x, LkTensorId w, const LkLinearOptions *options);

/* Rotary embedding of [T, heads·d]; table F32 [positions, r]: cos then sin. Of each head pairs (i, i + r/2) of the first r ≤ d
 * channels turn, the others pass. lk-rope.c */
LkTensorId lk_op_rope (LkProgram *program, const char *name, LkTensorId x, LkTensorId positions, LkTensorId table, guint heads);

/* Scaled dot-product attention of q [T, heads·d] over k, v [N, kv_heads·d]; query t sees rows ranges[t] = [begin, end), none
 * when empty (output 0). Query head h uses kv head h / (heads / kv_heads). The gradient needs k and v of the same batch
 * with the row order stated in lk-decoder.h. lk-attention.c, lk-attention-dx.c */
typedef struct
{
  guint heads, kv_heads;
  float scale;
  float soft_cap; /* scores become cap·tanh(score/cap); 0: they stay */
  guint window;   /* a query sees at most the last so many rows of its range; 0: all */
} LkAttentionOptions;
LkTensorId lk_op_attention (LkProgram *program, const char *name, LkTensorId q, LkTensorId k, LkTensorId v, LkTensorId ranges,
                            const LkAttentionOptions *options);

/* out = activation(gate)·up. lk-glu.c, lk-glu-dx.c */
LkTensorId lk_op_glu (LkProgram *program, const char *name, LkTensorId gate, LkTensorId up, LkActivation activation);

/* out = x + b, by rows; b F32 [1, h]. lk-bias.c, lk-bias-dw.c */
LkTensorId lk_op_bias (LkProgram *program, const char *name, LkTensorId x, LkTensorId b);

/* out = cap·tanh(x/cap), where nobody asks for a gradient: the logits of generation. lk-soft-cap.c */
LkTensorId lk_op_soft_cap (LkProgram *program, const char *name, LkTensorId x, float cap);

/* out = columns [first, first + n) of x. lk-columns.c */
LkTensorId lk_op_columns (LkProgram *program, const char *name, LkTensorId x, gint64 first, gint64 n);

/* cache[slots[t]] = x[t] for slots ≥ 0. Returns the cache, so that readers come after. lk-cache-append.c */
LkTensorId lk_op_cache_append (LkProgram *program, LkTensorId x, LkTensorId slots, LkTensorId cache);

/* out[i] = x[rows[i]]. lk-gather.c */
LkTensorId lk_op_gather (LkProgram *program, const char *name, LkTensorId x, LkTensorId rows);

/* Linear head and cross-entropy, fused over chunks of rows: loss[0] += Σ −log softmax(x·Wᵀ)[target], loss[1] += targets.
 * With @gradient d(sum)/dx is made in the same pass (and dW added to where W asks for a gradient). @logprobs: 0, or
 * F32 [1, T] that receives log p of each target, 0 where none. @soft_cap: logits become cap·tanh(logit/cap); 0: they stay.
 * lk-head-loss.c */
void lk_op_head_loss (LkProgram *program, LkTensorId x, LkTensorId w, LkTensorId targets, LkTensorId loss, LkTensorId logprobs,
                      float soft_cap, gboolean gradient);

/* norm[0] = √Σ(g·hyper.gradient_scale)², norm[1] = 1 when finite, else 0. lk-gradient-norm.c */
void lk_op_gradient_norm (LkProgram *program, LkTensorId gradients, LkTensorId hyper, LkTensorId norm);

/* AdamW over flat tensors [1, n]; reads norm for clipping; clears gradients. hyper F32 [1, 12]: see LkHyper. lk-adamw.c */
enum
{
  LK_HYPER_LEARNING_RATE,
  LK_HYPER_BETA1,
  LK_HYPER_BETA2,
  LK_HYPER_EPS,
  LK_HYPER_WEIGHT_DECAY,
  LK_HYPER_MAX_NORM,        /* 0: no clipping */
  LK_HYPER_CORRECTION1,     /* 1/(1 − β1ᵗ) */
  LK_HYPER_CORRECTION2,     /* 1/(1 − β2ᵗ) */
  LK_HYPER_GRADIENT_SCALE,  /* 1/targets */
  LK_HYPER_ONE_MINUS_BETA1,
  LK_HYPER_ONE_MINUS_BETA2,
  LK_HYPER_RESERVED,
  LK_N_HYPER,
};
void lk_op_adamw (LkProgram *program, LkTensorId parameters, LkTensorId gradients, LkTensorId m, LkTensorId v, LkTensorId hyper,
                  LkTensorId norm, gint64 n_decayed);

/* Registers what the program room needs from here; called by the builders' users once. */
void lk_ops_init (void);

G_END_DECLS
