/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "lk-gguf.h"
#include "lk-tokenizer.h"

/* The tokenizer of a GGUF as the model room hands it over. */
static inline LkTokenizer *
lk_test_gguf_tokenizer (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGguf) gguf = lk_gguf_open (path, &error);
  LkTokenizerMetadata m = { .source = path, .bos = -1, .eos = -1, .unk = -1, .pad = -1, .add_bos = -1,
                            .add_space_prefix = -1 };
  g_auto (GStrv) tokens = NULL, merges = NULL;
  g_autofree gint64 *types = NULL;
  g_autofree double *scores = NULL;
  LkTokenizer *tokenizer;
  guint n;

  g_assert_no_error (error);
  g_assert_true (lk_gguf_get_strings (gguf, "tokenizer.ggml.tokens", &tokens, &m.n_tokens, &error)
                 && lk_gguf_get_strings (gguf, "tokenizer.ggml.merges", &merges, &m.n_merges, &error)
                 && lk_gguf_get_ints (gguf, "tokenizer.ggml.token_type", &types, &n, &error)
                 && lk_gguf_get_doubles (gguf, "tokenizer.ggml.scores", &scores, &n, &error)
                 && lk_gguf_get_string (gguf, "tokenizer.ggml.model", &m.model, &error)
                 && lk_gguf_get_string (gguf, "tokenizer.ggml.pre", &m.pre, &error));
  m.tokens = tokens;
  m.merges = merges;
  m.token_types = types;
  m.scores = scores;
  tokenizer = lk_tokenizer_new_from_metadata (&m, &error);
  g_assert_no_error (error);
  return tokenizer;
}
