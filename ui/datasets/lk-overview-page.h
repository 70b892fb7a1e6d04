/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dataset at a glance: how many rows remain and why, what is wrong with it, how long its rows are, what is held out.
 * Signal ::show-only (const char *set): list these rows.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-stored-dataset.h"

G_BEGIN_DECLS

#define LK_TYPE_OVERVIEW_PAGE (lk_overview_page_get_type ())
G_DECLARE_FINAL_TYPE (LkOverviewPage, lk_overview_page, LK, OVERVIEW_PAGE, GtkWidget)

/* @model, with which tokens are counted, may be NULL. */
void lk_overview_page_set_dataset (LkOverviewPage *self, LkStoredDataset *dataset, const char *model);

G_END_DECLS
