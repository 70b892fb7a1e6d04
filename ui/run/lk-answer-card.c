/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-answer-card.h"

#include <glib/gi18n-lib.h>

#include "lk-markdown.h"
#include "widgets/lk-closures.h"

struct _LkAnswerCard
{
  GtkWidget parent_instance;

  LkChatAnswer *answer;
  char *heading;

  GtkWidget *content;
  GtkBox *blocks;
};

enum
{
  PROP_0,
  PROP_ANSWER,
  PROP_HEADING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkAnswerCard, lk_answer_card, GTK_TYPE_WIDGET)

static GtkLabel *
make_label (const char *css_class)
{
  GtkLabel *label = GTK_LABEL (gtk_label_new (NULL));

  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_wrap_mode (label, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (label, 0);
  gtk_label_set_selectable (label, TRUE);
  gtk_widget_set_can_focus (GTK_WIDGET (label), FALSE);
  if (css_class != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (label), css_class);
  return label;
}

static void
copy_code_cb (GtkButton *button, gpointer user_data)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (button)), g_object_get_data (G_OBJECT (button), "code"));
}

static GtkWidget *
make_code (const LkMarkdownBlock *block)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *language = gtk_label_new (block->language);
  GtkWidget *copy = gtk_button_new_from_icon_name ("edit-copy-symbolic");
  GtkLabel *code = make_label ("lk-code-text");

  gtk_widget_add_css_class (box, "lk-code");
  gtk_widget_add_css_class (language, "caption");
  gtk_widget_add_css_class (language, "secondary");
  gtk_label_set_ellipsize (GTK_LABEL (language), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (language, TRUE);
  gtk_label_set_xalign (GTK_LABEL (language), 0);
  gtk_widget_add_css_class (copy, "flat");
  gtk_widget_set_tooltip_text (copy, _ ("Copy Code"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (copy), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Copy Code"), -1);
  g_object_set_data_full (G_OBJECT (copy), "code", g_strdup (block->text), g_free);
  g_signal_connect (copy, "clicked", G_CALLBACK (copy_code_cb), NULL);
  gtk_label_set_text (code, block->text);
  gtk_box_append (GTK_BOX (head), language);
  gtk_box_append (GTK_BOX (head), copy);
  gtk_box_append (GTK_BOX (box), head);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (code));
  return box;
}

static void
clear_blocks (LkAnswerCard *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->blocks))) != NULL)
    gtk_box_remove (self->blocks, child);
}

/* While it is being written the text is shown as it comes: marks that are not closed yet are no Markdown. */
static void
show_plain (LkAnswerCard *self, const char *text)
{
  GtkWidget *first = gtk_widget_get_first_child (GTK_WIDGET (self->blocks));

  if (first == NULL)
    {
      first = GTK_WIDGET (make_label (NULL));
      gtk_box_append (self->blocks, first);
    }
  gtk_label_set_text (GTK_LABEL (first), text);
}

static void
show_markdown (LkAnswerCard *self, const char *text)
{
  g_autoptr (GPtrArray) blocks = lk_markdown_parse (text);

  clear_blocks (self);
  for (guint i = 0; i < blocks->len; i++)
    {
      const LkMarkdownBlock *block = blocks->pdata[i];

      if (block->is_code)
        gtk_box_append (self->blocks, make_code (block));
      else
        {
          GtkLabel *label = make_label (NULL);

          gtk_label_set_markup (label, block->text);
          gtk_box_append (self->blocks, GTK_WIDGET (label));
        }
    }
}

static void
answer_changed_cb (LkAnswerCard *self)
{
  const char *text = lk_chat_answer_get_text (self->answer);

  if (lk_chat_answer_is_busy (self->answer))
    show_plain (self, text[0] != 0 ? text : "…");
  else if (text[0] == 0)
    {
      clear_blocks (self);
      if (lk_chat_answer_get_error (self->answer) == NULL)
        show_plain (self, _ ("(no answer)"));
    }
  else
    show_markdown (self, text);
}

static void
set_answer (LkAnswerCard *self, LkChatAnswer *answer)
{
  if (self->answer == answer)
    return;
  if (self->answer != NULL)
    g_signal_handlers_disconnect_by_data (self->answer, self);
  g_set_object (&self->answer, answer);
  clear_blocks (self);
  if (answer == NULL)
    return;
  g_signal_connect_object (answer, "notify::text", G_CALLBACK (answer_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (answer, "notify::busy", G_CALLBACK (answer_changed_cb), self, G_CONNECT_SWAPPED);
  answer_changed_cb (self);
}

static void
copy_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkAnswerCard *self = LK_ANSWER_CARD (widget);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), lk_chat_answer_get_text (self->answer));
}

static void
collect_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit_by_name (widget, "collect");
}

static gboolean
has_ended_cb (gpointer self, const char *text, gboolean busy, const char *error)
{
  return !busy && error == NULL && text != NULL && text[0] != 0;
}

/* What ends in the middle is no example. */
static gboolean
is_whole_cb (gpointer self, const char *note)
{
  return note == NULL;
}

static void
lk_answer_card_dispose (GObject *object)
{
  LkAnswerCard *self = LK_ANSWER_CARD (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->answer);
  G_OBJECT_CLASS (lk_answer_card_parent_class)->dispose (object);
}

static void
lk_answer_card_finalize (GObject *object)
{
  g_free (LK_ANSWER_CARD (object)->heading);
  G_OBJECT_CLASS (lk_answer_card_parent_class)->finalize (object);
}

static void
lk_answer_card_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkAnswerCard *self = LK_ANSWER_CARD (object);

  if (id == PROP_ANSWER)
    g_value_set_object (value, self->answer);
  else
    g_value_set_string (value, self->heading);
}

static void
lk_answer_card_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkAnswerCard *self = LK_ANSWER_CARD (object);

  if (id == PROP_ANSWER)
    set_answer (self, g_value_get_object (value));
  else
    {
      g_free (self->heading);
      self->heading = g_value_dup_string (value);
    }
  g_object_notify_by_pspec (object, pspec);
}

static void
lk_answer_card_class_init (LkAnswerCardClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  g_type_ensure (LK_TYPE_CHAT_ANSWER);
  object_class->dispose = lk_answer_card_dispose;
  object_class->finalize = lk_answer_card_finalize;
  object_class->get_property = lk_answer_card_get_property;
  object_class->set_property = lk_answer_card_set_property;
  properties[PROP_ANSWER] = g_param_spec_object ("answer", NULL, NULL, LK_TYPE_CHAT_ANSWER, flags);
  properties[PROP_HEADING] = g_param_spec_string ("heading", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  g_signal_new ("collect", LK_TYPE_ANSWER_CARD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-answer-card.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkAnswerCard, content);
  gtk_widget_class_bind_template_child (widget_class, LkAnswerCard, blocks);
  gtk_widget_class_bind_template_callback (widget_class, has_ended_cb);
  gtk_widget_class_bind_template_callback (widget_class, is_whole_cb);
  gtk_widget_class_install_action (widget_class, "answer.copy", NULL, copy_action);
  gtk_widget_class_install_action (widget_class, "answer.collect", NULL, collect_action);
}

static void
lk_answer_card_init (LkAnswerCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
