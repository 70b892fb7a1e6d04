/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A tokenizer's tables as exporters need them to write it into another kind of file.
 */
#pragma once

#include "lk-tokenizer.h"

G_BEGIN_DECLS

/* @left and @right become @id; the lowest rank first. */
typedef struct
{
  gint32 left, right, id;
  guint32 rank;
} LkTokenizerMerge;

/* SentencePiece's BPE: tokens are text with ▁ for blanks, unknown characters become bytes. */
gboolean lk_tokenizer_is_sentencepiece (LkTokenizer *self);
/* A blank is put before a text. */
gboolean lk_tokenizer_has_prefix (LkTokenizer *self);
gint32 lk_tokenizer_get_unk (LkTokenizer *self); /* -1 when none */
/* Ids other than eos that end an answer only because lk_tokenizer_add_end said so: not by their text. (transfer full) (element-type gint32) */
GArray *lk_tokenizer_list_unnamed_ends (LkTokenizer *self);
/* GGUF's number for the kind of token (formats: a.9). */
gint64 lk_tokenizer_get_gguf_type (LkTokenizer *self, gint32 id);
/* Merges of tokens in the order of their ranks. (transfer full) (element-type LkTokenizerMerge) */
GArray *lk_tokenizer_list_merges (LkTokenizer *self);
/* What SentencePiece would call the tokens' scores: the later a token is made, the lower. n_tokens. (transfer full) */
float *lk_tokenizer_make_scores (LkTokenizer *self);

G_END_DECLS
