/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a draft will need: memory by class, as the engine plans it, and time, at the pace of an earlier run (lk-pace.h). It follows a
 * draft, a moment after the last change. Properties (read-only): busy, known, fits (booleans), total-bytes, available-bytes
 * (uint64), memory-text ("Fits: needs 310 MB, 5.2 GB to spare"), time-text ("About 12 minutes", or that it cannot be told yet; NULL
 * while nothing is known), time-detail (which run's pace that is, or why there is none), detail ("Weights 91 MB, …"), error
 * (a sentence; NULL when there is none). Thread-safety: main thread.
 */
#pragma once

#include "lk-draft.h"

G_BEGIN_DECLS

#define LK_MAX_MEMORY_CLASSES 8

typedef struct
{
  char *name; /* translated */
  gint64 bytes;
} LkMemoryClass;

#define LK_TYPE_ESTIMATE (lk_estimate_get_type ())
G_DECLARE_FINAL_TYPE (LkEstimate, lk_estimate, LK, ESTIMATE, GObject)

LkEstimate *lk_estimate_new (LkDraft *draft);

/* The runs whose pace was measured, LkRun, the newest first; without any no time is told. Once. */
void lk_estimate_set_runs (LkEstimate *self, GListModel *runs);
/* They may have gone on meanwhile: says time-text again. */
void lk_estimate_renew_time (LkEstimate *self);

/* What the memory is for; none while it is not known. (transfer none) */
const LkMemoryClass *lk_estimate_get_classes (LkEstimate *self, guint *n);
/* What there is; 0 when unknown. */
gint64 lk_estimate_get_available (LkEstimate *self);

/* Takes an answer of `lorikeet-cli estimate --json`. */
void lk_estimate_take_answer (LkEstimate *self, JsonObject *answer);

G_END_DECLS
