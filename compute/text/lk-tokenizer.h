/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text to token ids and back, token for token like the reference library. Thread-safety: immutable after creation;
 * encode may be called from many threads.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _LkTokenizer LkTokenizer;

/* What GGUF metadata says (tokenizer.ggml.*), handed over by the model room. All borrowed for the call. */
typedef struct
{
  const char *source;          /* file name for errors */
  const char *model;           /* "gpt2", "llama" … */
  const char *pre;             /* "smollm" …, may be NULL */
  char **tokens;
  guint n_tokens;
  char **merges;
  guint n_merges;
  const gint64 *token_types;   /* n_tokens, may be NULL */
  const double *scores;        /* n_tokens, may be NULL */
  gint64 bos, eos, unk, pad;   /* -1 when absent */
  gboolean add_bos, add_space_prefix; /* −1 when absent */
  gboolean add_eos;
} LkTokenizerMetadata;

LkTokenizer *lk_tokenizer_new_from_metadata (const LkTokenizerMetadata *metadata, GError **error);
/* A tokenizer.json; @config_path (tokenizer_config.json) may be NULL. */
LkTokenizer *lk_tokenizer_new_from_json (const char *path, const char *config_path, GError **error);
/* A tokenizer.model; @config_path as above. */
LkTokenizer *lk_tokenizer_new_from_sentencepiece (const char *path, const char *config_path, GError **error);
LkTokenizer *lk_tokenizer_ref (LkTokenizer *self);
void lk_tokenizer_unref (LkTokenizer *self);

guint lk_tokenizer_get_n_tokens (LkTokenizer *self);
/* The token's text as the file spells it; NULL when out of range. */
const char *lk_tokenizer_get_token (LkTokenizer *self, gint32 id);
gint32 lk_tokenizer_get_bos (LkTokenizer *self); /* -1 when none; the same for the others */
gint32 lk_tokenizer_get_eos (LkTokenizer *self);
gint32 lk_tokenizer_get_pad (LkTokenizer *self);
gboolean lk_tokenizer_get_add_bos (LkTokenizer *self);
/* @id ends an answer, whatever its text: the model's own files say so. Where the tokenizer's name no eos, the first becomes it. To be
 * called before the tokenizer is shared. */
void lk_tokenizer_add_end (LkTokenizer *self, gint32 id);
/* TRUE for ids that end an answer: eos, those added, and the end-of-turn tokens known by their text (<|im_end|>, <|eot_id|> …). */
gboolean lk_tokenizer_is_end (LkTokenizer *self, gint32 id);
/* TRUE for control tokens, which decoding for people leaves out. */
gboolean lk_tokenizer_is_special (LkTokenizer *self, gint32 id);
/* The name GGUF has for the first cut of a text into pieces ("smollm"), for exporters; NULL when there is none (SentencePiece). */
const char *lk_tokenizer_get_pre (LkTokenizer *self);
gint32 lk_tokenizer_lookup (LkTokenizer *self, const char *token); /* -1 when absent */

/* Appends ids of @text (@length -1: NUL-terminated) to @ids (gint32). No BOS/EOS is added. With @special the texts
 * of control tokens become those tokens; without, they are plain text. */
gboolean lk_tokenizer_encode (LkTokenizer *self, const char *text, gssize length, gboolean special, GArray *ids, GError **error);

/* The text of @ids; invalid UTF-8 becomes U+FFFD. (transfer full) */
char *lk_tokenizer_decode (LkTokenizer *self, const gint32 *ids, guint n, gboolean skip_special);
/* The same for a text that may hold NUL. (transfer full) */
GString *lk_tokenizer_decode_string (LkTokenizer *self, const gint32 *ids, guint n, gboolean skip_special);
/* The raw bytes of one token (for streaming; a character may span tokens). (transfer full) */
GBytes *lk_tokenizer_get_bytes (LkTokenizer *self, gint32 id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkTokenizer, lk_tokenizer_unref)

G_END_DECLS
