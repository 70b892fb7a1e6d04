/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GGUF metadata for a model that comes from a Hugging Face folder (formats: a.7, a.9).
 */
#pragma once

#include "lk-gguf.h"
#include "lk-model.h"

G_BEGIN_DECLS

gboolean lk_gguf_make_metadata (LkModel *model, LkGgufWriter *writer, GError **error);
/* tokenizer.chat_template and its kin; of a GGUF too, whose keys were copied, as it may have none. */
void lk_gguf_make_template_keys (LkModel *model, LkGgufWriter *writer);

G_END_DECLS
