/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The curves of one run: losses, learning rate, gradient norm and speed, which are looked at together (zoom, read-out,
 * smoothing, scale), the same as a table of values, and saving them as pictures or as numbers.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_CURVES_PANE (lk_curves_pane_get_type ())
G_DECLARE_FINAL_TYPE (LkCurvesPane, lk_curves_pane, LK, CURVES_PANE, GtkWidget)

G_END_DECLS
