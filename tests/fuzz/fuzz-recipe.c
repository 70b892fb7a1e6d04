/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A recipe.json. One that was taken is written and read again, and is the same.
 */
#include "lk-fuzz.h"
#include "lk-recipe.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = lk_fuzz_file ("recipe.json", data, size);
  GError *error = NULL;
  g_autoptr (LkRecipe) recipe = lk_recipe_load (path, &error);
  JsonObject *settings;

  if (!recipe)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  settings = lk_recipe_get_settings (recipe);
  g_assert_true (lk_recipe_check_settings (recipe, settings, "itself", NULL));
  json_object_unref (settings);
  g_assert_true (lk_recipe_get_model (recipe) && lk_recipe_get_data (recipe)[0]);
  lk_fuzz_accepted (data, size);
  return 0;
}
