/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The models on this computer, wherever programs keep them: ours, the Hugging Face cache, Ollama, LM Studio. Found, not copied: a
 * GListModel of LkFoundModel, by place and then by name. Property (read-only): busy. Thread-safety: main thread; folders are read in a
 * thread, and the engine looks into one model after the other.
 */
#pragma once

#include "lk-found-model.h"

G_BEGIN_DECLS

#define LK_TYPE_LIBRARY (lk_library_get_type ())
G_DECLARE_FINAL_TYPE (LkLibrary, lk_library, LK, LIBRARY, GObject)

/* The one of this process. (transfer none) */
LkLibrary *lk_library_get_default (void);
/* Looks for models again; those that are known stay as they are. */
void lk_library_refresh (LkLibrary *self);
gboolean lk_library_is_busy (LkLibrary *self);

G_END_DECLS
