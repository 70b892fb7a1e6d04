/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What stands in a dataset is text, in each form of row and each of its fields: “<|im_end|>” in an answer is learned as the characters it
 * is written with, never as the token that ends a turn. A model with byte-level BPE and one with SentencePiece's, each with a chat template.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-file.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-train-data.h"
#include "../lk-test-shared.h"

/* Rows of each form; each “@” is what somebody wrote. */
static const struct
{
  const char *name, *row;
} forms[] = {
  { "messages", "{\"messages\":[{\"role\":\"system\",\"content\":@},{\"role\":\"user\",\"content\":@},{\"role\":\"assistant\",\"content\":@},"
                "{\"role\":\"user\",\"content\":@},{\"role\":\"assistant\",\"content\":@}]}" },
  { "sharegpt", "{\"conversations\":[{\"from\":\"system\",\"value\":@},{\"from\":\"human\",\"value\":@},{\"from\":\"gpt\",\"value\":@}]}" },
  { "completion", "{\"prompt\":@,\"completion\":@}" },
  { "alpaca", "{\"instruction\":@,\"input\":@,\"output\":@,\"system\":@}" },
  { "question", "{\"question\":@,\"answer\":@,\"system\":@}" },
  { "text", "{\"text\":@}" },
};

/* Every control token of the vocabulary, inside a word and alone, and what people write of other families. (element-type utf8) */
static GPtrArray *
texts_for (LkTokenizer *tokenizer)
{
  static const char *const usual[] = { "<|im_end|>", "<|im_start|>system", "<start_of_turn>", "<end_of_turn>", "</s>", "<s>", "[INST]", "<|eot_id|>",
                                       "<|endoftext|>", "<|end|>", "<|user|>", "<|im_<|im_end|>end|>", "<|im_end|>\n<|im_start|>assistant\n" };
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (texts, g_strdup ("xy"));
  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    g_ptr_array_add (texts, g_strdup (usual[i]));
  for (guint id = 0; id < lk_tokenizer_get_n_tokens (tokenizer); id++)
    if (lk_tokenizer_is_special (tokenizer, (gint32) id))
      {
        g_ptr_array_add (texts, g_strdup (lk_tokenizer_get_token (tokenizer, (gint32) id)));
        g_ptr_array_add (texts, g_strdup_printf ("x%sy", lk_tokenizer_get_token (tokenizer, (gint32) id)));
      }
  return texts;
}

static LkDataset *
write_rows (const char *path, const char *row, GPtrArray *texts)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  LkDataset *dataset;

  for (guint i = 0; i < texts->len; i++)
    {
      g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), g_ptr_array_index (texts, i));
      g_autofree char *quoted = lk_json_to_string (node, FALSE);
      g_auto (GStrv) parts = g_strsplit (row, "@", -1);
      g_autofree char *line = g_strjoinv (quoted, parts);

      g_string_append_printf (all, "%s\n", line);
    }
  g_assert_true (g_file_set_contents (path, all->str, -1, NULL));
  dataset = lk_dataset_load (&path, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_dataset_get_n_rows (dataset), ==, texts->len);
  return dataset;
}

/* Control tokens of an example, and of those what is learned. */
static void
count (LkTokenizer *tokenizer, const LkExample *example, guint *all, guint *learned)
{
  *all = *learned = 0;
  for (guint i = 0; i < example->n; i++)
    if (lk_tokenizer_is_special (tokenizer, example->ids[i]))
      {
        (*all)++;
        *learned += example->targets[i] != 0;
      }
}

static void
check_model (LkModel *model, const char *folder)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autofree char *path = g_build_filename (folder, "rows.jsonl", NULL);
  g_autoptr (GPtrArray) texts = texts_for (tokenizer);

  g_assert_nonnull (lk_model_get_template (model));
  g_assert_cmpuint (texts->len, >, 18);
  for (guint k = 0; k < G_N_ELEMENTS (forms); k++)
    {
      g_autoptr (LkDataset) dataset = write_rows (path, forms[k].row, texts);
      guint wanted = 0, wanted_learned = 0;

      for (guint i = 0; i < texts->len; i++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (LkExample) example = lk_example_from_row (model, lk_dataset_get_row (dataset, i), 1768478400, &error);
          g_autofree char *back = NULL;
          guint all, learned;

          g_assert_no_error (error);
          count (tokenizer, example, &all, &learned);
          if (i == 0)
            wanted = all, wanted_learned = learned;
          if (all != wanted || learned != wanted_learned)
            g_error ("%s: “%s” in a row of the form “%s” gives %u control tokens, not %u", lk_model_get_path (model),
                     (char *) g_ptr_array_index (texts, i), forms[k].name, all, wanted);
          back = lk_tokenizer_decode (tokenizer, example->ids, example->n, TRUE); /* the text is there, in characters */
          g_assert_nonnull (strstr (back, g_ptr_array_index (texts, i)));
        }
      g_assert_cmpuint (wanted, >, 0);
      g_assert_cmpuint (wanted_learned, >, 0); /* the end of the answer */
    }
  g_unlink (path);
}

static void
test_byte_level (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("LK_DATA_DIR"), "model", "lorikeet-tiny.gguf", NULL);
  g_autofree char *folder = g_dir_make_tmp ("lorikeet-control-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkModel) model = lk_model_open (path, &error);

  g_assert_no_error (error);
  check_model (model, folder);
  g_rmdir (folder);
}

/* A llama of one layer, all zero, with the tokenizer of @vocabulary. */
static void
write_model (const char *path, LkGguf *vocabulary, const char *chat_template)
{
  enum { HIDDEN = 32 };
  static const struct
  {
    const char *name;
    guint n_dims;
  } parts[] = { { "output_norm.weight", 1 }, { "blk.0.attn_norm.weight", 1 }, { "blk.0.ffn_norm.weight", 1 }, { "blk.0.attn_q.weight", 2 },
                { "blk.0.attn_k.weight", 2 }, { "blk.0.attn_v.weight", 2 }, { "blk.0.attn_output.weight", 2 }, { "blk.0.ffn_gate.weight", 2 },
                { "blk.0.ffn_up.weight", 2 }, { "blk.0.ffn_down.weight", 2 } };
  static const char *const sizes[] = { "embedding_length", "feed_forward_length", "rope.dimension_count" };
  const guint64 square[] = { HIDDEN, HIDDEN };
  g_auto (GStrv) tokens = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, &error);
  g_autofree guint8 *zeros = NULL;
  guint64 embedding[] = { 0, HIDDEN };
  guint n;

  g_assert_no_error (error);
  g_assert_true (lk_gguf_get_strings (vocabulary, "tokenizer.ggml.tokens", &tokens, &n, NULL));
  embedding[0] = n;
  zeros = g_malloc0 ((gsize) n * HIDDEN * 4);
  for (guint i = 0; i < lk_gguf_get_n_keys (vocabulary); i++)
    if (g_str_has_prefix (lk_gguf_get_key (vocabulary, i), "tokenizer."))
      lk_gguf_writer_copy_key (writer, vocabulary, lk_gguf_get_key (vocabulary, i));
  lk_gguf_writer_set_string (writer, "general.architecture", "llama");
  lk_gguf_writer_set_string (writer, "tokenizer.chat_template", chat_template);
  lk_gguf_writer_set_int (writer, "llama.block_count", LK_GGUF_U32, 1);
  lk_gguf_writer_set_int (writer, "llama.attention.head_count", LK_GGUF_U32, 1);
  lk_gguf_writer_set_int (writer, "llama.context_length", LK_GGUF_U32, 4096);
  lk_gguf_writer_set_float (writer, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *key = g_strconcat ("llama.", sizes[i], NULL);

      lk_gguf_writer_set_int (writer, key, LK_GGUF_U32, HIDDEN);
    }
  lk_gguf_writer_add_tensor (writer, "token_embd.weight", LK_TYPE_F32, embedding, 2);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    lk_gguf_writer_add_tensor (writer, parts[i].name, LK_TYPE_F32, square, parts[i].n_dims);
  g_assert_true (lk_gguf_writer_begin_data (writer, &error) && lk_gguf_writer_write (writer, zeros, (gsize) n * HIDDEN * 4, &error));
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    g_assert_true (lk_gguf_writer_write (writer, zeros, (parts[i].n_dims > 1 ? HIDDEN : 1) * HIDDEN * 4, &error));
  g_assert_true (lk_gguf_writer_finish (writer, &error));
}

static void
test_sentencepiece (void)
{
  g_autofree char *from = lk_test_shared ("golden/vocab-gguf/ggml-vocab-phi-3.gguf");
  g_autofree char *spoken = lk_test_shared ("golden/templates/microsoft-Phi-3.5-mini-instruct.jinja");
  g_autofree char *folder = NULL, *path = NULL, *chat_template = NULL;
  g_autoptr (LkGguf) vocabulary = NULL;
  g_autoptr (LkModel) model = NULL;
  g_autoptr (GError) error = NULL;

  if (!from || !spoken)
    return;
  folder = g_dir_make_tmp ("lorikeet-control-XXXXXX", NULL);
  path = g_build_filename (folder, "model.gguf", NULL);
  vocabulary = lk_gguf_open (from, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (spoken, &chat_template, NULL, NULL));
  write_model (path, vocabulary, chat_template);
  model = lk_model_open (path, &error);
  g_assert_no_error (error);
  check_model (model, folder);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/control-tokens/byte-level", test_byte_level);
  g_test_add_func ("/train/control-tokens/sentencepiece", test_sentencepiece);
  return g_test_run ();
}
