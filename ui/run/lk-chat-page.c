/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-page.h"

#include <adwaita.h>

#include "lk-chat.h"
#include "lk-chat-row.h"
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

  GtkWidget *content;
  GtkStack *stack;
  GtkScrolledWindow *scroller;
  GtkListBox *turns;
  GtkBox *suggestions;
  GtkEntry *entry;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_CHAT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChatPage, lk_chat_page, GTK_TYPE_WIDGET)

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
  gboolean can = self->run != NULL && lk_run_get_has_adapter (self->run);
  gboolean any = g_list_model_get_n_items (lk_chat_get_turns (self->chat)) > 0;

  g_object_get (self->chat, "busy", &busy, NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.send", can && !busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.stop", busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.clear", any);
  gtk_stack_set_visible_child_name (self->stack, any ? "turns" : can ? "empty" : "too-early");
}

static void
ask (LkChatPage *self, const char *question)
{
  g_autofree char *adapter = self->run != NULL ? lk_run_find_adapter (self->run) : NULL;

  if (adapter == NULL)
    return;
  lk_chat_set_models (self->chat, lk_run_get_model (self->run), adapter);
  lk_chat_ask (self->chat, question);
}

static void
send_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkChatPage *self = LK_CHAT_PAGE (widget);
  g_autofree char *question = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->entry)));

  gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
  ask (self, question);
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
  return lk_chat_row_new (LK_CHAT_TURN (item));
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
  lk_chat_clear (self->chat);
  lk_chat_close (self->chat);
  if (run != NULL)
    {
      g_signal_connect_object (run, "notify::has-adapter", G_CALLBACK (update_actions), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (lk_run_get_samples (run), "items-changed", G_CALLBACK (fill_suggestions), self,
                               G_CONNECT_SWAPPED);
    }
  fill_suggestions (self);
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
  G_OBJECT_CLASS (lk_chat_page_parent_class)->dispose (object);
}

static void
lk_chat_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatPage *self = LK_CHAT_PAGE (object);

  if (id == PROP_RUN)
    g_value_set_object (value, self->run);
  else
    g_value_set_object (value, self->chat);
}

static void
lk_chat_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_CHAT_PAGE (object), g_value_get_object (value));
}

static void
lk_chat_page_class_init (LkChatPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_CHAT);
  object_class->dispose = lk_chat_page_dispose;
  object_class->get_property = lk_chat_page_get_property;
  object_class->set_property = lk_chat_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_CHAT]
      = g_param_spec_object ("chat", NULL, NULL, LK_TYPE_CHAT, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-chat-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, turns);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, suggestions);
  gtk_widget_class_bind_template_child (widget_class, LkChatPage, entry);
  gtk_widget_class_bind_template_callback (widget_class, entry_activate_cb);
  gtk_widget_class_install_action (widget_class, "chat.send", NULL, send_action);
  gtk_widget_class_install_action (widget_class, "chat.stop", NULL, stop_action);
  gtk_widget_class_install_action (widget_class, "chat.clear", NULL, clear_action);
}

static void
lk_chat_page_init (LkChatPage *self)
{
  self->chat = lk_chat_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_list_box_bind_model (self->turns, lk_chat_get_turns (self->chat), make_row_cb, NULL, NULL);
  g_signal_connect_object (self->chat, "notify::busy", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_chat_get_turns (self->chat), "items-changed", G_CALLBACK (update_actions), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (gtk_scrolled_window_get_vadjustment (self->scroller), "notify::upper",
                           G_CALLBACK (follow_end), self, G_CONNECT_SWAPPED);
  update_actions (self);
}
