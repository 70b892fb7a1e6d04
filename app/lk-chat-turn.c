/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-turn.h"

struct _LkChatAnswer
{
  GObject parent_instance;

  GString *text;
  char *error;
  gboolean busy;
};

enum
{
  PROP_0,
  PROP_TEXT,
  PROP_BUSY,
  PROP_ERROR,
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
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_chat_answer_init (LkChatAnswer *self)
{
  self->text = g_string_new (NULL);
  self->busy = TRUE;
}

void
lk_chat_answer_append (LkChatAnswer *self, const char *piece)
{
  g_string_append (self->text, piece);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TEXT]);
}

void
lk_chat_answer_finish (LkChatAnswer *self, const char *error)
{
  if (!self->busy)
    return;
  self->busy = FALSE;
  self->error = g_strdup (error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
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

  char *question;
  LkChatAnswer *base;
  LkChatAnswer *tuned;
};

G_DEFINE_FINAL_TYPE (LkChatTurn, lk_chat_turn, G_TYPE_OBJECT)

static void
lk_chat_turn_finalize (GObject *object)
{
  LkChatTurn *self = LK_CHAT_TURN (object);

  g_clear_pointer (&self->question, g_free);
  g_clear_object (&self->base);
  g_clear_object (&self->tuned);
  G_OBJECT_CLASS (lk_chat_turn_parent_class)->finalize (object);
}

static void
lk_chat_turn_class_init (LkChatTurnClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_chat_turn_finalize;
}

static void
lk_chat_turn_init (LkChatTurn *self)
{
  self->base = g_object_new (LK_TYPE_CHAT_ANSWER, NULL);
  self->tuned = g_object_new (LK_TYPE_CHAT_ANSWER, NULL);
}

LkChatTurn *
lk_chat_turn_new (const char *question)
{
  LkChatTurn *self = g_object_new (LK_TYPE_CHAT_TURN, NULL);

  self->question = g_strdup (question);
  return self;
}

const char *
lk_chat_turn_get_question (LkChatTurn *self)
{
  return self->question;
}

LkChatAnswer *
lk_chat_turn_get_base (LkChatTurn *self)
{
  return self->base;
}

LkChatAnswer *
lk_chat_turn_get_tuned (LkChatTurn *self)
{
  return self->tuned;
}
