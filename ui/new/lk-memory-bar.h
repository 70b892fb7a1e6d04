/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a fine-tune needs of memory, by class, against what there is: a bar of parts, each with its own colour, and their
 * names with figures below.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-estimate.h"

G_BEGIN_DECLS

#define LK_TYPE_MEMORY_BAR (lk_memory_bar_get_type ())
G_DECLARE_FINAL_TYPE (LkMemoryBar, lk_memory_bar, LK, MEMORY_BAR, GtkWidget)

void lk_memory_bar_set_estimate (LkMemoryBar *self, LkEstimate *estimate);

G_END_DECLS
