/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences: folders, device, colours, notifications. Each takes effect as it is chosen.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define LK_TYPE_PREFERENCES_WINDOW (lk_preferences_window_get_type ())
G_DECLARE_FINAL_TYPE (LkPreferencesWindow, lk_preferences_window, LK, PREFERENCES_WINDOW, AdwWindow)

void lk_preferences_window_show (GtkWindow *parent);

G_END_DECLS
