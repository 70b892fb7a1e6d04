/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first cut of a text into pieces that merges never cross. Known patterns only, each as a scanner of our own: a file's
 * regular expression is recognised by its text, never run, and every scanner is linear in the text.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;          /* GGUF's tokenizer.ggml.pre */
  const char *regex;         /* the Split pattern of tokenizer.json; NULL: none stands for it */
  gboolean digits;           /* each digit is isolated first (Digits, individual) */
  gboolean ignore_merges;    /* a piece that is a token is taken whole */
  gboolean add_bos;
  /* End of the piece that begins at @p < @end. Valid UTF-8. */
  const char *(*next) (const char *p, const char *end);
} LkPretokenizer;

const LkPretokenizer *lk_pretokenizer_by_name (const char *name);
const LkPretokenizer *lk_pretokenizer_by_regex (const char *regex);
/* The row of the same pattern that takes whole pieces, or not; @self when there is none. */
const LkPretokenizer *lk_pretokenizer_variant (const LkPretokenizer *self, gboolean ignore_merges);
/* "gpt-2, llama-bpe, …". (transfer full) */
char *lk_pretokenizer_list (void);

/* Calls @func for each piece of [text, text + length). */
typedef void (*LkPieceFunc) (const char *piece, gsize length, gpointer data);
void lk_pretokenizer_split (const LkPretokenizer *self, const char *text, gsize length, LkPieceFunc func, gpointer data);

G_END_DECLS
