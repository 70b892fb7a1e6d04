/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question with the answer before training and the answer now, side by side.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-sample.h"

G_BEGIN_DECLS

#define LK_TYPE_SAMPLE_CARD (lk_sample_card_get_type ())
G_DECLARE_FINAL_TYPE (LkSampleCard, lk_sample_card, LK, SAMPLE_CARD, GtkListBoxRow)

GtkWidget *lk_sample_card_new (LkSample *sample);

G_END_DECLS
