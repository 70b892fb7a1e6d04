/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The settings of a draft: presets by goal and by memory, the few that matter, and all others behind Advanced.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-draft.h"

G_BEGIN_DECLS

#define LK_TYPE_SETTINGS_FORM (lk_settings_form_get_type ())
G_DECLARE_FINAL_TYPE (LkSettingsForm, lk_settings_form, LK, SETTINGS_FORM, GtkWidget)

void lk_settings_form_set_draft (LkSettingsForm *self, LkDraft *draft);

G_END_DECLS
