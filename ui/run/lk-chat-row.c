/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-row.h"

#include <glib/gi18n-lib.h>

#include "lk-answer-card.h"
#include "widgets/lk-closures.h"

struct _LkChatRow
{
  GtkListBoxRow parent_instance;

  LkChat *chat;
  LkChatTurn *turn;

  GtkStack *question_stack;
  GtkEditable *question_entry;
  LkAnswerCard *base, *prompted, *tuned;
};

enum
{
  PROP_0,
  PROP_CHAT,
  PROP_TURN,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChatRow, lk_chat_row, GTK_TYPE_LIST_BOX_ROW)

/* A column that is shown, of a voice that was asked. */
static gboolean
column_shown_cb (gpointer self, gboolean show, gboolean asked)
{
  return show && asked;
}

/* A model without an adapter was not trained here. */
static char *
base_heading_cb (gpointer self, gboolean has_adapter)
{
  return g_strdup (has_adapter ? _ ("Before") : _ ("As it is"));
}

static char *
prompted_heading_cb (gpointer self, gboolean has_adapter)
{
  return g_strdup (has_adapter ? _ ("Before, with the system prompt") : _ ("With the system prompt"));
}

static void
edit_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkChatRow *self = LK_CHAT_ROW (widget);

  gtk_editable_set_text (self->question_entry, lk_chat_turn_get_question (self->turn));
  gtk_stack_set_visible_child_name (self->question_stack, "entry");
  gtk_widget_grab_focus (GTK_WIDGET (self->question_entry));
}

static void
leave_edit_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gtk_stack_set_visible_child_name (LK_CHAT_ROW (widget)->question_stack, "label");
}

static void
edited_cb (LkChatRow *self)
{
  /* where it was asked, this row is gone with its turn; otherwise the entry keeps what was typed */
  lk_chat_ask_instead (self->chat, self->turn, gtk_editable_get_text (self->question_entry));
}

static void
again_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkChatRow *self = LK_CHAT_ROW (widget);

  lk_chat_ask_instead (self->chat, self->turn, lk_chat_turn_get_question (self->turn));
}

static void
branch_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkChatRow *self = LK_CHAT_ROW (widget);

  lk_chat_switch_branch (self->chat, self->turn, g_variant_get_int32 (parameter));
}

static void
collect_cb (LkChatRow *self, LkAnswerCard *card)
{
  LkChatVoice voice = card == self->base ? LK_VOICE_BASE : card == self->prompted ? LK_VOICE_PROMPTED : LK_VOICE_TUNED;

  gtk_widget_activate_action (GTK_WIDGET (self), "chat.collect", "(iu)", gtk_list_box_row_get_index (GTK_LIST_BOX_ROW (self)),
                              (guint) voice);
}

static void
lk_chat_row_dispose (GObject *object)
{
  g_clear_object (&LK_CHAT_ROW (object)->turn);
  g_clear_object (&LK_CHAT_ROW (object)->chat);
  G_OBJECT_CLASS (lk_chat_row_parent_class)->dispose (object);
}

static void
lk_chat_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatRow *self = LK_CHAT_ROW (object);

  if (id == PROP_CHAT)
    g_value_set_object (value, self->chat);
  else
    g_value_set_object (value, self->turn);
}

static void
lk_chat_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkChatRow *self = LK_CHAT_ROW (object);

  if (id == PROP_CHAT)
    g_set_object (&self->chat, g_value_get_object (value));
  else
    g_set_object (&self->turn, g_value_get_object (value));
  g_object_notify_by_pspec (object, pspec);
}

static void
lk_chat_row_class_init (LkChatRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags once = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  g_type_ensure (LK_TYPE_ANSWER_CARD);
  g_type_ensure (LK_TYPE_CHAT_TURN);
  object_class->dispose = lk_chat_row_dispose;
  object_class->get_property = lk_chat_row_get_property;
  object_class->set_property = lk_chat_row_set_property;
  properties[PROP_CHAT] = g_param_spec_object ("chat", NULL, NULL, LK_TYPE_CHAT, once);
  properties[PROP_TURN] = g_param_spec_object ("turn", NULL, NULL, LK_TYPE_CHAT_TURN, once);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-chat-row.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkChatRow, question_stack);
  gtk_widget_class_bind_template_child (widget_class, LkChatRow, question_entry);
  gtk_widget_class_bind_template_child (widget_class, LkChatRow, base);
  gtk_widget_class_bind_template_child (widget_class, LkChatRow, prompted);
  gtk_widget_class_bind_template_child (widget_class, LkChatRow, tuned);
  gtk_widget_class_bind_template_callback (widget_class, column_shown_cb);
  gtk_widget_class_bind_template_callback (widget_class, base_heading_cb);
  gtk_widget_class_bind_template_callback (widget_class, prompted_heading_cb);
  gtk_widget_class_bind_template_callback (widget_class, edited_cb);
  gtk_widget_class_bind_template_callback (widget_class, collect_cb);
  gtk_widget_class_install_action (widget_class, "turn.edit", NULL, edit_action);
  gtk_widget_class_install_action (widget_class, "turn.leave-edit", NULL, leave_edit_action);
  gtk_widget_class_install_action (widget_class, "turn.again", NULL, again_action);
  gtk_widget_class_install_action (widget_class, "turn.branch", "i", branch_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "turn.leave-edit", NULL);
}

static void
lk_chat_row_init (LkChatRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_chat_row_new (LkChat *chat, LkChatTurn *turn)
{
  return g_object_new (LK_TYPE_CHAT_ROW, "chat", chat, "turn", turn, NULL);
}
