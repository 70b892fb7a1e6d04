/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-rows-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-row-line.h"
#include "lk-row-list.h"
#include "lk-row-pane.h"
#include "lk-words.h"

/* What the drop-down offers besides the problems. */
static const struct
{
  const char *name, *title;
  int set;
} sets[] = {
  { "all", N_ ("All rows"), LK_ROWS_ALL },
  { "used", N_ ("Rows that remain"), LK_ROWS_USED },
  { "held-out", N_ ("Held out to measure with"), LK_ROWS_HELD_OUT },
  { "excluded", N_ ("Excluded by you"), LK_ROWS_EXCLUDED },
  { "edited", N_ ("Edited by you"), LK_ROWS_EDITED },
  { "cut", N_ ("Cut by the length limit"), LK_ROWS_CUT },
  { "lost", N_ ("Nothing to learn within the limit"), LK_ROWS_LOST },
};

struct _LkRowsPage
{
  GtkWidget parent_instance;

  LkStoredDataset *dataset;
  LkRowList *rows;
  GtkSingleSelection *selection;
  gint32 jump_to; /* when the list has been read; 0: nowhere */

  GtkWidget *content, *stack;
  GtkListView *list;
  GtkDropDown *filter;
  GtkEditable *search, *number;
  GtkLabel *count;
  LkRowPane *pane;
  AdwStatusPage *nothing;
  GtkWidget *exclude_all, *restore_all;
};

G_DEFINE_FINAL_TYPE (LkRowsPage, lk_rows_page, GTK_TYPE_WIDGET)

static void
lk_rows_page_dispose (GObject *object)
{
  LkRowsPage *self = LK_ROWS_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->selection);
  g_clear_object (&self->rows);
  g_clear_object (&self->dataset);
  G_OBJECT_CLASS (lk_rows_page_parent_class)->dispose (object);
}

static void
filter_rows (LkRowsPage *self)
{
  guint chosen = gtk_drop_down_get_selected (self->filter);
  LkRowFilter filter = { .seed = LK_DEFAULT_SEED, .search = gtk_editable_get_text (self->search) };

  if (self->rows == NULL)
    return;
  filter.limit = lk_stored_dataset_get_limit (self->dataset);
  filter.fraction = lk_stored_dataset_get_held_out (self->dataset);
  if (chosen < G_N_ELEMENTS (sets))
    filter.set = sets[chosen].set;
  else if (chosen - G_N_ELEMENTS (sets) < lk_n_row_flags)
    {
      filter.set = LK_ROWS_PROBLEM;
      filter.problems = lk_row_flags[chosen - G_N_ELEMENTS (sets)].flag;
    }
  lk_row_list_set_filter (self->rows, &filter);
}

static void
go_to (LkRowsPage *self, guint position)
{
  if (position == G_MAXUINT)
    return;
  gtk_single_selection_set_selected (self->selection, position);
  gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", position);
}

static gboolean
is_filtered (LkRowsPage *self)
{
  return gtk_drop_down_get_selected (self->filter) > 0 || gtk_editable_get_text (self->search)[0] != 0;
}

static void
rows_cb (LkRowsPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->rows));
  gboolean busy = lk_row_list_is_busy (self->rows);
  const char *error = lk_row_list_get_error (self->rows);
  g_autofree char *number = lk_words_count (n);
  g_autofree char *words = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s row", "%s rows", n), number);

  gtk_label_set_text (self->count, busy ? _ ("Searching…") : words);
  gtk_widget_set_visible (self->exclude_all, is_filtered (self) && n > 0);
  gtk_widget_set_visible (self->restore_all, is_filtered (self) && n > 0);
  adw_status_page_set_title (self->nothing, error != NULL ? _ ("The Rows Cannot Be Read") : _ ("No Such Rows"));
  adw_status_page_set_description (self->nothing, error != NULL ? error : _ ("Nothing in this dataset is like that."));
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), error != NULL || (n == 0 && !busy) ? "nothing" : "list");
  if (!busy && self->jump_to > 0 && n > 0)
    {
      guint position = lk_row_list_find (self->rows, self->jump_to);

      self->jump_to = 0;
      go_to (self, position);
    }
}

static void
selected_cb (LkRowsPage *self)
{
  lk_row_list_keep (self->rows, gtk_single_selection_get_selected (self->selection));
  lk_row_pane_set_row (self->pane, gtk_single_selection_get_selected_item (self->selection));
}

static void
jump_cb (LkRowsPage *self, int id)
{
  self->jump_to = id;
  if (!is_filtered (self))
    {
      rows_cb (self);
      return;
    }
  gtk_editable_set_text (self->search, "");
  gtk_drop_down_set_selected (self->filter, 0);
}

static void
number_cb (LkRowsPage *self)
{
  gint64 id = g_ascii_strtoll (gtk_editable_get_text (self->number), NULL, 10);

  if (id > 0 && id < G_MAXINT32 && self->rows != NULL)
    jump_cb (self, (int) id);
}

static void
change_all (LkRowsPage *self, gboolean exclude)
{
  g_autoptr (GArray) ids = self->rows != NULL ? lk_row_list_get_ids (self->rows) : NULL;

  if (ids != NULL)
    lk_stored_dataset_exclude (self->dataset, ids, exclude);
}

static void
exclude_all_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  change_all (LK_ROWS_PAGE (widget), TRUE);
}

static void
restore_all_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  change_all (LK_ROWS_PAGE (widget), FALSE);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  gtk_list_item_set_child (item, lk_row_line_new ());
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  lk_row_line_set_row (LK_ROW_LINE (gtk_list_item_get_child (item)), gtk_list_item_get_item (item));
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  lk_row_line_set_row (LK_ROW_LINE (gtk_list_item_get_child (item)), NULL);
}

static void
lk_rows_page_class_init (LkRowsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_ROW_PANE);
  G_OBJECT_CLASS (klass)->dispose = lk_rows_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-rows-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, list);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, filter);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, search);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, number);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, count);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, pane);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, nothing);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, exclude_all);
  gtk_widget_class_bind_template_child (widget_class, LkRowsPage, restore_all);
  gtk_widget_class_bind_template_callback (widget_class, filter_rows);
  gtk_widget_class_bind_template_callback (widget_class, number_cb);
  gtk_widget_class_bind_template_callback (widget_class, jump_cb);
  gtk_widget_class_install_action (widget_class, "rows.exclude-all", NULL, exclude_all_action);
  gtk_widget_class_install_action (widget_class, "rows.restore-all", NULL, restore_all_action);
}

static void
lk_rows_page_init (LkRowsPage *self)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    gtk_string_list_append (titles, _ (sets[i].title));
  for (guint i = 0; i < lk_n_row_flags; i++)
    gtk_string_list_append (titles, _ (lk_row_flags[i].title));
  gtk_drop_down_set_model (self->filter, G_LIST_MODEL (titles));
  g_signal_connect_object (self->filter, "notify::selected", G_CALLBACK (filter_rows), self, G_CONNECT_SWAPPED);
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), NULL);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), NULL);
  gtk_list_view_set_factory (self->list, factory);
}

/* Searches once, also where the rows of the same filter are others by now. */
static void
set_filter (LkRowsPage *self, guint chosen)
{
  g_signal_handlers_block_by_func (self->filter, filter_rows, self);
  gtk_drop_down_set_selected (self->filter, chosen);
  g_signal_handlers_unblock_by_func (self->filter, filter_rows, self);
  gtk_editable_set_text (self->search, "");
  filter_rows (self);
}

static void
dataset_rows_changed_cb (LkRowsPage *self, gboolean which)
{
  lk_row_list_refresh (self->rows, which || is_filtered (self));
  if (which)
    lk_row_pane_refresh (self->pane);
}

void
lk_rows_page_set_dataset (LkRowsPage *self, LkStoredDataset *dataset, const char *model)
{
  gboolean same = dataset == self->dataset; /* shown for another model */

  g_return_if_fail (LK_IS_ROWS_PAGE (self));

  if (self->dataset != NULL)
    g_signal_handlers_disconnect_by_func (self->dataset, dataset_rows_changed_cb, self);
  if (self->rows != NULL)
    g_signal_handlers_disconnect_by_func (self->rows, rows_cb, self);
  gtk_list_view_set_model (self->list, NULL);
  g_clear_object (&self->selection);
  g_clear_object (&self->rows);
  g_set_object (&self->dataset, dataset);
  lk_row_pane_set_dataset (self->pane, dataset, model);
  if (dataset == NULL)
    return;
  self->rows = lk_row_list_new (lk_stored_dataset_get_path (dataset));
  self->selection = gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->rows)));
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->rows, "notify", G_CALLBACK (rows_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (dataset, "rows-changed", G_CALLBACK (dataset_rows_changed_cb), self, G_CONNECT_SWAPPED);
  if (same)
    filter_rows (self);
  else
    set_filter (self, 0);
}

void
lk_rows_page_show_only (LkRowsPage *self, const char *set)
{
  guint chosen = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    if (g_str_equal (sets[i].name, set))
      chosen = i;
  for (guint i = 0; i < lk_n_row_flags; i++)
    if (g_str_equal (lk_row_flags[i].name, set))
      chosen = G_N_ELEMENTS (sets) + i;
  set_filter (self, chosen);
}
