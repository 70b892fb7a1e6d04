/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of LkRecipe, shared by lk-recipe.c (values) and lk-recipe-file.c (recipe.json).
 */
#pragma once

#include "lk-recipe.h"

struct _LkRecipe
{
  double numbers[LK_N_SETTINGS];
  char *texts[LK_N_SETTINGS];
  char *name, *created, *model, *model_hash, *data_hash, *adapter;
  GPtrArray *data, *datasets; /* NULL-terminated */
};

/* @given: as a person wrote it; NULL: the number. */
gboolean _lk_recipe_set_number (LkRecipe *self, LkSettingId id, double value, const char *given, GError **error);
gboolean _lk_recipe_set_text (LkRecipe *self, LkSettingId id, const char *value, GError **error);
void _lk_recipe_add_dataset (LkRecipe *self, const char *path);
/* The member of @settings; where there is none the value stays. @path names the file in errors. */
gboolean _lk_recipe_load_setting (LkRecipe *self, JsonObject *settings, LkSettingId id, const char *path, GError **error);
