/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat.h"

#include <glib/gi18n-lib.h>

#include "lk-chat-client.h"
#include "lk-chat-turn.h"
#include "lk-server.h"

#include <string.h>

#define ANSWER_TOKENS 400

struct _LkChat
{
  GObject parent_instance;

  char *model;
  char *adapter;
  double temperature;
  LkServer *server;
  GCancellable *cancellable;
  GListStore *turns;
  LkChatTurn *waiting; /* asked while the server is still loading */
  guint unfinished;
};

enum
{
  PROP_0,
  PROP_TURNS,
  PROP_BUSY,
  PROP_STATUS,
  PROP_ERROR,
  PROP_TEMPERATURE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChat, lk_chat, G_TYPE_OBJECT)

static void
lk_chat_dispose (GObject *object)
{
  LkChat *self = LK_CHAT (object);

  lk_chat_close (self);
  G_OBJECT_CLASS (lk_chat_parent_class)->dispose (object);
}

static void
lk_chat_finalize (GObject *object)
{
  LkChat *self = LK_CHAT (object);

  g_clear_object (&self->turns);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->adapter, g_free);
  G_OBJECT_CLASS (lk_chat_parent_class)->finalize (object);
}

static gboolean
is_busy (LkChat *self)
{
  return self->unfinished > 0 || self->waiting != NULL;
}

static void
lk_chat_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChat *self = LK_CHAT (object);

  switch (id)
    {
    case PROP_TURNS: g_value_set_object (value, self->turns); break;
    case PROP_BUSY: g_value_set_boolean (value, is_busy (self)); break;
    case PROP_STATUS: g_value_set_string (value, self->waiting != NULL ? _ ("Loading the model…") : NULL); break;
    case PROP_ERROR:
      g_value_set_string (value, self->server != NULL ? lk_server_get_error (self->server) : NULL);
      break;
    case PROP_TEMPERATURE: g_value_set_double (value, self->temperature); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chat_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkChat *self = LK_CHAT (object);

  switch (id)
    {
    case PROP_TEMPERATURE:
      if (self->temperature != g_value_get_double (value))
        {
          self->temperature = g_value_get_double (value);
          g_object_notify_by_pspec (object, pspec);
        }
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chat_class_init (LkChatClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_chat_dispose;
  object_class->finalize = lk_chat_finalize;
  object_class->get_property = lk_chat_get_property;
  object_class->set_property = lk_chat_set_property;
  properties[PROP_TURNS] = g_param_spec_object ("turns", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_TEMPERATURE]
      = g_param_spec_double ("temperature", NULL, NULL, 0, 2, 0, flags | G_PARAM_WRITABLE);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_chat_init (LkChat *self)
{
  self->turns = g_list_store_new (LK_TYPE_CHAT_TURN);
}

LkChat *
lk_chat_new (void)
{
  return g_object_new (LK_TYPE_CHAT, NULL);
}

static void
notify_state (LkChat *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

static void
add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

static LkChatAnswer *
answer_of (LkChatTurn *turn, gboolean tuned)
{
  return tuned ? lk_chat_turn_get_tuned (turn) : lk_chat_turn_get_base (turn);
}

/* The whole conversation as one of the two remembers it. */
static JsonObject *
make_request (LkChat *self, gboolean tuned)
{
  JsonObject *request = json_object_new ();
  JsonArray *messages = json_array_new ();
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->turns));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkChatTurn) turn = g_list_model_get_item (G_LIST_MODEL (self->turns), i);
      const char *answer = lk_chat_answer_get_text (answer_of (turn, tuned));

      if (i + 1 < n && (answer[0] == 0 || lk_chat_answer_get_error (answer_of (turn, tuned)) != NULL))
        continue;
      add_message (messages, "user", lk_chat_turn_get_question (turn));
      if (i + 1 < n)
        add_message (messages, "assistant", answer);
    }
  json_object_set_string_member (request, "model", tuned ? "tuned" : "base");
  json_object_set_array_member (request, "messages", messages);
  json_object_set_double_member (request, "temperature", self->temperature);
  json_object_set_int_member (request, "max_tokens", ANSWER_TOKENS);
  return request;
}

typedef struct
{
  LkChat *chat;
  LkChatAnswer *answer;
  GCancellable *cancellable;
} Asked;

static void
piece_cb (const char *text, gpointer user_data)
{
  lk_chat_answer_append (((Asked *) user_data)->answer, text);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Asked *asked = user_data;
  g_autoptr (GError) error = NULL;

  lk_chat_client_ask_finish (result, &error);
  if (g_cancellable_is_cancelled (asked->cancellable))
    g_clear_error (&error);
  lk_chat_answer_finish (asked->answer, error != NULL ? error->message : NULL);
  /* an answer of a conversation that was cleared is nobody's any more */
  if (asked->chat->cancellable == asked->cancellable && asked->chat->unfinished > 0
      && --asked->chat->unfinished == 0)
    notify_state (asked->chat);
  g_object_unref (asked->answer);
  g_object_unref (asked->cancellable);
  g_object_unref (asked->chat);
  g_free (asked);
}

static void
send (LkChat *self, LkChatTurn *turn)
{
  int columns = self->adapter != NULL ? 2 : 1;

  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->unfinished = (guint) columns;
  for (int tuned = 0; tuned < columns; tuned++)
    {
      g_autoptr (JsonObject) request = make_request (self, tuned != 0);
      Asked *asked = g_new0 (Asked, 1);

      asked->chat = g_object_ref (self);
      asked->answer = g_object_ref (answer_of (turn, tuned != 0));
      asked->cancellable = g_object_ref (self->cancellable);
      lk_chat_client_ask_async (lk_server_get_socket_path (self->server), request, piece_cb, asked,
                                self->cancellable, answered_cb, asked);
    }
  if (columns == 1)
    lk_chat_answer_finish (lk_chat_turn_get_tuned (turn), NULL);
}

static void
server_changed_cb (LkChat *self)
{
  g_autoptr (LkChatTurn) turn = NULL;

  if (self->server == NULL)
    return;
  if (lk_server_get_error (self->server) != NULL && self->waiting != NULL)
    {
      turn = g_steal_pointer (&self->waiting);
      lk_chat_answer_finish (lk_chat_turn_get_base (turn), lk_server_get_error (self->server));
      lk_chat_answer_finish (lk_chat_turn_get_tuned (turn), lk_server_get_error (self->server));
    }
  else if (lk_server_is_ready (self->server) && self->waiting != NULL)
    {
      turn = g_steal_pointer (&self->waiting);
      send (self, turn);
    }
  notify_state (self);
}

static void
ensure_server (LkChat *self)
{
  if (self->server != NULL && lk_server_get_error (self->server) == NULL)
    return;
  lk_chat_close (self);
  self->server = lk_server_new (self->model, self->adapter);
  g_signal_connect_object (self->server, "notify", G_CALLBACK (server_changed_cb), self, G_CONNECT_SWAPPED);
}

void
lk_chat_set_models (LkChat *self, const char *model, const char *adapter)
{
  g_return_if_fail (LK_IS_CHAT (self));

  if (g_strcmp0 (self->model, model) == 0 && g_strcmp0 (self->adapter, adapter) == 0)
    return;
  lk_chat_clear (self);
  lk_chat_close (self);
  g_free (self->model);
  g_free (self->adapter);
  self->model = g_strdup (model);
  self->adapter = g_strdup (adapter);
}

void
lk_chat_ask (LkChat *self, const char *question)
{
  g_autofree char *text = g_strstrip (g_strdup (question));
  g_autoptr (LkChatTurn) turn = NULL;

  g_return_if_fail (LK_IS_CHAT (self));

  if (is_busy (self) || text[0] == 0 || self->model == NULL)
    return;
  turn = lk_chat_turn_new (text);
  g_list_store_append (self->turns, turn);
  ensure_server (self);
  self->waiting = g_object_ref (turn);
  server_changed_cb (self);
}

void
lk_chat_stop (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->waiting != NULL)
    {
      lk_chat_answer_finish (lk_chat_turn_get_base (self->waiting), NULL);
      lk_chat_answer_finish (lk_chat_turn_get_tuned (self->waiting), NULL);
      g_clear_object (&self->waiting);
    }
  notify_state (self);
}

void
lk_chat_clear (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  lk_chat_stop (self);
  g_clear_object (&self->cancellable);
  self->unfinished = 0;
  g_list_store_remove_all (self->turns);
  notify_state (self);
}

void
lk_chat_close (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->server != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->server, self);
      g_object_run_dispose (G_OBJECT (self->server));
    }
  g_clear_object (&self->server);
  g_clear_object (&self->waiting);
  g_clear_object (&self->cancellable);
  self->unfinished = 0;
}

GListModel *
lk_chat_get_turns (LkChat *self)
{
  return G_LIST_MODEL (self->turns);
}
