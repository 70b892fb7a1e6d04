/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question with its answers side by side, a column a step. The columns of several cards scroll together.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-sample.h"

G_BEGIN_DECLS

#define LK_TYPE_SAMPLE_CARD (lk_sample_card_get_type ())
G_DECLARE_FINAL_TYPE (LkSampleCard, lk_sample_card, LK, SAMPLE_CARD, GtkListBoxRow)

/* @adjustment: what the cards share. */
GtkWidget *lk_sample_card_new (LkSample *sample, GtkAdjustment *adjustment);

G_END_DECLS
