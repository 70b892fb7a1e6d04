/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-page.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "lk-chat.h"
#include "compat.h"
#include "lk-chat-row.h"
#include "lk-conversation-list.h"
#include "lk-conversation.h"
#include "lk-library.h"
#include "lk-run.h"
#include "lk-sample.h"
#include "lk-words.h"
#include "widgets/lk-closures.h"

#define SUGGESTIONS 3

struct _LkChatPage
{
  GtkWidget parent_instance;

  LkRun *run;
  LkChat *chat;
  LkLibrary *library;   /* NULL in a run's tab */
  GPtrArray *choices;   /* Choice: what the list of models names, in its order */
  char *collection;     /* the file that answers are added to */
  LkChatTurn *collect_turn; /* what waits for that file to be chosen */
  LkChatVoice collect_voice;

  GtkWidget *content;
  GtkStack *stack;
  GtkScrolledWindow *scroller;
  GtkListBox *turns;
  GtkBox *suggestions;
  GtkEntry *entry;
  GtkToggleButton *show_base, *show_prompted, *show_tuned;
  GtkBox *who_box;
  GtkDropDown *who;
  GtkGrid *sampling;
  GtkTextBuffer *system_prompt;
  GtkPopover *conversations_popover;
  LkConversationList *conversations;
  char *deleting; /* the conversation that is asked about */
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_CHAT,
  PROP_STANDALONE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChatPage, lk_chat_page, GTK_TYPE_WIDGET)

typedef struct
{
  char *model;
  char *adapter; /* may be NULL */
} Choice;

static void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_free (choice->model);
  g_free (choice->adapter);
  g_free (choice);
}

/* Whom this page talks to. FALSE: to nobody yet. */
static gboolean
find_models (LkChatPage *self, char **model, char **adapter)
{
  guint i = self->library != NULL ? gtk_drop_down_get_selected (self->who) : 0;
  const Choice *choice = self->library != NULL && i < self->choices->len ? self->choices->pdata[i] : NULL;

  if (self->library == NULL)
    {
      *adapter = self->run != NULL ? lk_run_find_adapter (self->run) : NULL;
      *model = *adapter != NULL ? g_strdup (lk_run_get_model (self->run)) : NULL;
    }
  else
    {
      *model = choice != NULL ? g_strdup (choice->model) : NULL;
      *adapter = choice != NULL ? g_strdup (choice->adapter) : NULL;
    }
  return *model != NULL;
}

/* The conversation in view follows what is being written, unless the user scrolled up to read. */
static void
follow_end (LkChatPage *self)
{
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment (self->scroller);

  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment)
                                            - gtk_adjustment_get_page_size (adjustment));
}

static void
update_actions (LkChatPage *self)
{
  gboolean busy = FALSE;
  gboolean can = self->library != NULL ? self->choices->len > 0 : self->run != NULL && lk_run_get_has_adapter (self->run);
  gboolean any = g_list_model_get_n_items (lk_chat_get_turns (self->chat)) > 0;

  g_object_get (self->chat, "busy", &busy, NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.send", can && !busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.stop", busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.clear", any);
  gtk_stack_set_visible_child_name (self->stack, any ? "turns" : can ? "empty" : self->library != NULL ? "no-model" : "too-early");
}

static void
complain (LkChatPage *self, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);

  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", escaped);
}

static void
open_conversation (LkChatPage *self, const char *path)
{
  g_autoptr (GError) error = NULL;

  if (!lk_chat_open (self->chat, path, &error))
    complain (self, error->message);
  update_actions (self);
}

/* The models of this page, and what was said with them last. FALSE: there are none yet. */
static gboolean
adopt_models (LkChatPage *self)
{
  g_autofree char *model = NULL, *adapter = NULL, *subject = NULL, *folder = NULL, *latest = NULL;

  if (!find_models (self, &model, &adapter))
    {
      lk_chat_set_folder (self->chat, NULL);
      lk_conversation_list_set_folder (self->conversations, NULL);
      return FALSE;
    }
  lk_chat_set_models (self->chat, model, adapter);
  subject = self->library == NULL ? g_strdup (lk_run_get_folder (self->run)) : g_strjoin ("\n", model, adapter, NULL);
  folder = lk_conversation_folder (subject);
  if (!lk_chat_set_folder (self->chat, folder))
    return TRUE;
  lk_conversation_list_set_folder (self->conversations, folder);
  latest = lk_conversation_find_latest (folder);
  if (latest != NULL)
    open_conversation (self, latest);
  return TRUE;
}

static void
open_cb (LkChatPage *self, const char *path)
{
  gtk_popover_popdown (self->conversations_popover);
  open_conversation (self, path);
}

static void
delete_agreed_cb (gboolean agreed, gpointer user_data)
{
  g_autoptr (LkChatPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_steal_pointer (&self->deleting);

  if (agreed && path != NULL && self->chat != NULL && !lk_chat_delete (self->chat, path, &error))
    complain (self, error->message);
}

static void
delete_cb (LkChatPage *self, const char *path, const char *title)
{
  g_autofree char *body = g_strdup_printf (_ ("“%s” and its answers are lost for good."), title);

  gtk_popover_popdown (self->conversations_popover);
  g_free (self->deleting);
  self->deleting = g_strdup (path);
  lk_compat_ask (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), _ ("Delete This Conversation?"), body, _ ("_Delete"), TRUE,
                 delete_agreed_cb, g_object_ref (self));
}

static gboolean
has_any_voice (LkChatPage *self)
{
  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    if (lk_chat_has_voice (self->chat, voice))
      return TRUE;
  return FALSE;
}

/* FALSE when nobody was asked. */
static gboolean
ask (LkChatPage *self, const char *question)
{
  if (!adopt_models (self))
    return FALSE;
  if (lk_chat_ask (self->chat, question))
    return TRUE;
  if (!has_any_voice (self))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", _ ("Nobody who could answer is shown"));
  return FALSE;
}

static void
send_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkChatPage *self = LK_CHAT_PAGE (widget);

  if (ask (self, gtk_editable_get_text (GTK_EDITABLE (self->entry))))
    gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
}

static void
stop_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_chat_stop (LK_CHAT_PAGE (widget)->chat);
}

static void
clear_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_chat_clear (LK_CHAT_PAGE (widget)->chat);
}

static void
collect (LkChatPage *self)
{
  g_autoptr (LkChatTurn) turn = g_steal_pointer (&self->collect_turn);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_filename_display_basename (self->collection);
  g_autofree char *sentence = NULL;

  if (lk_chat_add_to_dataset (self->chat, turn, self->collect_voice, self->collection, &error))
    sentence = g_strdup_printf (_ ("Added to “%s”"), name);
  else
    g_clear_pointer (&self->collection, g_free); /* the next one asks again */
  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", sentence != NULL ? sentence : error->message);
}

static void
collection_chosen_cb (GFile *file, gpointer user_data)
{
  LkChatPage *self = LK_CHAT_PAGE (user_data);

  if (g_file_peek_path (file) == NULL || self->collect_turn == NULL)
    return; /* the page shows another run by now */
  g_free (self->collection);
  self->collection = g_strdup (g_file_peek_path (file));
  collect (self);
}

/* The first answer asks for a file, those behind it go there too. */
static void
collect_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "jsonl", NULL };
  LkChatPage *self = LK_CHAT_PAGE (widget);
  int turn;
  guint voice;

  g_variant_get (parameter, "(iu)", &turn, &voice);
  g_clear_object (&self->collect_turn);
  self->collect_turn = g_list_model_get_item (lk_chat_get_turns (self->chat), (guint) turn);
  self->collect_voice = MIN (voice, LK_N_VOICES - 1);
  if (self->collect_turn == NULL)
    return;
  if (self->collection != NULL)
    collect (self);
  else
    lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_SAVE_FILE, _ ("Add to a Dataset"), _ ("Datasets"),
                           suffixes, NULL, "answers.jsonl", collection_chosen_cb, self);
}

static void
entry_activate_cb (LkChatPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "chat.send", NULL);
}

static void
suggestion_cb (LkChatPage *self, GtkButton *button)
{
  ask (self, g_object_get_data (G_OBJECT (button), "question"));
}

/* The questions the run asks itself make good first questions. */
static void
fill_suggestions (LkChatPage *self)
{
  GtkWidget *child;
  GListModel *samples = self->run != NULL ? lk_run_get_samples (self->run) : NULL;
  guint n = samples != NULL ? MIN (g_list_model_get_n_items (samples), SUGGESTIONS) : 0;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->suggestions))) != NULL)
    gtk_box_remove (self->suggestions, child);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkSample) sample = g_list_model_get_item (samples, i);
      g_autofree char *label = lk_words_shorten (lk_sample_get_prompt (sample), 60);
      GtkWidget *button = gtk_button_new_with_label (label);

      g_object_set_data_full (G_OBJECT (button), "question", g_strdup (lk_sample_get_prompt (sample)),
                              g_free);
      gtk_widget_set_tooltip_text (button, lk_sample_get_prompt (sample));
      g_signal_connect_object (button, "clicked", G_CALLBACK (suggestion_cb), self, G_CONNECT_SWAPPED);
      gtk_box_append (self->suggestions, button);
    }
}

static GtkWidget *
make_row_cb (gpointer item, gpointer user_data)
{
  return lk_chat_row_new (LK_CHAT_PAGE (user_data)->chat, LK_CHAT_TURN (item));
}

/* What the next question is asked with. */
static const struct
{
  const char *property, *label;
  double minimum, maximum, step;
  guint digits;
} knobs[] = {
  { "temperature", N_ ("Temperature"), 0, 2, 0.1, 2 },
  { "top-k", N_ ("Top-k: of so many tokens; 0 for all"), 0, 1000, 1, 0 },
  { "top-p", N_ ("Top-p: of the likeliest up to this share"), 0, 1, 0.05, 2 },
  { "min-p", N_ ("Min-p: at least this share of the likeliest"), 0, 1, 0.01, 2 },
  { "repetition-penalty", N_ ("Repetition penalty"), 0.5, 2, 0.05, 2 },
  { "max-tokens", N_ ("Longest answer in tokens; 0 until the context is full"), 0, G_MAXINT32, 128, 0 },
  { "seed", N_ ("Seed; -1 for another one each time"), -1, G_MAXINT32, 1, 0 },
  { "strength", N_ ("Strength of the adapter"), 0, 2, 0.1, 2 },
};

static void
fill_sampling (LkChatPage *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (knobs); i++)
    {
      GtkWidget *label = gtk_label_new (_ (knobs[i].label));
      GtkWidget *spin = gtk_spin_button_new_with_range (knobs[i].minimum, knobs[i].maximum, knobs[i].step);

      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_wrap (GTK_LABEL (label), TRUE);
      gtk_widget_set_hexpand (label, TRUE);
      gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), knobs[i].digits);
      gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, _ (knobs[i].label), -1);
      g_object_bind_property (self->chat, knobs[i].property, spin, "value", G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
      gtk_grid_attach (self->sampling, label, 0, (int) i, 1, 1);
      gtk_grid_attach (self->sampling, spin, 1, (int) i, 1, 1);
    }
}

static void
add_choice (LkChatPage *self, GtkStringList *names, const char *name, const char *model, const char *adapter)
{
  Choice *choice = g_new0 (Choice, 1);

  choice->model = g_strdup (model);
  choice->adapter = g_strdup (adapter);
  g_ptr_array_add (self->choices, choice);
  gtk_string_list_append (names, name);
}

static void
who_chosen_cb (LkChatPage *self)
{
  g_autofree char *model = NULL, *adapter = NULL;

  find_models (self, &model, &adapter);
  adopt_models (self);
  gtk_widget_set_visible (GTK_WIDGET (self->show_tuned), adapter != NULL);
  gtk_button_set_label (GTK_BUTTON (self->show_base), adapter != NULL ? _ ("Before") : _ ("As It Is"));
}

static void
models_changed_cb (LkChatPage *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autofree char *model_before = NULL, *adapter_before = NULL;
  guint chosen = 0;

  find_models (self, &model_before, &adapter_before);
  g_ptr_array_set_size (self->choices, 0);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->library)); i++)
    {
      g_autoptr (LkFoundModel) model = g_list_model_get_item (G_LIST_MODEL (self->library), i);
      GPtrArray *adapters = lk_found_model_get_adapters (model);

      add_choice (self, names, lk_found_model_get_name (model), lk_found_model_get_path (model), NULL);
      for (guint k = 0; k < adapters->len; k++)
        {
          const LkFoundAdapter *adapter = adapters->pdata[k];
          g_autofree char *name = g_strdup_printf (_ ("%s with “%s”"), lk_found_model_get_name (model), adapter->name);

          add_choice (self, names, name, lk_found_model_get_path (model), adapter->path);
        }
    }
  for (guint i = 0; i < self->choices->len; i++)
    {
      const Choice *choice = self->choices->pdata[i];

      if (g_strcmp0 (choice->model, model_before) == 0 && g_strcmp0 (choice->adapter, adapter_before) == 0)
        chosen = i;
    }
  /* a look for models is no choice of another one, which would end the conversation */
  g_signal_handlers_block_by_func (self->who, who_chosen_cb, self);
  gtk_drop_down_set_model (self->who, G_LIST_MODEL (names));
  gtk_drop_down_set_selected (self->who, chosen);
  g_signal_handlers_unblock_by_func (self->who, who_chosen_cb, self);
  who_chosen_cb (self);
  update_actions (self);
}

static void
set_standalone (LkChatPage *self)
{
  self->library = lk_library_get_default ();
  gtk_widget_set_visible (GTK_WIDGET (self->who_box), TRUE);
  g_signal_connect_object (self->library, "items-changed", G_CALLBACK (models_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->who, "notify::selected", G_CALLBACK (who_chosen_cb), self, G_CONNECT_SWAPPED);
  models_changed_cb (self);
}

static void
lk_chat_page_map (GtkWidget *widget)
{
  LkChatPage *self = LK_CHAT_PAGE (widget);

  GTK_WIDGET_CLASS (lk_chat_page_parent_class)->map (widget);
  if (self->library != NULL) /* a run may have made an adapter meanwhile */
    lk_library_refresh (self->library);
}

static void
prompt_changed_cb (LkChatPage *self)
{
  g_autofree char *text = NULL;

  g_object_get (self->system_prompt, "text", &text, NULL);
  g_strstrip (text);
  g_object_set (self->chat, "system-prompt", text, NULL);
}

static void
adapter_cb (LkChatPage *self)
{
  adopt_models (self);
  update_actions (self);
}

static void
set_run (LkChatPage *self, LkRun *run)
{
  if (self->run == run)
    return;
  if (self->run != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->run, self);
      g_signal_handlers_disconnect_by_data (lk_run_get_samples (self->run), self);
    }
  g_set_object (&self->run, run);
  /* the answers of another run belong somewhere else */
  g_clear_pointer (&self->collection, g_free);
  g_clear_object (&self->collect_turn);
  lk_chat_clear (self->chat);
  lk_chat_close (self->chat);
  if (run != NULL)
    {
      g_signal_connect_object (run, "notify::has-adapter", G_CALLBACK (adapter_cb), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (lk_run_get_samples (run), "items-changed", G_CALLBACK (fill_suggestions), self,
                               G_CONNECT_SWAPPED);
    }
  fill_suggestions (self);
  adopt_models (self);
  update_actions (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
}

static void
lk_chat_page_dispose (GObject *object)
{
  LkChatPage *self = LK_CHAT_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  if (self->chat != NULL)
    lk_chat_close (self->chat);
  g_clear_object (&self->chat);
  g_clear_object (&self->run);
  g_clear_object (&self->collect_turn);
  g_clear_pointer (&self->collection, g_free);
  g_clear_pointer (&self->choices, g_ptr_array_unref);
  g_clear_pointer (&self->deleting, g_free);
  G_OBJECT_CLASS (lk_chat_page_parent_class)->dispose (object);
}

static void
lk_chat_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatPage *self = LK_CHAT_PAGE (object);

  if (id == PROP_RUN)
    g_value_set_object (value, self->run);
  else if (id == PROP_STANDALONE)
    g_value_set_boolean (value, self->library != NULL);
  else
    g_value_set_object (value, self->chat);
}

static void
lk_chat_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_RUN)
    set_run (LK_CHAT_PAGE (object), g_value_get_object (value));
  else if (g_value_get_boolean (value))
    set_standalone (LK_CHAT_PAGE (object));
}

static void
lk_chat_page_class_init (LkChatPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_CHAT);
  g_type_ensure (LK_TYPE_CONVERSATION_LIST);
  object_class->dispose = lk_chat_page_dispose;
  object_class->get_property = lk_chat_page_get_property;
  object_class->set_property = lk_chat_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_CHAT]
      = g_param_spec_object ("chat", NULL, NULL, LK_TYPE_CHAT, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_STANDALONE] = g_param_spec_boolean ("standalone", NULL, NULL, FALSE,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  widget_class->map = lk_chat_page_map;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-chat-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, turns);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, suggestions);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, entry);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, show_base);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, show_prompted);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, show_tuned);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, who_box);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, who);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, sampling);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, system_prompt);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, conversations_popover);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, conversations);
  gtk_widget_class_bind_template_callback (widget_class, open_cb);
  gtk_widget_class_bind_template_callback (widget_class, delete_cb);
  gtk_widget_class_bind_template_callback (widget_class, prompt_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, entry_activate_cb);
  gtk_widget_class_install_action (widget_class, "chat.send", NULL, send_action);
  gtk_widget_class_install_action (widget_class, "chat.stop", NULL, stop_action);
  gtk_widget_class_install_action (widget_class, "chat.clear", NULL, clear_action);
  gtk_widget_class_install_action (widget_class, "chat.collect", "(iu)", collect_action);
}

static void
lk_chat_page_init (LkChatPage *self)
{
  self->chat = lk_chat_new ();
  self->choices = g_ptr_array_new_with_free_func (choice_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  fill_sampling (self);
  for (LkChatVoice i = 0; i < LK_N_VOICES; i++)
    {
      GtkToggleButton *const toggles[] = { self->show_base, self->show_prompted, self->show_tuned };
      g_autofree char *property = g_strconcat ("show-", lk_chat_voice_name (i), NULL);

      g_object_bind_property (self->chat, property, toggles[i], "active", G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
    }
  gtk_list_box_bind_model (self->turns, lk_chat_get_turns (self->chat), make_row_cb, self, NULL);
  g_signal_connect_object (self->chat, "notify::busy", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->chat, "complaint", G_CALLBACK (complain), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_chat_get_turns (self->chat), "items-changed", G_CALLBACK (update_actions), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (gtk_scrolled_window_get_vadjustment (self->scroller), "notify::upper",
                           G_CALLBACK (follow_end), self, G_CONNECT_SWAPPED);
  update_actions (self);
}
