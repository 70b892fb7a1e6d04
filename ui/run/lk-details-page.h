/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a run is made of: its name and notes, model, data with their hashes, settings and which of them differ from the
 * defaults, the command lines that do the same, its folder.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_DETAILS_PAGE (lk_details_page_get_type ())
G_DECLARE_FINAL_TYPE (LkDetailsPage, lk_details_page, LK, DETAILS_PAGE, GtkWidget)

/* Puts the focus into the name. */
void lk_details_page_edit_name (LkDetailsPage *self);

G_END_DECLS
