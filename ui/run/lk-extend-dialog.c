/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-extend-dialog.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "lk-words.h"

struct _LkExtendDialog
{
  AdwWindow parent_instance;

  LkRun *run;
  LkExtendFunc chosen;
  gpointer user_data;

  GtkLabel *explanation;
  AdwActionRow *row;
  GtkSpinButton *length;
};

G_DEFINE_FINAL_TYPE (LkExtendDialog, lk_extend_dialog, ADW_TYPE_WINDOW)

static void
go_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkExtendDialog *self = LK_EXTEND_DIALOG (widget);
  double length = gtk_spin_button_get_value (self->length);

  self->chosen (self->run, length, self->user_data);
  gtk_window_close (GTK_WINDOW (self));
}

static void
lk_extend_dialog_dispose (GObject *object)
{
  g_clear_object (&LK_EXTEND_DIALOG (object)->run);
  G_OBJECT_CLASS (lk_extend_dialog_parent_class)->dispose (object);
}

static void
lk_extend_dialog_class_init (LkExtendDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_extend_dialog_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-extend-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, LkExtendDialog, explanation);
  gtk_widget_class_bind_template_child (widget_class, LkExtendDialog, row);
  gtk_widget_class_bind_template_child (widget_class, LkExtendDialog, length);
  gtk_widget_class_install_action (widget_class, "extend.go", NULL, go_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
lk_extend_dialog_init (LkExtendDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
lk_extend_dialog_show (GtkWindow *parent, LkRun *run, LkExtendFunc chosen, gpointer user_data)
{
  LkExtendDialog *self
      = g_object_new (LK_TYPE_EXTEND_DIALOG, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE, NULL);
  gboolean in_steps;
  double length = lk_run_get_length (run, &in_steps);
  g_autofree char *before = in_steps ? lk_words_count ((gint64) length) : g_strdup_printf ("%.6g", length);
  g_autofree char *text
      = g_strdup_printf (in_steps ? _ ("“%s” was made for %s steps. It goes on from there, by the schedule of the longer run.")
                                  : _ ("“%s” was made for %s epochs. It goes on from there, by the schedule of the longer run."),
                         lk_run_get_name (run), before);
  double least = in_steps ? length + 1 : floor (length) + 1;

  self->run = g_object_ref (run);
  self->chosen = chosen;
  self->user_data = user_data;
  gtk_label_set_label (self->explanation, text);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->row), in_steps ? _ ("Steps in all") : _ ("Epochs in all"));
  gtk_spin_button_set_range (self->length, least, in_steps ? 1e9 : 1e4);
  gtk_spin_button_set_value (self->length, in_steps ? length * 2 : MAX (least, length * 2));
  gtk_window_present (GTK_WINDOW (self));
}
