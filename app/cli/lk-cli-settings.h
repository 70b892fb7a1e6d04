/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of training settings as options of a command.
 */
#pragma once

#include <glib.h>

#include "lk-recipe.h"

G_BEGIN_DECLS

/* @own (@n entries) and, behind them, one for each setting, which sets it in @recipe; one such list a process.
 * (transfer full) */
GOptionEntry *lk_cli_with_settings (const GOptionEntry *own, guint n, LkRecipe *recipe);
/* The last one that was given, as typed: "--rank"; NULL: none. */
const char *lk_cli_setting_given (void);
/* How often one was given. */
guint lk_cli_n_settings_given (void);

G_END_DECLS
