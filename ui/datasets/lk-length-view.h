/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long the rows of a dataset are, as a histogram: a bar for each range of lengths, those that the limit cuts hatched, and a line
 * at the limit.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_LENGTH_VIEW (lk_length_view_get_type ())
G_DECLARE_FINAL_TYPE (LkLengthView, lk_length_view, LK, LENGTH_VIEW, GtkWidget)

/* @limit is shown where the lengths are counted in tokens. */
void lk_length_view_set_figures (LkLengthView *self, const LkDatasetFigures *figures, gint64 limit);

G_END_DECLS
