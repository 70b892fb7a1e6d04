/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question of a conversation and, below it, both answers side by side as they are written.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-chat-turn.h"

G_BEGIN_DECLS

#define LK_TYPE_CHAT_ROW (lk_chat_row_get_type ())
G_DECLARE_FINAL_TYPE (LkChatRow, lk_chat_row, LK, CHAT_ROW, GtkListBoxRow)

GtkWidget *lk_chat_row_new (LkChatTurn *turn);

G_END_DECLS
