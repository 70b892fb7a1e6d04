/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Equally wide columns side by side, for a place that scrolls sideways. Such a place asks for the height of texts that may become as
 * wide as they like; here it is the one they need at the narrowest.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_SAMPLE_COLUMNS (lk_sample_columns_get_type ())
G_DECLARE_FINAL_TYPE (LkSampleColumns, lk_sample_columns, LK, SAMPLE_COLUMNS, GtkWidget)

/* @position: at most how many there are. */
void lk_sample_columns_insert (LkSampleColumns *self, guint position, GtkWidget *column);
void lk_sample_columns_remove (LkSampleColumns *self, guint position);

G_END_DECLS
