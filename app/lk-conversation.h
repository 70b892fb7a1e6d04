/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Conversations as files: JSON lines, written whole. The first line is {"conversation": 1, "view": N}, and each behind it a turn in the order
 * of asking: {"parent": N, "question": …, "system_prompt": …, "answers": {"base": {"text": …, "end": "whole", "error": …}, …}}. N counts turns
 * from 0, -1 is none; "view" is the last one of the branch in view. What no voice was asked is left out.
 */
#pragma once

#include <gio/gio.h>

#include "lk-chat-turn.h"

G_BEGIN_DECLS

/* @turns: of LkChatTurn, in the order of asking, none of whose answers is busy; @view: one of them. */
gboolean lk_conversation_save (const char *path, GPtrArray *turns, LkChatTurn *view, GError **error);
/* Of LkChatTurn, which it owns; @view borrows from it. (transfer full) */
GPtrArray *lk_conversation_load (const char *path, LkChatTurn **view, GError **error);

/* A file as a list shows it. */
typedef struct
{
  char *path;
  char *title;    /* its first question */
  gint64 changed; /* Unix time */
} LkConversationEntry;

/* Those in @folder whose questions and answers hold @words, in any case (NULL or "": all), the one changed last first. Files that cannot be
 * read are left out. Reads them in a thread. */
void lk_conversation_list_async (const char *folder, const char *words, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
/* Of LkConversationEntry. (transfer full) */
GPtrArray *lk_conversation_list_finish (GAsyncResult *result, GError **error);

/* The one in @folder that was changed last; NULL: there is none. (transfer full) */
char *lk_conversation_find_latest (const char *folder);

/* Where those about @subject are: a run's folder, or a model's path and its adapter's. (transfer full) */
char *lk_conversation_folder (const char *subject);
/* A name for a new one in @folder. (transfer full) */
char *lk_conversation_new_path (const char *folder);

G_END_DECLS
