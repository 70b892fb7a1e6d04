/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "lk-chat-client.h"
#include "lk-conversation.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-server.h"
#include "lk-settings.h"

#include <string.h>

#define ANSWER_TOKENS 1024

struct _LkChat
{
  GObject parent_instance;

  char *model;
  char *adapter;
  char *device; /* the server's */
  char *system_prompt;
  double temperature, top_p, min_p, repetition_penalty, strength;
  int top_k, max_tokens;
  gint64 seed;
  gboolean shown[LK_N_VOICES];
  LkServer *server;
  GCancellable *cancellable;
  GPtrArray *all;    /* every turn, in the order of asking */
  GListStore *turns; /* the branch in view */
  LkChatTurn *waiting; /* asked while the server is still loading */
  guint unfinished;
  char *folder; /* where conversations are kept; NULL: nowhere */
  char *kept;   /* the file of this one; NULL: it has none yet */
  gboolean changed;
};

enum
{
  PROP_0,
  PROP_TURNS,
  PROP_BUSY,
  PROP_STATUS,
  PROP_ERROR,
  PROP_SYSTEM_PROMPT,
  PROP_TEMPERATURE,
  PROP_TOP_K,
  PROP_TOP_P,
  PROP_MIN_P,
  PROP_REPETITION_PENALTY,
  PROP_MAX_TOKENS,
  PROP_SEED,
  PROP_STRENGTH,
  PROP_SHOW_BASE,
  PROP_SHOW_PROMPTED,
  PROP_SHOW_TUNED,
  PROP_HAS_ADAPTER,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint complaint_signal;

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
  g_ptr_array_unref (self->all);
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->system_prompt, g_free);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->adapter, g_free);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->kept, g_free);
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
    case PROP_SYSTEM_PROMPT: g_value_set_string (value, self->system_prompt); break;
    case PROP_TEMPERATURE: g_value_set_double (value, self->temperature); break;
    case PROP_TOP_K: g_value_set_int (value, self->top_k); break;
    case PROP_TOP_P: g_value_set_double (value, self->top_p); break;
    case PROP_MIN_P: g_value_set_double (value, self->min_p); break;
    case PROP_REPETITION_PENALTY: g_value_set_double (value, self->repetition_penalty); break;
    case PROP_MAX_TOKENS: g_value_set_int (value, self->max_tokens); break;
    case PROP_SEED: g_value_set_int64 (value, self->seed); break;
    case PROP_STRENGTH: g_value_set_double (value, self->strength); break;
    case PROP_SHOW_BASE:
    case PROP_SHOW_PROMPTED:
    case PROP_SHOW_TUNED: g_value_set_boolean (value, self->shown[id - PROP_SHOW_BASE]); break;
    case PROP_HAS_ADAPTER: g_value_set_boolean (value, self->adapter != NULL); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chat_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkChat *self = LK_CHAT (object);

  switch (id)
    {
    case PROP_SYSTEM_PROMPT:
      g_free (self->system_prompt);
      self->system_prompt = g_value_dup_string (value);
      break;
    case PROP_TEMPERATURE: self->temperature = g_value_get_double (value); break;
    case PROP_TOP_K: self->top_k = g_value_get_int (value); break;
    case PROP_TOP_P: self->top_p = g_value_get_double (value); break;
    case PROP_MIN_P: self->min_p = g_value_get_double (value); break;
    case PROP_REPETITION_PENALTY: self->repetition_penalty = g_value_get_double (value); break;
    case PROP_MAX_TOKENS: self->max_tokens = g_value_get_int (value); break;
    case PROP_SEED: self->seed = g_value_get_int64 (value); break;
    case PROP_STRENGTH: self->strength = g_value_get_double (value); break;
    case PROP_SHOW_BASE:
    case PROP_SHOW_PROMPTED:
    case PROP_SHOW_TUNED: self->shown[id - PROP_SHOW_BASE] = g_value_get_boolean (value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
lk_chat_class_init (LkChatClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags both = flags | G_PARAM_WRITABLE;

  object_class->dispose = lk_chat_dispose;
  object_class->finalize = lk_chat_finalize;
  object_class->get_property = lk_chat_get_property;
  object_class->set_property = lk_chat_set_property;
  properties[PROP_TURNS] = g_param_spec_object ("turns", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_SYSTEM_PROMPT] = g_param_spec_string ("system-prompt", NULL, NULL, NULL, both);
  properties[PROP_TEMPERATURE] = g_param_spec_double ("temperature", NULL, NULL, 0, 2, 0, both);
  properties[PROP_TOP_K] = g_param_spec_int ("top-k", NULL, NULL, 0, 1000, 40, both);
  properties[PROP_TOP_P] = g_param_spec_double ("top-p", NULL, NULL, 0, 1, 0.95, both);
  properties[PROP_MIN_P] = g_param_spec_double ("min-p", NULL, NULL, 0, 1, 0.05, both);
  properties[PROP_REPETITION_PENALTY] = g_param_spec_double ("repetition-penalty", NULL, NULL, 0.5, 2, 1, both);
  properties[PROP_MAX_TOKENS] = g_param_spec_int ("max-tokens", NULL, NULL, 0, G_MAXINT32, ANSWER_TOKENS, both);
  properties[PROP_SEED] = g_param_spec_int64 ("seed", NULL, NULL, -1, G_MAXINT32, -1, both);
  properties[PROP_STRENGTH] = g_param_spec_double ("strength", NULL, NULL, 0, 2, 1, both);
  properties[PROP_SHOW_BASE] = g_param_spec_boolean ("show-base", NULL, NULL, TRUE, both);
  properties[PROP_SHOW_PROMPTED] = g_param_spec_boolean ("show-prompted", NULL, NULL, TRUE, both);
  properties[PROP_SHOW_TUNED] = g_param_spec_boolean ("show-tuned", NULL, NULL, TRUE, both);
  properties[PROP_HAS_ADAPTER] = g_param_spec_boolean ("has-adapter", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  complaint_signal = g_signal_new ("complaint", LK_TYPE_CHAT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
lk_chat_init (LkChat *self)
{
  self->turns = g_list_store_new (LK_TYPE_CHAT_TURN);
  self->all = g_ptr_array_new_with_free_func (g_object_unref);
  self->top_k = 40;
  self->top_p = 0.95;
  self->min_p = 0.05;
  self->repetition_penalty = 1;
  self->max_tokens = ANSWER_TOKENS;
  self->strength = 1;
  self->seed = -1;
  for (guint i = 0; i < LK_N_VOICES; i++)
    self->shown[i] = TRUE;
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

/* Writes down what has changed, unless an answer is still being written. */
static void
keep (LkChat *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->turns));
  g_autoptr (LkChatTurn) view = n > 0 ? g_list_model_get_item (G_LIST_MODEL (self->turns), n - 1) : NULL;
  g_autoptr (GError) error = NULL;

  if (!self->changed || self->folder == NULL || self->all->len == 0 || is_busy (self))
    return;
  if (self->kept == NULL)
    self->kept = lk_conversation_new_path (self->folder);
  if (lk_conversation_save (self->kept, self->all, view, &error))
    self->changed = FALSE;
  else
    g_signal_emit (self, complaint_signal, 0, error->message);
}

static void
add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

static gboolean
has_voice (LkChat *self, LkChatVoice voice, const char *system_prompt)
{
  if (voice == LK_VOICE_TUNED && self->adapter == NULL)
    return FALSE;
  if (voice == LK_VOICE_PROMPTED && system_prompt == NULL)
    return FALSE;
  return self->shown[voice];
}

/* What the next question is asked with; NULL where nothing was said. */
static const char *
next_system_prompt (LkChat *self)
{
  return self->system_prompt != NULL && self->system_prompt[0] != 0 ? self->system_prompt : NULL;
}

gboolean
lk_chat_has_voice (LkChat *self, LkChatVoice voice)
{
  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  return has_voice (self, voice, next_system_prompt (self));
}

/* What led to @turn, and it. (transfer container) */
static GPtrArray *
list_path (LkChatTurn *turn)
{
  GPtrArray *path = g_ptr_array_new ();

  for (LkChatTurn *at = turn; at != NULL; at = lk_chat_turn_get_parent (at))
    g_ptr_array_insert (path, 0, at);
  return path;
}

/* The conversation up to @last as @voice remembers it. @with_answer: its answer to the last question too. */
static JsonArray *
make_messages (LkChatVoice voice, LkChatTurn *last, gboolean with_answer)
{
  JsonArray *messages = json_array_new ();
  g_autoptr (GPtrArray) path = list_path (last);

  if (voice == LK_VOICE_PROMPTED && lk_chat_turn_get_system_prompt (last) != NULL)
    add_message (messages, "system", lk_chat_turn_get_system_prompt (last));
  for (guint i = 0; i < path->len; i++)
    {
      LkChatTurn *turn = path->pdata[i];
      LkChatAnswer *answer = lk_chat_turn_get_answer (turn, voice);
      gboolean answered = lk_chat_answer_get_text (answer)[0] != 0 && lk_chat_answer_get_error (answer) == NULL;

      if (turn != last && !answered)
        continue;
      add_message (messages, "user", lk_chat_turn_get_question (turn));
      if (turn != last || with_answer)
        add_message (messages, "assistant", lk_chat_answer_get_text (answer));
    }
  return messages;
}

static JsonObject *
make_request (LkChat *self, LkChatTurn *turn, LkChatVoice voice)
{
  JsonObject *request = json_object_new ();

  json_object_set_string_member (request, "model", voice == LK_VOICE_TUNED ? "tuned" : "base");
  json_object_set_array_member (request, "messages", make_messages (voice, turn, FALSE));
  json_object_set_double_member (request, "temperature", self->temperature);
  json_object_set_int_member (request, "top_k", self->top_k);
  json_object_set_double_member (request, "top_p", self->top_p);
  json_object_set_double_member (request, "min_p", self->min_p);
  json_object_set_double_member (request, "repetition_penalty", self->repetition_penalty);
  if (self->seed >= 0)
    json_object_set_int_member (request, "seed", self->seed);
  if (voice == LK_VOICE_TUNED)
    json_object_set_double_member (request, "adapter_strength", self->strength);
  json_object_set_int_member (request, "max_tokens", self->max_tokens);
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
usage_cb (double tokens_per_second, guint tokens_used, guint context, gpointer user_data)
{
  lk_chat_answer_set_usage (((Asked *) user_data)->answer, tokens_per_second, tokens_used, context);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Asked *asked = user_data;
  g_autoptr (GError) error = NULL;
  gboolean cut = FALSE;

  lk_chat_client_ask_finish (result, &cut, &error);
  if (g_cancellable_is_cancelled (asked->cancellable))
    lk_chat_answer_finish_stopped (asked->answer);
  else if (error == NULL && cut)
    lk_chat_answer_finish_cut (asked->answer);
  else
    lk_chat_answer_finish (asked->answer, error != NULL ? error->message : NULL);
  /* an answer of a conversation that was cleared is nobody's any more */
  if (asked->chat->cancellable == asked->cancellable && asked->chat->unfinished > 0
      && --asked->chat->unfinished == 0)
    {
      keep (asked->chat);
      notify_state (asked->chat);
    }
  g_object_unref (asked->answer);
  g_object_unref (asked->cancellable);
  g_object_unref (asked->chat);
  g_free (asked);
}

static void
send (LkChat *self, LkChatTurn *turn)
{
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->unfinished = 0;
  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    {
      g_autoptr (JsonObject) request = NULL;
      Asked *asked;

      if (!lk_chat_answer_is_busy (lk_chat_turn_get_answer (turn, voice)))
        continue; /* nobody asked it */
      self->unfinished++;
      request = make_request (self, turn, voice);
      asked = g_new0 (Asked, 1);
      asked->chat = g_object_ref (self);
      asked->answer = g_object_ref (lk_chat_turn_get_answer (turn, voice));
      asked->cancellable = g_object_ref (self->cancellable);
      lk_chat_client_ask_async (lk_server_get_socket_path (self->server), request, piece_cb, usage_cb, asked,
                                self->cancellable, answered_cb, asked);
    }
}

/* @error NULL: it was stopped. */
static void
finish_all (LkChatTurn *turn, const char *error)
{
  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    if (error != NULL)
      lk_chat_answer_finish (lk_chat_turn_get_answer (turn, voice), error);
    else
      lk_chat_answer_finish_stopped (lk_chat_turn_get_answer (turn, voice));
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
      finish_all (turn, lk_server_get_error (self->server));
      keep (self);
    }
  else if (lk_server_is_ready (self->server) && self->waiting != NULL)
    {
      turn = g_steal_pointer (&self->waiting);
      send (self, turn);
    }
  notify_state (self);
}

static void
close_server (LkChat *self)
{
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

/* Ends what is being answered, and writes it down as it is. */
static void
settle (LkChat *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->waiting);
  self->unfinished = 0;
  for (guint i = 0; i < self->all->len; i++)
    finish_all (self->all->pdata[i], NULL);
  keep (self);
}

static void
ensure_server (LkChat *self)
{
  const char *device = lk_settings_get_device (lk_settings_get_default ());

  if (self->server != NULL && lk_server_get_error (self->server) == NULL && g_strcmp0 (self->device, device) == 0)
    return;
  close_server (self);
  g_free (self->device);
  self->device = g_strdup (device);
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
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_HAS_ADAPTER]);
}

/* What was asked at the same place of the conversation, in the order of asking. (transfer container) */
static GPtrArray *
list_branches (LkChat *self, LkChatTurn *parent)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < self->all->len; i++)
    if (lk_chat_turn_get_parent (self->all->pdata[i]) == parent)
      g_ptr_array_add (list, self->all->pdata[i]);
  return list;
}

static void
number_branches (LkChat *self, LkChatTurn *parent)
{
  g_autoptr (GPtrArray) branches = list_branches (self, parent);

  for (guint i = 0; i < branches->len; i++)
    lk_chat_turn_set_branch (branches->pdata[i], i, branches->len);
}

/* Has the view end with @turn, behind all that came before it. */
static void
show_up_to (LkChat *self, LkChatTurn *turn)
{
  g_autoptr (GPtrArray) path = list_path (turn);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->turns)), same = 0;

  while (same < n && same < path->len)
    {
      g_autoptr (LkChatTurn) shown = g_list_model_get_item (G_LIST_MODEL (self->turns), same);

      if (shown != path->pdata[same])
        break;
      same++;
    }
  g_list_store_splice (self->turns, same, n - same, path->pdata + same, path->len - same);
}

static gboolean
ask_after (LkChat *self, LkChatTurn *parent, const char *question, const char *system_prompt)
{
  g_autofree char *text = g_strstrip (g_strdup (question));
  g_autoptr (LkChatTurn) turn = NULL;
  gboolean any = FALSE;

  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    any = any || has_voice (self, voice, system_prompt);
  if (is_busy (self) || text[0] == 0 || self->model == NULL || !any)
    return FALSE;
  turn = lk_chat_turn_new (parent, text, system_prompt);
  g_ptr_array_add (self->all, g_object_ref (turn));
  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    if (!has_voice (self, voice, system_prompt))
      lk_chat_answer_skip (lk_chat_turn_get_answer (turn, voice));
  number_branches (self, parent);
  show_up_to (self, turn);
  ensure_server (self);
  self->waiting = g_object_ref (turn);
  self->changed = TRUE;
  server_changed_cb (self);
  return TRUE;
}

gboolean
lk_chat_ask (LkChat *self, const char *question)
{
  g_autoptr (LkChatTurn) last = NULL;
  guint n;

  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  n = g_list_model_get_n_items (G_LIST_MODEL (self->turns));
  last = n > 0 ? g_list_model_get_item (G_LIST_MODEL (self->turns), n - 1) : NULL;
  return ask_after (self, last, question, next_system_prompt (self));
}

gboolean
lk_chat_ask_instead (LkChat *self, LkChatTurn *turn, const char *question)
{
  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  return ask_after (self, lk_chat_turn_get_parent (turn), question, lk_chat_turn_get_system_prompt (turn));
}

void
lk_chat_switch_branch (LkChat *self, LkChatTurn *turn, int step)
{
  g_autoptr (GPtrArray) branches = NULL;
  guint at = 0;

  g_return_if_fail (LK_IS_CHAT (self));

  branches = list_branches (self, lk_chat_turn_get_parent (turn));
  if (is_busy (self) || !g_ptr_array_find (branches, turn, &at) || (int) at + step < 0 || at + (guint) step >= branches->len)
    return;
  turn = branches->pdata[(int) at + step];
  for (;;)
    {
      g_autoptr (GPtrArray) next = list_branches (self, turn);

      if (next->len == 0)
        break;
      turn = next->pdata[next->len - 1]; /* what was asked last */
    }
  show_up_to (self, turn);
  self->changed = TRUE;
  keep (self);
}

/* Whether each answer that an example would teach came to its end. */
static gboolean
check_whole (LkChatTurn *turn, LkChatVoice voice, GError **error)
{
  gboolean last = lk_chat_answer_is_whole (lk_chat_turn_get_answer (turn, voice)), before = TRUE;

  for (LkChatTurn *at = lk_chat_turn_get_parent (turn); at != NULL; at = lk_chat_turn_get_parent (at))
    {
      LkChatAnswer *answer = lk_chat_turn_get_answer (at, voice);
      gboolean taken = lk_chat_answer_get_text (answer)[0] != 0 && lk_chat_answer_get_error (answer) == NULL;

      before = before && (!taken || lk_chat_answer_is_whole (answer));
    }
  if (!last)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA,
                         _ ("This answer is not whole and would teach the model to end in the middle. Ask again first."));
  else if (!before)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA,
                         _ ("An answer before this one is not whole and would teach the model to end in the middle. Ask that question again first."));
  return last && before;
}

gboolean
lk_chat_add_to_dataset (LkChat *self, LkChatTurn *turn, LkChatVoice voice, const char *path, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *line = NULL;
  JsonObject *row;

  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  if (!check_whole (turn, voice, error))
    return FALSE;
  row = json_object_new ();
  json_object_set_array_member (row, "messages", make_messages (voice, turn, TRUE));
  json_node_take_object (node, row);
  line = lk_json_to_string (node, FALSE);
  return lk_file_append_line (path, line, error);
}

void
lk_chat_stop (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->waiting != NULL)
    {
      finish_all (self->waiting, NULL);
      g_clear_object (&self->waiting);
      keep (self);
    }
  notify_state (self);
}

/* Without writing anything down. */
static void
forget (LkChat *self)
{
  g_clear_pointer (&self->kept, g_free);
  self->changed = FALSE;
  g_list_store_remove_all (self->turns);
  g_ptr_array_set_size (self->all, 0);
  notify_state (self);
}

void
lk_chat_clear (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  settle (self);
  forget (self);
}

void
lk_chat_close (LkChat *self)
{
  g_return_if_fail (LK_IS_CHAT (self));

  settle (self);
  close_server (self);
}

gboolean
lk_chat_set_folder (LkChat *self, const char *folder)
{
  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  if (g_strcmp0 (self->folder, folder) == 0)
    return FALSE;
  lk_chat_clear (self);
  g_free (self->folder);
  self->folder = g_strdup (folder);
  return TRUE;
}

gboolean
lk_chat_open (LkChat *self, const char *path, GError **error)
{
  LkChatTurn *view = NULL;
  GPtrArray *turns;

  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  settle (self);
  turns = lk_conversation_load (path, &view, error);
  if (turns == NULL)
    return FALSE;
  forget (self);
  g_ptr_array_unref (self->all);
  self->all = turns;
  self->kept = g_strdup (path);
  for (guint i = 0; i < turns->len; i++)
    number_branches (self, lk_chat_turn_get_parent (turns->pdata[i]));
  show_up_to (self, view);
  return TRUE;
}

gboolean
lk_chat_delete (LkChat *self, const char *path, GError **error)
{
  g_return_val_if_fail (LK_IS_CHAT (self), FALSE);

  if (g_unlink (path) != 0 && errno != ENOENT)
    {
      g_autofree char *name = g_filename_display_name (path);

      return lk_error_set_errno (error, errno, _ ("Could not delete “%s”"), name);
    }
  if (g_strcmp0 (path, self->kept) == 0)
    {
      self->changed = FALSE; /* it is not to come back */
      settle (self);
      forget (self);
    }
  return TRUE;
}

GListModel *
lk_chat_get_turns (LkChat *self)
{
  return G_LIST_MODEL (self->turns);
}
