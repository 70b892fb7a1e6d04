/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How fast a draft will be learned from, as measured: that of an earlier run with the same model on the same device. Nothing is reckoned
 * from what a device could do. Thread-safety: main thread.
 */
#pragma once

#include "lk-draft.h"
#include "lk-run.h"

G_BEGIN_DECLS

/* The one of @runs (LkRun, the newest first) whose seconds per token are most like those to come: model, device (@device is what the
 * engine calls the one it would take) and form of the weights must be the same; of these the one that has most in common in what
 * decides the work of a token, and of equals the newest. NULL when there is none. (transfer full) */
LkRun *lk_pace_find (GListModel *runs, LkDraft *draft, const char *device);

G_END_DECLS
