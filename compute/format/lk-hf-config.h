/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.json of a Hugging Face folder, in the spelling of transformers 4 (rope_theta, rope_scaling, torch_dtype) and 5
 * (rope_parameters, dtype). The JSON object stays at hand, so that export can write it again with all its keys.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ROPE_DEFAULT,
  LK_ROPE_LINEAR,
  LK_ROPE_LLAMA3,
} LkRopeType;

typedef struct
{
  double theta;
  LkRopeType type;
  double factor, low_freq_factor, high_freq_factor;
  gint64 original_context;
} LkRopeConfig;

/* Loads @folder/config.json. (transfer full) */
JsonObject *lk_hf_config_load (const char *folder, GError **error);
/* The rotary embedding; @theta is the class's default. A kind this program does not know is refused by name. Where kinds of layers
 * have their own (rope_parameters by the names of layer_types) that of @layers is meant, "full_attention" or "sliding_attention". */
gboolean lk_hf_config_get_rope (JsonObject *config, const char *source, const char *layers, double theta, LkRopeConfig *rope, GError **error);
/* eos_token_id of @config, a number or a list: all of them. Empty when there is none. (transfer full) (element-type gint64) */
GArray *lk_hf_config_get_eos (JsonObject *config, const char *source, GError **error);

G_END_DECLS
