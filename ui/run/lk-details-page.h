/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a run is made of: its model, data and settings, the command line that does the same, its folder.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_DETAILS_PAGE (lk_details_page_get_type ())
G_DECLARE_FINAL_TYPE (LkDetailsPage, lk_details_page, LK, DETAILS_PAGE, GtkWidget)

G_END_DECLS
