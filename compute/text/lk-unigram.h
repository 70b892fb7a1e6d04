/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The unigram model (Kudo, 2018): of all ways to cut a text into tokens the one whose scores have the greatest sum. Time
 * and memory in proportion to the text; immutable after the last add.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LkUnigram LkUnigram;

LkUnigram *lk_unigram_new (void);
void lk_unigram_free (LkUnigram *self);
/* @text is not empty. */
void lk_unigram_add (LkUnigram *self, const char *text, gint32 id, double score);
/* Calls @func for each token of [text, text + n) from the left; id −1: one character that no token covers. */
typedef void (*LkUnigramFunc) (const char *piece, gsize length, gint32 id, gpointer data);
void lk_unigram_cut (const LkUnigram *self, const char *text, gsize n, LkUnigramFunc func, gpointer data);

G_END_DECLS
