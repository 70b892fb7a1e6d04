/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A strip across a page that says what is wrong and offers one way on.
 * Properties: title, text, button-label, action-name (strings), revealed (boolean).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_BANNER (lk_banner_get_type ())
G_DECLARE_FINAL_TYPE (LkBanner, lk_banner, LK, BANNER, GtkWidget)

G_END_DECLS
