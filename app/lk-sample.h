/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question that is asked again and again while a run learns, with every answer to it.
 * Properties: prompt, latest-text (strings), answers (GListModel of LkSampleAnswer, by step).
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* One answer: step, text. */
#define LK_TYPE_SAMPLE_ANSWER (lk_sample_answer_get_type ())
G_DECLARE_FINAL_TYPE (LkSampleAnswer, lk_sample_answer, LK, SAMPLE_ANSWER, GObject)

gint64 lk_sample_answer_get_step (LkSampleAnswer *self);
const char *lk_sample_answer_get_text (LkSampleAnswer *self);

#define LK_TYPE_SAMPLE (lk_sample_get_type ())
G_DECLARE_FINAL_TYPE (LkSample, lk_sample, LK, SAMPLE, GObject)

LkSample *lk_sample_new (const char *prompt);
const char *lk_sample_get_prompt (LkSample *self);
GListModel *lk_sample_get_answers (LkSample *self);
/* An answer at @step; those of that step and of later ones, which are done again, go. */
void lk_sample_add (LkSample *self, gint64 step, const char *text);
/* Drops the answers of steps after @step. */
void lk_sample_truncate_after (LkSample *self, gint64 step);

G_END_DECLS
