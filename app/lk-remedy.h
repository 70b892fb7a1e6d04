/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one change that would make a draft fit: when the estimate says that it does not, the engine is asked about one change after the
 * other, the least harmful first, until one of them does. Properties (read-only): busy, text (what it is, or that there is none; NULL
 * while it fits or is not known), can-apply. Thread-safety: main thread.
 */
#pragma once

#include "lk-draft.h"
#include "lk-estimate.h"

G_BEGIN_DECLS

#define LK_TYPE_REMEDY (lk_remedy_get_type ())
G_DECLARE_FINAL_TYPE (LkRemedy, lk_remedy, LK, REMEDY, GObject)

LkRemedy *lk_remedy_new (LkDraft *draft, LkEstimate *estimate);
void lk_remedy_apply (LkRemedy *self);

G_END_DECLS
