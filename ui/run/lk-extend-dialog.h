/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks for how long a run is to go on in all.
 */
#pragma once

#include <adwaita.h>

#include "lk-run.h"

G_BEGIN_DECLS

#define LK_TYPE_EXTEND_DIALOG (lk_extend_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LkExtendDialog, lk_extend_dialog, LK, EXTEND_DIALOG, AdwWindow)

/* Not called when the user cancels; @length as lk_run_extend() takes it. */
typedef void (*LkExtendFunc) (LkRun *run, double length, gpointer user_data);

/* @user_data lives as long as @parent. */
void lk_extend_dialog_show (GtkWindow *parent, LkRun *run, LkExtendFunc chosen, gpointer user_data);

G_END_DECLS
