/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes what a run learned for other programs, and says whether the result answers the same.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_EXPORT_PAGE (lk_export_page_get_type ())
G_DECLARE_FINAL_TYPE (LkExportPage, lk_export_page, LK, EXPORT_PAGE, GtkWidget)

G_END_DECLS
