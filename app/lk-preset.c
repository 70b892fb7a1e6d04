/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first of each list are the engine's defaults.
 */
#include "lk-preset.h"

#include <glib/gi18n-lib.h>

static const LkPreset goals[] = {
  { N_ ("A way of answering"), N_ ("A format, a task, a voice: good for most purposes."),
    { { "rank", "16" }, { "alpha", "32" }, { "learning_rate", "0.0002" }, { "epochs", "3" } } },
  { N_ ("A tone"), N_ ("A small adapter and two epochs: the voice changes, the knowledge stays."),
    { { "rank", "8" }, { "alpha", "16" }, { "learning_rate", "0.0002" }, { "epochs", "2" } } },
  { N_ ("A new skill"), N_ ("A large adapter for thousands of examples of something it cannot do yet."),
    { { "rank", "64" }, { "alpha", "128" }, { "learning_rate", "0.0001" }, { "epochs", "3" } } },
  { N_ ("A first look"), N_ ("One quick epoch, to see whether the data works before hours go into it."),
    { { "rank", "8" }, { "alpha", "16" }, { "learning_rate", "0.0003" }, { "epochs", "1" } } },
};

static const LkPreset memory[] = {
  { N_ ("As it fits"), N_ ("Computes layers twice only where the memory does not suffice."),
    { { "batch", "2" }, { "accumulation", "4" }, { "length", "2048" }, { "recompute", "auto" }, { "base_type", "stored" } } },
  { N_ ("Little memory"), N_ ("One example at a time and layers computed twice: the same result, slower."),
    { { "batch", "1" }, { "accumulation", "8" }, { "length", "2048" }, { "recompute", "all" }, { "base_type", "stored" } } },
  { N_ ("Least memory"), N_ ("The model's weights in 4 bits and rows of at most 1024 tokens as well: slightly less exact."),
    { { "batch", "1" }, { "accumulation", "8" }, { "length", "1024" }, { "recompute", "all" }, { "base_type", "nf4" } } },
  { N_ ("Much memory"), N_ ("Keeps everything and takes more examples at once: fastest."),
    { { "batch", "4" }, { "accumulation", "2" }, { "length", "2048" }, { "recompute", "none" }, { "base_type", "stored" } } },
};

const LkPresetList lk_preset_lists[] = {
  { N_ ("What it is to learn"), goals, G_N_ELEMENTS (goals) },
  { N_ ("Memory"), memory, G_N_ELEMENTS (memory) },
};
const guint lk_n_preset_lists = G_N_ELEMENTS (lk_preset_lists);

void
lk_preset_apply (const LkPreset *self, LkDraft *draft)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->settings) && self->settings[i][0] != NULL; i++)
    {
      LkOption *option = lk_draft_find (draft, self->settings[i][0]);

      if (option != NULL)
        lk_option_set_value (option, self->settings[i][1]);
    }
}

static gboolean
matches (const LkPreset *self, LkDraft *draft)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->settings) && self->settings[i][0] != NULL; i++)
    {
      LkOption *option = lk_draft_find (draft, self->settings[i][0]);

      if (option != NULL && !g_str_equal (lk_option_get_value (option), self->settings[i][1]))
        return FALSE;
    }
  return TRUE;
}

int
lk_preset_find (const LkPresetList *list, LkDraft *draft)
{
  for (guint i = 0; i < list->n; i++)
    if (matches (&list->presets[i], draft))
      return (int) i;
  return -1;
}
