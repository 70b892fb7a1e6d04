/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the window remembers between starts, as properties over GSettings (window-width, window-height,
 * window-maximized, show-sidebar, last-model, last-folder) and what people prefer (runs-folder, models-folder: "" is the usual
 * place; device: "auto", "cpu", "vulkan:N"; color-scheme: "system", "light", "dark"; notifications). The folders are told to
 * lk-paths. The schema is found when the program is not installed. Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LK_TYPE_SETTINGS (lk_settings_get_type ())
G_DECLARE_FINAL_TYPE (LkSettings, lk_settings, LK, SETTINGS, GObject)

/* The one of this process. (transfer none) */
LkSettings *lk_settings_get_default (void);

int lk_settings_get_window_width (LkSettings *self);
int lk_settings_get_window_height (LkSettings *self);
gboolean lk_settings_get_window_maximized (LkSettings *self);
/* (transfer full) */
char *lk_settings_get_last_model (LkSettings *self);

/* What computes: never empty. (transfer none) */
const char *lk_settings_get_device (LkSettings *self);
/* "system", "light" or "dark". (transfer none) */
const char *lk_settings_get_color_scheme (LkSettings *self);
gboolean lk_settings_get_notifications (LkSettings *self);

G_END_DECLS
