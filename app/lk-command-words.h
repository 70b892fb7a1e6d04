/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A command line as one would type it into a shell. Thread-safety: any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @word as a shell reads it back: quoted unless it is made of letters and digits of ASCII and _ . / : = , + - only. (transfer full) */
char *lk_command_words_quote (const char *word);
/* "lorikeet-cli", and behind it each of @arguments, quoted where that is needed. (transfer full) */
char *lk_command_words_join (const char *const *arguments);
/* The fine-tune of @arguments ("--model", … as a draft gives them) called @name; an empty one is not said. (transfer full) */
char *lk_command_words_train (const char *name, const char *const *arguments);

G_END_DECLS
