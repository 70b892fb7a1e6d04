/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Models place: what lies on this computer, by the program that put it there. Signal ::use (const char *path): fine-tune it.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_MODELS_PAGE (lk_models_page_get_type ())
G_DECLARE_FINAL_TYPE (LkModelsPage, lk_models_page, LK, MODELS_PAGE, GtkWidget)

G_END_DECLS
