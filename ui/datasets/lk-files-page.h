/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files a dataset was made of: how each was understood, how often its rows are seen, and which column is what.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_FILES_PAGE (lk_files_page_get_type ())
G_DECLARE_FINAL_TYPE (LkFilesPage, lk_files_page, LK, FILES_PAGE, GtkWidget)

void lk_files_page_set_dataset (LkFilesPage *self, LkStoredDataset *dataset);

G_END_DECLS
