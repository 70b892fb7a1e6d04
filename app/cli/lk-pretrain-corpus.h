/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The text a model is trained on from scratch: lines of {"text"} or {"messages"} as data/corpus/make_corpus.py writes them.
 */
#pragma once

#include "lk-packing.h"
#include "lk-template.h"
#include "lk-tokenizer.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *rows; /* JsonObject */
  char *path;
} LkPretrainCorpus;

gboolean lk_pretrain_corpus_load (LkPretrainCorpus *self, const char *path, GError **error);
void lk_pretrain_corpus_clear (LkPretrainCorpus *self);

/* A vocabulary of @size tokens out of what the rows say. The specials are first. (transfer full) */
void lk_pretrain_corpus_learn_tokens (LkPretrainCorpus *self, const char *const *special, guint size, char ***tokens, char ***merges);

/* All rows as token ids, markup of the template included; text ends with @end. Every token is to be learned. An array of GArray
 * of gint32, each at most @longest long: longer rows are refused by number. (transfer full) */
GPtrArray *lk_pretrain_corpus_encode (LkPretrainCorpus *self, LkTokenizer *tokenizer, LkTemplate *chat_template, gint32 end, guint longest,
                                      GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkPretrainCorpus, lk_pretrain_corpus_clear)

G_END_DECLS
