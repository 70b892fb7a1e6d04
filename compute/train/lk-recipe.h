/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a run is made from: a value of every setting, the model, the data; and recipe.json, which keeps it.
 */
#pragma once

#include "lk-device-plan.h"
#include "lk-setting.h"
#include "lk-type.h"

G_BEGIN_DECLS

typedef struct _LkRecipe LkRecipe;
LkRecipe *lk_recipe_new (void); /* defaults */
void lk_recipe_free (LkRecipe *self);

double lk_recipe_get_number (const LkRecipe *self, LkSettingId id);
gint64 lk_recipe_get_int (const LkRecipe *self, LkSettingId id);
gboolean lk_recipe_get_boolean (const LkRecipe *self, LkSettingId id);
const char *lk_recipe_get_text (const LkRecipe *self, LkSettingId id);
/* From what a person wrote; out of range or not of the type: an error naming the setting. */
gboolean lk_recipe_set (LkRecipe *self, LkSettingId id, const char *value, GError **error);
/* What the base's linear weights are held as: see lk_model_open_as. */
LkType lk_recipe_get_base_type (const LkRecipe *self);
/* What a graphics card multiplies. */
LkPrecision lk_recipe_get_precision (const LkRecipe *self);
/* By option name; NOT_FOUND when there is none. */
gboolean lk_recipe_set_by_name (LkRecipe *self, const char *name, const char *value, GError **error);

/* What the settings are for. Owned copies. */
const char *lk_recipe_get_name (const LkRecipe *self);
const char *lk_recipe_get_model (const LkRecipe *self);
const char *const *lk_recipe_get_data (const LkRecipe *self);
void lk_recipe_set_name (LkRecipe *self, const char *name);
void lk_recipe_set_model (LkRecipe *self, const char *path);
void lk_recipe_add_data (LkRecipe *self, const char *path);
/* The folder of the adapter that the run begins with; NULL: a fresh one. */
const char *lk_recipe_get_adapter (const LkRecipe *self);
void lk_recipe_set_adapter (LkRecipe *self, const char *path);
/* The run learns from @copy instead of the data file @i; where that came from stays in “datasets” of recipe.json. */
void lk_recipe_freeze_data (LkRecipe *self, guint i, const char *copy);
/* The imported datasets the data was copied from; NULL-terminated, borrowed. */
const char *const *lk_recipe_get_datasets (const LkRecipe *self);
/* sha256 of model and data, filled when the run is frozen; NULL before. */
const char *lk_recipe_get_model_hash (const LkRecipe *self);
const char *lk_recipe_get_data_hash (const LkRecipe *self);
/* When the run was made, in Unix seconds; 0 while the recipe has not been written. Templates that write the date
 * write this one, so that a run goes on the next day with the text it began with. */
gint64 lk_recipe_get_created (const LkRecipe *self);
void lk_recipe_set_hashes (LkRecipe *self, const char *model, const char *data);

/* recipe.json */
LkRecipe *lk_recipe_load (const char *path, GError **error);
gboolean lk_recipe_save (const LkRecipe *self, const char *path, GError **error);
/* The settings alone, as recipe.json has them. (transfer full) */
JsonObject *lk_recipe_get_settings (const LkRecipe *self);
/* Whether a run begun with @settings may go on with these: LK_ERROR_MISMATCH names the first one that
 * differs. Settings that do not change the numbers may differ, and so may how long the run is: one that was made longer
 * goes on with the schedule of the longer one. @source names the file in errors. */
gboolean lk_recipe_check_settings (const LkRecipe *self, JsonObject *settings, const char *source,
                                   GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkRecipe, lk_recipe_free)

G_END_DECLS
