/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question that is asked again and again while a run learns, with the first answer and the latest.
 * Properties: prompt, first-step, first-text, latest-step, latest-text.
 * Thread-safety: main thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define LK_TYPE_SAMPLE (lk_sample_get_type ())
G_DECLARE_FINAL_TYPE (LkSample, lk_sample, LK, SAMPLE, GObject)

LkSample *lk_sample_new (const char *prompt);
const char *lk_sample_get_prompt (LkSample *self);
/* An answer at @step; the first one is kept, each later one replaces the latest. */
void lk_sample_add (LkSample *self, gint64 step, const char *text);

G_END_DECLS
