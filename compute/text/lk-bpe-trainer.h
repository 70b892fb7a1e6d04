/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Learns a byte-level vocabulary from text (Sennrich et al., 2016): begins with the 256 bytes and joins, again and again,
 * the most frequent adjacent pair. Ties go to the pair of lower ids, so that the result is a pure function of the text.
 */
#pragma once

#include <glib.h>

#include "lk-pretokenizer.h"

G_BEGIN_DECLS

typedef struct _LkBpeTrainer LkBpeTrainer;

/* @pre is borrowed for the trainer's life. */
LkBpeTrainer *lk_bpe_trainer_new (const LkPretokenizer *pre);
void lk_bpe_trainer_free (LkBpeTrainer *self);
/* Counts the pieces of @text. Valid UTF-8. */
void lk_bpe_trainer_add (LkBpeTrainer *self, const char *text, gsize length);

/* @special tokens first, then the bytes, then what was merged, @size in all: fewer when no pair occurs twice. *tokens and *merges
 * as GGUF and tokenizer.json spell them: NULL-terminated (transfer full). @size is at least the specials and 256, at most 65535. */
void lk_bpe_trainer_run (LkBpeTrainer *self, const char *const *special, guint size, char ***tokens, char ***merges);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkBpeTrainer, lk_bpe_trainer_free)

G_END_DECLS
