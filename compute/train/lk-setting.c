/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-setting.h"

#include <math.h>

#include "lk-device-plan.h"
#include "lk-json.h"
#include "lk-model.h"
#include "lk-row-store.h"
#include "lk-schedule.h"

#define LK_WHOLE_MAX 9007199254740991.0 /* up to here a double tells every whole number from the next */

/* The window translates them. */
#define N_(text) text

static const char *const recompute_choices[] = { "auto", "none", "all", NULL };

const LkSetting lk_settings[LK_N_SETTINGS] = {
  [LK_SETTING_RANK] = { "rank", N_ ("Rank"), LK_SETTING_INT, 16, 1, 1024, NULL, NULL, NULL,
                        N_ ("How much the adapter can learn: 8 to 32 for a style or format, more for new skills."),
                        N_ ("Adapter"), FALSE },
  [LK_SETTING_ALPHA]
  = { "alpha", N_ ("Alpha"), LK_SETTING_DOUBLE, 32, 0.001, 10000, NULL, NULL, NULL,
      N_ ("How strongly the adapter acts: its output is multiplied by alpha divided by rank."), N_ ("Adapter"), TRUE },
  [LK_SETTING_DROPOUT]
  = { "dropout", N_ ("Dropout"), LK_SETTING_DOUBLE, 0, 0, 0.9, NULL, NULL, NULL,
      N_ ("Share of the adapter's inputs left out at random in each step, against learning by heart."), N_ ("Adapter"),
      TRUE },
  [LK_SETTING_RSLORA]
  = { "rslora", N_ ("Rank-stabilised scale"), LK_SETTING_BOOL, 0, 0, 1, NULL, NULL, NULL,
      N_ ("Divide alpha by the square root of the rank, which suits ranks above 64."), N_ ("Adapter"), TRUE },
  [LK_SETTING_TARGETS]
  = { "targets", N_ ("Adapted layers"), LK_SETTING_STRING, 0, 0, 0, "all", NULL, NULL,
      N_ ("“all”, or names and patterns of linear layers, apart by commas: q_proj,v_proj or model.layers.2*."),
      N_ ("Adapter"), TRUE },
  [LK_SETTING_LEARNING_RATE]
  = { "learning-rate", N_ ("Learning rate"), LK_SETTING_DOUBLE, 2e-4, 0, 1, NULL, NULL, NULL,
      N_ ("Size of each correction; too large and the loss jumps, too small and nothing is learned."), N_ ("Training"),
      FALSE },
  [LK_SETTING_SCHEDULE] = { "schedule", N_ ("Schedule"), LK_SETTING_CHOICE, 0, 0, 0, "cosine", lk_schedule_names,
                            NULL, N_ ("How the learning rate falls after the warm-up."), N_ ("Training"), TRUE },
  [LK_SETTING_WARMUP]
  = { "warmup", N_ ("Warm-up"), LK_SETTING_DOUBLE, 0.03, 0, 100000, NULL, NULL, NULL,
      N_ ("Steps over which the rate rises from zero; below 1 it is a share of all steps."), N_ ("Training"), TRUE },
  [LK_SETTING_EPOCHS] = { "epochs", N_ ("Epochs"), LK_SETTING_DOUBLE, 3, 0.01, 1000, NULL, NULL, NULL,
                          N_ ("How many times the model sees the whole dataset."), N_ ("Training"), FALSE },
  [LK_SETTING_STEPS]
  = { "steps", N_ ("Steps"), LK_SETTING_INT, 0, 0, 10000000, NULL, NULL, NULL,
      N_ ("Stop after this many steps instead of counting epochs; 0 counts epochs."), N_ ("Training"), TRUE },
  [LK_SETTING_BATCH] = { "batch", N_ ("Batch"), LK_SETTING_INT, 2, 1, 4096, NULL, NULL, "examples",
                         N_ ("Examples of a batch."), N_ ("Training"), TRUE },
  [LK_SETTING_ACCUMULATION]
  = { "accumulation", N_ ("Accumulation"), LK_SETTING_INT, 4, 1, 4096, NULL, NULL, "batches",
      N_ ("Batches whose gradients are added up before a correction; the result is that of one large batch."),
      N_ ("Training"), TRUE },
  [LK_SETTING_LENGTH] = { "length", N_ ("Length limit"), LK_SETTING_INT, LK_DEFAULT_LIMIT, 8, 1048576, NULL, NULL, "tokens",
                          N_ ("Longest row; what is longer is cut and reported."), N_ ("Data"), TRUE },
  [LK_SETTING_PACKING]
  = { "packing", N_ ("Packing"), LK_SETTING_BOOL, 1, 0, 1, NULL, NULL, NULL,
      N_ ("Put several short examples into one row, each seeing only itself: faster, the same result."), N_ ("Data"),
      TRUE },
  [LK_SETTING_HELD_OUT]
  = { "held-out", N_ ("Held-out share"), LK_SETTING_DOUBLE, LK_DEFAULT_HELD_OUT, 0, 0.5, NULL, NULL, NULL,
      N_ ("Share of rows never trained on, to see whether the model learns or only remembers; at least 16 rows, of fewer than 32 a quarter."),
      N_ ("Evaluation"), TRUE },
  [LK_SETTING_EVAL_INTERVAL]
  = { "eval-interval", N_ ("Evaluate every"), LK_SETTING_INT, 0, 0, 1000000, NULL, NULL, "steps",
      N_ ("Steps between measurements of the held-out loss; 0 chooses about twelve in a run."), N_ ("Evaluation"),
      TRUE },
  [LK_SETTING_PATIENCE]
  = { "patience", N_ ("Patience"), LK_SETTING_INT, 0, 0, 1000, NULL, NULL, "evaluations",
      N_ ("Stop when the held-out loss has not improved for this many measurements; 0 never stops early."),
      N_ ("Evaluation"), TRUE },
  [LK_SETTING_CHECKPOINT_INTERVAL]
  = { "checkpoint-interval", N_ ("Checkpoint every"), LK_SETTING_INT, 0, 0, 1000000, NULL, NULL, "steps",
      N_ ("Steps between checkpoints to go on from; 0 chooses about six in a run."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_KEEP_CHECKPOINTS]
  = { "keep-checkpoints", N_ ("Checkpoints kept"), LK_SETTING_INT, 2, 2, 1000, NULL, NULL, NULL,
      N_ ("The newest ones that stay on the disk, besides the best."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_SAMPLES]
  = { "samples", N_ ("Sample answers"), LK_SETTING_INT, 2, 0, 16, NULL, NULL, NULL,
      N_ ("Held-out questions answered at each measurement, to watch what changes."), N_ ("Evaluation"), TRUE },
  [LK_SETTING_WEIGHT_DECAY] = { "weight-decay", N_ ("Weight decay"), LK_SETTING_DOUBLE, 0.01, 0, 1, NULL, NULL,
                                NULL, N_ ("Pull of the adapter's weights towards zero."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_BETA1] = { "beta1", N_ ("Beta 1"), LK_SETTING_DOUBLE, 0.9, 0, 0.9999, NULL, NULL, NULL,
                         N_ ("Memory of AdamW's average gradient."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_BETA2] = { "beta2", N_ ("Beta 2"), LK_SETTING_DOUBLE, 0.999, 0, 0.999999, NULL, NULL, NULL,
                         N_ ("Memory of AdamW's average squared gradient."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_EPS] = { "eps", N_ ("Epsilon"), LK_SETTING_DOUBLE, 1e-8, 1e-12, 1, NULL, NULL, NULL,
                       N_ ("Smallest divisor of AdamW."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_MAX_NORM]
  = { "max-norm", N_ ("Gradient limit"), LK_SETTING_DOUBLE, 1, 0, 1000, NULL, NULL, NULL,
      N_ ("Gradients longer than this are shortened to it; 0 leaves them alone."), N_ ("Optimizer"), TRUE },
  [LK_SETTING_SEED]
  = { "seed", N_ ("Seed"), LK_SETTING_INT, LK_DEFAULT_SEED, 0, LK_WHOLE_MAX, NULL, NULL, NULL,
      N_ ("The same seed gives the same run, bit for bit, on the same device."), N_ ("Machine"), TRUE },
  [LK_SETTING_BASE_TYPE]
  = { "base-type", N_ ("Model weights"), LK_SETTING_CHOICE, 0, 0, 0, "stored", lk_base_type_names, NULL,
      N_ ("What linear weights stored as F32, F16 or BF16 are held as: nf4 takes 4.13 bits each, q8_0 8.5, q4_0 4.5."),
      N_ ("Machine"), TRUE },
  [LK_SETTING_RECOMPUTE]
  = { "recompute", N_ ("Recompute layers"), LK_SETTING_CHOICE, 0, 0, 0, "auto", recompute_choices, NULL,
      N_ ("Compute layers twice instead of keeping what they made: slower, but needs far less memory."), N_ ("Machine"),
      TRUE },
  [LK_SETTING_PRECISION]
  = { "precision", N_ ("Precision"), LK_SETTING_CHOICE, 0, 0, 0, "auto", lk_precision_names, NULL,
      N_ ("What a graphics card multiplies: auto takes float16 where it has matrix units, which is faster, else float32. Sums are float32."),
      N_ ("Machine"), TRUE, LK_N_USUAL_PRECISIONS },
  [LK_SETTING_DEVICE]
  = { "device", N_ ("Device"), LK_SETTING_STRING, 0, 0, 0, "auto", NULL, NULL,
      N_ ("auto, cpu, vulkan or vulkan:N as “lorikeet-cli devices” lists them."), N_ ("Machine"), TRUE },
};

char *
lk_setting_spell_number (double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean whole = fabs (value) < 1e16 && value == floor (value);

  return g_strdup (g_ascii_formatd (number, sizeof number, whole ? "%.0f" : "%.10g", value));
}

gboolean
lk_setting_is_text (LkSettingId id)
{
  return lk_settings[id].type == LK_SETTING_CHOICE || lk_settings[id].type == LK_SETTING_STRING;
}

char *
lk_setting_json_name (LkSettingId id)
{
  return g_strdelimit (g_strdup (lk_settings[id].name), "-", '_');
}

void
lk_setting_put_value (JsonObject *object, const char *member, LkSettingId id, double number, const char *text)
{
  if (lk_setting_is_text (id))
    json_object_set_string_member (object, member, text);
  else if (lk_settings[id].type == LK_SETTING_BOOL)
    json_object_set_boolean_member (object, member, number != 0);
  else if (lk_settings[id].type == LK_SETTING_INT)
    json_object_set_int_member (object, member, (gint64) number);
  else
    json_object_set_double_member (object, member, number);
}

gboolean
lk_setting_is_harmless (LkSettingId id)
{
  static const LkSettingId harmless[] = { LK_SETTING_KEEP_CHECKPOINTS, LK_SETTING_CHECKPOINT_INTERVAL,
                                          LK_SETTING_SAMPLES, LK_SETTING_DEVICE, LK_SETTING_RECOMPUTE,
                                          LK_SETTING_PRECISION, LK_SETTING_EPOCHS, LK_SETTING_STEPS };

  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    if (harmless[i] == id)
      return TRUE;
  return FALSE;
}

char *
lk_settings_describe (void)
{
  static const char *const types[] = { "int", "double", "bool", "choice", "string" };
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *top = json_object_new ();
  JsonArray *list = json_array_new ();

  json_node_take_object (node, top);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      const LkSetting *s = &lk_settings[i];
      g_autofree char *name = lk_setting_json_name (i);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "name", name);
      json_object_set_string_member (one, "option", s->name);
      json_object_set_string_member (one, "label", s->label);
      json_object_set_string_member (one, "type", types[s->type]);
      lk_setting_put_value (one, "default", i, s->number, s->text);
      if (s->type == LK_SETTING_INT || s->type == LK_SETTING_DOUBLE)
        {
          json_object_set_double_member (one, "minimum", s->minimum);
          json_object_set_double_member (one, "maximum", s->maximum);
        }
      if (s->choices)
        {
          JsonArray *choices = json_array_new ();
          for (guint k = 0; s->choices[k] && (s->n_usual == 0 || k < s->n_usual); k++)
            json_array_add_string_element (choices, s->choices[k]);
          json_object_set_array_member (one, "choices", choices);
        }
      if (s->unit)
        json_object_set_string_member (one, "unit", s->unit);
      json_object_set_string_member (one, "help", s->help);
      json_object_set_string_member (one, "group", s->group);
      json_object_set_boolean_member (one, "advanced", s->advanced);
      json_array_add_object_element (list, one);
    }
  json_object_set_array_member (top, "settings", list);
  return lk_json_to_string (node, FALSE);
}
