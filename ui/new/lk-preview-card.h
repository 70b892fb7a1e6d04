/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One example as the model will see it. What is learned is underlined and tinted.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-preview-row.h"

G_BEGIN_DECLS

#define LK_TYPE_PREVIEW_CARD (lk_preview_card_get_type ())
G_DECLARE_FINAL_TYPE (LkPreviewCard, lk_preview_card, LK, PREVIEW_CARD, GtkListBoxRow)

GtkWidget *lk_preview_card_new (LkPreviewRow *row);

G_END_DECLS
