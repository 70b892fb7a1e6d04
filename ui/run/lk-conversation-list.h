/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The conversations that were kept in a folder, searched by words. They are looked up when the list is shown.
 * Signals: ::open (path), ::delete (path, title): what a person wants.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_CONVERSATION_LIST (lk_conversation_list_get_type ())
G_DECLARE_FINAL_TYPE (LkConversationList, lk_conversation_list, LK, CONVERSATION_LIST, GtkWidget)

/* NULL: there are none. */
void lk_conversation_list_set_folder (LkConversationList *self, const char *folder);

G_END_DECLS
