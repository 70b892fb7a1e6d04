/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What people ask as tokens.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "lk-model.h"

G_BEGIN_DECLS

/* A conversation [{role, content, …}] by the model's chat template, with the beginning of the answer behind
 * it: gint32 ids. What people wrote never becomes a control token. @tools may be NULL. A model without a
 * template or tokenizer is an error that says so. (transfer full) */
GArray *lk_prompt_from_messages (LkModel *model, JsonArray *messages, JsonNode *tools, GError **error);
/* Plain text to be continued, with the beginning token where the model wants one. (transfer full) */
GArray *lk_prompt_from_text (LkModel *model, const char *text, GError **error);

G_END_DECLS
