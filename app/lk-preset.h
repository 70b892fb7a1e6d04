/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings that belong together, by what a person wants: a goal, or how the memory is to be used. Each list of presets sets the same
 * settings, so that choosing another one leaves nothing of the first.
 */
#pragma once

#include "lk-draft.h"

G_BEGIN_DECLS

typedef struct
{
  const char *title, *help;  /* to be translated */
  const char *settings[6][2]; /* name and value; ends with NULL */
} LkPreset;

typedef struct
{
  const char *title; /* to be translated */
  const LkPreset *presets;
  guint n;
} LkPresetList;

/* Goals, then memory. */
extern const LkPresetList lk_preset_lists[];
extern const guint lk_n_preset_lists;

/* Sets what it says; settings the engine does not have are passed over. */
void lk_preset_apply (const LkPreset *self, LkDraft *draft);
/* The one of @list that the draft's settings are; −1 when they are none of them. */
int lk_preset_find (const LkPresetList *list, LkDraft *draft);

G_END_DECLS
