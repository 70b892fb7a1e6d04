/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The datasets that were imported: a GListModel of LkStoredDataset, sorted by name, and the import of new ones. Properties (read-only):
 * n-items, importing, error (why the last import failed; NULL). Signals: ::imported (LkStoredDataset) when an import is done;
 * ::rows-changed (LkStoredDataset) when one of them said so of its rows.
 * Thread-safety: main thread.
 */
#pragma once

#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_DATASET_STORE (lk_dataset_store_get_type ())
G_DECLARE_FINAL_TYPE (LkDatasetStore, lk_dataset_store, LK, DATASET_STORE, GObject)

/* The one of this process, made at the first call. (transfer none) */
LkDatasetStore *lk_dataset_store_get_default (void);
/* Looks what is in the folder, in a thread. */
void lk_dataset_store_refresh (LkDatasetStore *self);
/* Makes one dataset of @files (NULL-terminated paths). One import at a time: a new one ends the old. Its number, never 0. */
guint lk_dataset_store_import (LkDatasetStore *self, const char *const *files);
/* The number of the import that is going on or was the last, by which whoever began it knows ::imported is theirs; 0: none yet. */
guint lk_dataset_store_get_import (LkDatasetStore *self);
void lk_dataset_store_cancel (LkDatasetStore *self);
LkDataJob *lk_dataset_store_get_job (LkDatasetStore *self);
gboolean lk_dataset_store_is_importing (LkDatasetStore *self);
const char *lk_dataset_store_get_error (LkDatasetStore *self);
void lk_dataset_store_forget_error (LkDatasetStore *self);
/* The dataset of the list that is at @path; NULL. (transfer none) */
LkStoredDataset *lk_dataset_store_find (LkDatasetStore *self, const char *path);
/* That one, or, where @path is an imported dataset the list does not know (yet, or that lies in another folder), one made for it;
 * NULL for any other file, which would have to be imported. (transfer full) */
LkStoredDataset *lk_dataset_store_open (LkDatasetStore *self, const char *path);
/* Moves the dataset to the trash; the files it was made of stay. */
gboolean lk_dataset_store_trash (LkDatasetStore *self, LkStoredDataset *dataset, GError **error);

G_END_DECLS
