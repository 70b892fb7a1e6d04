/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a tokenizer is put together, by the readers of either kind of file.
 */
#pragma once

#include "lk-bpe.h"
#include "lk-pretokenizer.h"
#include "lk-tokenizer.h"

#define LK_TOKENIZER_MAX_TOKENS (1 << 22)
#define LK_TOKENIZER_MAX_MERGES (1 << 23)

typedef enum
{
  LK_TOKEN_NORMAL,  /* spelled in the byte-level alphabet */
  LK_TOKEN_CONTROL, /* matched in text only when asked for */
  LK_TOKEN_ADDED,   /* always matched in text, spelled as it is */
  LK_TOKEN_UNUSED,  /* an id without a text */
} LkTokenKind;

struct _LkTokenizer
{
  gatomicrefcount ref_count;
  char *source;
  guint n_tokens;
  char **tokens;           /* n_tokens; NULL where an id has no text */
  guint8 *kinds;           /* LkTokenKind */
  GHashTable *by_token;    /* text → id + 1 */
  const LkPretokenizer *pre;
  gboolean nfc;            /* text is normalised first */
  gboolean ignore_merges;
  LkBpe *bpe;
  gint32 byte_ids[256];
  GArray *added[256];      /* of LkAddedToken by first byte, longest first; NULL: none */
  gint32 bos, eos, pad;
  gboolean add_bos;
};

LkTokenizer *_lk_tokenizer_alloc (const char *source, guint n_tokens, GError **error);
/* Takes a copy of @text. A duplicate text keeps the first id. */
gboolean _lk_tokenizer_set_token (LkTokenizer *self, guint id, const char *text, LkTokenKind kind, GError **error);
/* The merge of two texts in rank order. */
gboolean _lk_tokenizer_add_merge (LkTokenizer *self, const char *left, const char *right, guint rank, GError **error);
/* After the last token and merge: byte table and added tokens. */
gboolean _lk_tokenizer_finish (LkTokenizer *self, GError **error);
/* As lk_tokenizer_encode with control tokens, but none is matched where @mask (a byte a byte of text) is not 0. */
gboolean _lk_tokenizer_encode_masked (LkTokenizer *self, const char *text, gsize length, const guint8 *mask, GArray *ids, GError **error);
/* Texts of tokens that are known to end a turn. */
const char *const *_lk_tokenizer_list_ends (guint *n);
