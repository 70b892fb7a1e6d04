/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One voice's answer: its text as it is written, then as Markdown with code to copy, its speed, and what can be done with it.
 * Properties: answer (LkChatAnswer), heading. Signal ::collect: it is to go into a dataset.
 */
#pragma once

#include <gtk/gtk.h>

#include "lk-chat-turn.h"

G_BEGIN_DECLS

#define LK_TYPE_ANSWER_CARD (lk_answer_card_get_type ())
G_DECLARE_FINAL_TYPE (LkAnswerCard, lk_answer_card, LK, ANSWER_CARD, GtkWidget)

G_END_DECLS
