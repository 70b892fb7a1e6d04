/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-line.h"

struct _LkRowLine
{
  GtkWidget parent_instance;

  LkDataRow *row;
  gulong handler;
  GtkWidget *box, *warning;
  GtkLabel *note, *question, *answer;
};

G_DEFINE_FINAL_TYPE (LkRowLine, lk_row_line, GTK_TYPE_WIDGET)

static void
lk_row_line_dispose (GObject *object)
{
  LkRowLine *self = LK_ROW_LINE (object);

  lk_row_line_set_row (self, NULL);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_row_line_parent_class)->dispose (object);
}

static void
lk_row_line_class_init (LkRowLineClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_row_line_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-row-line.ui");
  gtk_widget_class_bind_template_child (widget_class, LkRowLine, box);
  gtk_widget_class_bind_template_child (widget_class, LkRowLine, note);
  gtk_widget_class_bind_template_child (widget_class, LkRowLine, warning);
  gtk_widget_class_bind_template_child (widget_class, LkRowLine, question);
  gtk_widget_class_bind_template_child (widget_class, LkRowLine, answer);
}

static void
lk_row_line_init (LkRowLine *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_row_line_new (void)
{
  return g_object_new (LK_TYPE_ROW_LINE, NULL);
}

static void
show_row (LkRowLine *self)
{
  const LkStoredRow *stored = lk_data_row_peek (self->row);
  g_autofree char *note = lk_data_row_describe (self->row);

  gtk_label_set_label (self->note, note);
  gtk_label_set_label (self->question, lk_data_row_get_question (self->row));
  gtk_label_set_label (self->answer, lk_data_row_get_answer (self->row));
  gtk_widget_set_visible (self->warning, stored != NULL && stored->problems != 0);
  if (stored != NULL && stored->excluded)
    gtk_widget_add_css_class (self->box, "lk-excluded");
  else
    gtk_widget_remove_css_class (self->box, "lk-excluded");
}

void
lk_row_line_set_row (LkRowLine *self, LkDataRow *row)
{
  if (self->row != NULL)
    g_clear_signal_handler (&self->handler, self->row);
  g_set_object (&self->row, row);
  if (row == NULL)
    return;
  self->handler = g_signal_connect_object (row, "changed", G_CALLBACK (show_row), self, G_CONNECT_SWAPPED);
  show_row (self);
}
