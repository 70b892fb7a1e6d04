/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a first start shows: what fine-tuning is good for, Try It Now, New Fine-Tune.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_WELCOME_PAGE (lk_welcome_page_get_type ())
G_DECLARE_FINAL_TYPE (LkWelcomePage, lk_welcome_page, LK, WELCOME_PAGE, GtkWidget)

G_END_DECLS
