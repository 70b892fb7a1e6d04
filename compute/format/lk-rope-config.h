/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rotary embedding as files describe it (formats: c.3). Its angles are made in the model room.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ROPE_DEFAULT,
  LK_ROPE_LINEAR,
  LK_ROPE_LLAMA3,
  LK_ROPE_YARN,
  LK_ROPE_LONGROPE,
  LK_ROPE_DIVISORS, /* GGUF's rope_freqs: nothing is known but what each frequency is divided by */
} LkRopeType;

typedef struct
{
  double theta;
  LkRopeType type;
  double factor;                             /* LINEAR, LLAMA3, YARN, LONGROPE */
  double low_freq_factor, high_freq_factor;  /* LLAMA3 */
  double beta_fast, beta_slow;               /* YARN */
  gboolean truncate;                         /* YARN: the ramp begins and ends at whole frequencies */
  double attention_factor;                   /* cos and sin are multiplied by it */
  gint64 original_context;                   /* LLAMA3, YARN, LONGROPE */
  GArray *divisors;                          /* of double, one a pair. DIVISORS; LONGROPE: up to the original context */
  GArray *long_divisors;                     /* LONGROPE: beyond it */
} LkRopeConfig;

/* No scaling. */
void lk_rope_config_init (LkRopeConfig *self, double theta);
/* @self gets what @from holds; its arrays are shared. */
void lk_rope_config_copy (LkRopeConfig *self, const LkRopeConfig *from);
void lk_rope_config_clear (LkRopeConfig *self);

/* 0.1·mscale·ln(factor) + 1, 1 where nothing is stretched (Peng et al., "YaRN", 2023, section 3.4). */
double lk_rope_yarn_attention_factor (double factor, double mscale);
/* √(1 + ln factor / ln original), 1 where nothing is stretched (Ding et al., "LongRoPE", 2024). */
double lk_rope_longrope_attention_factor (double factor, gint64 original_context);

/* Of config.json; @theta is the class's default. A kind this program does not know is refused by name. Where kinds of layers have
 * their own (rope_parameters by the names of layer_types) that of @layers is meant, "full_attention" or "sliding_attention". */
gboolean lk_hf_config_get_rope (JsonObject *config, const char *source, const char *layers, double theta, LkRopeConfig *rope, GError **error);
/* partial_rotary_factor: which part of each head turns; 1 where nothing is said. */
gboolean lk_hf_config_get_rotary_part (JsonObject *config, const char *source, double *part, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkRopeConfig, lk_rope_config_clear)

G_END_DECLS
