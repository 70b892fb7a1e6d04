/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokenizer.model, damaged files, and texts that mean harm.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

#include "lk-error.h"
#include "lk-gguf.h"
#include "lk-tokenizer.h"
#include "../lk-test-shared.h"

static char *folder;

static char *
golden (const char *rest)
{
  g_autofree char *path = g_build_filename ("golden", rest, NULL);

  return lk_test_shared (path);
}

static void
put_varint (GByteArray *out, guint64 value)
{
  do
    {
      guint8 byte = (guint8) (value & 127) | (value > 127 ? 128 : 0);
      g_byte_array_append (out, &byte, 1);
    }
  while (value >>= 7);
}

static void
put_bytes (GByteArray *out, guint field, gconstpointer bytes, gsize n)
{
  put_varint (out, field << 3 | 2);
  put_varint (out, n);
  g_byte_array_append (out, bytes, (guint) n);
}

static void
put_number (GByteArray *out, guint field, guint64 number)
{
  put_varint (out, field << 3);
  put_varint (out, number);
}

/* What SentencePiece would have written for these tokens. */
static GByteArray *
make_model (char **tokens, const double *scores, const gint64 *types, guint n, guint model)
{
  GByteArray *out = g_byte_array_new ();
  g_autoptr (GByteArray) trainer = g_byte_array_new ();
  g_autoptr (GByteArray) normalizer = g_byte_array_new ();

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GByteArray) piece = g_byte_array_new ();
      float score = (float) scores[i];
      guint32 bits;

      memcpy (&bits, &score, sizeof bits);
      bits = GUINT32_TO_LE (bits);
      put_bytes (piece, 1, tokens[i], strlen (tokens[i]));
      put_varint (piece, 2 << 3 | 5);
      g_byte_array_append (piece, (const guint8 *) &bits, 4);
      if (types[i] != 1)
        put_number (piece, 3, (guint64) types[i]);
      put_bytes (out, 1, piece->data, piece->len);
    }
  put_number (trainer, 3, model);
  put_number (trainer, 35, 1);
  put_number (trainer, 43, G_MAXUINT64); /* pad −1 */
  put_number (normalizer, 4, 0);
  put_bytes (normalizer, 1, "identity", 8);
  put_bytes (out, 2, trainer->data, trainer->len);
  put_bytes (out, 3, normalizer->data, normalizer->len);
  return out;
}

static LkTokenizer *
load_model (const guint8 *data, gsize n, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "tokenizer.model", NULL);

  g_assert_true (g_file_set_contents (path, (const char *) data, (gssize) n, NULL));
  return lk_tokenizer_new_from_sentencepiece (path, NULL, error);
}

/* Llama 2's vocabulary as tokenizer.model: llama.cpp's vectors for the GGUF hold. */
static void
test_sentencepiece (void)
{
  g_autofree char *path = golden ("vocab-gguf/ggml-vocab-llama-spm.gguf");
  g_autofree char *inputs = path ? g_strconcat (path, ".inp", NULL) : NULL;
  g_autofree char *outputs = path ? g_strconcat (path, ".out", NULL) : NULL;
  g_autofree char *text = NULL, *ids_text = NULL;
  g_autofree gint64 *types = NULL;
  g_autofree double *scores = NULL;
  g_auto (GStrv) tokens = NULL;
  g_auto (GStrv) parts = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGguf) gguf = path ? lk_gguf_open (path, &error) : NULL;
  g_autoptr (GByteArray) model = NULL;
  g_autoptr (LkTokenizer) tokenizer = NULL;
  guint n;

  if (!gguf)
    return;
  g_assert_true (lk_gguf_get_strings (gguf, "tokenizer.ggml.tokens", &tokens, &n, NULL) && lk_gguf_get_doubles (gguf, "tokenizer.ggml.scores", &scores, &n, NULL)
                 && lk_gguf_get_ints (gguf, "tokenizer.ggml.token_type", &types, &n, NULL));
  model = make_model (tokens, scores, types, n, 2);
  tokenizer = load_model (model->data, model->len, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lk_tokenizer_get_eos (tokenizer), ==, 2);
  g_assert_cmpint (lk_tokenizer_get_pad (tokenizer), ==, -1);
  g_file_get_contents (inputs, &text, NULL, NULL);
  g_file_get_contents (outputs, &ids_text, NULL, NULL);
  parts = g_strsplit (text, "\n__ggml_vocab_test__\n", -1);
  lines = g_strsplit (ids_text, "\n", -1);
  for (guint i = 0; parts[i] && lines[i] && (parts[i + 1] || *parts[i]); i++)
    {
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
      g_autoptr (GString) ours = g_string_new (NULL);
      g_autofree char *back = NULL;

      g_assert_true (lk_tokenizer_encode (tokenizer, parts[i], -1, FALSE, ids, &error));
      for (guint k = 0; k < ids->len; k++)
        g_string_append_printf (ours, "%s%d", k ? " " : "", g_array_index (ids, gint32, k));
      g_assert_cmpstr (ours->str, ==, g_strstrip (lines[i]));
      back = lk_tokenizer_decode (tokenizer, (const gint32 *) (void *) ids->data, ids->len, FALSE);
      g_assert_cmpstr (back, ==, parts[i]);
    }
}

static char *small_tokens[] = { "<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "ab", "<0x0A>", NULL };
static const double small_scores[] = { 0, 0, 0, -1, -2, -3, -4, -5, 0 };
static const gint64 small_types[] = { 2, 3, 3, 1, 1, 1, 1, 1, 6 };

/* Cut at every byte, and with any byte another: refused in words, or something else that can be used. */
static void
test_sentencepiece_damaged (void)
{
  g_autoptr (GByteArray) model = make_model (small_tokens, small_scores, small_types, 9, 1);
  g_autoptr (LkTokenizer) whole = load_model (model->data, model->len, NULL);
  guint refused = 0;

  g_assert_nonnull (whole);
  for (guint i = 0; i < model->len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTokenizer) cut = load_model (model->data, i, &error);

      refused += !cut;
      g_assert_true (cut || (error && strstr (error->message, "tokenizer.model")));
    }
  g_assert_cmpuint (refused, >, model->len / 2);
  for (guint i = 0; i < model->len * 8; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkTokenizer) other = NULL;

      model->data[i / 8] ^= (guint8) (1 << i % 8);
      other = load_model (model->data, model->len, &error);
      if (other)
        {
          g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
          lk_tokenizer_encode (other, "ab a\nx", -1, TRUE, ids, NULL);
        }
      g_assert_true (other || error);
      model->data[i / 8] ^= (guint8) (1 << i % 8);
    }
}

/* A text that two tokens have, in either list: refused by name, as llama.cpp and SentencePiece do. Empty ones are nothing. */
static void
test_same_text (void)
{
  char *tokens[] = { "<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "a", "<0x0A>", NULL };

  for (guint k = 0; k < 2; k++)
    {
      LkTokenizerMetadata m = { .source = "some.gguf", .model = "llama", .tokens = tokens, .n_tokens = 9, .scores = small_scores,
                                .token_types = small_types, .bos = -1, .eos = -1, .unk = -1, .pad = -1, .add_bos = -1, .add_space_prefix = -1 };
      g_autoptr (GByteArray) model = NULL;
      g_autoptr (GError) of_list = NULL, of_model = NULL;
      g_autoptr (LkTokenizer) list = lk_tokenizer_new_from_metadata (&m, &of_list);
      g_autoptr (LkTokenizer) other = NULL;

      model = make_model (tokens, small_scores, small_types, 9, 2);
      other = load_model (model->data, model->len, &of_model);
      g_assert_true (!list == !k && !other == !k);
      g_assert_true (list || (strstr (of_list->message, "some.gguf") && strstr (of_list->message, "tokens 4 and 7 have the same text, “a”")));
      g_assert_true (other || strstr (of_model->message, "tokens 4 and 7 have the same text, “a”"));
      tokens[5] = tokens[7] = (char *) "";
    }
}

/* Runs of blanks that a vocabulary calls added are merged like other tokens, in either list; what ends a turn is not, under any name. */
static void
test_added_blanks (void)
{
  char *tokens[] = { "<unk>", "<s>", "</s>", "▁", "a", "▁▁", "<", "<s", "<s>x", "s", ">", "<|a|", "<|a|>", "|", "<|", "a|", NULL };
  const double scores[] = { 0, 0, 0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13 };
  const gint64 types[] = { 2, 3, 3, 1, 1, 4, 1, 1, 1, 1, 1, 1, 4, 1, 1, 1 };
  LkTokenizerMetadata m = { .source = "some.gguf", .model = "llama", .tokens = tokens, .n_tokens = 16, .scores = scores, .token_types = types,
                            .bos = -1, .eos = -1, .unk = -1, .pad = -1, .add_bos = FALSE, .add_space_prefix = FALSE };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTokenizer) list = lk_tokenizer_new_from_metadata (&m, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_no_error (error);
  g_assert_true (lk_tokenizer_encode (list, "a  a", -1, FALSE, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 3);
  g_assert_cmpint (g_array_index (ids, gint32, 1), ==, 5);
  g_array_set_size (ids, 0);
  g_assert_true (lk_tokenizer_encode (list, "<|a|>", -1, FALSE, ids, NULL));
  g_assert_cmpuint (ids->len, >, 1); /* the characters */
  g_array_set_size (ids, 0);
  g_assert_true (lk_tokenizer_encode (list, "<|a|>", -1, TRUE, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 1);
  g_assert_cmpint (g_array_index (ids, gint32, 0), ==, 12);
}

/* Damaged JSON tokenizers: ids, merges, options. */
static void
test_json_damaged (void)
{
  static const char *const models[] = {
    "{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}", "{\"type\":\"BPE\",\"vocab\":{\"a\":2147483647},\"merges\":[]}",
    "{\"type\":\"BPE\",\"vocab\":{\"a\":9007199254740993},\"merges\":[]}", "{\"type\":\"BPE\",\"vocab\":{\"a\":0.5},\"merges\":[]}",
    "{\"type\":\"BPE\",\"vocab\":{\"a\":1e308},\"merges\":[]}", "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}",
    "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a zz\"]}", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}",
    "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[1,2]]}", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.1}",
    "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"end_of_word_suffix\":\"</w>\"}", "{\"type\":\"BPE\",\"merges\":[]}", "{\"type\":\"BPE\",\"vocab\":{}}",
    "{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}", "{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}", "{\"type\":\"Unigram\",\"vocab\":[[\"a\",\"b\"]]}",
    "{\"type\":\"Unigram\",\"vocab\":{}}", "{\"type\":3}", "[]",
  };
  static const char *const parts[] = {
    "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},\"behavior\":\"Isolated\"}", "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}",
    "\"pre_tokenizer\":{}", "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[3]}", "\"normalizer\":{\"type\":\"Nmt\"}",
    "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a+)+$\"},\"content\":\"\"}", "\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"x\"}",
    "\"added_tokens\":[{\"id\":-1,\"content\":\"x\"}]", "\"added_tokens\":[{\"id\":5000000,\"content\":\"x\"}]", "\"added_tokens\":[{\"content\":\"x\"}]", "\"added_tokens\":[3]",
    "\"added_tokens\":{}",
  };
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (models) + G_N_ELEMENTS (parts); i++)
    {
      gboolean model = i < G_N_ELEMENTS (models);
      g_autofree char *text = g_strdup_printf ("{\"model\":%s%s%s}", model ? models[i] : "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}", model ? "" : ",",
                                               model ? "" : parts[i - G_N_ELEMENTS (models)]);
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (path, text, -1, NULL));
      g_assert_null (lk_tokenizer_new_from_json (path, NULL, &error));
      if (!error)
        g_error ("no error for %s", text);
      g_assert_true (strstr (error->message, "tokenizer.json"));
    }
}

/* Many added tokens that begin alike: the time stays in proportion to file and text. */
static void
test_many_added (void)
{
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  g_autofree char *text = g_strnfill (1 << 20, '<');
  g_autoptr (GString) json = g_string_new ("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"<\":0},\"merges\":[]},\"added_tokens\":[");
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (LkTokenizer) tokenizer = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i < 200000; i++)
    g_string_append_printf (json, "%s{\"id\":%u,\"content\":\"<t%u>\",\"special\":true}", i > 1 ? "," : "", i, i);
  g_string_append (json, "]}");
  g_assert_true (g_file_set_contents (path, json->str, -1, NULL));
  tokenizer = lk_tokenizer_new_from_json (path, NULL, &error);
  g_assert_no_error (error);
  memcpy (text + 100, "<t199999>", 9);
  g_assert_true (lk_tokenizer_encode (tokenizer, text, -1, TRUE, ids, NULL));
  g_assert_cmpuint (ids->len, ==, (1 << 20) - 8);
  g_assert_cmpint (g_array_index (ids, gint32, 100), ==, 199999);
}

static double
seconds (LkTokenizer *tokenizer, const char *unit, gsize size)
{
  g_autoptr (GString) text = g_string_sized_new (size + 16);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  clock_t begin; /* of the processor: a busy machine changes nothing */

  while (text->len < size)
    g_string_append (text, unit);
  begin = clock ();
  g_assert_true (lk_tokenizer_encode (tokenizer, text->str, (gssize) text->len, TRUE, ids, NULL));
  return (double) (clock () - begin) / CLOCKS_PER_SEC;
}

/* Runs that are one piece each, real vocabularies: less than a second a megabyte, and no more than in proportion. With -m slow 16 MiB. */
static void
test_long_runs (gconstpointer data)
{
  static const char *const units[] = { "a", " ", "\n", "aA", "é", "\xcc\x81", "a\xcc\x81", "1", "!", "=-", "あA", "<", " a", "the", "\t ", "ab1", "🙂" };
  g_autofree char *rest = g_build_filename ("tokenizers", data, "tokenizer.json", NULL);
  g_autofree char *file = golden (rest);
  g_autoptr (LkTokenizer) tokenizer = file ? lk_tokenizer_new_from_json (file, NULL, NULL) : NULL;
  gsize size = g_test_slow () ? 16 << 20 : 1 << 20;

  for (guint i = 0; tokenizer && i < G_N_ELEMENTS (units); i++)
    {
      double once = seconds (tokenizer, units[i], size), twice = seconds (tokenizer, units[i], 2 * size);

      g_test_message ("%s “%s”: %.3f s, twice as much %.3f s", (const char *) data, units[i], once, twice);
      g_assert_cmpfloat (once, <, 10.0 * (double) size / (1 << 20)); /* ten times the promise: sanitizers and busy machines */
      g_assert_cmpfloat (twice, <, 6 * once + 0.2);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lorikeet-tokenizer-XXXXXX", NULL);
  g_test_add_func ("/tokenizer/sentencepiece", test_sentencepiece);
  g_test_add_func ("/tokenizer/sentencepiece-damaged", test_sentencepiece_damaged);
  g_test_add_func ("/tokenizer/same-text", test_same_text);
  g_test_add_func ("/tokenizer/added-blanks", test_added_blanks);
  g_test_add_func ("/tokenizer/json-damaged", test_json_damaged);
  g_test_add_func ("/tokenizer/many-added", test_many_added);
  g_test_add_data_func ("/tokenizer/long/smollm2", "smollm2", test_long_runs);
  g_test_add_data_func ("/tokenizer/long/llama3", "llama3", test_long_runs);
  g_test_add_data_func ("/tokenizer/long/gemma2", "gemma2", test_long_runs);
  status = g_test_run ();
  {
    g_autofree char *json = g_build_filename (folder, "tokenizer.json", NULL);
    g_autofree char *model = g_build_filename (folder, "tokenizer.model", NULL);

    g_unlink (json);
    g_unlink (model);
    g_rmdir (folder);
  }
  g_free (folder);
  return status;
}
