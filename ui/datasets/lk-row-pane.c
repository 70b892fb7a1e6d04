/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-pane.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-row-editor.h"
#include "lk-row-viewer.h"
#include "lk-words.h"
#include "widgets/lk-learned-text.h"

#define SHOWN 20000 /* characters of a row as the model will see it */

struct _LkRowPane
{
  GtkWidget parent_instance;

  LkStoredDataset *dataset;
  LkDataRow *row;
  LkRowViewer *viewer;
  char *model;

  GtkWidget *content, *stack, *problems, *actions, *saving, *viewer_error, *cut_note, *legend;
  GtkLabel *title, *place, *text, *tokens;
  GtkWidget *exclude, *restore, *edit;
  LkRowEditor *editor;
};

G_DEFINE_FINAL_TYPE (LkRowPane, lk_row_pane, GTK_TYPE_WIDGET)

static void
lk_row_pane_dispose (GObject *object)
{
  LkRowPane *self = LK_ROW_PANE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  if (self->viewer != NULL)
    lk_row_viewer_close (self->viewer);
  g_clear_object (&self->viewer);
  g_clear_object (&self->dataset);
  g_clear_object (&self->row);
  g_clear_pointer (&self->model, g_free);
  G_OBJECT_CLASS (lk_row_pane_parent_class)->dispose (object);
}

static void
show_view (LkRowPane *self)
{
  LkPreviewRow *row = lk_row_viewer_get_row (self->viewer);
  const char *error = lk_row_viewer_get_error (self->viewer);
  gboolean whole = TRUE;

  gtk_widget_set_visible (self->viewer_error, error != NULL);
  gtk_label_set_text (GTK_LABEL (self->viewer_error), error != NULL ? error : "");
  gtk_widget_set_visible (GTK_WIDGET (self->text), row != NULL);
  gtk_widget_set_visible (self->legend, row != NULL);
  gtk_label_set_text (self->tokens, "");
  if (row != NULL)
    {
      g_autofree char *count = lk_words_count (lk_preview_row_get_tokens (row));
      g_autofree char *words = g_strdup_printf (
          g_dngettext (GETTEXT_PACKAGE, "%s token", "%s tokens", (gulong) MAX (lk_preview_row_get_tokens (row), 0)), count);

      whole = lk_learned_text_show (self->text, row, SHOWN);
      if (lk_preview_row_get_tokens (row) > 0)
        gtk_label_set_text (self->tokens, words);
    }
  gtk_widget_set_visible (self->cut_note, !whole);
}

static void
viewer_cb (LkRowPane *self)
{
  if (!lk_row_viewer_is_busy (self->viewer))
    show_view (self);
}

static void
stop_editing (LkRowPane *self)
{
  lk_row_editor_set_editable (self->editor, FALSE);
  gtk_widget_set_visible (self->actions, TRUE);
  gtk_widget_set_visible (self->saving, FALSE);
}

static void
show_row (LkRowPane *self)
{
  const LkStoredRow *stored = self->row != NULL ? lk_data_row_peek (self->row) : NULL;
  g_autofree char *title = self->row != NULL ? lk_data_row_describe (self->row) : NULL;
  g_autofree char *place = stored != NULL ? lk_data_row_get_place (self->row) : NULL;
  g_autofree char *problems = stored != NULL ? lk_data_row_get_problems (self->row) : NULL;

  gtk_widget_set_visible (self->content, stored != NULL);
  if (stored == NULL)
    return;
  gtk_label_set_text (self->title, title);
  gtk_label_set_text (self->place, place);
  gtk_label_set_text (GTK_LABEL (self->problems), problems != NULL ? problems : "");
  gtk_widget_set_visible (self->problems, problems != NULL);
  gtk_widget_set_visible (self->exclude, !stored->excluded);
  gtk_widget_set_visible (self->restore, stored->excluded || stored->edited);
  if (lk_row_editor_get_editable (self->editor))
    return; /* what is being typed stays */
  lk_row_editor_set_content (self->editor, stored->content);
  lk_row_viewer_show (self->viewer, (gint32) stored->id);
}

static void
row_action (LkRowPane *self, gboolean exclude)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 id;

  if (self->row == NULL)
    return;
  id = lk_data_row_get_id (self->row);
  g_array_append_val (ids, id);
  lk_stored_dataset_exclude (self->dataset, ids, exclude);
}

static void
exclude_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  row_action (LK_ROW_PANE (widget), TRUE);
}

static void
restore_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  row_action (LK_ROW_PANE (widget), FALSE);
}

static void
edit_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRowPane *self = LK_ROW_PANE (widget);

  if (self->row == NULL)
    return;
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "text");
  lk_row_editor_set_editable (self->editor, TRUE);
  gtk_widget_set_visible (self->actions, FALSE);
  gtk_widget_set_visible (self->saving, TRUE);
  gtk_widget_child_focus (GTK_WIDGET (self->editor), GTK_DIR_TAB_FORWARD);
}

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRowPane *self = LK_ROW_PANE (widget);

  stop_editing (self);
  show_row (self);
}

static void
save_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRowPane *self = LK_ROW_PANE (widget);
  g_autoptr (GError) error = NULL;
  g_autofree char *content = lk_row_editor_get_content (self->editor, &error);

  if (content == NULL)
    {
      gtk_widget_activate_action (widget, "win.toast", "s", error->message);
      return;
    }
  stop_editing (self);
  lk_stored_dataset_edit (self->dataset, lk_data_row_get_id (self->row), content);
}

static void
jump_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRowPane *self = LK_ROW_PANE (widget);

  if (self->row != NULL)
    g_signal_emit_by_name (self, "jump", lk_data_row_get_id (self->row));
}

static void
lk_row_pane_class_init (LkRowPaneClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_ROW_EDITOR);
  G_OBJECT_CLASS (klass)->dispose = lk_row_pane_dispose;
  g_signal_new ("jump", LK_TYPE_ROW_PANE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-row-pane.ui");
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, content);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, stack);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, problems);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, actions);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, saving);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, viewer_error);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, cut_note);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, legend);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, title);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, place);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, text);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, tokens);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, exclude);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, restore);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, edit);
  gtk_widget_class_bind_template_child (widget_class, LkRowPane, editor);
  gtk_widget_class_install_action (widget_class, "row.exclude", NULL, exclude_action);
  gtk_widget_class_install_action (widget_class, "row.restore", NULL, restore_action);
  gtk_widget_class_install_action (widget_class, "row.edit", NULL, edit_action);
  gtk_widget_class_install_action (widget_class, "row.save", NULL, save_action);
  gtk_widget_class_install_action (widget_class, "row.cancel", NULL, cancel_action);
  gtk_widget_class_install_action (widget_class, "row.jump", NULL, jump_action);
}

static void
lk_row_pane_init (LkRowPane *self)
{
  self->viewer = lk_row_viewer_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->viewer, "notify", G_CALLBACK (viewer_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (show_view), self, G_CONNECT_SWAPPED);
  show_row (self);
}

void
lk_row_pane_set_dataset (LkRowPane *self, LkStoredDataset *dataset, const char *model)
{
  lk_row_pane_set_row (self, NULL);
  g_set_object (&self->dataset, dataset);
  g_free (self->model);
  self->model = g_strdup (model);
  if (dataset != NULL)
    lk_row_viewer_open (self->viewer, lk_stored_dataset_get_path (dataset), model);
  else
    lk_row_viewer_close (self->viewer);
}

void
lk_row_pane_set_row (LkRowPane *self, LkDataRow *row)
{
  if (self->row != NULL)
    g_signal_handlers_disconnect_by_func (self->row, show_row, self);
  if (row != self->row)
    stop_editing (self);
  g_set_object (&self->row, row);
  if (row != NULL)
    g_signal_connect_object (row, "changed", G_CALLBACK (show_row), self, G_CONNECT_SWAPPED);
  show_row (self);
}

void
lk_row_pane_refresh (LkRowPane *self)
{
  if (self->dataset == NULL)
    return;
  lk_row_viewer_open (self->viewer, lk_stored_dataset_get_path (self->dataset), self->model);
  show_row (self);
}
