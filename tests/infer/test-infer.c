/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "lk-answer-text.h"
#include "lk-error.h"
#include "lk-generator.h"
#include "lk-prompt.h"
#include "lk-scorer.h"
#include "lk-test-model.h"

/* --- sampler --- */

static LkSampler *
sampler (double temperature, guint k, double p, double min_p, double penalty, guint64 seed)
{
  LkSamplerConfig config = { temperature, k, p, min_p, penalty, seed };
  g_autoptr (GError) error = NULL;
  LkSampler *self = lk_sampler_new (&config, &error);

  g_assert_no_error (error);
  return self;
}

static void
test_sampler_greedy (void)
{
  g_autoptr (LkSampler) s = sampler (0, 0, 1, 0, 1, 1);
  const float logits[] = { 1, 5, -2, 5, NAN };
  const float nothing[] = { NAN, NAN };
  float gap;

  g_assert_cmpint (lk_sampler_next (s, logits, 5, NULL, 0, &gap), ==, 1); /* the lower id of two equals */
  g_assert_cmpfloat (gap, ==, 0);
  g_assert_cmpint (lk_sampler_next (s, logits, 1, NULL, 0, NULL), ==, 0);
  g_assert_cmpint (lk_sampler_next (s, nothing, 2, NULL, 0, NULL), ==, -1);
}

/* Frequencies of 40000 draws against the distribution by definition: within five standard deviations. */
static void
check_distribution (LkSampler *s, const float *logits, guint n, const double *expected)
{
  enum
  {
    DRAWS = 40000
  };
  g_autofree guint *counts = g_new0 (guint, n);

  for (guint i = 0; i < DRAWS; i++)
    counts[lk_sampler_next (s, logits, n, NULL, 0, NULL)]++;
  for (guint i = 0; i < n; i++)
    {
      double sigma = sqrt (expected[i] * (1 - expected[i]) / DRAWS);

      g_assert_cmpfloat (fabs ((double) counts[i] / DRAWS - expected[i]), <=, 5 * sigma);
    }
}

static void
test_sampler_distribution (void)
{
  const float logits[] = { 0, 1, 2, 3 };
  const double weights[] = { 1, exp (0.5), exp (1), exp (1.5) };
  double sum = 0, expected[4];
  g_autoptr (LkSampler) all = sampler (2, 0, 1, 0, 1, 7);
  g_autoptr (LkSampler) two = sampler (2, 2, 1, 0, 1, 7);
  g_autoptr (LkSampler) nucleus = sampler (2, 0, 0.6, 0, 1, 7);
  g_autoptr (LkSampler) likely = sampler (2, 0, 1, 0.5, 1, 7);

  for (guint i = 0; i < 4; i++)
    sum += weights[i];
  for (guint i = 0; i < 4; i++)
    expected[i] = weights[i] / sum;
  check_distribution (all, logits, 4, expected);
  /* top-k 2, top-p 0.6 (0.46 + 0.28) and min-p 0.5 (0.61 stays, 0.37 goes) all keep the best two */
  for (guint i = 0; i < 4; i++)
    expected[i] = i < 2 ? 0 : weights[i] / (weights[2] + weights[3]);
  check_distribution (two, logits, 4, expected);
  check_distribution (nucleus, logits, 4, expected);
  check_distribution (likely, logits, 4, expected);
}

static void
test_sampler_seed (void)
{
  g_autoptr (LkSampler) a = sampler (1, 0, 1, 0, 1, 3);
  g_autoptr (LkSampler) b = sampler (1, 0, 1, 0, 1, 3);
  g_autoptr (LkSampler) c = sampler (1, 0, 1, 0, 1, 4);
  float logits[50] = { 0 };
  guint other = 0;

  for (guint i = 0; i < 200; i++)
    {
      gint32 id = lk_sampler_next (a, logits, 50, NULL, 0, NULL);

      g_assert_cmpint (id, ==, lk_sampler_next (b, logits, 50, NULL, 0, NULL));
      other += id != lk_sampler_next (c, logits, 50, NULL, 0, NULL);
    }
  g_assert_cmpuint (other, >, 150);
}

static void
test_sampler_penalty (void)
{
  g_autoptr (LkSampler) s = sampler (0, 0, 1, 0, 2, 1);
  const float positive[] = { 3, 2 }, negative[] = { -1, -1.5f };
  const gint32 seen[] = { 0, 0, 7, -1 };

  g_assert_cmpint (lk_sampler_next (s, positive, 2, seen, 4, NULL), ==, 1); /* 3/2 < 2 */
  g_assert_cmpint (lk_sampler_next (s, negative, 2, seen, 4, NULL), ==, 1); /* −1·2 < −1.5 */
}

static void
test_sampler_range (void)
{
  const LkSamplerConfig wrong[] = {
    { -1, 0, 1, 0, 1, 0 },  { NAN, 0, 1, 0, 1, 0 }, { 1, 0, 0, 0, 1, 0 },
    { 1, 0, 1.5, 0, 1, 0 }, { 1, 0, 1, 2, 1, 0 },   { 1, 0, 1, 0, 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (lk_sampler_new (&wrong[i], &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
    }
}

/* --- text --- */

/* Feeds @bytes one at a time; what comes out must be valid at every moment. */
static gboolean
stream (LkAnswerText *text, const char *bytes, GString *out)
{
  gboolean stopped = FALSE;

  for (gsize i = 0; i < strlen (bytes) && !stopped; i++)
    {
      g_autofree char *piece = NULL;

      stopped = lk_answer_text_add (text, (const guint8 *) bytes + i, 1);
      piece = lk_answer_text_take (text);
      if (piece)
        {
          g_assert_true (g_utf8_validate (piece, -1, NULL));
          g_string_append (out, piece);
        }
    }
  lk_answer_text_end (text);
  {
    g_autofree char *rest = lk_answer_text_take (text);

    if (rest)
      g_string_append (out, rest);
  }
  return stopped;
}

static void
test_text (void)
{
  static const char *const stops[] = { "", "###", "né!", NULL };
  static const struct
  {
    const char *in, *out;
    gboolean stopped;
  } cases[] = {
    { "plain", "plain", FALSE },
    { "é😀漢", "é😀漢", FALSE },
    { "a##b", "a##b", FALSE },
    { "a####b", "a", TRUE },
    { "ends ##", "ends ##", FALSE },
    { "fine\n###", "fine\n", TRUE },
    { "une née né! après", "une née ", TRUE },
    { "broken \xf0\x9f", "broken \xef\xbf\xbd\xef\xbf\xbd", FALSE },
    { "\xff!", "\xef\xbf\xbd!", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LkAnswerText) text = lk_answer_text_new (stops);
      g_autoptr (GString) out = g_string_new (NULL);

      g_assert_cmpint (stream (text, cases[i].in, out), ==, cases[i].stopped);
      g_assert_cmpstr (out->str, ==, cases[i].out);
    }
}

/* --- generator --- */

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->model = lk_test_model_open ();
  f->backend = lk_backend_new_cpu (2);
  if (f->model)
    f->adapter = lk_test_adapter_new (f->model, f->backend, 5);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->adapter, lk_adapter_unref);
  g_clear_pointer (&f->backend, lk_backend_unref);
  g_clear_pointer (&f->model, lk_model_unref);
}

static LkGenerator *
make_generator (Fixture *f, gboolean adapted, guint context)
{
  LkGeneratorOptions options = { f->model, f->backend, &f->adapter, adapted, context };
  g_autoptr (GError) error = NULL;
  LkGenerator *generator = lk_generator_new (&options, &error);

  g_assert_no_error (error);
  return generator;
}

static gint32 *
random_ids (Fixture *f, guint n)
{
  LkRandom random = lk_random (11, 0);
  gint32 *ids = g_new (gint32, n);

  for (guint i = 0; i < n; i++)
    ids[i] = (gint32) lk_random_below (&random, (guint32) lk_model_get_config (f->model)->vocab);
  return ids;
}

/* Logits of the last of @n tokens by the LOGITS purpose: no cache, no chunks. */
static float *
recompute (Fixture *f, gboolean adapted, const gint32 *ids, guint n)
{
  LkDecoderOptions options = {
    .purpose = LK_PURPOSE_LOGITS, .tokens = n, .n_logits = 1, .adapters = &f->adapter, .n_adapters = adapted
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkDecoder) decoder = lk_decoder_new (f->model, &options, &error);
  g_autoptr (LkExecutable) executable = NULL;
  g_autofree gint32 *positions = g_new (gint32, n);
  g_autofree gint32 *ranges = g_new (gint32, 2 * n);
  float *logits = g_new (float, lk_model_get_config (f->model)->vocab);
  gint32 row = (gint32) n - 1;

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    {
      positions[i] = (gint32) i;
      ranges[2 * i] = 0;
      ranges[2 * i + 1] = (gint32) i + 1;
    }
  g_assert_true (lk_backend_prepare (f->backend, lk_model_get_variables (f->model), NULL));
  executable = lk_backend_compile (f->backend, decoder->program, &error);
  g_assert_no_error (error);
  g_assert_true (lk_backend_write (f->backend, decoder->ids, 0, ids, n * 4, NULL));
  g_assert_true (lk_backend_write (f->backend, decoder->positions, 0, positions, n * 4, NULL));
  g_assert_true (lk_backend_write (f->backend, decoder->ranges, 0, ranges, n * 8, NULL));
  g_assert_true (lk_backend_write (f->backend, decoder->rows, 0, &row, 4, NULL));
  g_assert_true (lk_executable_run (executable, NULL));
  g_assert_true (lk_backend_read (f->backend, decoder->logits, 0, logits, decoder->logits->bytes, NULL));
  return logits;
}

static double
distance (const float *a, const float *b, gint64 n)
{
  double difference = 0, norm = 0;

  for (gint64 i = 0; i < n; i++)
    {
      difference += ((double) a[i] - (double) b[i]) * ((double) a[i] - (double) b[i]);
      norm += (double) b[i] * (double) b[i];
    }
  return sqrt (difference / norm);
}

static void
check_feed (Fixture *f, LkGenerator *generator, gboolean adapted, const gint32 *ids, guint n,
            guint expect_reused)
{
  g_autofree float *wanted = recompute (f, adapted, ids, n);
  g_autoptr (GError) error = NULL;
  guint reused;
  const float *logits = lk_generator_feed (generator, ids, n, &reused, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reused, ==, expect_reused);
  g_assert_cmpfloat (distance (logits, wanted, lk_model_get_config (f->model)->vocab), <, 2e-5);
}

/* Chunks of every size with and without padding, then one token more, then another end after the same
 * beginning. */
static void
test_generator_recompute (Fixture *f, gconstpointer data)
{
  static const guint lengths[] = { 1, 2, 7, 8, 9, 33, 40, 129, 170 };
  g_autofree gint32 *ids = NULL;

  if (!f->model)
    return;
  ids = random_ids (f, 200);
  for (guint adapted = 0; adapted < 2; adapted++)
    {
      g_autoptr (LkGenerator) generator = make_generator (f, adapted != 0, 256);

      for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
        {
          lk_generator_reset (generator);
          check_feed (f, generator, adapted != 0, ids, lengths[i], 0);
        }
      check_feed (f, generator, adapted != 0, ids, 171, 170);
      ids[100] = (ids[100] + 1) % 100;
      check_feed (f, generator, adapted != 0, ids, 120, 100);
      check_feed (f, generator, adapted != 0, ids, 120, 119);
    }
}

static void
test_generator_strength (Fixture *f, gconstpointer data)
{
  g_autoptr (LkGenerator) generator = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gint32 *ids = NULL;
  g_autofree float *base = NULL;
  const float *logits;
  gint64 vocab;

  if (!f->model)
    return;
  vocab = lk_model_get_config (f->model)->vocab;
  generator = make_generator (f, TRUE, 64);
  ids = random_ids (f, 20);
  base = recompute (f, FALSE, ids, 20);
  logits = lk_generator_feed (generator, ids, 20, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (distance (logits, base, vocab), >, 1e-2);
  g_assert_true (lk_generator_set_strength (generator, 0, 0, &error));
  logits = lk_generator_feed (generator, ids, 20, NULL, NULL, &error);
  g_assert_cmpfloat (distance (logits, base, vocab), <, 2e-5);
  g_assert_false (lk_generator_set_strength (generator, 0, NAN, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
}

/* Two conversations with one adapter, each at its own strength, take turns. */
static void
test_generator_strengths (Fixture *f, gconstpointer data)
{
  g_autoptr (LkGenerator) tuned = NULL;
  g_autoptr (LkGenerator) plain = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gint32 *ids = NULL;
  g_autofree float *base = NULL;
  const float *logits;
  gint64 vocab;

  if (!f->model)
    return;
  vocab = lk_model_get_config (f->model)->vocab;
  tuned = make_generator (f, TRUE, 64);
  plain = make_generator (f, TRUE, 64);
  ids = random_ids (f, 20);
  base = recompute (f, FALSE, ids, 20);
  lk_generator_feed (tuned, ids, 10, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (lk_generator_set_strength (plain, 0, 0, &error));
  logits = lk_generator_feed (tuned, ids, 20, NULL, NULL, &error);
  g_assert_cmpfloat (distance (logits, base, vocab), >, 1e-2);
  logits = lk_generator_feed (plain, ids, 20, NULL, NULL, &error);
  g_assert_cmpfloat (distance (logits, base, vocab), <, 2e-5);
  logits = lk_generator_feed (tuned, ids, 19, NULL, NULL, &error);
  g_assert_no_error (error);
  g_free (base);
  base = recompute (f, TRUE, ids, 19);
  g_assert_cmpfloat (distance (logits, base, vocab), <, 2e-5);
}

static gboolean
collect (const char *text, gpointer data)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_string_append (data, text);
  return TRUE;
}

static gboolean
refuse (const char *text, gpointer data)
{
  (*(guint *) data)++;
  return FALSE;
}

static GArray *
ask (Fixture *f, const char *text)
{
  g_autoptr (GError) error = NULL;
  GArray *ids = lk_prompt_from_text (f->model, text, &error);

  g_assert_no_error (error);
  return ids;
}

static void
run (LkGenerator *generator, GArray *ids, const LkGenerateOptions *options, LkGenerated *out)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (
      lk_generator_run (generator, (const gint32 *) (void *) ids->data, ids->len, options, out, &error));
  g_assert_no_error (error);
}

static void
test_generator_ends (Fixture *f, gconstpointer data)
{
  g_autoptr (LkGenerator) generator = NULL;
  g_autoptr (GArray) ids = NULL;
  g_autoptr (GString) streamed = g_string_new (NULL);
  g_auto (LkGenerated) whole = { 0 };
  g_auto (LkGenerated) out = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  LkGenerateOptions options = {
    .sampler = lk_sampler_defaults, .max_tokens = 24, .ignore_end = TRUE, .func = collect, .data = streamed
  };
  const char *stops[] = { NULL, NULL };
  g_autofree char *stop = NULL;
  guint calls = 0;

  if (!f->model)
    return;
  options.sampler.temperature = 0;
  generator = make_generator (f, FALSE, 48);
  ids = ask (f, "Once upon a time");
  run (generator, ids, &options, &whole);
  g_assert_cmpint (whole.finish, ==, LK_FINISH_LENGTH);
  g_assert_cmpuint (whole.ids->len, ==, 24);
  g_assert_cmpstr (streamed->str, ==, whole.text->str);

  /* a stop string from the middle of the answer: the text ends before its first place */
  stops[0] = stop = g_utf8_substring (whole.text->str, 9, 14);
  options.stops = stops;
  options.func = NULL;
  run (generator, ids, &options, &out);
  g_assert_cmpint (out.finish, ==, LK_FINISH_STOP);
  g_assert_true (g_str_has_prefix (whole.text->str, out.text->str));
  g_assert_cmpuint (out.text->len, ==, (gsize) (strstr (whole.text->str, stop) - whole.text->str));
  lk_generated_clear (&out);

  options.stops = NULL;
  options.max_tokens = 0;
  run (generator, ids, &options, &out);
  g_assert_cmpint (out.finish, ==, LK_FINISH_CONTEXT);
  g_assert_cmpuint (out.ids->len + ids->len, ==, 48);
  lk_generated_clear (&out);

  options.func = refuse;
  options.data = &calls;
  run (generator, ids, &options, &out);
  g_assert_cmpint (out.finish, ==, LK_FINISH_CANCELLED);
  g_assert_cmpuint (calls, >=, 1);
  lk_generated_clear (&out);

  options.func = NULL;
  options.cancellable = cancelled;
  g_cancellable_cancel (cancelled);
  run (generator, ids, &options, &out);
  g_assert_cmpint (out.finish, ==, LK_FINISH_CANCELLED);
  lk_generated_clear (&out);

  g_assert_false (
      lk_generator_run (generator, (const gint32 *) (void *) ids->data, 48, &options, &out, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
}

static void
test_generator_refuses (Fixture *f, gconstpointer data)
{
  LkGeneratorOptions options = { f->model, f->backend, NULL, 0, G_MAXINT32 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGenerator) generator = NULL;
  gint32 outside = G_MAXINT32;

  if (!f->model)
    return;
  g_assert_null (lk_generator_new (&options, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  generator = make_generator (f, FALSE, 16);
  g_assert_null (lk_generator_feed (generator, &outside, 1, NULL, NULL, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_MISMATCH);
}

/* The scorer's loss of a row is that of its logits one by one. */
static void
test_scorer (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkScorer) scorer = NULL;
  g_autofree gint32 *ids = NULL;
  guint8 targets[12] = { 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1 };
  LkExample example = { NULL, targets, 12 };
  LkExample *examples[] = { &example, &example };
  LkScore score = { 0 };
  double wanted = 0;
  gint64 vocab;

  if (!f->model)
    return;
  vocab = lk_model_get_config (f->model)->vocab;
  example.ids = ids = random_ids (f, 12);
  for (guint i = 1; i < 12; i++)
    {
      g_autofree float *logits = recompute (f, TRUE, ids, i);
      double sum = 0;

      for (gint64 v = 0; v < vocab; v++)
        sum += exp ((double) logits[v] - (double) logits[ids[i]]);
      wanted += targets[i] ? log (sum) : 0;
    }
  scorer = lk_scorer_new (f->model, f->backend, &f->adapter, 1, 32, &error);
  g_assert_no_error (error);
  g_assert_true (lk_scorer_run (scorer, examples, 2, &score, NULL, &error));
  g_assert_cmpint (score.targets, ==, 18);
  g_assert_cmpuint (score.examples, ==, 2);
  g_assert_cmpfloat (fabs (score.loss - 2 * wanted), <, 1e-4 * wanted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sampler/greedy", test_sampler_greedy);
  g_test_add_func ("/sampler/distribution", test_sampler_distribution);
  g_test_add_func ("/sampler/seed", test_sampler_seed);
  g_test_add_func ("/sampler/penalty", test_sampler_penalty);
  g_test_add_func ("/sampler/range", test_sampler_range);
  g_test_add_func ("/text/stream", test_text);
  g_test_add ("/generator/recompute", Fixture, NULL, set_up, test_generator_recompute, tear_down);
  g_test_add ("/generator/strength", Fixture, NULL, set_up, test_generator_strength, tear_down);
  g_test_add ("/generator/strengths", Fixture, NULL, set_up, test_generator_strengths, tear_down);
  g_test_add ("/generator/ends", Fixture, NULL, set_up, test_generator_ends, tear_down);
  g_test_add ("/generator/refuses", Fixture, NULL, set_up, test_generator_refuses, tear_down);
  g_test_add ("/scorer/loss", Fixture, NULL, set_up, test_scorer, tear_down);
  return g_test_run ();
}
