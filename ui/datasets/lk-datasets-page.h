/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Datasets place: the imported datasets, and the one that is open. Signal ::use (const char *path): fine-tune on it.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-dataset-store.h"

G_BEGIN_DECLS

#define LK_TYPE_DATASETS_PAGE (lk_datasets_page_get_type ())
G_DECLARE_FINAL_TYPE (LkDatasetsPage, lk_datasets_page, LK, DATASETS_PAGE, GtkWidget)

/* Imports @files (NULL-terminated paths) and opens what comes of it; an imported dataset itself is only opened. */
void lk_datasets_page_take_files (LkDatasetsPage *self, const char *const *files);
/* With the template and tokenizer of @model from now on; NULL: of the model last used. */
void lk_datasets_page_open (LkDatasetsPage *self, LkStoredDataset *dataset, const char *model);

G_END_DECLS
