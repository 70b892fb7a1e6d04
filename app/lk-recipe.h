/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The plan of a fine-tune before it starts: a name, a model, a dataset and every setting that the engine describes.
 * Properties: name, model, data (strings, read-write), settings (GListModel of LkSetting), loaded, ready (booleans),
 * changed-text ("3 settings differ from the defaults", NULL when none does).
 * Signal ::changed after any change that could change the estimate.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

#include "lk-setting.h"

G_BEGIN_DECLS

#define LK_TYPE_RECIPE (lk_recipe_get_type ())
G_DECLARE_FINAL_TYPE (LkRecipe, lk_recipe, LK, RECIPE, GObject)

LkRecipe *lk_recipe_new (void);

/* Asks the engine for its settings. */
void lk_recipe_load_async (LkRecipe *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean lk_recipe_load_finish (LkRecipe *self, GAsyncResult *result, GError **error);
/* The same from the engine's answer. */
gboolean lk_recipe_load_from_json (LkRecipe *self, JsonNode *node, GError **error);

GListModel *lk_recipe_get_settings (LkRecipe *self);
/* NULL when the engine knows no such setting. (transfer none) */
LkSetting *lk_recipe_find (LkRecipe *self, const char *name);
const char *lk_recipe_get_name (LkRecipe *self);
const char *lk_recipe_get_model (LkRecipe *self);
const char *lk_recipe_get_data (LkRecipe *self);
void lk_recipe_set_name (LkRecipe *self, const char *name);
void lk_recipe_set_model (LkRecipe *self, const char *path);
void lk_recipe_set_data (LkRecipe *self, const char *path);
gboolean lk_recipe_is_ready (LkRecipe *self);
/* All settings at their defaults. */
void lk_recipe_reset (LkRecipe *self);

/* "--model M --data D --learning-rate 0.0001 …", only what differs from the defaults. (transfer full) */
GStrv lk_recipe_to_arguments (LkRecipe *self);

/* A new folder in @runs_dir with recipe.json in it, ready for a worker. (transfer full) */
char *lk_recipe_create_run (LkRecipe *self, const char *runs_dir, GError **error);

G_END_DECLS
