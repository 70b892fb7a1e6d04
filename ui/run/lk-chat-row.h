/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One turn of a conversation: the question, which can be asked otherwise or anew, and the answers side by side.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-chat.h"

G_BEGIN_DECLS

#define LK_TYPE_CHAT_ROW (lk_chat_row_get_type ())
G_DECLARE_FINAL_TYPE (LkChatRow, lk_chat_row, LK, CHAT_ROW, GtkListBoxRow)

GtkWidget *lk_chat_row_new (LkChat *chat, LkChatTurn *turn);

G_END_DECLS
