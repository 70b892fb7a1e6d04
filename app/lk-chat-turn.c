/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-turn.h"

#include <glib/gi18n-lib.h>

#include "lk-words.h"

static const char *const voice_names[LK_N_VOICES] = { "base", "prompted", "tuned" };

const char *
lk_chat_voice_name (LkChatVoice voice)
{
  return voice_names[voice];
}

/* In the order of LkAnswerEnd. */
static const struct
{
  const char *name, *note;
} ends[LK_N_ANSWER_ENDS] = {
  { "whole", NULL },
  { "cut", N_ ("Cut off: it reached the longest answer of the settings.") },
  { "full", N_ ("Cut off: the context is full. A new conversation has room again.") },
  { "stopped", N_ ("Stopped before its end.") },
  { "failed", NULL },
};

const char *
lk_answer_end_name (LkAnswerEnd end)
{
  return ends[end].name;
}

LkAnswerEnd
lk_answer_end_from_name (const char *name)
{
  for (LkAnswerEnd end = 0; end < LK_N_ANSWER_ENDS; end++)
    if (g_str_equal (ends[end].name, name))
      return end;
  return LK_ANSWER_STOPPED;
}

struct _LkChatAnswer
{
  GObject parent_instance;

  GString *text;
  char *error;
  char *speed_text;
  LkAnswerEnd end;
  gboolean context_full;
  gboolean busy;
  gboolean asked;
};

enum
{
  PROP_0,
  PROP_TEXT,
  PROP_BUSY,
  PROP_ERROR,
  PROP_NOTE,
  PROP_SPEED_TEXT,
  PROP_ASKED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChatAnswer, lk_chat_answer, G_TYPE_OBJECT)

static void
lk_chat_answer_finalize (GObject *object)
{
  LkChatAnswer *self = LK_CHAT_ANSWER (object);

  g_string_free (self->text, TRUE);
  g_clear_pointer (&self->error, g_free);
  g_clear_pointer (&self->speed_text, g_free);
  G_OBJECT_CLASS (lk_chat_answer_parent_class)->finalize (object);
}

static void
lk_chat_answer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatAnswer *self = LK_CHAT_ANSWER (object);

  switch (id)
    {
    case PROP_TEXT: g_value_set_string (value, self->text->str); break;
    case PROP_BUSY: g_value_set_boolean (value, self->busy); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    case PROP_NOTE: g_value_set_string (value, ends[self->end].note != NULL ? _ (ends[self->end].note) : NULL); break;
    case PROP_SPEED_TEXT: g_value_set_string (value, self->speed_text); break;
    case PROP_ASKED: g_value_set_boolean (value, self->asked); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chat_answer_class_init (LkChatAnswerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_chat_answer_finalize;
  object_class->get_property = lk_chat_answer_get_property;
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, TRUE, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_NOTE] = g_param_spec_string ("note", NULL, NULL, NULL, flags);
  properties[PROP_SPEED_TEXT] = g_param_spec_string ("speed-text", NULL, NULL, NULL, flags);
  properties[PROP_ASKED] = g_param_spec_boolean ("asked", NULL, NULL, TRUE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_chat_answer_init (LkChatAnswer *self)
{
  self->text = g_string_new (NULL);
  self->busy = TRUE;
  self->asked = TRUE;
}

void
lk_chat_answer_append (LkChatAnswer *self, const char *piece)
{
  g_string_append (self->text, piece);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TEXT]);
}

void
lk_chat_answer_set_usage (LkChatAnswer *self, double tokens_per_second, guint tokens_used, guint context)
{
  g_autofree char *used = lk_words_count (tokens_used);
  g_autofree char *all = lk_words_count (context);

  self->context_full = tokens_used >= context;
  g_free (self->speed_text);
  self->speed_text = g_strdup_printf (_ ("%.1f tokens a second · %s of %s tokens of the context"), tokens_per_second, used, all);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SPEED_TEXT]);
}

void
lk_chat_answer_skip (LkChatAnswer *self)
{
  self->asked = FALSE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ASKED]);
  lk_chat_answer_finish (self, NULL);
}

void
lk_chat_answer_finish_as (LkChatAnswer *self, LkAnswerEnd end, const char *error)
{
  if (!self->busy)
    return;
  self->busy = FALSE;
  self->end = end;
  self->error = g_strdup (error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NOTE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

void
lk_chat_answer_finish (LkChatAnswer *self, const char *error)
{
  lk_chat_answer_finish_as (self, error != NULL ? LK_ANSWER_FAILED : LK_ANSWER_WHOLE, error);
}

void
lk_chat_answer_finish_cut (LkChatAnswer *self)
{
  lk_chat_answer_finish_as (self, self->context_full ? LK_ANSWER_FULL : LK_ANSWER_CUT, NULL);
}

void
lk_chat_answer_finish_stopped (LkChatAnswer *self)
{
  lk_chat_answer_finish_as (self, LK_ANSWER_STOPPED, NULL);
}

LkAnswerEnd
lk_chat_answer_get_end (LkChatAnswer *self)
{
  return self->end;
}

gboolean
lk_chat_answer_was_asked (LkChatAnswer *self)
{
  return self->asked;
}

gboolean
lk_chat_answer_is_whole (LkChatAnswer *self)
{
  return self->asked && !self->busy && self->end == LK_ANSWER_WHOLE && self->text->len > 0;
}

const char *
lk_chat_answer_get_text (LkChatAnswer *self)
{
  return self->text->str;
}

gboolean
lk_chat_answer_is_busy (LkChatAnswer *self)
{
  return self->busy;
}

const char *
lk_chat_answer_get_error (LkChatAnswer *self)
{
  return self->error;
}

struct _LkChatTurn
{
  GObject parent_instance;

  LkChatTurn *parent;
  char *question;
  char *system_prompt;
  char *branch_text;
  LkChatAnswer *answers[LK_N_VOICES];
};

enum
{
  PROP_TURN_0,
  PROP_QUESTION,
  PROP_SYSTEM_PROMPT,
  PROP_BRANCH_TEXT,
  PROP_FIRST_VOICE,
  N_TURN_PROPS = PROP_FIRST_VOICE + LK_N_VOICES
};

static GParamSpec *turn_properties[N_TURN_PROPS];

G_DEFINE_FINAL_TYPE (LkChatTurn, lk_chat_turn, G_TYPE_OBJECT)

static void
lk_chat_turn_finalize (GObject *object)
{
  LkChatTurn *self = LK_CHAT_TURN (object);

  g_clear_object (&self->parent);
  g_clear_pointer (&self->question, g_free);
  g_clear_pointer (&self->system_prompt, g_free);
  g_clear_pointer (&self->branch_text, g_free);
  for (guint i = 0; i < LK_N_VOICES; i++)
    g_clear_object (&self->answers[i]);
  G_OBJECT_CLASS (lk_chat_turn_parent_class)->finalize (object);
}

static void
lk_chat_turn_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatTurn *self = LK_CHAT_TURN (object);

  if (id == PROP_QUESTION)
    g_value_set_string (value, self->question);
  else if (id == PROP_SYSTEM_PROMPT)
    g_value_set_string (value, self->system_prompt);
  else if (id == PROP_BRANCH_TEXT)
    g_value_set_string (value, self->branch_text);
  else
    g_value_set_object (value, self->answers[id - PROP_FIRST_VOICE]);
}

static void
lk_chat_turn_class_init (LkChatTurnClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_chat_turn_finalize;
  object_class->get_property = lk_chat_turn_get_property;
  turn_properties[PROP_QUESTION] = g_param_spec_string ("question", NULL, NULL, NULL, flags);
  turn_properties[PROP_SYSTEM_PROMPT] = g_param_spec_string ("system-prompt", NULL, NULL, NULL, flags);
  turn_properties[PROP_BRANCH_TEXT] = g_param_spec_string ("branch-text", NULL, NULL, NULL, flags);
  for (guint i = 0; i < LK_N_VOICES; i++)
    turn_properties[PROP_FIRST_VOICE + i] = g_param_spec_object (voice_names[i], NULL, NULL, LK_TYPE_CHAT_ANSWER, flags);
  g_object_class_install_properties (object_class, N_TURN_PROPS, turn_properties);
}

static void
lk_chat_turn_init (LkChatTurn *self)
{
  for (guint i = 0; i < LK_N_VOICES; i++)
    self->answers[i] = g_object_new (LK_TYPE_CHAT_ANSWER, NULL);
}

LkChatTurn *
lk_chat_turn_new (LkChatTurn *parent, const char *question, const char *system_prompt)
{
  LkChatTurn *self = g_object_new (LK_TYPE_CHAT_TURN, NULL);

  self->parent = parent != NULL ? g_object_ref (parent) : NULL;
  self->question = g_strdup (question);
  self->system_prompt = g_strdup (system_prompt);
  return self;
}

LkChatTurn *
lk_chat_turn_get_parent (LkChatTurn *self)
{
  return self->parent;
}

const char *
lk_chat_turn_get_question (LkChatTurn *self)
{
  return self->question;
}

const char *
lk_chat_turn_get_system_prompt (LkChatTurn *self)
{
  return self->system_prompt;
}

LkChatAnswer *
lk_chat_turn_get_answer (LkChatTurn *self, LkChatVoice voice)
{
  return self->answers[voice];
}

void
lk_chat_turn_set_branch (LkChatTurn *self, guint index, guint n)
{
  g_free (self->branch_text);
  self->branch_text = n > 1 ? g_strdup_printf (_ ("%u of %u"), index + 1, n) : NULL;
  g_object_notify_by_pspec (G_OBJECT (self), turn_properties[PROP_BRANCH_TEXT]);
}
