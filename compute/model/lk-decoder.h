/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The only description of a transformer in the tree. It knows its purpose; training, evaluation, scoring, prefill and
 * decoding are the same walk with other ends.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-packing.h"

G_BEGIN_DECLS

typedef enum
{
  LK_PURPOSE_TRAIN,    /* loss and gradients of adapters (and of base weights that ask for them) */
  LK_PURPOSE_EVALUATE, /* loss only */
  LK_PURPOSE_SCORE,    /* loss and log-probability of each target */
  LK_PURPOSE_LOGITS,   /* logits of chosen rows, no cache */
  LK_PURPOSE_DECODE,   /* logits of chosen rows, keys and values appended to a cache: prefill and decoding */
} LkPurpose;

/* Keys and values of all layers; shared by the decoders of one conversation. */
typedef struct _LkCache LkCache;
/* @rows: tokens it holds; split them among sequences as you like (ranges and slots say who sees what). */
LkCache *lk_cache_new (LkModel *model, const char *name, guint rows);
void lk_cache_free (LkCache *self);
guint lk_cache_get_rows (LkCache *self);

typedef struct
{
  LkPurpose purpose;
  guint tokens;              /* rows of the flattened batch, padding included */
  guint n_logits;            /* LOGITS, DECODE: rows of logits wanted */
  LkAdapter *const *adapters; /* applied in order; each with its own strength */
  guint n_adapters;
  guint recompute_layers;    /* TRAIN: that many layers, from the first, are computed twice to save memory */
  LkCache *cache;            /* DECODE */
  guint longest;             /* no sequence is longer; 0: the batch, or the cache, may be one */
} LkDecoderOptions;

typedef struct _LkDecoder LkDecoder;
struct _LkDecoder
{
  LkProgram *program;
  guint tokens;
  guint longest;
  /* Inputs, written by the host before each run. NULL where the purpose has no use for them. */
  LkVariable *ids;       /* I32 [1, tokens] */
  LkVariable *positions; /* I32 [1, tokens] */
  LkVariable *ranges;    /* I32 [tokens, 2]: a token attends to rows [begin, end) of this batch, or of the cache; (0, 0) on padding.
                            Training: begin ≤ own row, end = own row + 1, begin never decreases from token to token */
  LkVariable *targets;   /* I32 [1, tokens]: id predicted at this row; −1: none */
  LkVariable *rows;      /* I32 [1, n_logits]: which rows of the batch give logits */
  LkVariable *slots;     /* I32 [1, tokens]: cache row that receives this token's key and value; −1: none */
  LkVariable *dropout;   /* I32 [1, 4]: key low, key high, step, index of the batch's first row within the step */
  /* Results. */
  LkVariable *loss;      /* F32 [1, 2]: added to: sum of −log p over targets, and their count. Clear it to begin anew */
  LkVariable *logprobs;  /* F32 [1, tokens]: SCORE; 0 where no target */
  LkVariable *logits;    /* F32 [n_logits, vocab] */
};

/* Adds the variables it needs to the model's set: call lk_backend_prepare, then lk_backend_compile (program). */
LkDecoder *lk_decoder_new (LkModel *model, const LkDecoderOptions *options, GError **error);
void lk_decoder_free (LkDecoder *self);

/* Fills ids, positions, ranges and targets from a batch of the same size. A position no angles were made for is an error. */
gboolean lk_decoder_write_batch (LkDecoder *self, LkBackend *backend, const LkBatch *batch, GError **error);

/* Asks for gradients of all base weights (full tuning): allocates their variables in one flat one, 2-D weights first.
 * Only F32 weights can be trained; others are refused by name. */
typedef struct
{
  LkVariable *parameters; /* flat F32 [1, n]: the weights now live here */
  LkVariable *gradients;
  gint64 n_decayed;       /* the first n_decayed elements are matrices, the rest norms */
} LkBaseTraining;
gboolean lk_model_train_base (LkModel *model, LkBaseTraining *training, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkCache, lk_cache_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkDecoder, lk_decoder_free)

G_END_DECLS
