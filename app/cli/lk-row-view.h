/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row of a dataset as the model will see it: the text behind the template, and which parts of it are learned.
 */
#pragma once

#include "lk-dataset.h"
#include "lk-model.h"

G_BEGIN_DECLS

typedef struct
{
  char *text;
  GArray *spans; /* LkSpan, bytes: what is learned */
  gint64 length; /* tokens, or characters without a model; −1: it cannot be encoded */
} LkRowView;

/* @model may be NULL: roles and contents by line. FALSE and @error when the template refuses the row; clear it all the same. */
gboolean lk_row_view_init (LkRowView *self, const LkRow *row, LkModel *model, GError **error);
void lk_row_view_clear (LkRowView *self);
/* {"text", "spans" (characters), "line", and with @tokens "tokens"}. (transfer full) */
JsonObject *lk_row_view_to_json (const LkRowView *self, const LkRow *row, gboolean tokens);

G_END_DECLS
