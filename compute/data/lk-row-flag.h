/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can be wrong with a row of an imported dataset, as bits of its column “problems”.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ROW_UNUSABLE = 1 << 0,    /* the reason says why; never trained on */
  LK_ROW_REFUSED = 1 << 1,     /* the model's template refuses it; never trained on */
  LK_ROW_DUPLICATE = 1 << 2,   /* teaches the same as an earlier row */
  LK_ROW_CONFLICT = 1 << 3,    /* another row has the same question and another answer */
  LK_ROW_PLACEHOLDER = 1 << 4, /* {{name}} was never filled in */
  LK_ROW_INVISIBLE = 1 << 5,   /* control or zero-width characters */
} LkRowFlag;

typedef struct
{
  LkRowFlag flag;
  const char *name;  /* "duplicate": on the command line and in JSON */
  const char *label; /* "Repeated": of one row */
  const char *title; /* "Repeated rows" */
  const char *help;  /* one sentence: why it matters */
} LkRowFlagKind;

extern const LkRowFlagKind lk_row_flags[];
extern const guint lk_n_row_flags;

/* NULL when there is no such problem. */
const LkRowFlagKind *lk_row_flag_find (const char *name);
/* What the text itself shows: LK_ROW_PLACEHOLDER, LK_ROW_INVISIBLE. */
guint lk_row_flags_of_text (const char *text);

G_END_DECLS
