/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a run goes: how far it is, its curves, the figures of the last step, what it answers now, its log.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_PROGRESS_PAGE (lk_progress_page_get_type ())
G_DECLARE_FINAL_TYPE (LkProgressPage, lk_progress_page, LK, PROGRESS_PAGE, GtkWidget)

G_END_DECLS
