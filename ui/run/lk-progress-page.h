/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a run goes: its curves, how far it is, the figures of the last step, what it answers now, its log.
 * Properties: run (LkRun), smooth, log-scale (booleans: how the chart is drawn), all read-write.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-chart-view.h"

G_BEGIN_DECLS

#define LK_TYPE_PROGRESS_PAGE (lk_progress_page_get_type ())
G_DECLARE_FINAL_TYPE (LkProgressPage, lk_progress_page, LK, PROGRESS_PAGE, GtkWidget)

/* (transfer none) */
LkChartView *lk_progress_page_get_chart (LkProgressPage *self);

G_END_DECLS
