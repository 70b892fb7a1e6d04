/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ROUGE-L (Lin, 2004): the F-measure of the longest common subsequence of words of two texts, as the
 * rouge-score package computes it without stemming: lower case, words are runs of a–z and 0–9.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From 0 to 1; 0 when either text has no words. */
double lk_rouge_l (const char *reference, const char *answer);

G_END_DECLS
