/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dataset that was imported (a .lkdata file): what the engine says of it, and what a person does to it, which the engine does.
 * Properties (read-only): name, busy (it is being measured or changed), loaded, error (a sentence; NULL when well), summary ("1,100
 * examples · all can be used").
 * Signals: ::changed when what is known of it changed; ::rows-changed (gboolean which) when its rows did: with TRUE, which rows there are
 * may be others, so that lists must look them up again.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

#include <json-glib/json-glib.h>

#include "lk-data-job.h"
#include "lk-mapping.h"
#include "lk-row-flag.h"

G_BEGIN_DECLS

#define LK_TYPE_STORED_DATASET (lk_stored_dataset_get_type ())
G_DECLARE_FINAL_TYPE (LkStoredDataset, lk_stored_dataset, LK, STORED_DATASET, GObject)

/* A file it was imported from. */
typedef struct
{
  char *path, *form, *trouble; /* form: NULL when it was mapped or not recognised; trouble: may be NULL */
  gint64 rows;
  double weight;
  GPtrArray *columns, *samples; /* of strings: the members of its rows, and the first row's */
  LkMapping *mapping;           /* what a person said; never NULL, may be empty */
} LkSourceFile;

#define LK_MAX_BINS 64

typedef struct
{
  gint64 rows, used, unusable, excluded, edited, cut, lost, held_out, counted, tokens, targets, shortest, median, p95, longest;
  gboolean in_tokens;
  gint64 of_flag[8]; /* in the order of lk_row_flags */
  gint64 bin_width;
  guint n_bins;
  gint64 bins[LK_MAX_BINS];
  char *model; /* whose tokens were counted; may be NULL */
} LkDatasetFigures;

LkStoredDataset *lk_stored_dataset_new (const char *path);
const char *lk_stored_dataset_get_path (LkStoredDataset *self);
const char *lk_stored_dataset_get_name (LkStoredDataset *self);
const char *lk_stored_dataset_get_error (LkStoredDataset *self);
gboolean lk_stored_dataset_is_busy (LkStoredDataset *self);
gboolean lk_stored_dataset_is_loaded (LkStoredDataset *self);
/* NULL before it was loaded. (transfer none) */
const LkDatasetFigures *lk_stored_dataset_peek (LkStoredDataset *self);
/* Of LkSourceFile. (transfer none) */
GPtrArray *lk_stored_dataset_get_files (LkStoredDataset *self);
/* (transfer full) */
char *lk_stored_dataset_describe (LkStoredDataset *self);

/* What “cut”, “lost” and “held out” mean; measures anew when they differ. */
void lk_stored_dataset_set_limits (LkStoredDataset *self, gint64 limit, double held_out);
gint64 lk_stored_dataset_get_limit (LkStoredDataset *self);
double lk_stored_dataset_get_held_out (LkStoredDataset *self);
/* Has the engine measure it. */
void lk_stored_dataset_load (LkStoredDataset *self);
/* From the engine's answer to `data stats`; for tests as well. */
void lk_stored_dataset_take_answer (LkStoredDataset *self, JsonObject *answer);

/* What a person does; the engine does it, then ::rows-changed. What goes wrong is in error. */
void lk_stored_dataset_exclude (LkStoredDataset *self, GArray *ids, gboolean excluded);
void lk_stored_dataset_edit (LkStoredDataset *self, gint32 id, const char *content);
void lk_stored_dataset_set_weight (LkStoredDataset *self, guint file, double weight);

/* Counts the rows' tokens with @model, or reads the files anew, with @mapping for all of them (may be NULL). One at a time; refused, in
 * error, while it is busy. */
void lk_stored_dataset_count (LkStoredDataset *self, const char *model);
void lk_stored_dataset_import_again (LkStoredDataset *self, const LkMapping *mapping);
LkDataJob *lk_stored_dataset_get_job (LkStoredDataset *self);

G_END_DECLS
