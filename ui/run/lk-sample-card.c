/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sample-card.h"

#include <glib/gi18n-lib.h>

#include "lk-sample-columns.h"
#include "lk-words.h"

#define COLUMN_CHARS 32

struct _LkSampleCard
{
  GtkListBoxRow parent_instance;

  GtkLabel *prompt;
  GtkScrolledWindow *scroller;
  LkSampleColumns *columns;
};

G_DEFINE_FINAL_TYPE (LkSampleCard, lk_sample_card, GTK_TYPE_LIST_BOX_ROW)

static void
lk_sample_card_class_init (LkSampleCardClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_SAMPLE_COLUMNS);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-sample-card.ui");
  gtk_widget_class_bind_template_child (widget_class, LkSampleCard, prompt);
  gtk_widget_class_bind_template_child (widget_class, LkSampleCard, scroller);
  gtk_widget_class_bind_template_child (widget_class, LkSampleCard, columns);
}

static void
lk_sample_card_init (LkSampleCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static char *
words_of_step (gint64 step)
{
  g_autofree char *count = lk_words_count (step);

  return step <= 0 ? g_strdup (_ ("Before training")) : g_strdup_printf (_ ("At step %s"), count);
}

static GtkWidget *
make_column (LkSampleAnswer *answer)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  g_autofree char *words = words_of_step (lk_sample_answer_get_step (answer));
  const char *text = lk_sample_answer_get_text (answer);
  GtkWidget *step = gtk_label_new (words);
  GtkWidget *label = gtk_label_new (text[0] != 0 ? text : _ ("(no answer)"));

  gtk_label_set_xalign (GTK_LABEL (step), 0);
  gtk_widget_add_css_class (step, "caption");
  gtk_widget_add_css_class (step, "secondary");
  gtk_widget_add_css_class (step, "numeric");
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (label), COLUMN_CHARS);
  gtk_label_set_max_width_chars (GTK_LABEL (label), COLUMN_CHARS);
  gtk_box_append (GTK_BOX (column), step);
  gtk_box_append (GTK_BOX (column), label);
  return column;
}

static void
go_to_end (gpointer data)
{
  g_autoptr (GtkAdjustment) adjustment = data;

  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment));
}

/* Who looks at the newest answers goes on doing so. Not at once: the cards are being given their places. */
static void
upper_changed_cb (GtkAdjustment *adjustment)
{
  if (g_object_steal_data (G_OBJECT (adjustment), "follow") != NULL)
    g_idle_add_once (go_to_end, g_object_ref (adjustment));
}

static void
answers_changed_cb (LkSampleCard *self, guint position, guint removed, guint added, GListModel *answers)
{
  GtkAdjustment *adjustment = gtk_scrolled_window_get_hadjustment (self->scroller);
  double end = gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);

  if (gtk_adjustment_get_value (adjustment) >= end - 1)
    g_object_set_data (G_OBJECT (adjustment), "follow", GINT_TO_POINTER (1));
  for (guint i = 0; i < removed; i++)
    lk_sample_columns_remove (self->columns, position);
  for (guint i = 0; i < added; i++)
    {
      g_autoptr (LkSampleAnswer) answer = g_list_model_get_item (answers, position + i);

      lk_sample_columns_insert (self->columns, position + i, make_column (answer));
    }
}

GtkWidget *
lk_sample_card_new (LkSample *sample, GtkAdjustment *adjustment)
{
  LkSampleCard *self = g_object_new (LK_TYPE_SAMPLE_CARD, NULL);
  GListModel *answers = lk_sample_get_answers (sample);

  gtk_label_set_label (self->prompt, lk_sample_get_prompt (sample));
  gtk_scrolled_window_set_hadjustment (self->scroller, adjustment);
  g_signal_handlers_disconnect_by_func (adjustment, upper_changed_cb, NULL);
  g_signal_connect (adjustment, "changed", G_CALLBACK (upper_changed_cb), NULL);
  g_signal_connect_object (answers, "items-changed", G_CALLBACK (answers_changed_cb), self, G_CONNECT_SWAPPED);
  answers_changed_cb (self, 0, 0, g_list_model_get_n_items (answers), answers);
  return GTK_WIDGET (self);
}
