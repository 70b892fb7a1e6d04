/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The row of one LkOption in a form: its label and help, and the control that fits its kind.
 */
#pragma once

#include <adwaita.h>

#include "lk-option.h"

G_BEGIN_DECLS

#define LK_TYPE_SETTING_ROW (lk_setting_row_get_type ())
G_DECLARE_FINAL_TYPE (LkSettingRow, lk_setting_row, LK, SETTING_ROW, AdwActionRow)

GtkWidget *lk_setting_row_new (LkOption *setting);

G_END_DECLS
