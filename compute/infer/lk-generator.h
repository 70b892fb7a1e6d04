/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers, one token after the other, from a key/value cache. Prompts go through programs of a few fixed
 * sizes, each compiled when it is first needed; a prompt that begins like what the cache holds goes on from
 * there.
 *
 * A generator is one conversation with one set of adapters; several share a model and a backend, and with
 * them the weights and the working memory. Thread-safety: one thread at a time for all generators of one
 * backend.
 */
#pragma once

#include "lk-decoder.h"
#include "lk-sampler.h"

G_BEGIN_DECLS

/* Tokens of a conversation where nobody says otherwise; a model with a shorter context has that. */
#define LK_GENERATOR_CONTEXT 2048

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *const *adapters; /* kept; their variables may go on being trained, see lk_generator_reset */
  guint n_adapters;
  guint context; /* prompt and answer together; 0: LK_GENERATOR_CONTEXT. More than the model's: refused */
} LkGeneratorOptions;

typedef struct _LkGenerator LkGenerator;

/* Storage of the cache is there until the backend ends, so make generators once and keep them. */
LkGenerator *lk_generator_new (const LkGeneratorOptions *options, GError **error);
void lk_generator_free (LkGenerator *self);
guint lk_generator_get_context (LkGenerator *self);

/* The memory that it will need, weights and cache included; nothing is allocated for it. */
gboolean lk_generator_plan (LkGenerator *self, LkMemoryPlan *plan, GError **error);

/* Forgets what the cache holds: call it when weights have changed. */
void lk_generator_reset (LkGenerator *self);
/* 1 as trained, 0 the base alone. Forgets the cache when it changes. Generators that share an adapter each have a
 * strength of their own; the adapter's variable holds that of the one that computed last. */
gboolean lk_generator_set_strength (LkGenerator *self, guint adapter, double strength, GError **error);

/* Logits [vocab] after @ids[0…n), n > 0; what the cache already holds of them is not computed again. Owned by
 * @self, valid until the next call. *reused (may be NULL): how many tokens came from the cache. A cancelled
 * @cancellable (may be NULL) ends it between programs with LK_ERROR_CANCELLED. */
const float *lk_generator_feed (LkGenerator *self, const gint32 *ids, guint n, guint *reused,
                                GCancellable *cancellable, GError **error);

typedef enum
{
  LK_FINISH_END,     /* the model ended its answer */
  LK_FINISH_STOP,    /* a stop string came */
  LK_FINISH_LENGTH,  /* max_tokens */
  LK_FINISH_CONTEXT, /* the context is full */
  LK_FINISH_CANCELLED,
} LkFinish;
/* "end", "stop", "length", "context", "cancelled" */
const char *lk_finish_name (LkFinish finish);

/* Valid UTF-8, whole characters, never part of a stop string. FALSE: enough, end with LK_FINISH_CANCELLED. */
typedef gboolean (*LkGenerateFunc) (const char *text, gpointer data);

typedef struct
{
  LkSamplerConfig sampler;
  guint max_tokens;         /* 0: until the context is full */
  const char *const *stops; /* NULL: none */
  gboolean ignore_end;      /* go on after an end token: for measurements */
  LkGenerateFunc func;      /* may be NULL */
  gpointer data;
  GCancellable *cancellable; /* may be NULL */
} LkGenerateOptions;

typedef struct
{
  GArray *ids;   /* gint32; the end token is among them */
  GString *text; /* without control tokens and stop string */
  LkFinish finish;
  guint prompt_tokens, reused_tokens;
  guint context; /* of the generator: as many tokens as prompt and answer may have */
  double prompt_seconds, answer_seconds;
  float smallest_gap; /* between the best and the second logit on the way */
} LkGenerated;

/* A prompt that leaves no room in the context is an error. *out must be cleared by the caller, also after an
 * error. */
gboolean lk_generator_run (LkGenerator *self, const gint32 *prompt, guint n_prompt,
                           const LkGenerateOptions *options, LkGenerated *out, GError **error);
void lk_generated_clear (LkGenerated *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGenerator, lk_generator_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkGenerated, lk_generated_clear)

G_END_DECLS
