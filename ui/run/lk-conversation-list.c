/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-conversation-list.h"

#include <glib/gi18n-lib.h>

#include "lk-conversation.h"
#include "lk-words.h"

struct _LkConversationList
{
  GtkWidget parent_instance;

  char *folder;
  GCancellable *looking;

  GtkWidget *content;
  GtkEditable *search;
  GtkListBox *entries;
  GtkLabel *nothing;
};

static guint open_signal, delete_signal;

G_DEFINE_FINAL_TYPE (LkConversationList, lk_conversation_list, GTK_TYPE_WIDGET)

static void
stop_looking (LkConversationList *self)
{
  if (self->looking != NULL)
    g_cancellable_cancel (self->looking);
  g_clear_object (&self->looking);
}

static void
clear (LkConversationList *self)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (self->entries, 0)) != NULL)
    gtk_list_box_remove (self->entries, GTK_WIDGET (row));
}

static void
delete_cb (LkConversationList *self, GtkButton *button)
{
  g_signal_emit (self, delete_signal, 0, g_object_get_data (G_OBJECT (button), "path"), g_object_get_data (G_OBJECT (button), "title"));
}

static GtkWidget *
make_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 40);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static GtkWidget *
make_row (LkConversationList *self, const LkConversationEntry *entry)
{
  GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *words = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3), *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");
  g_autofree char *date = lk_words_date (entry->changed);
  g_autofree char *action = g_strdup_printf (_ ("Delete “%s”"), entry->title);

  gtk_box_append (GTK_BOX (words), make_label (entry->title, NULL));
  gtk_box_append (GTK_BOX (words), make_label (date, "caption"));
  gtk_widget_set_hexpand (words, TRUE);
  gtk_widget_add_css_class (remove, "flat");
  gtk_widget_set_valign (remove, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (remove, _ ("Delete"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (remove), GTK_ACCESSIBLE_PROPERTY_LABEL, action, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, entry->title, -1);
  g_object_set_data_full (G_OBJECT (remove), "path", g_strdup (entry->path), g_free);
  g_object_set_data_full (G_OBJECT (remove), "title", g_strdup (entry->title), g_free);
  g_object_set_data_full (G_OBJECT (row), "path", g_strdup (entry->path), g_free);
  g_signal_connect_object (remove, "clicked", G_CALLBACK (delete_cb), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), words);
  gtk_box_append (GTK_BOX (box), remove);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  return row;
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkConversationList) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = lk_conversation_list_finish (result, &error);
  gboolean searched;

  if (entries == NULL || self->content == NULL)
    return; /* another search has begun */
  searched = gtk_editable_get_text (self->search)[0] != 0;
  gtk_label_set_label (self->nothing, searched ? _ ("No conversation holds these words.")
                                               : _ ("What you talk about is kept here, on this computer only."));
  clear (self);
  for (guint i = 0; i < entries->len; i++)
    gtk_list_box_append (self->entries, make_row (self, entries->pdata[i]));
}

static void
look_up (LkConversationList *self)
{
  stop_looking (self);
  if (self->folder == NULL)
    {
      clear (self);
      return;
    }
  self->looking = g_cancellable_new ();
  lk_conversation_list_async (self->folder, gtk_editable_get_text (self->search), self->looking, listed_cb, g_object_ref (self));
}

static void
row_activated_cb (LkConversationList *self, GtkListBoxRow *row)
{
  g_signal_emit (self, open_signal, 0, g_object_get_data (G_OBJECT (row), "path"));
}

static void
lk_conversation_list_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (lk_conversation_list_parent_class)->map (widget);
  look_up (LK_CONVERSATION_LIST (widget));
}

static void
lk_conversation_list_dispose (GObject *object)
{
  LkConversationList *self = LK_CONVERSATION_LIST (object);

  stop_looking (self);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->folder, g_free);
  G_OBJECT_CLASS (lk_conversation_list_parent_class)->dispose (object);
}

static void
lk_conversation_list_class_init (LkConversationListClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_conversation_list_dispose;
  widget_class->map = lk_conversation_list_map;
  open_signal = g_signal_new ("open", LK_TYPE_CONVERSATION_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  delete_signal = g_signal_new ("delete", LK_TYPE_CONVERSATION_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING,
                                G_TYPE_STRING);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-conversation-list.ui");
  gtk_widget_class_bind_template_child (widget_class, LkConversationList, content);
  gtk_widget_class_bind_template_child (widget_class, LkConversationList, search);
  gtk_widget_class_bind_template_child (widget_class, LkConversationList, entries);
  gtk_widget_class_bind_template_child (widget_class, LkConversationList, nothing);
  gtk_widget_class_bind_template_callback (widget_class, look_up);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
}

static void
lk_conversation_list_init (LkConversationList *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
lk_conversation_list_set_folder (LkConversationList *self, const char *folder)
{
  g_return_if_fail (LK_IS_CONVERSATION_LIST (self));

  g_free (self->folder);
  self->folder = g_strdup (folder);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    look_up (self);
}
