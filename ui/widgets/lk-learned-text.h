/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An example in a label, as the model will see it: what is learned is underlined and tinted, so that more than the colour tells it from
 * what is only read.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-preview-row.h"

G_BEGIN_DECLS

/* Shows at most @limit characters; FALSE when some were left off, for which "…" stands. Call it again when the colour scheme changes. */
gboolean lk_learned_text_show (GtkLabel *label, LkPreviewRow *row, guint limit);

G_END_DECLS
