/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-settings.h"

#include <string.h>

static char *setting_given;
static guint n_settings_given;
static LkRecipe *the_recipe; /* GOption hands no data to the callback of an entry of the main group */

const char *
lk_cli_setting_given (void)
{
  return setting_given;
}

guint
lk_cli_n_settings_given (void)
{
  return n_settings_given;
}

static gboolean
set_setting (const char *option, const char *value, gpointer data, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  g_free (setting_given);
  setting_given = g_strdup (option);
  n_settings_given++;
  if (lk_recipe_set_by_name (the_recipe, option + strlen ("--"), value, &local_error))
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, local_error->message);
  return FALSE;
}

/* What stands behind “=” in the help: the choices, or the kind. (transfer full) */
static char *
value_words (const LkSetting *setting)
{
  if (setting->choices)
    return g_strjoinv ("|", (char **) setting->choices);
  return g_strdup (setting->type == LK_SETTING_BOOL ? "true|false" : setting->text ? "TEXT" : "N");
}

/* (transfer full) */
static char *
default_words (const LkSetting *setting)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (setting->text)
    return g_strdup (setting->text);
  if (setting->type == LK_SETTING_BOOL)
    return g_strdup (setting->number != 0 ? "true" : "false");
  return g_strdup (g_ascii_formatd (number, sizeof number, "%g", setting->number));
}

GOptionEntry *
lk_cli_with_settings (const GOptionEntry *own, guint n, LkRecipe *recipe)
{
  GOptionEntry *entries = g_new0 (GOptionEntry, n + LK_N_SETTINGS + 1);

  the_recipe = recipe;
  memcpy (entries, own, n * sizeof *entries);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      g_autofree char *value = default_words (&lk_settings[i]);

      entries[n + i] = (GOptionEntry){ .long_name = lk_settings[i].name,
                                       .arg = G_OPTION_ARG_CALLBACK,
                                       .arg_data = set_setting,
                                       .description = g_strdup_printf ("%s (%s)", lk_settings[i].help, value),
                                       .arg_description = value_words (&lk_settings[i]) };
    }
  return entries;
}
