/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several runs beside each other: what they were made with where that differs, and what came of them.
 * Thread-safety: main thread.
 */
#pragma once

#include "lk-run.h"

G_BEGIN_DECLS

/* One line of the table: what it is about, and a text for each run ("–" where a run has none). */
typedef struct
{
  char *name;
  char **values;
  gboolean result; /* what came of it; else what it was made with */
  int best;        /* which run has the best value; -1: none stands out */
} LkRunDifference;

/* Model, data and each setting that is not the same in all @runs (LkRun), then the results: best held-out loss, last training
 * loss, steps. (transfer full) array of LkRunDifference. */
GPtrArray *lk_run_compare (GPtrArray *runs);

/* How people read a setting: "learning_rate" → "Learning rate", and its value. Both (transfer full). */
char *lk_run_words_of_setting (const char *name);
char *lk_run_words_of_value (JsonNode *value);

G_END_DECLS
