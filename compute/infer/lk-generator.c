/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-generator.h"

#include <math.h>
#include <string.h>

#include "lk-answer-text.h"
#include "lk-error.h"

/* Tokens at a time. A prompt is cut into the largest that fit; what is left over is padded up. */
static const guint sizes[] = { 1, 8, 32, 128, 512 };

/* So that two generators of one model never share a name. */
static gint next_generator;
/* Who computed last: strengths are shared by all who share an adapter, so they are written again after another's turn. */
static LkGenerator *last_at_work;

typedef struct
{
  LkDecoder *decoder; /* NULL until first needed */
  LkExecutable *executable;
} LkChunk;

struct _LkGenerator
{
  LkModel *model;
  LkBackend *backend;
  GPtrArray *adapters; /* of LkAdapter */
  double *strengths;
  gboolean strengths_written;
  guint context;
  LkCache *cache;
  GArray *held; /* gint32: the tokens whose keys and values are in the cache */
  LkChunk chunks[G_N_ELEMENTS (sizes)];
  float *logits;   /* [vocab] */
  gint32 *scratch; /* 4·(tokens of the largest chunk): ids, positions or slots, ranges */
};

LkGenerator *
lk_generator_new (const LkGeneratorOptions *options, GError **error)
{
  const LkModelConfig *config = lk_model_get_config (options->model);
  gint64 context = options->context > 0 ? options->context : MIN (config->context, LK_GENERATOR_CONTEXT);
  g_autofree char *name = g_strdup_printf ("cache%d", g_atomic_int_add (&next_generator, 1));
  LkGenerator *self;

  if (context > config->context)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "A context of %" G_GINT64_FORMAT " tokens is more than the %" G_GINT64_FORMAT
                   " “%s” was made for",
                   context, config->context, config->name);
      return NULL;
    }
  self = g_new0 (LkGenerator, 1);
  self->model = lk_model_ref (options->model);
  self->backend = lk_backend_ref (options->backend);
  self->adapters = g_ptr_array_new_with_free_func ((GDestroyNotify) lk_adapter_unref);
  self->strengths = g_new (double, options->n_adapters + 1);
  for (guint i = 0; i < options->n_adapters; i++)
    {
      g_ptr_array_add (self->adapters, lk_adapter_ref (options->adapters[i]));
      self->strengths[i] = 1; /* as trained */
    }
  self->context = (guint) context;
  self->cache = lk_cache_new (options->model, name, self->context);
  self->held = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->logits = g_new (float, config->vocab);
  self->scratch = g_new (gint32, 2 * sizes[G_N_ELEMENTS (sizes) - 1]);
  return self;
}

void
lk_generator_free (LkGenerator *self)
{
  if (!self)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_clear_pointer (&self->chunks[i].executable, lk_executable_free);
      g_clear_pointer (&self->chunks[i].decoder, lk_decoder_free);
    }
  lk_cache_free (self->cache);
  g_array_unref (self->held);
  g_ptr_array_unref (self->adapters);
  lk_backend_unref (self->backend);
  lk_model_unref (self->model);
  g_free (self->strengths);
  g_free (self->logits);
  g_free (self->scratch);
  g_free (self);
}

guint
lk_generator_get_context (LkGenerator *self)
{
  return self->context;
}

void
lk_generator_reset (LkGenerator *self)
{
  g_array_set_size (self->held, 0);
}

gboolean
lk_generator_set_strength (LkGenerator *self, guint adapter, double strength, GError **error)
{
  g_return_val_if_fail (adapter < self->adapters->len, FALSE);
  if (!isfinite (strength))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "An adapter's strength must be a number");
      return FALSE;
    }
  if (self->strengths[adapter] == strength)
    return TRUE;
  lk_generator_reset (self);
  self->strengths[adapter] = strength;
  self->strengths_written = FALSE;
  return TRUE;
}

static gboolean
lk_generator_build (LkGenerator *self, guint size, GError **error)
{
  LkChunk *chunk = &self->chunks[size];
  LkDecoderOptions options = { .purpose = LK_PURPOSE_DECODE,
                               .tokens = sizes[size],
                               .n_logits = 1,
                               .adapters = (LkAdapter *const *) self->adapters->pdata,
                               .n_adapters = self->adapters->len,
                               .cache = self->cache };

  if (!chunk->decoder)
    chunk->decoder = lk_decoder_new (self->model, &options, error);
  return chunk->decoder != NULL;
}

gboolean
lk_generator_plan (LkGenerator *self, LkMemoryPlan *plan, GError **error)
{
  guint largest = G_N_ELEMENTS (sizes) - 1; /* the working memory is that of the largest chunk, as all share it */

  if (!lk_generator_build (self, largest, error))
    return FALSE;
  lk_backend_plan (self->backend, self->chunks[largest].decoder->program, plan);
  return TRUE;
}

static gboolean
lk_generator_compile (LkGenerator *self, guint size, GError **error)
{
  LkChunk *chunk = &self->chunks[size];

  if (chunk->executable)
    return TRUE;
  if (!lk_generator_build (self, size, error) || !lk_backend_prepare (self->backend, lk_model_get_variables (self->model), error))
    return FALSE;
  chunk->executable = lk_backend_compile (self->backend, chunk->decoder->program, error);
  return chunk->executable != NULL;
}

static gboolean
lk_generator_write (LkGenerator *self, LkVariable *variable, guint n, GError **error)
{
  return lk_backend_write (self->backend, variable, 0, self->scratch, n * sizeof (gint32), error);
}

/* The inputs of a chunk that holds @n tokens from @ids, the first one at position @begin. */
static gboolean
lk_generator_fill (LkGenerator *self, LkDecoder *decoder, const gint32 *ids, guint n, guint begin,
                   GError **error)
{
  gint32 *v = self->scratch;
  guint size = decoder->tokens;

  for (guint i = 0; i < size; i++)
    v[i] = i < n ? ids[i] : 0;
  if (!lk_generator_write (self, decoder->ids, size, error))
    return FALSE;
  for (guint i = 0; i < size; i++)
    v[i] = i < n ? (gint32) (begin + i) : 0;
  if (!lk_generator_write (self, decoder->positions, size, error))
    return FALSE;
  for (guint i = n; i < size; i++)
    v[i] = -1;
  if (!lk_generator_write (self, decoder->slots, size, error))
    return FALSE;
  for (guint i = 0; i < size; i++)
    {
      v[2 * i] = 0;
      v[2 * i + 1] = i < n ? (gint32) (begin + i + 1) : 0;
    }
  if (!lk_generator_write (self, decoder->ranges, 2 * size, error))
    return FALSE;
  v[0] = (gint32) n - 1;
  return lk_generator_write (self, decoder->rows, 1, error);
}

/* The largest size that is filled; for what is left below 8 tokens, the smallest that holds it. */
static guint
choose_size (guint n)
{
  for (guint i = G_N_ELEMENTS (sizes); i > 1; i--)
    if (n >= sizes[i - 1])
      return i - 1;
  return n == 1 ? 0 : 1;
}

/* Adapters have one strength each, whoever uses them: it is written again when another generator has computed meanwhile. */
static gboolean
lk_generator_write_strengths (LkGenerator *self, GError **error)
{
  if (self->strengths_written && g_atomic_pointer_get (&last_at_work) == self)
    return TRUE;
  if (!lk_backend_prepare (self->backend, lk_model_get_variables (self->model), error))
    return FALSE;
  for (guint i = 0; i < self->adapters->len; i++)
    {
      float value = (float) self->strengths[i];

      if (!lk_backend_write (self->backend, lk_adapter_get_strength (g_ptr_array_index (self->adapters, i)), 0, &value, sizeof value,
                             error))
        return FALSE;
    }
  self->strengths_written = TRUE;
  g_atomic_pointer_set (&last_at_work, self);
  return TRUE;
}

static gboolean
lk_generator_check_ids (LkGenerator *self, const gint32 *ids, guint n, GError **error)
{
  gint64 vocab = lk_model_get_config (self->model)->vocab;

  for (guint i = 0; i < n; i++)
    if (ids[i] < 0 || ids[i] >= vocab)
      {
        g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                     "Token %d is outside the model's %" G_GINT64_FORMAT " tokens", ids[i], vocab);
        return FALSE;
      }
  if (n > 0 && n <= self->context)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%u tokens do not fit into the context of %u", n,
               self->context);
  return FALSE;
}

/* How much of @ids the cache holds; the last token is computed in any case, for its logits. */
static guint
lk_generator_match (LkGenerator *self, const gint32 *ids, guint n)
{
  const gint32 *held = (const gint32 *) (void *) self->held->data;
  guint same = 0;

  while (same < n - 1 && same < self->held->len && held[same] == ids[same])
    same++;
  return same;
}

const float *
lk_generator_feed (LkGenerator *self, const gint32 *ids, guint n, guint *reused, GCancellable *cancellable,
                   GError **error)
{
  LkDecoder *decoder = NULL;
  guint begin;

  if (!lk_generator_check_ids (self, ids, n, error) || !lk_generator_write_strengths (self, error))
    return NULL;
  begin = lk_generator_match (self, ids, n);
  g_array_set_size (self->held, begin);
  if (reused)
    *reused = begin;
  while (begin < n)
    {
      guint size = choose_size (n - begin);
      guint taken = MIN (sizes[size], n - begin);

      if (g_cancellable_is_cancelled (cancellable))
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
          return NULL;
        }
      if (!lk_generator_compile (self, size, error))
        return NULL;
      decoder = self->chunks[size].decoder;
      if (!lk_generator_fill (self, decoder, ids + begin, taken, begin, error)
          || !lk_executable_run (self->chunks[size].executable, error))
        return NULL;
      g_array_append_vals (self->held, ids + begin, taken);
      begin += taken;
    }
  if (!lk_backend_read (self->backend, decoder->logits, 0, self->logits, decoder->logits->bytes, error))
    return NULL;
  return self->logits;
}

const char *
lk_finish_name (LkFinish finish)
{
  static const char *const names[] = { "end", "stop", "length", "context", "cancelled" };

  return names[finish];
}

void
lk_generated_clear (LkGenerated *self)
{
  g_clear_pointer (&self->ids, g_array_unref);
  if (self->text)
    g_string_free (self->text, TRUE);
  self->text = NULL;
}

/* One answer at work. */
typedef struct
{
  LkGenerator *generator;
  const LkGenerateOptions *options;
  LkSampler *sampler;
  LkAnswerText *stream;
  GArray *ids; /* prompt and answer */
  LkGenerated *out;
} LkAnswer;

/* Gives out what has become certain. FALSE: the receiver has enough. */
static gboolean
lk_answer_emit (LkAnswer *self)
{
  g_autofree char *text = lk_answer_text_take (self->stream);

  if (!text)
    return TRUE;
  g_string_append (self->out->text, text);
  return !self->options->func || self->options->func (text, self->options->data);
}

/* Takes the next token. FALSE: the answer is over, out->finish says why. */
static gboolean
lk_answer_take (LkAnswer *self, gint32 id)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (self->generator->model);
  LkGenerated *out = self->out;

  g_array_append_val (self->ids, id);
  g_array_append_val (out->ids, id);
  if (tokenizer && !self->options->ignore_end && lk_tokenizer_is_end (tokenizer, id))
    {
      out->finish = LK_FINISH_END;
      return FALSE;
    }
  if (tokenizer && !lk_tokenizer_is_special (tokenizer, id))
    {
      g_autoptr (GBytes) bytes = lk_tokenizer_get_bytes (tokenizer, id);

      if (bytes
          && lk_answer_text_add (self->stream, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)))
        {
          out->finish = LK_FINISH_STOP;
          return FALSE;
        }
      if (!lk_answer_emit (self))
        {
          out->finish = LK_FINISH_CANCELLED;
          return FALSE;
        }
    }
  if (self->options->max_tokens > 0 && out->ids->len >= self->options->max_tokens)
    {
      out->finish = LK_FINISH_LENGTH;
      return FALSE;
    }
  out->finish = LK_FINISH_CONTEXT;
  return self->ids->len < self->generator->context;
}

static gboolean
lk_answer_run (LkAnswer *self, GError **error)
{
  LkGenerated *out = self->out;
  gint64 vocab = lk_model_get_config (self->generator->model)->vocab;
  gint64 begin = g_get_monotonic_time ();
  gint32 id;

  for (;;)
    {
      const gint32 *ids = (const gint32 *) (void *) self->ids->data;
      gboolean first = out->ids->len == 0;
      float gap = 0;
      const float *logits
          = lk_generator_feed (self->generator, ids, self->ids->len, first ? &out->reused_tokens : NULL,
                               self->options->cancellable, error);

      if (first)
        {
          out->prompt_seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
          begin = g_get_monotonic_time ();
        }
      if (!logits)
        return FALSE;
      id = lk_sampler_next (self->sampler, logits, (guint) vocab, ids, self->ids->len, &gap);
      if (id < 0)
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_NOT_FINITE, "The model's outputs are not numbers");
          return FALSE;
        }
      out->smallest_gap = MIN (out->smallest_gap, gap);
      if (!lk_answer_take (self, id))
        break;
      if (g_cancellable_is_cancelled (self->options->cancellable))
        {
          out->finish = LK_FINISH_CANCELLED;
          break;
        }
    }
  out->answer_seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  return TRUE;
}

gboolean
lk_generator_run (LkGenerator *self, const gint32 *prompt, guint n_prompt, const LkGenerateOptions *options,
                  LkGenerated *out, GError **error)
{
  g_autoptr (LkSampler) sampler = NULL;
  g_autoptr (LkAnswerText) stream = lk_answer_text_new (options->stops);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) local = NULL;
  LkAnswer answer = { self, options, NULL, stream, ids, out };

  *out = (LkGenerated){ .ids = g_array_new (FALSE, FALSE, sizeof (gint32)),
                        .text = g_string_new (NULL),
                        .prompt_tokens = n_prompt,
                        .context = self->context,
                        .smallest_gap = INFINITY };
  sampler = answer.sampler = lk_sampler_new (&options->sampler, error);
  if (!sampler)
    return FALSE;
  if (n_prompt >= self->context)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   "The conversation has %u tokens and leaves no room for an answer in the context of %u",
                   n_prompt, self->context);
      return FALSE;
    }
  g_array_append_vals (ids, prompt, n_prompt);
  if (!lk_answer_run (&answer, &local))
    {
      if (!g_error_matches (local, LK_ERROR, LK_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      out->finish = LK_FINISH_CANCELLED;
    }
  lk_answer_text_end (stream);
  lk_answer_emit (&answer);
  return TRUE;
}
