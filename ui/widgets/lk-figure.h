/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small figure with its name above it. Properties: title, value (strings).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_FIGURE (lk_figure_get_type ())
G_DECLARE_FINAL_TYPE (LkFigure, lk_figure, LK, FIGURE, GtkWidget)

G_END_DECLS
