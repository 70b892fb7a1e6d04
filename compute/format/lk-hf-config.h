/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.json of a Hugging Face folder, in the spelling of transformers 4 (rope_theta, rope_scaling, torch_dtype) and 5
 * (rope_parameters, dtype). The JSON object stays at hand, so that export can write it again with all its keys.
 */
#pragma once

#include "lk-rope-config.h"

G_BEGIN_DECLS

/* Loads @folder/config.json. Of a model that also sees pictures, whose language part is described in “text_config”, that part with the
 * tokens and types of the whole. (transfer full) */
JsonObject *lk_hf_config_load (const char *folder, GError **error);
/* eos_token_id of @config (config.json or generation_config.json), a number or a list: all of them, each below @vocab. Empty when there
 * is none. (transfer full) (element-type gint64) */
GArray *lk_hf_config_get_eos (JsonObject *config, const char *source, gint64 vocab, GError **error);

G_END_DECLS
