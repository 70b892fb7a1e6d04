/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pretrain CORPUS -o MODEL.gguf: a small model from nothing. How the embedded model was made; not a feature for users.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

#include "lk-command.h"
#include "lk-decoder.h"
#include "lk-pretrain-corpus.h"
#include "lk-pretrain-file.h"
#include "lk-random.h"
#include "lk-update.h"

#define STREAM_ORDER 0x6f72646572 /* streams of random numbers: apart from those of the weights */

static char *output, *device;
static int tokens_per_step = 2048, epochs = 4, seed = 2026, vocabulary = 2048;
static int hidden = 256, intermediate = 768, layers = 4, heads = 4, kv_heads = 2, context = 512, max_steps;
static double learning_rate = 2e-3;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The GGUF file to write", "FILE" },
  { "device", 0, 0, G_OPTION_ARG_STRING, &device, "cpu, vulkan, vulkan:N (default: cpu)", "DEVICE" },
  { "epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "Times the text is gone through (4)", "N" },
  { "max-steps", 0, 0, G_OPTION_ARG_INT, &max_steps, "End after so many steps", "N" },
  { "tokens", 0, 0, G_OPTION_ARG_INT, &tokens_per_step, "Tokens of a step (2048)", "N" },
  { "learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &learning_rate, "Highest learning rate (0.002)", "RATE" },
  { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Seed of weights and order (2026)", "N" },
  { "vocabulary", 0, 0, G_OPTION_ARG_INT, &vocabulary, "Tokens to learn (2048)", "N" },
  { "hidden", 0, 0, G_OPTION_ARG_INT, &hidden, "Width (256)", "N" },
  { "intermediate", 0, 0, G_OPTION_ARG_INT, &intermediate, "Width of the feed-forward part (768)", "N" },
  { "layers", 0, 0, G_OPTION_ARG_INT, &layers, "Layers (4)", "N" },
  { "heads", 0, 0, G_OPTION_ARG_INT, &heads, "Attention heads (4)", "N" },
  { "kv-heads", 0, 0, G_OPTION_ARG_INT, &kv_heads, "Heads of keys and values (2)", "N" },
  { "context", 0, 0, G_OPTION_ARG_INT, &context, "Longest text in tokens (512)", "N" },
  { NULL },
};

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkDecoder *decoder;
  LkUpdate *update;
  LkExecutable *step, *apply;
  GPtrArray *examples;
  guint32 *order;
  guint at, epoch;
  LkBatch *batch;
} LkPretrain;

static void
lk_pretrain_clear (LkPretrain *self)
{
  g_clear_pointer (&self->step, lk_executable_free);
  g_clear_pointer (&self->apply, lk_executable_free);
  g_clear_pointer (&self->decoder, lk_decoder_free);
  g_clear_pointer (&self->update, lk_update_free);
  g_clear_pointer (&self->backend, lk_backend_unref);
  g_clear_pointer (&self->model, lk_model_unref);
  g_clear_pointer (&self->examples, g_ptr_array_unref);
  g_clear_pointer (&self->batch, lk_batch_free);
  g_clear_pointer (&self->order, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkPretrain, lk_pretrain_clear)

static gboolean
check_options (void)
{
  return output != NULL && epochs > 0 && tokens_per_step >= 64 && tokens_per_step <= 65536 && learning_rate > 0 && vocabulary >= 300
         && vocabulary <= 65535 && hidden >= 32 && hidden <= 4096 && intermediate >= 32 && intermediate <= 16384 && layers > 0 && layers <= 64
         && heads > 0 && kv_heads > 0 && hidden % heads == 0 && heads % kv_heads == 0 && (hidden / heads) % 2 == 0 && context >= 32
         && context <= tokens_per_step && max_steps >= 0;
}

/* The next order of the examples: a pure function of (seed, epoch). */
static void
shuffle (LkPretrain *self)
{
  LkRandom random = lk_random ((guint64) seed, STREAM_ORDER + self->epoch);

  lk_random_permutation (&random, self->order, self->examples->len);
  self->at = 0;
}

/* Whole examples one after the other until the next does not fit; each sees only itself. */
static void
fill_batch (LkPretrain *self)
{
  guint at = 0;

  lk_batch_clear (self->batch);
  for (;;)
    {
      GArray *ids;

      if (self->at == self->examples->len)
        {
          self->epoch++;
          shuffle (self);
        }
      ids = g_ptr_array_index (self->examples, self->order[self->at]);
      if (at + ids->len > self->batch->n)
        return;
      for (guint i = 0; i < ids->len; i++)
        {
          self->batch->ids[at + i] = g_array_index (ids, gint32, i);
          self->batch->positions[at + i] = (gint32) i;
          self->batch->starts[at + i] = (gint32) at;
          self->batch->targets[at + i] = i + 1 < ids->len ? g_array_index (ids, gint32, i + 1) : -1;
        }
      self->batch->n_targets += ids->len - 1;
      at += ids->len;
      self->at++;
    }
}

/* Linear warm-up over a twentieth, then half a cosine down to a twentieth of the highest rate. */
static double
rate_at (guint step, guint steps)
{
  double warm = MAX (1, steps / 20), floor_rate = 0.05;

  if (step < warm)
    return learning_rate * (step + 1) / warm;
  return learning_rate * (floor_rate + (1 - floor_rate) * 0.5 * (1 + cos (G_PI * (step - warm) / MAX (1, steps - warm))));
}

static gboolean
run_step (LkPretrain *self, guint step, guint steps, double *loss, GError **error)
{
  LkUpdateInput input = { .learning_rate = rate_at (step, steps), .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.05,
                          .max_norm = 1, .step = step + 1 };
  float sums[2], norm[2];

  fill_batch (self);
  input.n_targets = self->batch->n_targets;
  if (!lk_backend_clear (self->backend, self->decoder->loss, error)
      || !lk_decoder_write_batch (self->decoder, self->backend, self->batch, error) || !lk_executable_run (self->step, error)
      || !lk_backend_read (self->backend, self->decoder->loss, 0, sums, sizeof sums, error)
      || !lk_update_write (self->update, self->backend, &input, error) || !lk_executable_run (self->apply, error)
      || !lk_backend_read (self->backend, self->update->norm, 0, norm, sizeof norm, error))
    return FALSE;
  *loss = (double) sums[0] / (double) sums[1];
  if (!isfinite (*loss) || norm[1] == 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FINITE, "The loss of step %u is not a number; a smaller --learning-rate may help.", step + 1);
      return FALSE;
    }
  return TRUE;
}

static guint
count_steps (LkPretrain *self)
{
  guint64 total = 0;

  for (guint i = 0; i < self->examples->len; i++)
    total += ((GArray *) g_ptr_array_index (self->examples, i))->len;
  total = total * (guint64) epochs / (guint64) tokens_per_step + 1;
  return max_steps > 0 ? MIN ((guint) max_steps, (guint) total) : (guint) total;
}

static gboolean
run_all (LkPretrain *self, GError **error)
{
  guint steps = count_steps (self);
  gint64 began = g_get_monotonic_time ();
  double mean = 0;

  shuffle (self);
  for (guint step = 0; step < steps; step++)
    {
      double loss, seconds;

      if (g_cancellable_set_error_if_cancelled (lk_cli_cancellable (), error) || !run_step (self, step, steps, &loss, error))
        return FALSE;
      mean = step == 0 ? loss : 0.95 * mean + 0.05 * loss;
      seconds = (double) (g_get_monotonic_time () - began) / 1e6;
      if (step % 20 != 0 && step + 1 != steps)
        continue;
      lk_cli_print ("step %u of %u, loss %.4f, %.0f tokens a second, %.0f seconds left", step + 1, steps, mean,
                    (step + 1.0) * tokens_per_step / seconds, seconds / (step + 1) * (steps - step - 1));
      fflush (stdout);
    }
  return TRUE;
}

static gboolean
prepare (LkPretrain *self, LkPretrainCorpus *corpus, const char *start, GError **error)
{
  LkDecoderOptions options = { .purpose = LK_PURPOSE_TRAIN, .tokens = (guint) tokens_per_step };
  LkBaseTraining training;

  self->model = lk_model_open (start, error);
  if (self->model == NULL || !lk_model_train_base (self->model, &training, error))
    return FALSE;
  self->examples = lk_pretrain_corpus_encode (corpus, lk_model_get_tokenizer (self->model), lk_model_get_template (self->model), 0,
                                              (guint) context, error);
  if (self->examples == NULL)
    return FALSE;
  self->order = g_new (guint32, self->examples->len);
  self->batch = lk_batch_new (1, (guint) tokens_per_step);
  self->backend = lk_backend_new (device != NULL ? device : "cpu", error);
  if (self->backend == NULL || (self->decoder = lk_decoder_new (self->model, &options, error)) == NULL)
    return FALSE;
  self->update = lk_update_new (lk_model_get_variables (self->model), "update", training.parameters, training.gradients, training.n_decayed);
  return lk_backend_prepare (self->backend, lk_model_get_variables (self->model), error)
         && (self->step = lk_backend_compile (self->backend, self->decoder->program, error)) != NULL
         && (self->apply = lk_backend_compile (self->backend, self->update->program, error)) != NULL;
}

static gboolean
pretrain (const char *path, GError **error)
{
  static const char *const special[] = { "<|endoftext|>", "<|im_start|>", "<|im_end|>", NULL };
  g_auto (LkPretrainCorpus) corpus = { 0 };
  g_auto (LkPretrain) self = { 0 };
  g_auto (GStrv) tokens = NULL;
  g_auto (GStrv) merges = NULL;
  g_autofree char *start = g_strconcat (output, ".start", NULL);
  LkPretrainShape shape = { .hidden = hidden, .intermediate = intermediate, .layers = layers, .heads = heads, .kv_heads = kv_heads,
                            .context = context, .seed = (guint64) seed, .name = "Lorikeet Tiny",
                            .description = "Trained from scratch by lorikeet-cli pretrain on generated English (data/corpus)." };
  gboolean done;

  if (!lk_pretrain_corpus_load (&corpus, path, error))
    return FALSE;
  lk_pretrain_corpus_learn_tokens (&corpus, special, (guint) vocabulary, &tokens, &merges);
  shape.tokens = tokens;
  shape.merges = merges;
  done = lk_pretrain_write_start (&shape, start, error) && prepare (&self, &corpus, start, error);
  if (done)
    {
      lk_cli_print ("%u rows, %u tokens in the vocabulary, %" G_GINT64_FORMAT " parameters, %s", corpus.rows->len, g_strv_length (tokens),
                    lk_model_get_config (self.model)->parameters, lk_backend_get_description (self.backend));
      done = run_all (&self, error) && lk_pretrain_write_trained (&shape, self.model, self.backend, LK_TYPE_F16, output, error);
    }
  g_unlink (start);
  return done;
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = { "CORPUS.jsonl", "Trains a small Llama model and its tokenizer from scratch. The embedded model was made so.",
                                    entries, 1, 1 };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_command_pretrain, &usage, &argc, &argv, &status))
    return status;
  if (!check_options ())
    return lk_cli_fail_usage ("pretrain needs -o FILE, and a shape that fits: heads must divide the width, kv-heads the heads, and the "
                              "context must not be longer than a step's tokens.");
  return pretrain (argv[1], &error) ? LK_EXIT_OK : lk_cli_fail (error);
}

const LkCommand lk_command_pretrain = { "pretrain", "Train a small model from scratch", run };
