/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For what a model fits this machine: chat, QLoRA, LoRA, each with the memory it needs, from the engine's answer to `estimate --methods`.
 * Pure functions.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What the engine is asked of the model at @path on @device ("auto": it chooses). (transfer full) */
GStrv lk_fit_arguments (const char *path, const char *device);
/* "Fits here for: chat 14.2 MB, QLoRA 46.9 MB. Too large for: LoRA 12 GB". NULL when the answer says nothing. (transfer full) */
char *lk_fit_words (JsonObject *answer);
/* Whether there is a method of fine-tuning that fits. */
gboolean lk_fit_can_train (JsonObject *answer);

G_END_DECLS
