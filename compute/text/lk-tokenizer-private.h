/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a tokenizer is put together by the readers of each kind of file, and what encoding and decoding share.
 */
#pragma once

#include "lk-added-tokens.h"
#include "lk-bpe.h"
#include "lk-pretokenizer.h"
#include "lk-tokenizer.h"
#include "lk-unigram.h"

#define LK_TOKENIZER_MAX_TOKENS (1 << 22)
#define LK_TOKENIZER_MAX_MERGES (1 << 23)
#define LK_TOKENIZER_BLANK "\xe2\x96\x81" /* ▁, U+2581: SentencePiece's blank */

typedef enum
{
  LK_TOKEN_NORMAL,  /* spelled in the byte-level alphabet, or as text with ▁ for blanks */
  LK_TOKEN_CONTROL, /* matched in text only when asked for */
  LK_TOKEN_ADDED,   /* always matched in text, spelled as it is */
  LK_TOKEN_UNUSED,  /* an id without a text */
  LK_TOKEN_BYTE,    /* <0x0A>: a byte that no token spells */
} LkTokenKind;

typedef enum
{
  LK_TEXT_BYTES,   /* byte-level BPE: pieces by a pre-tokenizer, symbols are bytes */
  LK_TEXT_CHARS,   /* SentencePiece's BPE: symbols are characters, unknown ones become bytes */
  LK_TEXT_UNIGRAM, /* the cut of the greatest score */
} LkTextModel;

/* A blank before a text that is not there. */
typedef enum
{
  LK_PREFIX_NEVER,
  LK_PREFIX_FIRST,   /* before the whole text, unless it begins with one */
  LK_PREFIX_MISSING, /* before each part between added tokens, unless it begins with one */
  LK_PREFIX_ALWAYS,  /* before each part between added tokens */
} LkPrefix;

typedef struct
{
  char *from, *to;
} LkReplacement;

struct _LkTokenizer
{
  gatomicrefcount ref_count;
  char *source;
  guint n_tokens;
  char **tokens;           /* n_tokens; NULL where an id has no text */
  guint8 *kinds;           /* LkTokenKind */
  GHashTable *by_token;    /* text → id + 1 */
  LkTextModel model;

  int unicode;             /* GNormalizeMode, −1: none */
  gboolean lowercase;
  GArray *replacements;    /* LkReplacement, after that */
  gboolean blanks;         /* ' ' becomes ▁ */
  gboolean split_blanks;   /* and begins a piece */
  gboolean collapse;       /* runs of blanks become one, those at the ends none (SentencePiece's remove_extra_whitespaces) */
  LkPrefix prefix;
  gboolean strip_prefix;   /* decoding leaves out one blank at the beginning */

  const LkPretokenizer *pre; /* LK_TEXT_BYTES */
  gboolean ignore_merges;
  LkBpe *bpe;
  LkUnigram *unigram;
  gboolean byte_fallback, fuse_unk;
  gint32 unk;
  gint32 byte_ids[256];    /* the tokens of bytes; −1: there is none */
  gint32 ascii[128];       /* LK_TEXT_CHARS: symbols of characters; −1: unknown */
  GHashTable *chars;       /* the same for others: code point → symbol + 1 */
  GArray *others;          /* gunichar: characters in tokens that are none themselves; their symbols follow the tokens */
  guint8 near[128 * 128];  /* whether some token holds the two characters side by side: where none does, no token can cross */
  GHashTable *near_others; /* the same for pairs beyond, as lk_pair_key */

  guint8 *added_flags;     /* LkAddedFlags by id, from the readers */
  LkAddedTokens *added;
  guint8 *spelled;         /* what tokens decode to, one behind the other */
  guint32 *spelled_at;     /* n_tokens + 1 places in it */
  guint32 *by_spelling;    /* open addressing over what normal tokens decode to: id + 1; NULL unless ignore_merges */
  guint32 spelling_mask;
  gint32 bos, eos, pad;
  GArray *ends;            /* gint32: further ids that end an answer, as the model's files say */
  gboolean add_bos;

  GMutex cache_lock;       /* who has it may use @cache */
  struct _LkPieceCache *cache;
};

LkTokenizer *_lk_tokenizer_alloc (const char *source, guint n_tokens, GError **error);
/* Takes a copy of @text. A duplicate text keeps the first id. */
gboolean _lk_tokenizer_set_token (LkTokenizer *self, guint id, const char *text, LkTokenKind kind, GError **error);
/* The same for the lists of GGUF files and SentencePiece models, in which no text may stand twice: llama.cpp and SentencePiece open no
 * such file. Empty texts, which mean nothing, may. */
gboolean _lk_tokenizer_list_token (LkTokenizer *self, guint id, const char *text, LkTokenKind kind, GError **error);
void _lk_tokenizer_add_replacement (LkTokenizer *self, const char *from, const char *to);
/* The merge of two texts. */
gboolean _lk_tokenizer_add_merge (LkTokenizer *self, const char *left, const char *right, guint rank, GError **error);
/* SentencePiece's way: every pair whose text is a token may merge, the greatest score first. @scores: n_tokens. */
gboolean _lk_tokenizer_merge_by_scores (LkTokenizer *self, const double *scores, GError **error);
gboolean _lk_tokenizer_set_unigram (LkTokenizer *self, const double *scores, GError **error);
/* After the last token and merge: tables for encoding and decoding. */
gboolean _lk_tokenizer_finish (LkTokenizer *self, GError **error);

/* bos, eos, pad and add_bos as tokenizer_config.json has them; @path may be NULL. */
gboolean _lk_tokenizer_read_config (LkTokenizer *self, const char *path, GError **error);

/* Where a part stands among the parts of one text that are encoded one after the other. */
typedef struct
{
  gboolean begun;    /* something came before */
  gboolean raw;      /* and it was no added token */
} LkEncodeState;

/* As lk_tokenizer_encode with control tokens, but none is matched where @mask (a byte a byte of text) is not 0. */
gboolean _lk_tokenizer_encode_masked (LkTokenizer *self, const char *text, gsize length, const guint8 *mask, LkEncodeState *state, GArray *ids,
                                      GError **error);
/* Texts of tokens that are known to end a turn. */
const char *const *_lk_tokenizer_list_ends (guint *n);
gboolean _lk_tokenizer_is_added_end (LkTokenizer *self, gint32 id);
/* The token that spells these bytes; −1. Only with ignore_merges. */
gint32 _lk_tokenizer_find_spelling (LkTokenizer *self, const char *bytes, gsize n);
guint64 _lk_hash_bytes (const char *bytes, gsize n);
/* The symbol of a character; −1: unknown. */
gint32 _lk_tokenizer_symbol (LkTokenizer *self, gunichar c);
/* TRUE when no token holds @left and @right side by side. */
gboolean _lk_tokenizer_parts (LkTokenizer *self, gunichar left, gunichar right);
void _lk_piece_cache_free (struct _LkPieceCache *cache);
