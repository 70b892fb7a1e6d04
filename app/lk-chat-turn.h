/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question and what each voice answered. LkChatAnswer has the properties text, busy, error (what failed; NULL when well), note (why
 * it ends early though nothing failed; NULL where it does not), asked and speed-text ("12 tokens a second · 300 of 2,048 tokens"; NULL
 * until it is known). LkChatTurn has question, system-prompt (what the prompted voice was
 * told; NULL: it was not asked), base, prompted, tuned (LkChatAnswer) and branch-text ("2 of 3"; NULL where nothing was asked otherwise). Thread-safety: main thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* Who answers: the base, the base with a system prompt before the conversation, the base with the adapter. */
typedef enum
{
  LK_VOICE_BASE,
  LK_VOICE_PROMPTED,
  LK_VOICE_TUNED,
  LK_N_VOICES
} LkChatVoice;

/* "base", "prompted", "tuned": in files and as properties. */
const char *lk_chat_voice_name (LkChatVoice voice);

/* How an answer ended: by itself, at its longest, at the end of the context, because somebody stopped it, with an error. */
typedef enum
{
  LK_ANSWER_WHOLE,
  LK_ANSWER_CUT,
  LK_ANSWER_FULL,
  LK_ANSWER_STOPPED,
  LK_ANSWER_FAILED,
  LK_N_ANSWER_ENDS
} LkAnswerEnd;

/* "whole", "cut", "full", "stopped", "failed": in files. What is none of them is "stopped". */
const char *lk_answer_end_name (LkAnswerEnd end);
LkAnswerEnd lk_answer_end_from_name (const char *name);

#define LK_TYPE_CHAT_ANSWER (lk_chat_answer_get_type ())
G_DECLARE_FINAL_TYPE (LkChatAnswer, lk_chat_answer, LK, CHAT_ANSWER, GObject)

void lk_chat_answer_append (LkChatAnswer *self, const char *piece);
/* What the engine told at the end. */
void lk_chat_answer_set_usage (LkChatAnswer *self, double tokens_per_second, guint tokens_used, guint context);
/* Nobody asks this voice. */
void lk_chat_answer_skip (LkChatAnswer *self);
/* Ends the answer; @error NULL when it is complete. */
void lk_chat_answer_finish (LkChatAnswer *self, const char *error);
/* Ends it where its limit or the context did. */
void lk_chat_answer_finish_cut (LkChatAnswer *self);
/* Ends it because somebody wanted that. */
void lk_chat_answer_finish_stopped (LkChatAnswer *self);
/* The same for one that was kept; @error NULL unless @end is LK_ANSWER_FAILED. */
void lk_chat_answer_finish_as (LkChatAnswer *self, LkAnswerEnd end, const char *error);
LkAnswerEnd lk_chat_answer_get_end (LkChatAnswer *self);
gboolean lk_chat_answer_was_asked (LkChatAnswer *self);
/* It came to its own end and says something. */
gboolean lk_chat_answer_is_whole (LkChatAnswer *self);
const char *lk_chat_answer_get_text (LkChatAnswer *self);
gboolean lk_chat_answer_is_busy (LkChatAnswer *self);
const char *lk_chat_answer_get_error (LkChatAnswer *self);

#define LK_TYPE_CHAT_TURN (lk_chat_turn_get_type ())
G_DECLARE_FINAL_TYPE (LkChatTurn, lk_chat_turn, LK, CHAT_TURN, GObject)

/* @parent: the turn before it, which it keeps; NULL for a first one. */
LkChatTurn *lk_chat_turn_new (LkChatTurn *parent, const char *question, const char *system_prompt);
LkChatTurn *lk_chat_turn_get_parent (LkChatTurn *self);
const char *lk_chat_turn_get_question (LkChatTurn *self);
const char *lk_chat_turn_get_system_prompt (LkChatTurn *self);
LkChatAnswer *lk_chat_turn_get_answer (LkChatTurn *self, LkChatVoice voice);
/* It is the @index-th (from 0) of @n that follow its parent. */
void lk_chat_turn_set_branch (LkChatTurn *self, guint index, guint n);

G_END_DECLS
