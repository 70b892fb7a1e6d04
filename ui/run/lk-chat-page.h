/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A conversation with the model as it was and as it is now, side by side: one message goes to both.
 * Property: run (LkRun, read-write).
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_CHAT_PAGE (lk_chat_page_get_type ())
G_DECLARE_FINAL_TYPE (LkChatPage, lk_chat_page, LK, CHAT_PAGE, GtkWidget)

G_END_DECLS
