/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-datasets-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "compat.h"
#include "lk-files-page.h"
#include "lk-overview-page.h"
#include "lk-paths.h"
#include "lk-rows-page.h"
#include "lk-settings.h"
#include "lk-words.h"
#include "widgets/lk-banner.h"

struct _LkDatasetsPage
{
  GtkWidget parent_instance;

  LkDatasetStore *store;
  LkStoredDataset *dataset; /* that is open; NULL */
  char *model;
  guint import; /* the one that was begun here, to be opened when it is there; 0: none */

  GtkWidget *content, *stack, *back, *use, *more, *importing, *banner;
  GtkListBox *list;
  GtkLabel *import_words, *model_words;
  GtkProgressBar *import_progress;
  AdwWindowTitle *title;
  AdwViewStack *views;
  LkOverviewPage *overview;
  LkRowsPage *rows;
  LkFilesPage *files;
};

G_DEFINE_FINAL_TYPE (LkDatasetsPage, lk_datasets_page, GTK_TYPE_WIDGET)

static void
lk_datasets_page_dispose (GObject *object)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->dataset);
  g_clear_pointer (&self->model, g_free);
  G_OBJECT_CLASS (lk_datasets_page_parent_class)->dispose (object);
}

static gboolean
is_usable (LkStoredDataset *dataset)
{
  const LkDatasetFigures *figures = dataset != NULL ? lk_stored_dataset_peek (dataset) : NULL;

  return figures != NULL && figures->used > 0;
}

static void
update (LkDatasetsPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->store));
  const char *page = self->dataset != NULL ? "dataset" : n > 0 ? "list" : "empty";
  g_autofree char *summary = self->dataset != NULL && lk_stored_dataset_is_loaded (self->dataset)
                                ? lk_stored_dataset_describe (self->dataset)
                                : NULL;
  const char *error = lk_dataset_store_get_error (self->store);

  if (error == NULL && self->dataset != NULL)
    error = lk_stored_dataset_get_error (self->dataset);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), page);
  gtk_widget_set_visible (self->back, self->dataset != NULL);
  gtk_widget_set_visible (self->use, self->dataset != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "datasets.use", is_usable (self->dataset));
  gtk_widget_set_visible (self->more, self->dataset != NULL);
  adw_window_title_set_title (self->title, self->dataset != NULL ? lk_stored_dataset_get_name (self->dataset) : _ ("Datasets"));
  adw_window_title_set_subtitle (self->title, summary != NULL ? summary : "");
  g_object_set (self->banner, "text", error, "revealed", error != NULL, NULL);
}

static void
import_cb (LkDatasetsPage *self)
{
  LkDataJob *job = lk_dataset_store_get_job (self->store);
  g_autofree char *message = NULL;

  g_object_get (job, "message", &message, NULL);
  gtk_widget_set_visible (self->importing, lk_data_job_is_running (job));
  gtk_label_set_text (self->import_words, message != NULL ? message : _ ("Reading the files…"));
  gtk_progress_bar_set_fraction (self->import_progress, lk_data_job_get_fraction (job));
}

static void
show_model (LkDatasetsPage *self)
{
  g_autofree char *name = self->model != NULL ? lk_words_name_of_path (self->model) : NULL;
  g_autofree char *words = name != NULL ? g_strdup_printf (_ ("Shown for %s"), name) : NULL;

  gtk_label_set_text (self->model_words, words != NULL ? words : _ ("Shown without a model"));
}

static void
set_dataset (LkDatasetsPage *self, LkStoredDataset *dataset)
{
  if (self->dataset != NULL)
    g_signal_handlers_disconnect_by_func (self->dataset, update, self);
  g_set_object (&self->dataset, dataset);
  if (dataset != NULL)
    g_signal_connect_object (dataset, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  lk_overview_page_set_dataset (self->overview, dataset, self->model);
  lk_rows_page_set_dataset (self->rows, dataset, self->model);
  lk_files_page_set_dataset (self->files, dataset);
  show_model (self);
  update (self);
}

/* The model last used, or the one that comes with the program. */
static void
find_model (LkDatasetsPage *self, const char *model)
{
  g_autofree char *last = lk_settings_get_last_model (lk_settings_get_default ());

  g_free (self->model);
  if (model != NULL)
    self->model = g_strdup (model);
  else if (last[0] != 0 && g_file_test (last, G_FILE_TEST_EXISTS))
    self->model = g_steal_pointer (&last);
  else
    self->model = lk_paths_find_tiny_model ();
}

void
lk_datasets_page_open (LkDatasetsPage *self, LkStoredDataset *dataset, const char *model)
{
  g_return_if_fail (LK_IS_DATASETS_PAGE (self));

  find_model (self, model);
  adw_view_stack_set_visible_child_name (self->views, "overview");
  set_dataset (self, dataset);
}

static void
imported_cb (LkDatasetsPage *self, LkStoredDataset *dataset)
{
  if (self->import != lk_dataset_store_get_import (self->store))
    return;
  self->import = 0;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    lk_datasets_page_open (self, dataset, NULL);
}

void
lk_datasets_page_take_files (LkDatasetsPage *self, const char *const *files)
{
  g_autoptr (LkStoredDataset) imported = lk_dataset_store_open (self->store, files[0]);

  if (imported != NULL)
    lk_datasets_page_open (self, imported, NULL);
  else if (files[0] != NULL)
    self->import = lk_dataset_store_import (self->store, files);
}

static void
files_chosen_cb (GListModel *files, gpointer user_data)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (user_data);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);

      if (g_file_peek_path (file) != NULL)
        g_strv_builder_add (builder, g_file_peek_path (file));
    }
  paths = g_strv_builder_end (builder);
  if (paths[0] != NULL)
    lk_datasets_page_take_files (self, (const char *const *) paths);
}

static gboolean
drop_cb (LkDatasetsPage *self, const GValue *value)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  for (GSList *link = g_value_get_boxed (value); link != NULL; link = link->next)
    if (g_file_peek_path (link->data) != NULL)
      g_strv_builder_add (builder, g_file_peek_path (link->data));
  paths = g_strv_builder_end (builder);
  if (paths[0] != NULL)
    lk_datasets_page_take_files (self, (const char *const *) paths);
  return paths[0] != NULL;
}

static void
import_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "jsonl", "json", "csv", "txt", NULL };
  g_autofree char *folder = NULL;

  g_object_get (lk_settings_get_default (), "last-folder", &folder, NULL);
  lk_compat_choose_files (GTK_WINDOW (gtk_widget_get_root (widget)), _ ("Choose the Files of a Dataset"), _ ("Datasets"), suffixes, folder,
                          files_chosen_cb, widget);
}

static void
sample_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *sample = lk_paths_find_sample ();
  const char *const files[] = { sample, NULL };

  lk_datasets_page_take_files (LK_DATASETS_PAGE (widget), files);
}

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_dataset_store_cancel (LK_DATASETS_PAGE (widget)->store);
}

static void
back_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  set_dataset (LK_DATASETS_PAGE (widget), NULL);
}

static void
use_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (widget);

  if (self->dataset != NULL)
    g_signal_emit_by_name (self, "use", lk_stored_dataset_get_path (self->dataset));
}

static void
trash_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (widget);
  g_autoptr (LkStoredDataset) dataset = self->dataset != NULL ? g_object_ref (self->dataset) : NULL;
  g_autoptr (GError) error = NULL;

  if (dataset == NULL)
    return;
  set_dataset (self, NULL);
  if (lk_dataset_store_trash (self->store, dataset, &error))
    gtk_widget_activate_action (widget, "win.toast", "s", _ ("Moved to the trash; the files it was made of stay"));
  else
    gtk_widget_activate_action (widget, "win.toast", "s", error->message);
}

static void
dismiss_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (widget);

  lk_dataset_store_forget_error (self->store);
  g_object_set (self->banner, "revealed", FALSE, NULL);
}

static void
model_chosen_cb (GFile *file, gpointer user_data)
{
  LkDatasetsPage *self = LK_DATASETS_PAGE (user_data);

  find_model (self, g_file_peek_path (file));
  set_dataset (self, self->dataset);
}

static void
choose_model_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "gguf", "safetensors", NULL };
  g_autofree char *folder = NULL;

  g_object_get (lk_settings_get_default (), "last-folder", &folder, NULL);
  lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_OPEN_FILE, _ ("Choose a Model"), _ ("Models"), suffixes, folder,
                         NULL, model_chosen_cb, widget);
}

static void
show_only_cb (LkDatasetsPage *self, const char *set)
{
  lk_rows_page_show_only (self->rows, set);
  adw_view_stack_set_visible_child_name (self->views, "rows");
}

static void
row_activated_cb (LkDatasetsPage *self, GtkListBoxRow *row)
{
  g_autoptr (LkStoredDataset) dataset = g_list_model_get_item (G_LIST_MODEL (self->store), (guint) gtk_list_box_row_get_index (row));

  if (dataset != NULL)
    lk_datasets_page_open (self, dataset, NULL);
}

static GtkWidget *
make_row_cb (gpointer item, gpointer user_data)
{
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "activatable", TRUE, NULL);

  g_object_bind_property (item, "name", row, "title", G_BINDING_SYNC_CREATE);
  g_object_bind_property (item, "summary", row, "subtitle", G_BINDING_SYNC_CREATE);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row),
                             g_object_new (GTK_TYPE_IMAGE, "icon-name", "go-next-symbolic", "accessible-role",
                                           GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL));
  return row;
}

static void
lk_datasets_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (lk_datasets_page_parent_class)->map (widget);
  lk_dataset_store_refresh (LK_DATASETS_PAGE (widget)->store);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, back);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, use);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, more);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, importing);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, banner);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, list);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, import_words);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, import_progress);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, model_words);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, title);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, views);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, overview);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, rows);
  gtk_widget_class_bind_template_child (widget_class, LkDatasetsPage, files);
  gtk_widget_class_bind_template_callback (widget_class, show_only_cb);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
}

static void
lk_datasets_page_class_init (LkDatasetsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_OVERVIEW_PAGE);
  g_type_ensure (LK_TYPE_ROWS_PAGE);
  g_type_ensure (LK_TYPE_FILES_PAGE);
  g_type_ensure (LK_TYPE_BANNER);
  G_OBJECT_CLASS (klass)->dispose = lk_datasets_page_dispose;
  widget_class->map = lk_datasets_page_map;
  g_signal_new ("use", LK_TYPE_DATASETS_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-datasets-page.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "datasets.import", NULL, import_action);
  gtk_widget_class_install_action (widget_class, "datasets.sample", NULL, sample_action);
  gtk_widget_class_install_action (widget_class, "datasets.cancel", NULL, cancel_action);
  gtk_widget_class_install_action (widget_class, "datasets.back", NULL, back_action);
  gtk_widget_class_install_action (widget_class, "datasets.use", NULL, use_action);
  gtk_widget_class_install_action (widget_class, "datasets.trash", NULL, trash_action);
  gtk_widget_class_install_action (widget_class, "datasets.dismiss", NULL, dismiss_action);
  gtk_widget_class_install_action (widget_class, "datasets.choose-model", NULL, choose_model_action);
}

static void
lk_datasets_page_init (LkDatasetsPage *self)
{
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  self->store = lk_dataset_store_get_default ();
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_list_box_bind_model (self->list, G_LIST_MODEL (self->store), make_row_cb, NULL, NULL);
  g_signal_connect_object (self->store, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->store, "imported", G_CALLBACK (imported_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_dataset_store_get_job (self->store), "notify", G_CALLBACK (import_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drop, "drop", G_CALLBACK (drop_cb), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  import_cb (self);
  update (self);
}
