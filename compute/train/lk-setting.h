/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of training settings: each stands here once, with name, default, range, unit and help.
 * recipe.json, the command line, the window's form and the estimate are made from it.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_SETTING_INT,
  LK_SETTING_DOUBLE,
  LK_SETTING_BOOL,
  LK_SETTING_CHOICE,
  LK_SETTING_STRING,
} LkSettingType;

typedef enum
{
  LK_SETTING_RANK,
  LK_SETTING_ALPHA,
  LK_SETTING_DROPOUT,
  LK_SETTING_RSLORA,
  LK_SETTING_TARGETS,
  LK_SETTING_LEARNING_RATE,
  LK_SETTING_SCHEDULE,
  LK_SETTING_WARMUP,
  LK_SETTING_EPOCHS,
  LK_SETTING_STEPS,
  LK_SETTING_BATCH,
  LK_SETTING_ACCUMULATION,
  LK_SETTING_LENGTH,
  LK_SETTING_PACKING,
  LK_SETTING_HELD_OUT,
  LK_SETTING_EVAL_INTERVAL,
  LK_SETTING_PATIENCE,
  LK_SETTING_CHECKPOINT_INTERVAL,
  LK_SETTING_KEEP_CHECKPOINTS,
  LK_SETTING_SAMPLES,
  LK_SETTING_WEIGHT_DECAY,
  LK_SETTING_BETA1,
  LK_SETTING_BETA2,
  LK_SETTING_EPS,
  LK_SETTING_MAX_NORM,
  LK_SETTING_SEED,
  LK_SETTING_BASE_TYPE,
  LK_SETTING_RECOMPUTE,
  LK_SETTING_PRECISION,
  LK_SETTING_DEVICE,
  LK_N_SETTINGS,
} LkSettingId;

typedef struct
{
  const char *name;  /* "learning-rate": the option; in JSON with “_” */
  const char *label; /* "Learning rate" */
  LkSettingType type;
  double number; /* default of numbers and booleans */
  double minimum, maximum;
  const char *text;           /* default of choices and strings */
  const char *const *choices; /* NULL-terminated */
  const char *unit;           /* may be NULL */
  const char *help;           /* one sentence */
  const char *group;          /* "Adapter", "Training", "Data", "Evaluation", "Optimizer", "Machine" */
  gboolean advanced;
  guint n_usual; /* the first choices that forms offer; the rest are for tests and measurements; 0: all are usual */
} LkSetting;

extern const LkSetting lk_settings[LK_N_SETTINGS];

/* Whether the value is a text: of choices and strings. */
gboolean lk_setting_is_text (LkSettingId id);
/* Whether it changes what is kept, shown or computed on, or how long, not what is computed. */
gboolean lk_setting_is_harmless (LkSettingId id);
/* Whole numbers with all their digits, others shortly: 1048576, 0.0002, 1e-08. (transfer full) */
char *lk_setting_spell_number (double value);
/* "learning-rate" → "learning_rate". (transfer full) */
char *lk_setting_json_name (LkSettingId id);
/* A value of the setting as @member; @text of choices and strings, else @number. */
void lk_setting_put_value (JsonObject *object, const char *member, LkSettingId id, double number, const char *text);
/* {"settings": [{name, type, default, minimum, maximum, choices, unit, label, help, group, advanced}]}.
 * (transfer full) */
char *lk_settings_describe (void);

G_END_DECLS
