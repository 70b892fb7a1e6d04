/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A curve an inch long, without axes: only whether it falls. Property: series (LkSeries).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_SPARKLINE (lk_sparkline_get_type ())
G_DECLARE_FINAL_TYPE (LkSparkline, lk_sparkline, LK, SPARKLINE, GtkWidget)

G_END_DECLS
