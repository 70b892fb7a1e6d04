/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New Fine-Tune: a model, a dataset, a few settings, Start. A view of an LkDraft and of what the engine says
 * of it. Properties (read-only): draft, estimate, model-inspection, data-inspection. Signals: ::start: the user
 * wants it to begin; ::open-dataset (LkStoredDataset): look into this dataset.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-draft.h"
#include "lk-queue.h"

G_BEGIN_DECLS

#define LK_TYPE_NEW_PAGE (lk_new_page_get_type ())
G_DECLARE_FINAL_TYPE (LkNewPage, lk_new_page, LK, NEW_PAGE, GtkWidget)

LkDraft *lk_new_page_get_draft (LkNewPage *self);
/* Takes files and folders (a list of GFile) the user gave: a model where one looks like it, else data; several files of data become
 * one dataset. */
void lk_new_page_take_files (LkNewPage *self, GSList *files);
/* Whose measured pace tells how long a fine-tune will take. */
void lk_new_page_set_runs (LkNewPage *self, LkRunList *runs);
/* What waits is listed above the form. */
void lk_new_page_set_queue (LkNewPage *self, LkQueue *queue);
/* The engine's settings are needed before a form can be shown; asks again after a failure. */
void lk_new_page_load (LkNewPage *self);

G_END_DECLS
