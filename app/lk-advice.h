/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether fine-tuning is the right tool: a few questions, what follows of each answer, and where they lead. Tables only; every text is
 * to be translated where it is shown. Thread-safety: any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_VERDICT_FINE_TUNE,
  LK_VERDICT_RETRIEVAL,
  LK_VERDICT_PROMPT,
  LK_VERDICT_MORE_DATA,
  LK_VERDICT_CHANGES,
  LK_VERDICT_TOO_BROAD,
  LK_N_VERDICTS,
} LkVerdict;

typedef struct
{
  const char *text, *why; /* why: one sentence */
  int next;               /* index of the next question; −1: @verdict */
  LkVerdict verdict;
} LkAnswer;

typedef struct
{
  const char *text;
  LkAnswer answers[5]; /* ends with a text of NULL */
} LkQuestion;

typedef struct
{
  const char *title, *text; /* text: what to do now, two sentences at most */
  gboolean go;              /* fine-tuning is right */
} LkVerdictText;

/* The first is asked first; a later answer never leads back. */
extern const LkQuestion lk_questions[];
extern const guint lk_n_questions;
extern const LkVerdictText lk_verdicts[LK_N_VERDICTS];

G_END_DECLS
